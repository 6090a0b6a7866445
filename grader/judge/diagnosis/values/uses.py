"""An input that the forward pass uses several times, and whose gradient lacks the contributions of some uses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis

#: Failing cases below which an agreement may be chance, and uses beyond which none is asked about.
_CASES, _MOST = 2, 8


class _Apart(TorchFunctionMode):
    """Counts the ``uses`` of a leaf while it is entered, by its numbers; autograd does not see those ``left``."""

    def __init__(self, value: Tensor, left: frozenset[int]) -> None:
        super().__init__()
        self.value, self.left = value.to(torch.float64), left
        self.uses = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func`` on what autograd is to see."""
        return func(*(self._seen(each) for each in args), **(kwargs or {}))

    def _seen(self, value: Any) -> Any:
        leaf = isinstance(value, Tensor) and value.is_leaf and value.requires_grad
        if not leaf or value.shape != self.value.shape or not torch.equal(value, self.value):
            return value
        self.uses += 1
        return value.detach() if self.uses - 1 in self.left else value


def left_out(symptom: Symptom) -> Diagnosis | None:
    """An input's gradient without the contribution of one of its uses, or that contribution alone."""
    name, _, attribute = symptom.path.rpartition(".")
    if attribute != "g" or len(symptom.failing) < _CASES or symptom.takes_steps:
        return None
    if any(name not in view.case.inputs for view in symptom.views):
        return None
    places = _places(symptom, name)
    if len(places) < 2:
        return None
    alone = [frozenset(places) - {place} for place in places]
    for left in dict.fromkeys((*(frozenset({place}) for place in places), *alone)):
        if symptom.fits(lambda view: _without(symptom, view, name, left)):
            missing = "one" if len(left) == 1 else "all but one"
            said = {"name": symptom.name_of(name), "count": len(places), "missing": missing}
            return symptom.say("wrong_value.use", **said)
    return None


def _places(symptom: Symptom, name: str) -> tuple[int, ...]:
    """The uses of an input by which something comes back, in the order of the forward pass."""
    view = symptom.failing[0]

    def counted() -> int:
        apart = _Apart(view.case.inputs[name], frozenset())
        symptom.alternatives.reference(f"all uses of {name}", view.case, under=apart)
        return apart.uses

    count = symptom.alternatives.once(("uses", name), counted)
    if count > _MOST:
        return ()
    right = view.expected
    made = {place: _without(symptom, view, name, frozenset({place})) for place in range(count)}
    return tuple(place for place, each in made.items() if each is not None and not view.is_near(each, right))


def _without(symptom: Symptom, view: View, name: str, left: frozenset[int]) -> Tensor | None:
    apart = _Apart(view.case.inputs[name], left)
    return symptom.expected_with(f"uses of {name} but {sorted(left)}", view, under=apart)
