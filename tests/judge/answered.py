"""What an answer written as a student writes it leaves: run by the kernel's own harness, in this process."""

from __future__ import annotations

import ast
import re
import warnings
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

from grader import judge
from grader.course.proving.answers import answers_to
from grader.course.proving.rehearsal import Rehearsal
from grader.judge.diagnosis.table import diagnose
from grader.judge.evidence import Evidence
from grader.kernel.check import studenterror
from grader.model import CaseRun, Diagnosis, Stub
from tests.judge.builders import ROOT, SEED, cases, course, evidence_of

#: The name by which the harness knows a student's cell.
FILE = "ipykernel_1.py"
CELL = 1
#: Said where no hypothesis holds.
UNKNOWN = "None of the usual"
#: What is filled into a sentence: names between backticks, and numbers.
_FILLED = re.compile(r"`[^`]*`?|\d\S*")


def answered(name: str, source: str, seed: int = SEED) -> dict[str, Diagnosis]:
    """The diagnoses of ``source`` as the answer to the exercise ``name``, the others of its notebook being solved.

    ``source`` may call the solution's answer as ``solution``.
    """
    return diagnose(evidence(name, source, seed))


def whole(diagnosis: Diagnosis) -> str:
    """All that a diagnosis says."""
    return " ".join((diagnosis.message, diagnosis.hint, diagnosis.explanation))


def assert_told(exercise: str, source: str, check: str, said: str, code: str = "wrong_value") -> None:
    """The answer ``source`` gets the diagnosis ``code`` of ``check``, with ``said`` in its sentences."""
    found = answered(exercise, source)[check]

    assert found.code == code
    assert said in whole(found)
    assert UNKNOWN not in whole(found)


def assert_not_told(exercise: str, source: str, check: str, false: str, seed: int = SEED) -> None:
    """Nothing that the answer ``source`` is told of ``check`` has ``false`` in it."""
    assert_unsaid(answered(exercise, source, seed)[check], false)


def assert_unsaid(diagnosis: Diagnosis, *false: str) -> None:
    """A diagnosis has none of the words ``false`` in it, although the judge has sentences with each of them.

    Words that were reworded since can be said of nothing, and would guard nothing.
    """
    assert [words for words in false if words in whole(diagnosis)] == []
    assert [words for words in false if any(part not in _said_of_some() for part in _FILLED.split(words))] == []


@cache
def _said_of_some() -> str:
    """The strings of which the judge makes sentences, and the names that it fills in: those of all inputs."""
    found = [name for exercise in course().exercises.values() for name in exercise.inputs]
    for path in Path(judge.__path__[0]).rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        alone = {node.value for node in nodes if isinstance(node, ast.Expr)}  # docstrings
        found += [
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in alone
        ]
    return "\n".join(found)


def evidence(name: str, source: str, seed: int = SEED) -> Evidence:
    """All that ``source`` leaves."""
    exercise = course().exercises[name]
    runs = answered_cases(name, source, seed)
    return evidence_of(exercise, runs, Stub(name, CELL, 1, dedent(source).strip(), "metadata"), seed)


def answered_cases(name: str, source: str, seed: int = SEED, *, first: int | None = None) -> tuple[CaseRun, ...]:
    """What ``source`` leaves in the cases of the exercise ``name``, or in the ``first`` of them."""
    exercise, source = course().exercises[name], dedent(source).strip()
    solved = _solved(exercise.notebook)
    space = {**solved, "solution": solved.get(name)}
    studenterror.remember(FILE, source)
    if not exercise.rerun:
        exec(compile(source, FILE, "exec"), space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of a student's code are the student's
        return Rehearsal(exercise, cases(exercise, seed)[:first], FILE, CELL).run(space, source)


@cache
def _solved(notebook: str) -> dict[str, Any]:
    """What the solution of a notebook defines, whichever of its exercises is asked for."""
    one = next(one for one in course().exercises.values() if one.notebook == notebook)
    return answers_to(one, ROOT / "solutions", course()).solved
