"""A failed check with all its cases, as hypotheses look at it.

A hypothesis predicts, for each case, what its mistake would have written; it is given only if the prediction agrees
with what came in *every* case that has a tensor, the passing ones included (in a batch of one, a mean and a sum are
the same). Predictions are compared with the tolerance of the comparison itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Unpack

import torch
from torch import Tensor

from grader.judge.cases import Prepared
from grader.judge.comparison import Tolerance
from grader.judge.diagnosis.alternatives import Alternatives, Changed
from grader.judge.diagnosis.naming import STEPS, given_as
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Evidence, Finding, float_dtypes
from grader.judge.failing import bad_findings
from grader.model import Case, Diagnosis, Exercise

#: Beyond this, what is computed in float64 may be infinite in the dtype of what came.
_HUGE = 1e37


@dataclass(frozen=True, eq=False)
class View:
    """One case of a check in which a tensor ``came``, and what was ``expected``, in float64."""

    finding: Finding
    prepared: Prepared
    came: Tensor
    expected: Tensor
    factor: float

    @cached_property
    def actual(self) -> Tensor:
        """What came, in float64; of a vast tensor of another shape nobody asks for it."""
        return self.came.to(torch.float64)

    @property
    def case(self) -> Case:
        """The case itself."""
        return self.finding.case

    @property
    def is_alike(self) -> bool:
        """Whether floats are expected, and what came has their shape."""
        return self.finding.expected.is_floating_point() and self.came.shape == self.expected.shape

    def is_near(self, predicted: Tensor, actual: Tensor | None = None) -> bool:
        """Whether what came is ``predicted``: the same shape, and as close as a right answer has to be."""
        if (self.came if actual is None else actual).shape != predicted.shape:
            return False
        actual = self.actual if actual is None else actual
        if actual.numel() == 0:
            return True
        predicted = predicted.detach().to(torch.float64)
        unknown = predicted.isnan()
        if bool(unknown.any()) and not bool(unknown.all()) and torch.equal(unknown, actual.isnan()):
            return self.is_near(predicted[~unknown], actual[~unknown])  # 0/0 is NaN in the right places
        error = float((actual - predicted).abs().max())
        if not isfinite(error):  # by which the tolerance of an infinite prediction would be met, too
            return bool(actual.isinf().any()) and self._overflows(predicted, actual)
        return error <= self.tolerance(predicted)

    def _overflows(self, predicted: Tensor, actual: Tensor) -> bool:
        """Whether what came is infinite where ``predicted`` is too large for its dtype, and near it elsewhere."""
        infinite = actual.isinf()
        alike = (predicted.abs() > _HUGE) & (predicted.sign() == actual.sign())
        return bool(alike[infinite].all()) and self.is_near(predicted[~infinite], actual[~infinite])

    def tolerance(self, predicted: Tensor) -> float:
        """The largest absolute error that still counts as ``predicted``."""
        return self._tolerance.of(predicted)

    @cached_property
    def _tolerance(self) -> Tolerance:
        dtypes = float_dtypes(self.case)
        if (tensor := self.finding.actual.tensor) is not None:
            dtypes = (*dtypes, tensor.dtype)
        return Tolerance(dtypes, self.case.upstream, self.factor)


Prediction = Callable[[View], "Tensor | None"]


@dataclass(frozen=True, eq=False)
class Symptom:
    """A check that lost points, with all the evidence of its exercise.

    Of its values, hypotheses are asked only where it is ``failing`` in some case.
    """

    evidence: Evidence
    check: str
    alternatives: Alternatives
    failed: frozenset[str] = field(default_factory=frozenset)

    @property
    def exercise(self) -> Exercise:
        """The exercise of the check."""
        return self.evidence.exercise

    @cached_property
    def path(self) -> str:
        """What the messages call the checked expression: the path that was read."""
        return self.exercise.path_of(self.check)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The check in all of its cases, in order; none where the exercise compares nothing of that name."""
        return self.evidence.findings.get(self.check, ())

    @cached_property
    def bad(self) -> tuple[Finding, ...]:
        """The findings that are not as they should be, in order; the report shows the first."""
        return tuple(bad_findings(self.evidence, self.check))

    @property
    def first(self) -> Finding:
        """The finding that the report shows."""
        return self.bad[0]

    @cached_property
    def is_gradient(self) -> bool:
        """Whether the check asks for the gradient of a tensor, and not for a value of the forward pass or of a step."""
        return self.exercise.expected_name(self.check).endswith(".g")

    @cached_property
    def is_registered(self) -> bool:
        """Whether the check asks for a parameter of a module, as it is when the module was made."""
        return self.exercise.base_name(self.check) in self.exercise.registered

    @property
    def takes_steps(self) -> bool:
        """Whether a loop fails: it takes its time, and a mistake in a formula is one of the stub that it calls."""
        return STEPS in self.failing[0].case.constants

    @property
    def float_parameters(self) -> list[str]:
        """The inputs of the forward pass that are floats in every case."""
        given = [{name for name, value in view.case.inputs.items() if value.is_floating_point()} for view in self.views]
        return [name for name in self.exercise.parameters if all(name in names for names in given)]

    @cached_property
    def views(self) -> tuple[View, ...]:
        """All cases in which a tensor came, the failing ones first."""
        bad = {id(finding) for finding in self.bad}
        views = [view for each in self.findings if (view := self.view_of(each, each.actual.tensor)) is not None]
        return tuple(sorted(views, key=lambda view: id(view.finding) not in bad))

    @cached_property
    def failing(self) -> tuple[View, ...]:
        """The failing cases in which a tensor came."""
        bad = {id(finding) for finding in self.bad}
        return tuple(view for view in self.views if id(view.finding) in bad)

    def fits(self, predict: Prediction) -> bool:
        """Whether ``predict`` says what came in every case.

        It predicts None where its mistake cannot be made, which explains a case that passed and none that failed.
        """
        return bool(self.failing) and all(
            view.finding.passed if (predicted := predict(view)) is None else view.is_near(predicted)
            for view in self.views
        )

    def always_fits(self, predict: Prediction) -> bool:
        """Whether ``predict`` says what came in every case, of a check that may have passed in all of them."""
        return all((predicted := predict(view)) is not None and view.is_near(predicted) for view in self.views)

    @cached_property
    def ratios(self) -> tuple[float | None, ...] | None:
        """For each view, by which factor what came is the expected tensor; None for a view that any factor explains.

        None as a whole where some view is no multiple of the expected tensor, or holds no floats.
        """
        found: list[float | None] = []
        for view in self.views:
            if not view.is_alike:
                return None
            factor = multiple_of(view.actual, view.expected)
            if not (view.finding.passed if factor is None else view.is_near(view.expected * factor)):
                return None
            found.append(factor)
        return tuple(found)

    def is_thin(self, *, entries: int = 0) -> bool:
        """Whether an agreement may be chance, with so few failing cases or entries, or only shares of points count."""
        few = len(self.failing) < 2 or sum(view.expected.numel() for view in self.failing) < entries
        return few or self.exercise.measure is not None

    def output(self, view: View) -> Tensor | None:
        """The output of the forward pass, as the check hands it over or else as the student's own layer makes it."""
        return view.case.program.tensors.get("out", self.alternatives.output(view.case))

    def say(self, key: str, code: str = "", /, **fields: object) -> Diagnosis:
        """``wording.say`` with the path of this check among the ``fields``."""
        return wording.say(key, code, path=self.path, **fields)

    def name_of(self, name: str) -> str:
        """How a student knows an input, or the upstream gradient: ``out.g``, unless the check calls it otherwise."""
        if name == "upstream" and name not in self.failing[0].case.program.tensors:
            return "out.g"
        return given_as(self.exercise.call, name)

    def others(self) -> Iterator[str]:
        """The other compared checks of the exercise."""
        return (check for check in self.evidence.findings if check != self.check)

    def of(self, other: str) -> Symptom:
        """The same of another check."""
        return replace(self, check=other)

    def expected_with(self, key: Hashable, view: View, **changed: Unpack[Changed]) -> Tensor | None:
        """What is expected of this check in a case of which something is ``changed``, which ``key`` names."""
        made = self.alternatives.reference(key, view.case, **changed)
        return None if made is None else made.get(self.check)

    def view_of(self, finding: Finding, tensor: Tensor | None) -> View | None:
        """The case of a finding with ``tensor`` for what came; None where that cannot be compared."""
        if tensor is None or tensor.is_complex():
            return None
        expected = finding.expected.detach().to(torch.float64)
        return View(finding, self.evidence.prepared_for(finding), tensor.detach(), expected, self.exercise.tolerance)


def multiple_of(actual: Tensor, unit: Tensor) -> float | None:
    """How many times ``unit`` comes nearest to ``actual``, by least squares; None where ``unit`` is zero."""
    square = float(unit.pow(2).sum())
    return float((actual * unit).sum()) / square if square else None
