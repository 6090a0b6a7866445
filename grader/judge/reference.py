"""What the right answer is: autograd of the forward pass, in float64, once per case and run.

The values never leave the grader's process. A forward pass that returns a mapping gives the expected values itself
(``torch.optim.SGD`` over some steps); anything else is differentiated: ``"out"`` is its value, ``"w"`` the input ``w``
and ``"w.g"`` the gradient of ``w``, for a scalar loss directly and otherwise for the upstream gradient of the case (the
vector-Jacobian product of Baydin et al., "Automatic differentiation in machine learning: a survey", JMLR 2018,
section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.errors import CourseError
from grader.model import Constant, Exercise

#: What to do about a forward pass that raised.
_MEND = (
    "mend the forward pass; inputs that belong together share a letter, `sizes` says which sizes it may "
    "have, and `ones` which letters may be 1 (all of them, unless you name some)"
)
#: What torch says where a graph is missing, and what to do about that.
_NO_GRAPH = "does not require grad"
_WITH_GRAPH = "a forward pass runs without grad: put `with torch.enable_grad():` around what goes back itself"


def forward_value(exercise: Exercise, inputs: Mapping[str, Tensor], constants: Mapping[str, Constant]) -> Any:
    """What the forward pass returns for these inputs, in float64 and without autograd.

    Raises:
        CourseError: the forward pass raised.
    """
    with torch.no_grad():
        return _call(exercise, {name: _copy(value) for name, value in inputs.items()}, constants)


def reference_for(
    exercise: Exercise,
    inputs: Mapping[str, Tensor],
    constants: Mapping[str, Constant],
    upstream: Tensor | None,
    dtype: torch.dtype = torch.float64,
) -> dict[str, Tensor]:
    """Expected tensors by check name, worked out in ``dtype`` (integers stay int64).

    Raises:
        CourseError: the forward pass raised, or gives no value for one of the checks.
    """
    asked = gradients_asked(exercise).intersection(exercise.parameters)
    leaves = {
        name: _copy(value, dtype).requires_grad_(name in asked and value.is_floating_point())
        for name, value in inputs.items()
    }
    out = _call(exercise, leaves, constants)
    if isinstance(out, Mapping):
        values = {str(name): _tensor(exercise, str(name), value).detach() for name, value in out.items()}
        unexpected = _missing_from_mapping
    else:
        values = _differentiated(exercise, out, leaves, upstream)
        unexpected = _without_value
    found = {}
    for check in exercise.checks:
        if check not in exercise.raises:
            name = next((name for name in _expected_under(exercise, check) if name in values), None)
            if name is None:
                raise unexpected(exercise, check, sorted(values))
            found[check] = values[name]
    return found


def _differentiated(
    exercise: Exercise, out: Any, leaves: Mapping[str, Tensor], upstream: Tensor | None
) -> dict[str, Tensor]:
    value = _tensor(exercise, "out", out)
    values = {name: leaf.detach() for name, leaf in leaves.items()} | {"out": value.detach()}
    wanted = [name for name, leaf in leaves.items() if leaf.requires_grad]
    if value.requires_grad:
        weight = None if upstream is None else upstream.to(value.dtype).reshape(value.shape)
        # Of a weighted sum, not with `grad_outputs`, for which torch imports sympy: half a second.
        loss = value if weight is None else (value * weight).sum()
        try:
            gradients = torch.autograd.grad(loss, [leaves[name] for name in wanted], materialize_grads=True)
        except RuntimeError as error:
            raise exercise.fault(
                f"autograd cannot go back through it: {error}",
                field="forward",
                remedy="compute with torch alone, and change nothing in place",
            ) from error
        values |= {f"{name}.g": gradient for name, gradient in zip(wanted, gradients, strict=True)}
    return values


def _expected_under(exercise: Exercise, check: str) -> Iterator[str]:
    """Under which names a check's value is looked for: its ``expects``, else its own, its path, ``out`` for ``result``.

    A check of a variant, ``"p (momentum)"``, is looked up by the name before the bracket.
    """
    name, path = exercise.base_name(check), exercise.path_of(check)
    if name in exercise.expects:
        yield exercise.expects[name]
        return
    yield from (name, path)
    if path == "result":
        yield "out"


def _missing_from_mapping(exercise: Exercise, check: str, known: Sequence[str]) -> CourseError:
    return exercise.fault(
        f"the mapping that the forward pass returns has nothing for {check!r}",
        field=_field_of(exercise, check),
        remedy=f"add {exercise.expected_name(check)!r} to it"
        + (f", or name one of {', '.join(known)}" if known else ""),
    )


def _without_value(exercise: Exercise, check: str, known: Sequence[str]) -> CourseError:
    owner, _, attribute = exercise.expected_name(check).rpartition(".")
    if attribute == "g" and owner in exercise.inputs:
        drawn = exercise.inputs[owner].kind == "float"
        return exercise.fault(
            f"autograd gives {owner!r} no gradient, which {check!r} is compared with",
            field="forward" if drawn else "inputs",
            remedy=f"compute the result from {owner!r}, in float tensors, without detach() or no_grad()"
            if drawn
            else f"draw {owner!r} as floats, by normal() or another: integers and plain values have none",
        )
    return exercise.fault(
        f"nothing is expected of {check!r}",
        field=_field_of(exercise, check),
        remedy=f"name one of {', '.join(known)}, the gradient of an input, or map it to one by `expects`",
    )


def _field_of(exercise: Exercise, check: str) -> str:
    """The field of the declaration that says what is expected of a check."""
    return "expects" if exercise.base_name(check) in exercise.expects else "points"


def gradients_asked(exercise: Exercise) -> frozenset[str]:
    """The inputs whose gradient a check is compared with; of others torch may have none, as of running statistics."""
    names = (name for check in exercise.checks for name in _expected_under(exercise, check))
    return frozenset(name.removesuffix(".g") for name in names if name.endswith(".g"))


def _call(exercise: Exercise, inputs: Mapping[str, Tensor], constants: Mapping[str, Constant]) -> Any:
    try:
        return exercise.run_forward({**constants, **inputs})
    except (Exception, SystemExit) as error:
        shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in inputs.items())
        raise exercise.fault(
            f"raised {type(error).__name__}: {error} (inputs {shapes})",
            field="forward",
            remedy=_WITH_GRAPH if _NO_GRAPH in str(error) else _MEND,
        ) from error


def _copy(value: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """A copy in ``dtype`` that shares nothing; integers keep their own."""
    return value.detach().to(dtype, copy=True) if value.is_floating_point() else value.clone()


def _tensor(exercise: Exercise, name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, tuple | list) and any(isinstance(one, Tensor) and one.dim() for one in value):
        raise exercise.fault(
            f"gives {len(value)} tensors for {name!r}",
            field="forward",
            remedy="return one: torch.stack or torch.cat of them, which `call` takes apart again",
        )
    try:
        return torch.as_tensor(value, dtype=None if _integral(value) else torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise exercise.fault(
            f"gives {type(value).__name__} for {name!r}: {error}",
            field="forward",
            remedy="return a tensor, or a mapping of check → tensor, number or list of numbers",
        ) from error


def _integral(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
