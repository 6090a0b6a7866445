"""What the right answer would be for other inputs, constants or functions, from which hypotheses predict mistakes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, TypedDict, TypeVar, Unpack

from torch import Tensor
from torch.overrides import TorchFunctionMode

from grader.errors import CourseError
from grader.judge.cases import Prepared
from grader.judge.diagnosis.equivalents import by_torch
from grader.judge.evidence import Evidence
from grader.judge.reference import forward_value, reference_for
from grader.model import Case, Exercise
from grader.recent import Recent

Value = TypeVar("Value")


class Changed(TypedDict, total=False):
    """What stands in place of a case's own; ``under`` is what its forward pass runs in."""

    inputs: Mapping[str, Tensor]
    constants: Mapping[str, Any]
    upstream: Tensor
    under: AbstractContextManager[Any]


class _Counted(TorchFunctionMode):
    """While it is entered, counts in ``calls`` how often each function of torch is called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[Any] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``."""
        self.calls[func] += 1
        return func(*args, **(kwargs or {}))


class Alternatives:
    """What follows from the cases of an exercise alone, and from no student's answer; each thing is worked out once."""

    def __init__(self, exercise: Exercise, prepared: tuple[Prepared, ...]) -> None:
        self.exercise = exercise
        self.prepared = prepared
        self._made: dict[Hashable, Any] = {}

    @cached_property
    def _passed(self) -> Exercise:
        """The exercise, its forward pass by the function of torch that it writes out, if it is one."""
        return by_torch(self.exercise, self.prepared)

    @cached_property
    def called(self) -> frozenset[Any]:
        """The functions of torch that the forward pass calls, whatever its constants are."""
        cases = {str(prepared.case.constants): prepared.case for prepared in self.prepared}
        return frozenset().union(*map(self.calls_in, cases.values()))

    def calls_in(self, case: Case) -> Counter[Any]:
        """How often the forward pass calls each function of torch in a case."""

        def counted() -> Counter[Any]:
            of_torch = _Counted()
            self.reference("as it is", case, under=of_torch)
            return of_torch.calls

        return self.once(("calls in", case.label), counted)

    def reference(self, key: Hashable, case: Case, **changed: Unpack[Changed]) -> Mapping[str, Tensor] | None:
        """What would be expected of a case of which something is ``changed``, which ``key`` names.

        None where the forward pass does not work on that.
        """

        def made() -> Mapping[str, Tensor] | None:
            passed = self._passed  # not under what is changed: the first to ask for it makes references of its own
            try:
                with warnings.catch_warnings(), changed.get("under", nullcontext()):
                    warnings.simplefilter("ignore")
                    return reference_for(
                        passed,
                        {**case.inputs, **changed.get("inputs", {})},
                        {**case.constants, **changed.get("constants", {})},
                        changed.get("upstream", case.upstream),
                    )
            except (CourseError, RuntimeError, ValueError, IndexError, TypeError):
                return None

        return self.once((key, case.label), made)

    def output(self, case: Case) -> Tensor | None:
        """What the forward pass gives; None where that is no tensor."""
        found = self.once(("output", case.label), lambda: forward_value(self.exercise, case.inputs, case.constants))
        return found if isinstance(found, Tensor) else None

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What ``make`` gives, worked out for the first that asks for ``key``; it must not depend on an answer."""
        if key not in self._made:
            self._made[key] = make()
        found: Value = self._made[key]
        return found


#: Exercises whose alternatives are kept, each for the cases that it was last judged on; the oldest go first. They are
#: kept from one answer to the next, and no verdict hangs on that: nothing in them comes of an answer.
_KEPT = 64
_known: Recent[str, Alternatives] = Recent(_KEPT)


def alternatives_of(evidence: Evidence) -> Alternatives:
    """The alternatives for the cases of ``evidence``; all wrong answers of a class to an exercise share them."""
    exercise, prepared = evidence.exercise, evidence.prepared
    known = _known.get(exercise.id)
    if known is None or known.exercise is not exercise or known.prepared is not prepared:
        known = Alternatives(exercise, prepared)
        _known.keep(exercise.id, known)
    return known
