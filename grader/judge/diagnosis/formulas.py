"""Scalar formulas, where a node that is used twice keeps only one of its contributions.

For exercises that differentiate the constant ``formula`` of inputs ``a`` and ``b``, and of the number ``x`` that ``a``
holds: each occurrence of a name becomes a leaf of its own, whose derivative is one contribution to its gradient.
"""

from __future__ import annotations

import ast

import torch
from torch import Tensor

from grader.judge.diagnosis import wording
from grader.judge.diagnosis.absent import path
from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Case, Diagnosis

_NAMES = ("a", "b")


class _Apart(ast.NodeTransformer):
    """Gives each occurrence of a leaf a name of its own."""

    def __init__(self) -> None:
        self.made: dict[str, list[str]] = {name: [] for name in _NAMES}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id not in self.made:
            return node
        self.made[node.id].append(f"{node.id}_{len(self.made[node.id])}")
        return ast.copy_location(ast.Name(self.made[node.id][-1], node.ctx), node)


def one_contribution(symptom: Symptom) -> Diagnosis | None:
    """Each gradient is one of the contributions to it, where there are several."""
    if not symptom.failing or any("formula" not in view.case.constants for view in symptom.views):
        return None
    if all(_is_one_of(view) for view in symptom.failing) or _has_nested(symptom):
        return wording.say("overwritten", path=path(symptom))
    return None


def _is_one_of(view: View) -> bool:
    found = _contributions(view.case)
    if found is None or view.actual.shape != (len(_NAMES),):
        return False
    return all(
        any(view.is_near(each, actual) for each in found[name]) if found[name] else view.is_near(expected, actual)
        for name, actual, expected in zip(_NAMES, view.actual, view.expected, strict=True)
    )


def _has_nested(symptom: Symptom) -> bool:
    """A formula with nodes shared inside it, where another check already shows single contributions."""
    nested = all("lambda" in str(view.case.constants["formula"]) for view in symptom.failing)
    if not nested or symptom.failing[0].actual.shape != (len(_NAMES),):
        return False
    others = (Symptom(symptom.evidence, other, symptom.alternatives) for other in symptom.others())
    return any(
        other.failing and all(_is_one_of(view) for view in other.failing)
        for other in others
        if other.check in symptom.failed
    )


def _contributions(case: Case) -> dict[str, list[Tensor]] | None:
    """For each leaf, the derivative with respect to each of its occurrences; None where nothing is used twice."""
    try:
        tree = ast.parse(str(case.constants["formula"]), mode="eval")
        apart = _Apart()
        code = compile(ast.fix_missing_locations(apart.visit(tree)), "<formula>", "eval")
        if all(len(names) < 2 for names in apart.made.values()):
            return None
        leaves = {
            each: case.inputs[name].detach().to(torch.float64).requires_grad_()
            for name, names in apart.made.items()
            for each in names
        }
        with torch.enable_grad():
            out = eval(code, {**leaves, "x": case.inputs["a"].item()})  # noqa: S307 - the course's own formula
            found = torch.autograd.grad(out, list(leaves.values()), allow_unused=True, materialize_grads=True)
    except (SyntaxError, NameError, TypeError, ValueError, KeyError, AttributeError, RuntimeError):
        return None
    by_leaf = dict(zip(leaves, found, strict=True))
    return {name: [by_leaf[each] for each in names] for name, names in apart.made.items()}
