"""Checks without a tensor because the call did not come to its end, or came to one that it should not have."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from grader.cell_code import is_empty, parsed, syntax_error
from grader.judge.diagnosis import clues
from grader.judge.diagnosis.calls.errors import explained, place
from grader.judge.diagnosis.naming import handed_over
from grader.judge.diagnosis.source import assigns, defined_in, parameter
from grader.judge.diagnosis.symptom import Symptom
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Evidence
from grader.model import UNSEEN, CaseRun, Diagnosis, Exercise, Stub, StudentError

#: Names of which a gradient is read: ``out.g``, ``w1.grad``.
_READS_GRADIENT = re.compile(r"\b([A-Za-z_]\w{0,100})\.(?:g|grad)\b")
_STOPPED = frozenset({"timed_out", "crashed", "memory_exceeded", "output_exceeded"})
#: How much of an exception is shown beside the one that is asked for.
_LONGEST = 80


def without_tensor(symptom: Symptom) -> Diagnosis | None:
    """The outcome of the run that wrote nothing for this check: no tensor, or a parameter that is as it was."""
    first = symptom.first
    if first.run.ended == "returned":
        return None
    before = first.case.inputs.get(symptom.path)
    if first.comparison.verdict == "absent" or _is_same(first.actual.tensor, before):
        return ending_of(symptom.evidence, first.run, first.case.describe())
    return None


def left_midway(symptom: Symptom) -> Diagnosis | None:
    """Something was written, no known mistake explains it, and the call did not come to its end."""
    first = symptom.first
    return None if first.run.ended == "returned" else ending_of(symptom.evidence, first.run, first.case.describe())


def not_raised(evidence: Evidence, check: str, modified: Diagnosis | None) -> Diagnosis:
    """The error did not come, or the call never got so far, or nothing else of the exercise is right."""
    for one, run in zip(evidence.prepared, evidence.runs, strict=True):
        if run.ended != "returned" and check in one.case.checks:
            return ending_of(evidence, run, one.case.describe())
    name = evidence.exercise.raises[check]
    if evidence.raising.get(check, False):
        return modified or wording.say("not_raised.alone", check=check, name=name)
    came = next((error for run in evidence.runs if (error := run.errors.get(check)) is not None), None)
    what = "nothing was raised" if came is None else f"{came.type} came instead ({came.message[:_LONGEST]})"
    if name != "NotImplementedError":
        key = "not_raised"
    elif came is not None and came.type == "TypeError" and "positional argument" in came.message:
        key = "not_raised.signature"
    elif came is not None and came.type == "TypeError" and "abstract" in came.message:
        key = "not_raised.abstract"
    else:
        key = "not_raised.base"
    return wording.say(key, check=check, name=name, what=what)


def _is_same(tensor: Tensor | None, before: Tensor | None) -> bool:
    if tensor is None or before is None:
        return False
    return torch.equal(tensor.to(torch.float64), before.to(torch.float64))


def _not_defined(names: str, exercise: Exercise, stub: Stub | None) -> Diagnosis:
    """The name is not there; where the answer's own cell shows why, with that."""
    if stub is None:
        return wording.say("not_defined", names=names)
    if error := syntax_error(stub.source):
        return wording.say("not_defined.syntax", names=names, error=error)
    others = [name for name in defined_in(stub) if name not in exercise.needs]
    if exercise.needs and others and not set(exercise.needs) & set(defined_in(stub)):
        return wording.say("not_defined.renamed", names=names, other=", ".join(f"`{name}`" for name in others[:3]))
    if stub.kept_from.startswith("%%"):
        return wording.say("not_defined.magic", names=names, magic=stub.kept_from)
    if stub.kept_from:
        return wording.say("not_defined.failed", names=names, error=stub.kept_from)
    return wording.say("not_defined", names=names)


def ending_of(evidence: Evidence, run: CaseRun, label: str = "") -> Diagnosis:
    """How a run that did not return ended, in words."""
    exercise, stub = evidence.exercise, evidence.stub
    if run.ended == "not_defined":
        if stub is not None and has_open_cell(stub.source):
            return wording.say("not_implemented")
        return _not_defined(", ".join(f"`{name}`" for name in exercise.needs) or "The stub", exercise, stub)
    error = run.error
    if run.ended in _STOPPED:
        case, of_limit = f" ({label})" if label else "", f"{run.ended}.limit"
        if error is not None and error.type == "LimitMet" and of_limit in wording.WORDS:
            return wording.say(of_limit, label=case, limit=error.message, where=place(error, stub))
        return wording.say(run.ended, label=case)
    if error is None:
        return explained(StudentError("an exception", ""))
    return _raised(evidence, error)


def _raised(evidence: Evidence, error: StudentError) -> Diagnosis:
    """An exception in words: that of an open stub, or its cause with the line of the stub that is behind it."""
    exercise, stub = evidence.exercise, evidence.stub
    if "NotImplementedError" in (error.type, *error.bases) and _is_raised_by_hand(error):
        if is_open(stub, error):
            part = has_begun(evidence) or (stub is not None and not has_untouched_body(stub.source))
            return wording.say("not_implemented.part" if part else "not_implemented", where=place(error, stub))
        names = ", ".join(f"`{name}`" for name in exercise.follows)
        return wording.say("raised.elsewhere", where=place(error, stub), names=f" ({names})" if names else "")
    found = explained(error, stub, autograd=exercise.autograd, given=_given(exercise, stub))
    if error.type != "NameError" and (names := clues.passed_over(stub, exercise.id, exercise.globals)):
        return replace(wording.added(found, names), explanation=wording.READ_THEM)
    if error.line is None or stub is None or error.cell != stub.cell:
        return found
    return wording.added(found, next(filter(None, _clues_to(error, error.line, stub, exercise)), ""))


def _clues_to(error: StudentError, line: int, stub: Stub, exercise: Exercise) -> Iterator[str]:
    """Yield what the stub's lines show of an exception on its ``line``; empty where one shows nothing."""
    ungraded = "attribute 'g'" in error.message
    readers = _READS_GRADIENT.findall(error.code) if "None" in error.message or ungraded else []
    if readers or "does not require grad" in error.message:
        yield clues.new_for_old(stub)
    for name in dict.fromkeys(readers):
        yield clues.renamed_before(stub, name, line)
    if error.type != "NameError":
        yield clues.from_outside(stub, exercise.globals, line)
    if ungraded:
        yield clues.copied(stub)


def _given(exercise: Exercise, stub: Stub | None) -> list[str]:
    """What the stub calls the tensors that the check itself makes and passes in, and nothing else."""
    used = [node for node in ast.walk(ast.parse(exercise.call)) if isinstance(node, ast.Name)]
    made = {node.id for node in used if not isinstance(node.ctx, ast.Load)}
    calls = [call for name in {node.id for node in used} - made if (call := handed_over(exercise.call, name))]
    names = [(function, parameter(stub, function, place)) for function, place in calls]
    return [name for function, name in names if name and not assigns(stub, function, name)]


def used_autograd(seen: str) -> Diagnosis:
    """What is said of a call that used autograd, or that could not be watched for it (``CaseRun.autograd``)."""
    why = seen.removeprefix(UNSEEN)
    return wording.say("uses_autograd", name=seen) if why == seen else wording.say("uses_autograd.unseen", why=why)


def has_begun(evidence: Evidence) -> bool:
    """Whether anything came of the stub: a check that passed, or any tensor in a place where none was given."""
    return any(
        finding.passed or (finding.actual.tensor is not None and path not in evidence.exercise.in_place)
        for check, findings in evidence.findings.items()
        for path in (evidence.exercise.path_of(check),)
        for finding in findings
    )


def is_open(stub: Stub | None, error: StudentError) -> bool:
    """Whether a NotImplementedError that was raised by hand is that of the stub itself, as it was released.

    It is if it was raised on the stub's own lines, or if a body of the stub is still nothing but that statement: a
    subclass may fail in a base class before its own body is reached.
    """
    if stub is None:
        return True
    last = stub.line + stub.source.count("\n")
    own = error.cell == stub.cell and error.line is not None and stub.line <= error.line <= last
    return own or has_untouched_body(stub.source)


def _is_raised_by_hand(error: StudentError) -> bool:
    """Whether the line says ``raise``: torch raises NotImplementedError too, for dtypes that it cannot handle."""
    return "raise" in error.code or not error.code.strip()


def has_untouched_body(source: str) -> bool:
    r"""Whether a function, or the whole source, does nothing but ``raise NotImplementedError`` after a docstring.

    >>> has_untouched_body("def f(x):\n    'Doc.'\n    raise NotImplementedError")
    True
    >>> has_untouched_body("def f(x):\n    if x: return 1\n    raise NotImplementedError")
    False
    """
    return _has_open(source, ast.FunctionDef, ast.AsyncFunctionDef)


def has_open_cell(source: str) -> bool:
    r"""Whether a cell that defines nothing is still a stub: itself, or a class in it, does nothing but raise.

    >>> has_open_cell("class Cell:\n    'Doc.'\n    raise NotImplementedError")
    True
    >>> has_open_cell("def f(x):\n    raise NotImplementedError")
    False
    """
    return _has_open(source, ast.ClassDef)


def _has_open(source: str, *kinds: type[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]) -> bool:
    """Whether the whole source, or a definition of these kinds, only raises."""
    tree = parsed(textwrap.dedent(source))
    if tree is None:
        return False
    definitions = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return any(_only_raises(node.body) for node in (tree, *definitions))


def _only_raises(body: list[ast.stmt]) -> bool:
    return is_empty(body) and any(isinstance(node, ast.Raise) for node in body)
