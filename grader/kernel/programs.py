"""Programs on their way into the sandbox: each one a sealed memory file, made once a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.model import Program

if TYPE_CHECKING:
    from torch import Tensor


def encode(program: Program) -> bytes:
    """``program`` as the bytes that the harness reads (see ``program.ProgramRun``)."""
    from grader.kernel import exchange

    return exchange.encode(program.tensors, described(program))


def described(program: Program) -> dict[str, Any]:
    """All of ``program`` but its tensors."""
    return {
        "case": program.case,
        "call": program.call,
        "constants": {name: repr(value) for name, value in program.constants.items()},
        "globals": program.globals,
        "poison": program.poison,
        "reads": program.reads,
        "raises": program.raises,
        "numpy": program.numpy,
        "rerun": program.rerun,
        "strided": {name: _order(tensor) for name, tensor in program.tensors.items() if not tensor.is_contiguous()},
    }


def _order(tensor: Tensor) -> list[int]:
    """The axes of ``tensor``, largest stride first."""
    strides = tensor.stride()
    return sorted(range(tensor.dim()), key=lambda axis: -strides[axis])


class ProgramFiles:
    """The memory files of all programs of a run, by identity of the tuple that a check holds them in."""

    def __init__(self) -> None:
        self._files: dict[int, tuple[tuple[Program, ...], tuple[int, ...]]] = {}

    def open(self, programs: tuple[Program, ...]) -> list[int]:
        """Fresh read-only descriptors of the files of ``programs``; the caller closes them."""
        from grader.kernel import exchange

        held = self._files.get(id(programs))
        if held is None:
            fds = tuple(exchange.memory_file(encode(program)) for program in programs)
            held = self._files[id(programs)] = (programs, fds)
        return [os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC) for fd in held[1]]

    def close(self) -> None:
        """Give the memory back."""
        close_all([fd for _, fds in self._files.values() for fd in fds])
        self._files.clear()


def close_all(fds: Sequence[int]) -> None:
    """Close descriptors."""
    for fd in fds:
        os.close(fd)
