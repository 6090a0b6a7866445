"""Scalar formulas, differentiated by an engine of the student's with a mistake in it.

For exercises that differentiate the constant ``formula`` of inputs ``a`` and ``b``, and of the number ``x`` that ``a``
holds. A mistake in one operation shows in every formula that uses it, so all checks are looked at together. Where none
fits, a node that is used twice may have kept only one of its contributions: each occurrence of a name becomes a leaf of
its own, whose derivative is one contribution to its gradient.
"""

from __future__ import annotations

import ast
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from grader.judge.diagnosis.scalars.engine import Engine
from grader.judge.diagnosis.scalars.engine_slips import SLIPS, EngineSlip
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.evidence import Evidence
from grader.model import Case, Diagnosis

_NAMES = ("a", "b")
#: The path of a formula's value.
_DATA = "out.data"
_OPERATORS = {ast.Add: "+", ast.Mult: "*", ast.Sub: "-", ast.Div: "/", ast.Pow: "**", ast.USub: "-x"}
#: The mistakes behind the failed checks, which are found for all of them at once and asked for by one after the other;
#: gone with the evidence that they are about.
_FOUND: WeakKeyDictionary[Evidence, dict[str, EngineSlip]] = WeakKeyDictionary()
#: More mistakes at once are one that is not known, where they do not explain all that failed.
_MISTAKES = 2


class _Apart(ast.NodeTransformer):
    """Gives each occurrence of a leaf a name of its own."""

    def __init__(self) -> None:
        self.made: dict[str, list[str]] = {name: [] for name in _NAMES}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id not in self.made:
            return node
        self.made[node.id].append(f"{node.id}_{len(self.made[node.id])}")
        return ast.copy_location(ast.Name(self.made[node.id][-1], node.ctx), node)


def engine(symptom: Symptom) -> Diagnosis | None:
    """One mistake in an engine that explains this check and contradicts none of the others."""
    if any("formula" not in view.case.constants for view in symptom.views):
        return None
    if symptom.evidence not in _FOUND:
        _FOUND[symptom.evidence] = _slips(symptom)
    found = _FOUND[symptom.evidence].get(symptom.check)
    return None if found is None else symptom.say(found.key, what=found.what)


def inside(symptom: Symptom) -> Diagnosis | None:
    """No gradients at nodes inside of a graph, where the leaves of all others have theirs."""
    read = all(view.case.constants.get("inside") is True for view in symptom.failing)
    nothing = read and all(view.came.is_floating_point() and not view.actual.any() for view in symptom.failing)
    return symptom.say("zeros.inside") if nothing and symptom.failed == {symptom.check} else None


def order(symptom: Symptom) -> Diagnosis | None:
    """Gradients that are off only where a formula uses a node twice, by no known wrong order of the nodes."""
    if {one.check for one in _numeric(symptom)} & symptom.failed != {symptom.check}:
        return None
    for view in symptom.views:
        alike = view.came.shape == view.expected.shape == (len(_NAMES),) and bool(view.actual.isfinite().all())
        if not alike or not _is_nested(view.case):
            return None
    return symptom.say("wrong_value.walk")


def _slips(symptom: Symptom) -> dict[str, EngineSlip]:
    """The mistake behind each failed check that one explains, those first that explain most."""
    checks = sorted(_numeric(symptom), key=lambda one: one.check not in symptom.failed)
    explained: list[tuple[set[str], set[str], EngineSlip]] = []
    for slip in SLIPS:
        made = (_explained(checks, symptom.failed, each) for each in slip.ways)
        surely, maybe = max(made, key=lambda one: len(one[0]) and len(one[0] | one[1]))
        if surely:
            explained.append((surely, maybe, slip))
    explained.sort(key=lambda one: -len(one[0]))
    found: dict[str, EngineSlip] = {}
    for surely, maybe, slip in explained:
        found = {**dict.fromkeys(surely | maybe, slip), **found}
    unnamed = symptom.failed - found.keys()  # a wrong value makes wrong gradients, whatever goes back
    found = {check: slip for check, slip in found.items() if _value_of(symptom.of(check)) not in unnamed}
    # Mistakes that explain little of what failed are chance: another one may give the same in a single formula.
    left = sum(one.check in symptom.failed for one in checks) - len(found)
    return found if left <= len(found) and (not left or len({*found.values()}) <= _MISTAKES) else {}


def _value_of(symptom: Symptom) -> str:
    """The check of the value of the formula that a check is about."""
    return f"{_DATA}{symptom.check.removeprefix(symptom.exercise.base_name(symptom.check))}"


def operation(symptom: Symptom) -> Diagnosis | None:
    """The one operation of all formulas whose value is wrong that no formula has whose value is right."""
    if symptom.exercise.base_name(symptom.check) != _DATA:
        return None
    wrong, right = [], set()
    for one in (symptom, *map(symptom.of, symptom.others())):
        used = {name for view in one.views for name in _operations(view.case)}
        if one.check == _value_of(one) and one.check in symptom.failed:
            wrong.append(used)
        elif one.check == _value_of(one):
            right |= used
    found = set.intersection(*wrong) - right if wrong else set()
    return symptom.say("wrong_value.engine.operation", name=found.pop()) if len(found) == 1 else None


def _operations(case: Case) -> set[str]:
    """The operators and methods of a case's formula."""
    try:
        nodes = list(ast.walk(ast.parse(str(case.constants.get("formula", "")), mode="eval")))
    except SyntaxError:
        return set()
    named = {_OPERATORS[type(node)] for node in nodes if type(node) in _OPERATORS}
    return named | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _numeric(symptom: Symptom) -> list[Symptom]:
    """The checks of the formulas that came to numbers: an engine may not know all operations."""
    findings = symptom.evidence.findings
    without = {each.case.label for found in findings.values() for each in found if each.actual.tensor is None}
    return [
        symptom.of(check) for check, found in findings.items() if without.isdisjoint(each.case.label for each in found)
    ]


def _explained(checks: list[Symptom], failed: frozenset[str], orders: tuple[Engine, ...]) -> tuple[set[str], set[str]]:
    """The failed checks, which stand first, that an engine explains, and those that it may by another order of nodes.

    None where any check contradicts it: it touches that one, and in another way than what came.
    """
    surely: set[str] = set()
    maybe: set[str] = set()
    for one in checks:
        if one.check not in failed and not surely:
            break
        for view in one.views:
            fit = _fit(one, view, orders)
            if fit == "against":
                return set(), set()
            if fit == "order":
                maybe |= {one.check} & failed
            elif fit == "exact":
                surely |= {one.check} & failed
    return surely, maybe - surely


def _fit(symptom: Symptom, view: View, orders: tuple[Engine, ...]) -> Literal["exact", "order", "untouched", "against"]:
    """What an engine gives beside what came: the same, or what hangs on the order of the nodes, or what is right."""
    first, *others = orders
    predicted = _computed(symptom, view, first)
    if predicted is None:
        return "against"
    if view.is_near(predicted):
        return "exact"
    further = [made for each in others if (made := _computed(symptom, view, each)) is not None]
    if any(map(view.is_near, further)):
        return "exact"
    if not all(view.is_near(made, predicted) for made in further):
        return "order"
    return "untouched" if not view.finding.passed and view.is_near(predicted, view.expected) else "against"


def _computed(symptom: Symptom, view: View, engine: Engine) -> Tensor | None:
    """What an engine gives; None where it cannot work the formula out."""
    case = view.case

    def made() -> tuple[Tensor, Tensor] | None:
        try:
            numbers = (case.inputs[name].item() for name in _NAMES)
            again = case.constants.get("again") is True
            found = engine.gradients(str(case.constants["formula"]), *numbers, again=again)
        except (ArithmeticError, ValueError, TypeError, KeyError):
            return None
        return torch.tensor(found[0], dtype=torch.float64), torch.tensor(found[1], dtype=torch.float64)

    given = symptom.alternatives.once((engine, case.label), made)
    return None if given is None else given[symptom.exercise.base_name(symptom.check) != _DATA]


def one_contribution(symptom: Symptom) -> Diagnosis | None:
    """Each gradient is one of the contributions to it, where there are several, and the value is right."""
    gradients = all(view.expected.shape == (len(_NAMES),) for view in symptom.views)
    if not gradients or any("formula" not in view.case.constants for view in symptom.views):
        return None
    if _value_of(symptom) in symptom.failed:
        return None
    if all(_is_one_of(view) for view in symptom.failing) or _has_nested(symptom):
        return symptom.say("overwritten.contribution")
    return None


def _is_one_of(view: View) -> bool:
    found = _contributions(view.case)
    if found is None or view.came.shape != (len(_NAMES),):
        return False
    if not any(bool(actual) for actual in view.actual[view.actual != view.expected]):
        return False  # a zero may be anything
    return all(
        any(view.is_near(each, actual) for each in found[name]) if found[name] else view.is_near(expected, actual)
        for name, actual, expected in zip(_NAMES, view.actual, view.expected, strict=True)
    )


def _has_nested(symptom: Symptom) -> bool:
    """A formula that uses a result twice, where another check already shows single contributions."""
    nested = all(_is_nested(view.case) and _contributions(view.case) is not None for view in symptom.failing)
    if not nested or symptom.failing[0].came.shape != (len(_NAMES),):
        return False
    others = (symptom.of(other) for other in symptom.others())
    return any(
        other.failing and all(_is_one_of(view) for view in other.failing)
        for other in others
        if other.check in symptom.failed
    )


def _is_nested(case: Case) -> bool:
    """Whether a formula may use a result inside of it more than once: it gives names to some."""
    return "lambda" in str(case.constants.get("formula"))


def _contributions(case: Case) -> dict[str, list[Tensor]] | None:
    """For each leaf, the derivative with respect to each of its occurrences; None where nothing is used twice."""
    try:
        again = " + a * b" if case.constants.get("again") is True else ""
        tree = ast.parse(f"{case.constants['formula']}{again}", mode="eval")
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
