"""Seeded cases: the same seed gives the same cases on every machine, whatever else is graded beside them.

Each case has a generator of its own, seeded with a hash of run seed, exercise, label and attempt, never with its
place in some order. The generator is NumPy's ``RandomState``, whose stream is frozen by NumPy's compatibility policy
(NEP 19), and values are rounded to float32 before use, so that grader and student start from the very same numbers.

Sizes are all different and never 2 or 4: a factor of two must not look like a size. The standard cases are those that
separate a right answer from a lucky one: float64, one case per letter of size one, a non-contiguous input, large and
small magnitudes. An author adds variants.

A case that lies on a kink (a pre-activation within rounding of zero) would fail a correct float32 answer, and so would
one in which terms cancel. Such a draw is noticed without knowing the exercise: inputs are shifted by the rounding of
their dtype, and if an expected value moves by more than a fiftieth of its tolerance, or torch itself gets it in float32
with an error of more than a twentieth, the case is drawn again.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState
from torch import Tensor

from grader.errors import CourseError
from grader.judge.comparison import Tolerance
from grader.judge.reference import forward_value, reference_for
from grader.model import Case, Check, Constant, Draw, Exercise, Program, Sampler, Variant, can_differ, variant_check

#: How often a badly conditioned case is drawn again; after that the best of the draws is used.
ATTEMPTS = 12
#: The share of its tolerance by which an expected value may move when inputs move by their rounding.
SHAKE = 0.02
#: The share of its tolerance by which an expected value may be off where torch works it out in float32.
ROUGH = 0.05
#: What a student's own ``check`` uses, so that it shows the same numbers each time.
PUBLIC_SEED = 20240229


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case and its reference: the expected tensors by check name, in float64 (``grader.judge.reference``).

    The two go together, for whatever judges needs both; of the pair only ``Case.program`` leaves the grader's process.
    """

    case: Case
    expected: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A case before it is drawn."""

    label: str
    variant: Variant
    ones: tuple[str, ...] = ()
    magnitude: float = 1.0
    dtype: torch.dtype = torch.float32
    strided: bool = False
    checks: tuple[str, ...] = ()


def prepare(exercise: Exercise, seed: int) -> tuple[Prepared, ...]:
    """All cases of an exercise for a seed, each with its reference.

    Raises:
        CourseError: the forward pass raised, or a check has no expected value.
    """
    return tuple(_best_draw(exercise, plan, seed) for plan in _plans(exercise))


def check_of(exercise: Exercise, programs: tuple[Program, ...], cell: int, source: str | None) -> Check:
    """What is run of an exercise: the ``programs`` of its cases, on the stub in ``cell``; ``source`` is that cell's."""
    return Check(
        exercise=exercise.id,
        cell=cell,
        needs=exercise.needs,
        programs=programs,
        autograd=exercise.autograd,
        source=source if exercise.rerun else None,
        time_limit=exercise.time_limit,
    )


def _plans(exercise: Exercise) -> Iterator[_Plan]:
    plain = Variant("plain")
    shared = tuple(exercise.points)
    if exercise.standard:
        yield _Plan("random values", plain, checks=shared)
        yield _Plan("float64", plain, dtype=torch.float64, checks=shared)
        for letter in exercise.letters if exercise.ones is None else exercise.ones:
            label = "batch of one" if letter == exercise.batch else f"{letter} of one"
            yield _Plan(label, plain, ones=(letter,), checks=shared)
        if any(sampler.kind == "float" and sampler.dims for sampler in exercise.inputs.values()):
            yield _Plan("not contiguous", plain, strided=True, checks=shared)
        for magnitude in exercise.magnitudes:
            yield _Plan(f"values around {magnitude:g}", plain, magnitude=magnitude, checks=shared)
    for variant in exercise.variants:
        checks = shared if variant.points is None else tuple(variant_check(name, variant) for name in variant.points)
        yield _Plan(
            variant.label,
            variant,
            magnitude=variant.magnitude,
            dtype=torch.float64 if variant.dtype == "float64" else torch.float32,
            checks=checks,
        )


def _generator(*key: object) -> RandomState:
    digest = hashlib.sha256("\0".join(map(str, key)).encode()).digest()
    return RandomState(np.frombuffer(digest, dtype="<u4"))


def _best_draw(exercise: Exercise, plan: _Plan, seed: int) -> Prepared:
    best: tuple[float, Prepared] | None = None
    for attempt in range(ATTEMPTS):
        rng = _generator(seed, exercise.id, plan.label, attempt)
        prepared = _draw(exercise, plan, rng)
        shaken = _shaken(exercise, prepared, rng)
        if best is None or shaken < best[0]:
            best = (shaken, prepared)
        if shaken <= SHAKE:
            break
    assert best is not None
    return best[1]


def _draw(exercise: Exercise, plan: _Plan, rng: RandomState) -> Prepared:
    samplers = {**exercise.inputs, **plan.variant.inputs}
    sizes = _sizes(exercise, plan, samplers, rng)
    inputs: dict[str, Tensor] = {}
    constants: dict[str, Constant] = {}
    for name, sampler in samplers.items():
        drawn = _drawn(exercise, name, sampler, Draw(rng, sizes, plan.magnitude, {**inputs, **constants}))
        if isinstance(drawn, np.ndarray):
            inputs[name] = _as_input(drawn, sampler, plan)
        else:
            constants[name] = drawn
    upstream, seen = _upstream_and_seen(exercise, plan, inputs, constants, rng)
    expected = reference_for(exercise, inputs, constants, upstream)
    program = Program(
        case=plan.label,
        call=_with_builtins(exercise.call, exercise.needs),
        tensors=seen,
        constants=constants,
        globals=exercise.globals,
        poison=tuple(path for path in _paths(exercise, plan.checks) if _is_written(path, seen)),
        reads=_paths(exercise, plan.checks),
        raises=tuple(check for check in plan.checks if check in exercise.raises),
        numpy=exercise.numpy,
        rerun=exercise.rerun,
    )
    case = Case(exercise.id, plan.label, program, inputs, constants, sizes, upstream, plan.checks)
    return Prepared(case, {check: expected[check] for check in plan.checks if check in expected})


def _upstream_and_seen(
    exercise: Exercise, plan: _Plan, inputs: Mapping[str, Tensor], constants: Mapping[str, Constant], rng: RandomState
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """An upstream gradient in the shape of the output, where that is a tensor of floats and no single number.

    With it, the tensors that the student's process sees: the inputs, and what ``call`` uses of the output.
    """
    if exercise.rerun:
        return None, dict(inputs)
    out = forward_value(exercise, inputs, constants)
    if not isinstance(out, Tensor) or not out.is_floating_point():
        return None, dict(inputs)
    upstream = None
    if out.dim() > 0:
        upstream = torch.from_numpy(rng.standard_normal(tuple(out.shape))).to(torch.float32).to(plan.dtype)
    return upstream, _implied(exercise, inputs, out.to(plan.dtype), upstream)


def _drawn(exercise: Exercise, name: str, sampler: Sampler, draw: Draw) -> np.ndarray[Any, Any] | Constant:
    try:
        drawn = sampler.draw(draw)
    except (Exception, SystemExit) as error:
        raise exercise.fault(
            f"drawing {name!r} raised {type(error).__name__}: {error}",
            field="inputs",
            remedy="mend the sampler; it may use the inputs that stand before it, and the letters of its own `dims`",
        ) from error
    plain = sampler.kind == "constant"
    if not (_is_plain(drawn) if plain else isinstance(drawn, np.ndarray)):
        raise exercise.fault(
            f"drawing {name!r} gives {type(drawn).__name__}, not {'a plain value' if plain else 'a NumPy array'}",
            field="inputs",
            remedy="give a number, a string, None or a tuple of such; tensors are drawn by normal() and others"
            if plain
            else "give an array, for instance draw.rng.standard_normal(draw.shape(…))",
        )
    if sampler.kind == "int" and not _is_whole(drawn):
        raise exercise.fault(
            f"drawing {name!r} gives numbers that are not whole",
            field="inputs",
            remedy="round them in the sampler, or compare them for a mask; floats are of the kind 'float'",
        )
    return drawn


def _is_whole(drawn: Any) -> bool:
    """Whether an array holds whole numbers, of whichever dtype."""
    return drawn.dtype.kind in "biu" or (drawn.dtype.kind == "f" and bool((drawn % 1 == 0).all()))


def _is_plain(value: object) -> bool:
    """Whether a student's process can be given a value as itself."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, int | float | str)


def _sizes(exercise: Exercise, plan: _Plan, samplers: Mapping[str, Sampler], rng: RandomState) -> dict[str, int]:
    """A size for each letter: all different, unless the case is the one in which that letter is one."""
    letters = dict.fromkeys(letter for sampler in samplers.values() for letter in sampler.letters)
    fixed = {**plan.variant.sizes, **dict.fromkeys(plan.ones, 1)}
    sizes = {letter: fixed[letter] for letter in letters if letter in fixed}
    wanted = {letter: exercise.sizes_of(letter) for letter in letters if letter not in fixed}
    for letter in list(wanted):
        free = [size for size in wanted.pop(letter) if size not in sizes.values()]
        # Nor a size that would leave none for a letter that is still to come.
        free = [size for size in free if can_differ([{*each} - {size, *sizes.values()} for each in wanted.values()])]
        sizes[letter] = int(free[rng.randint(len(free))])
    return {letter: sizes[letter] for letter in letters}


def _as_input(drawn: np.ndarray[tuple[int, ...], np.dtype[np.generic]], sampler: Sampler, plan: _Plan) -> Tensor:
    if sampler.kind == "int":
        return torch.from_numpy(np.ascontiguousarray(drawn, dtype=np.int64))
    value = torch.from_numpy(np.array(drawn, dtype=np.float32)).to(plan.dtype)
    return _strided(value) if plan.strided else value


def _strided(value: Tensor) -> Tensor:
    """The same values at strides that ``view`` and flat indexing stumble over."""
    if value.dim() >= 2:
        turned = value.transpose(-1, -2).contiguous().transpose(-1, -2)
        if not turned.is_contiguous():
            return turned
    # A vector, or a column or row: there is nothing to turn, so every other element belongs to something else.
    return torch.stack((value, value), dim=-1)[..., 0] if value.dim() else value


def _implied(
    exercise: Exercise, inputs: Mapping[str, Tensor], out: Tensor, upstream: Tensor | None
) -> dict[str, Tensor]:
    """The inputs, and the true output and upstream gradient where ``call`` uses them undeclared."""
    seen = dict(inputs)
    used = _unassigned_names(exercise.call)
    if "out" in used and "out" not in inputs:
        seen["out"] = out
        if upstream is not None:
            seen["out.g"] = upstream
    if "upstream" in used and "upstream" not in inputs and upstream is not None:
        seen["upstream"] = upstream
    return seen


@lru_cache(maxsize=256)
def _unassigned_names(call: str) -> frozenset[str]:
    """Names that ``call`` reads and nowhere assigns."""
    names = [node for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return frozenset(node.id for node in names if node.id not in stored)


@lru_cache(maxsize=256)
def _with_builtins(call: str, needs: tuple[str, ...]) -> str:
    """``call``, whose builtins are Python's own even where a notebook has a variable of that name (``list = …``)."""
    names = sorted(name for name in _unassigned_names(call) if hasattr(builtins, name) and name not in needs)
    return f"from builtins import {', '.join(names)}\n{call}" if names else call


def _paths(exercise: Exercise, checks: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(exercise.path_of(check) for check in checks if check not in exercise.raises))


def _is_written(path: str, inputs: Mapping[str, Tensor]) -> bool:
    """Whether a stub writes the gradient of an input there; one that is an input itself is changed in place."""
    owner, _, attribute = path.rpartition(".")
    return attribute == "g" and owner in inputs and path not in inputs


def _shaken(exercise: Exercise, prepared: Prepared, rng: RandomState) -> float:
    """By how many tolerances an expected value moves when each input moves by its dtype's rounding."""
    case = prepared.case
    moved = {
        name: value * torch.as_tensor(1 + rng.choice((-1.0, 1.0), tuple(value.shape)) * torch.finfo(value.dtype).eps)
        if value.is_floating_point()
        else value
        for name, value in case.inputs.items()
    }
    again = reference_for(exercise, moved, case.constants, case.upstream)
    return max(_apart(exercise, prepared, again), _rough(exercise, prepared) * SHAKE / ROUGH)


def _rough(exercise: Exercise, prepared: Prepared) -> float:
    """By how many tolerances an expected value is off in float32; 0 where the forward pass works in float64 alone."""
    case = prepared.case
    if _dtype_of(case) != torch.float32:
        return 0.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rough = reference_for(exercise, case.inputs, case.constants, case.upstream, torch.float32)
    except CourseError:
        return 0.0
    if any(not bool(value.isfinite().all()) for value in rough.values()):
        return 0.0
    return _apart(exercise, prepared, rough)


def _dtype_of(case: Case) -> torch.dtype:
    return next((value.dtype for value in case.inputs.values() if value.is_floating_point()), torch.float64)


def _apart(exercise: Exercise, prepared: Prepared, other: Mapping[str, Tensor]) -> float:
    """By how many tolerances ``other`` is off at most."""
    allowed = Tolerance((_dtype_of(prepared.case),), prepared.case.upstream, exercise.tolerance)
    return max(
        (
            float((other[check] - expected).abs().max()) / allowed.of(expected)
            for check, expected in prepared.expected.items()
            if expected.is_floating_point() and expected.numel()
        ),
        default=0.0,
    )
