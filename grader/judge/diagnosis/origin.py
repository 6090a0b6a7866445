"""Where on the way back a mistake begins, when several gradients of one composite are wrong.

The order of the nodes is read off autograd's own graph of the forward pass: a gradient is the further back, the more
operations lie between it and the loss.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import torch
from torch import Tensor

from grader.errors import CourseError
from grader.judge.cases import Prepared
from grader.judge.diagnosis import wording
from grader.judge.evidence import Evidence
from grader.judge.reference import base_name
from grader.model import Diagnosis, Exercise

_GENERAL = frozenset({"wrong_value", "scaled", "wrong_shape"})
_FORWARD = ("out", "result", "loss", "result[0]")


def placed(evidence: Evidence, found: Mapping[str, Diagnosis]) -> dict[str, Diagnosis]:
    """The diagnoses, the general ones with a word on where the mistake begins."""
    general = [check for check, diagnosis in found.items() if diagnosis.code in _GENERAL]
    if not general:
        return dict(found)
    exercise = evidence.exercise
    trains = bool(exercise.in_place)  # its losses are wrong because its steps are, not the other way round
    forward = [check for check in _FORWARD if check in found and _expects(exercise, check) == "out" and not trains]
    depth = _depths(evidence) if len(evidence.findings) > 1 and not forward else {}
    placed = dict(found)
    for check in general:
        if forward and check not in forward:
            placed[check] = wording.added(found[check], wording.FORWARD)
        elif sentence := _start(exercise, check, found, depth):
            placed[check] = wording.added(found[check], wording.STARTS, right=sentence[0], first=sentence[1])
        if exercise.follows:
            names = ", ".join(f"`{name}`" for name in exercise.follows)
            placed[check] = wording.added(placed[check], wording.FOLLOWS, names=names)
    return placed


def _start(
    exercise: Exercise, check: str, found: Mapping[str, Diagnosis], depth: Mapping[str, int]
) -> tuple[str, str] | None:
    """The last right gradient before the first wrong one, if all nearer ones are right and all further ones wrong."""
    if check not in depth:
        return None
    right = [depth[one] for one in depth if one not in found]
    wrong = [depth[one] for one in depth if one in found]
    if not right or not wrong or max(right) >= min(wrong):
        return None
    last = max((one for one in depth if one not in found), key=lambda one: depth[one])
    first = min((one for one in depth if one in found), key=lambda one: depth[one])
    return f"`{last}`", f"`{first}`"


def _expects(exercise: Exercise, check: str) -> str:
    return exercise.expects.get(check, "out" if check in {"result", "out"} else check)


def _depths(evidence: Evidence) -> dict[str, int]:
    """Check → how many operations lie between the gradient it reads and the result of the forward pass."""
    exercise = evidence.exercise
    try:
        lengths = _lengths(exercise, evidence.prepared[0])
    except (CourseError, RuntimeError, ValueError, TypeError, IndexError, KeyError):
        return {}
    depths = {}
    for check in evidence.findings:
        name = exercise.expects.get(base_name(exercise, check), check)
        owner, _, attribute = name.rpartition(".")
        if attribute == "g" and owner in lengths:
            depths[check] = lengths[owner]
    return depths


def _lengths(exercise: Exercise, prepared: Prepared) -> dict[str, int]:
    given = {**prepared.case.constants, **prepared.case.inputs}
    leaves = {
        name: value.detach().to(torch.float64).requires_grad_()
        for name, value in prepared.case.inputs.items()
        if value.is_floating_point() and "." not in name
    }
    available = {name.replace(".", "_"): leaves.get(name, value) for name, value in given.items()}
    with torch.enable_grad():
        out = exercise.forward(**{name: available[name] for name in inspect.signature(exercise.forward).parameters})
    if not isinstance(out, Tensor) or out.grad_fn is None:
        return {}
    names = {id(leaf): name for name, leaf in leaves.items()}
    lengths: dict[str, int] = {}
    level, seen, at = [out.grad_fn], {out.grad_fn}, 0
    while level:
        at += 1
        behind = []
        for node in level:
            variable = getattr(node, "variable", None)
            if variable is not None and id(variable) in names:
                lengths[names[id(variable)]] = at
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen.add(following)
                    behind.append(following)
        level = behind
    return lengths
