"""An exercise on seeded values, and what is found of an answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from grader.model.course import Constant
from grader.model.execution import Program

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Case:
    """An exercise on seeded values.

    ``program`` is what the student's process sees of it, ``inputs`` what the grader keeps (the same tensors, and the
    upstream gradient), ``sizes`` the letters of the samplers (``n=7``), ``checks`` the names of what is judged.
    """

    exercise: str
    label: str
    program: Program
    inputs: Mapping[str, Tensor]
    constants: Mapping[str, Constant]
    sizes: Mapping[str, int]
    upstream: Tensor | None
    checks: tuple[str, ...]

    def number(self, name: str, default: float | None = None) -> float:
        """The constant of that name; raises ``LookupError`` where there is none, or it is no number."""
        value = self.constants.get(name, default)
        if not isinstance(value, int | float):
            raise LookupError(f"the case has no number {name!r}")
        return float(value)

    def describe(self) -> str:
        """``"batch of one: n=1, i=5, o=3"``, as a report names the case."""
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        return f"{self.label}: {sizes}" if sizes else self.label


Verdict = Literal[
    "close",
    "absent",
    "not_a_tensor",
    "wrong_shape",
    "wrong_dtype",
    "non_finite",
    "different",
]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An actual tensor beside the expected one. ``worst`` is the index of the largest error.

    ``tolerance`` is the largest absolute error that would have passed: the errors of right and wrong answers are
    weighed in units of it (``grader validate``, diagnoses). It is None where values were not compared.
    """

    verdict: Verdict
    actual_shape: tuple[int, ...] | None = None
    expected_shape: tuple[int, ...] | None = None
    max_abs_error: float | None = None
    tolerance: float | None = None
    worst: tuple[int, ...] | None = None
    worst_actual: float | None = None
    worst_expected: float | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The mistake that explains a failed check.

    ``code`` is public; ``message`` says what was seen and what makes it, ``hint`` is a nudge that gives nothing away,
    ``explanation`` what to do about it, which is shown only where ``Hints`` are ``full``: it may give the answer away.
    """

    code: str
    message: str
    hint: str = ""
    explanation: str = ""
