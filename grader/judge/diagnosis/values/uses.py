"""An input that the forward pass uses several times, and whose gradient lacks the contributions of some uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis

#: Failing cases below which an agreement may be chance, and uses beyond which none is asked about.
_CASES, _MOST = 2, 24
#: Uses by their numbers: all by which something comes back, and those that are left out.
Places = tuple[int, ...]
Left = frozenset[int]
Chosen = Callable[[Places], Left]


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
    places = [_places(symptom, view, name) for view in symptom.views]
    if len(places[0]) < 2:
        return None
    for missing, chosen in _choices(len(places[0]), same=len({len(each) for each in places}) == 1):
        left = {id(view): chosen(each) for view, each in zip(symptom.views, places, strict=True)}
        if symptom.fits(lambda view: _without(symptom, view, name, left[id(view)])):
            said = {"name": symptom.name_of(name), "count": len(places[0]), "missing": missing}
            return symptom.say("wrong_value.use", **said)
    return None


def _choices(count: int, *, same: bool) -> Iterator[tuple[str, Chosen]]:
    """What may be left out, in words, and which places that are of all; a loop has another number of them in each case.

    Each place alone, or all but that one, where all cases have as many; else those at the ends.
    """
    if same:
        yield from (("one", partial(_at, place)) for place in range(count))
        yield from (("all but one", partial(_but, place)) for place in range(count))
    else:
        for end, place in (("first", 0), ("last", -1)):
            yield f"the {end} one", partial(_at, place)
            yield f"all but the {end} one", partial(_but, place)


def _at(place: int, places: Places) -> Left:
    return frozenset([places[place]] if places else ())


def _but(place: int, places: Places) -> Left:
    return frozenset(places) - _at(place, places)


def _places(symptom: Symptom, view: View, name: str) -> Places:
    """The uses of an input by which something comes back in a case, in the order of the forward pass."""

    def counted() -> Places:
        apart = _Apart(view.case.inputs[name], frozenset())
        symptom.alternatives.reference(f"all uses of {name}", view.case, under=apart)
        made = {place: _without(symptom, view, name, frozenset({place})) for place in range(min(apart.uses, _MOST))}
        return tuple(
            place for place, each in made.items() if each is not None and not view.is_near(each, view.expected)
        )

    found: Places = symptom.alternatives.once(("uses", symptom.check, view.case.label), counted)
    return found


def _without(symptom: Symptom, view: View, name: str, left: frozenset[int]) -> Tensor | None:
    apart = _Apart(view.case.inputs[name], left)
    return symptom.expected_with(f"uses of {name} but {sorted(left)}", view, under=apart)
