"""Python loops in a stub that asks for none: a flag for a human, never a loss."""

from __future__ import annotations

import ast

from grader.judge.diagnosis.source import nodes_of
from grader.model import Exercise, Stub

_REMARK = "loops in Python where tensor operations are asked for"
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def loops_flag(exercise: Exercise, stub: Stub | None) -> tuple[str, ...]:
    """A remark where the stub of an exercise with ``loops_flagged`` loops in Python; empty otherwise."""
    if not exercise.loops_flagged or stub is None:
        return ()
    return (_REMARK,) if any(isinstance(node, _LOOPS) for node in nodes_of(stub)) else ()
