"""Programs as the harness reads them: tensors, and beside them all else as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.model import Program

if TYPE_CHECKING:
    from torch import Tensor


def encode(program: Program) -> bytes:
    """``program`` as the bytes that the harness reads (see ``program.ProgramRun``)."""
    from grader.kernel.protocol import exchange

    return exchange.encode(program.tensors, described(program))


def described(program: Program) -> dict[str, Any]:
    """All of ``program`` but its tensors."""
    return {
        "case": program.case,
        "call": program.call,
        "parameters": parameters(program),
        "constants": {name: repr(value) for name, value in program.constants.items()},
        "globals": program.globals,
        "poison": program.poison,
        "reads": program.reads,
        "raises": program.raises,
        "numpy": program.numpy,
        "rerun": program.rerun,
        "strided": {name: _order(tensor) for name, tensor in program.tensors.items() if not tensor.is_contiguous()},
    }


def parameters(program: Program) -> list[str]:
    """The names that the call finds as its own, in the order in which they are bound."""
    names = [path for path in program.tensors if "." not in path] + list(program.constants)
    return [name for name in names if name not in program.globals]


def _order(tensor: Tensor) -> list[int]:
    """The axes of ``tensor``, largest stride first."""
    strides = tensor.stride()
    return sorted(range(tensor.dim()), key=lambda axis: -strides[axis])
