"""In which step of a backward pass a mistake begins, where several gradients of one network are wrong.

The order is read off autograd's own graph of the forward pass: a gradient is the further back, the more operations lie
between it and the loss. One that came out right clears what lies between the loss and the operation that uses its
tensor, so something is said only of gradients behind that operation. A bias clears nothing: its gradient is right even
where the activations beside it are wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.errors import CourseError
from grader.judge.cases import Prepared
from grader.judge.diagnosis.naming import is_loop, made_of
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Evidence
from grader.model import Diagnosis, Exercise

_GENERAL = frozenset({"wrong_value", "scaled", "wrong_shape"})
_FORWARD = ("out", "out.data", "result", "loss", "result[0]")
#: What is wrong with a forward value that may have been computed rightly: where it was put, as what, how far it came.
_MISLAID = frozenset({"not_written", "not_a_tensor", "wrong_dtype", "wrong_operand", "unit_axis", "raised"})
#: Nodes of autograd's graph that only turn or cut a tensor, and those by which a bias comes in.
_TURNS = frozenset(
    {"T", "Transpose", "Permute", "View", "UnsafeView", "ReshapeAlias", "Expand"}
    | {"Unsqueeze", "Squeeze", "Select", "Clone"}
)
_ADDS = frozenset({"Add", "Sub"})


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Where a tensor stands in the graph.

    ``depth`` counts the operations between it and the loss, ``users`` are those that use it first. ``node`` is its own
    in the ``graph``, which tells of each node the users.
    """

    depth: int
    users: frozenset[Any]
    node: Any
    graph: Mapping[Any, list[Any]]

    def clears(self, other: _Leaf) -> bool:
        """Whether this one's right gradient leaves only what lies between its user and ``other`` to be wrong.

        So it is where every way back to ``other`` leads over all users of this one, and none past them.
        """
        if all(_is_one_of(node, _ADDS) for node in self.users) or not self.users.isdisjoint(other.users):
            return False
        beside = _above(other.node, self.graph, self.users)
        return self.users <= _above(other.node, self.graph) and all(self.graph[node] for node in beside)


def placed(evidence: Evidence, found: Mapping[str, Diagnosis]) -> dict[str, Diagnosis]:
    """The diagnoses, the general ones with a word on where the mistake begins."""
    general = [check for check, diagnosis in found.items() if diagnosis.code in _GENERAL]
    if not general:
        return dict(found)
    exercise = evidence.exercise
    trains = bool(exercise.in_place)  # its losses are wrong because its steps are, not the other way round
    results = [
        check
        for check in found
        if exercise.base_name(check) in _FORWARD and exercise.expected_name(check) in {"out", "result"}
    ]
    forward = [check for check in results if found[check].code not in _MISLAID and not trains]
    before = _to_mend_first(evidence, found)
    leaves = _leaves(evidence) if len(evidence.findings) > 1 and not forward else {}
    placed = dict(found)
    for check in general:
        if before:
            placed[check] = wording.added(found[check], before)
        elif check not in forward and any(_is_of(exercise, check, one) for one in forward):
            placed[check] = wording.added(found[check], wording.FORWARD)
        elif sentence := _start(check, found, leaves):
            placed[check] = wording.added(found[check], wording.STARTS, right=sentence[0], first=sentence[1])
    return placed


def _is_of(exercise: Exercise, check: str, forward: str) -> bool:
    """Whether a check is made of a forward value: one of the same variant, and not of a module as it begins."""
    name = exercise.base_name(check)
    return name not in exercise.registered and forward == f"{exercise.base_name(forward)}{check.removeprefix(name)}"


def _to_mend_first(evidence: Evidence, found: Mapping[str, Diagnosis]) -> str:
    """A word on what makes other results wrong, too: a changed input, or weights that one training loop leaves out."""
    if any(diagnosis.code == "input_modified" for diagnosis in found.values()):
        return wording.MODIFIED
    still = next((check for check, diagnosis in found.items() if diagnosis.code == "not_in_place"), None)
    if still is None or not is_loop(evidence.exercise.inputs):
        return ""
    made = made_of(evidence.exercise.call, still)
    known_as = "" if made is None else wording.MADE.format(name=still, source=made)
    return wording.STANDS_STILL.format(found=still) + known_as


def _start(check: str, found: Mapping[str, Diagnosis], leaves: Mapping[str, _Leaf]) -> tuple[str, str] | None:
    """The last right gradient before the first wrong one, if all nearer ones are right and all further ones wrong."""
    right = sorted((one for one in leaves if one not in found), key=lambda one: leaves[one].depth)
    wrong = sorted((one for one in leaves if one in found), key=lambda one: leaves[one].depth)
    if check not in leaves or not right or leaves[right[-1]].depth >= leaves[wrong[0]].depth:
        return None
    clear = [one for one in right if leaves[one].clears(leaves[wrong[0]])]
    return (f"`{clear[-1]}`", f"`{wrong[0]}`") if clear else None


def _leaves(evidence: Evidence) -> dict[str, _Leaf]:
    """Check → the tensor whose gradient it reads."""
    exercise = evidence.exercise
    try:
        found = _inputs(exercise, evidence.prepared[0])
    except (CourseError, RuntimeError, ValueError, TypeError, IndexError, KeyError):
        return {}
    leaves = {}
    for check in evidence.findings:
        name = exercise.expected_name(check)
        owner, _, attribute = name.rpartition(".")
        if attribute == "g" and owner in found:
            leaves[check] = found[owner]
    return leaves


def _inputs(exercise: Exercise, prepared: Prepared) -> dict[str, _Leaf]:
    """Each input that the forward pass differentiates."""
    given = {**prepared.case.constants, **prepared.case.inputs}
    leaves = {
        name: value.detach().to(torch.float64).requires_grad_()
        for name, value in prepared.case.inputs.items()
        if value.is_floating_point() and "." not in name
    }
    with torch.enable_grad():
        out = exercise.run_forward({**given, **leaves})
    if not isinstance(out, Tensor) or out.grad_fn is None:
        return {}
    names = {id(leaf): name for name, leaf in leaves.items()}
    depths, users = _graph(out.grad_fn)
    return {
        names[id(node.variable)]: _Leaf(depths[node], _first_users(node, users), node, users)
        for node in depths
        if id(getattr(node, "variable", None)) in names
    }


def _graph(root: Any) -> tuple[dict[Any, int], dict[Any, list[Any]]]:
    """Each node of autograd's graph → how far it is from ``root``, and the nodes that use what it gives."""
    depths: dict[Any, int] = {root: 1}
    users: dict[Any, list[Any]] = {root: []}
    level = [root]
    while level:
        behind = []
        for node in level:
            for following, _ in node.next_functions:
                if following is None:
                    continue
                if following not in depths:
                    depths[following] = depths[node] + 1
                    behind.append(following)
                users.setdefault(following, []).append(node)
        level = behind
    return depths, users


def _above(node: Any, users: Mapping[Any, list[Any]], without: Collection[Any] = ()) -> frozenset[Any]:
    """All nodes over which a gradient comes to ``node``, but for those ``without``, and past them."""
    found: set[Any] = set()
    waiting = [node]
    while waiting:
        fresh = [user for user in users[waiting.pop()] if user not in found and user not in without]
        found.update(fresh)
        waiting += fresh
    return frozenset(found)


def _first_users(node: Any, users: Mapping[Any, list[Any]]) -> frozenset[Any]:
    """The nodes that use a tensor first, past those that only turn it."""
    found: set[Any] = set()
    waiting = [node]
    while waiting:
        for user in users[waiting.pop()]:
            if _is_one_of(user, _TURNS):
                waiting.append(user)
            else:
                found.add(user)
    return frozenset(found)


def _is_one_of(node: Any, kinds: frozenset[str]) -> bool:
    """Whether a node is the derivative of one of these operations: ``TransposeBackward0`` is that of ``Transpose``."""
    return bool(node.name().partition("Backward")[0] in kinds)
