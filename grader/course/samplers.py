"""Descriptions of an exercise's inputs, for the author's declaration.

Each function returns a ``Sampler``: dimensions by letter and how to draw the values. Letters get their sizes from the
case, all different, none of them 2 or 4 (factors of two must not look like sizes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.model import Constant, Draw, Sampler

Dim = str | int


def normal(
    *dims: Dim,
    scale: float = 1.0,
    shift: float = 0.0,
    zeros: float = 0.0,
    zero_row: bool = False,
    zero_column: bool = False,
) -> Sampler:
    """Standard normal values times ``scale`` and the case's magnitude, plus ``shift``; floats.

    ``zeros`` is the share of entries set to exactly 0 (at least one where it is positive), for kinks such as ReLU's;
    ``zero_row`` sets one whole row to 0, ``zero_column`` one index of the last axis.

    Raises:
        ValueError: ``zeros`` is no share.
    """
    if not 0 <= zeros <= 1:
        raise ValueError(f"normal(…, zeros={zeros}): a share is from 0 to 1, 0.3 for three entries of ten")

    def draw(case: Draw) -> np.ndarray[Any, Any]:
        values = np.array(case.rng.standard_normal(case.shape(dims)) * scale * case.magnitude + shift)
        if zeros > 0:
            mask = case.rng.random_sample(values.shape) < zeros
            mask.flat[case.rng.randint(mask.size)] = True
            values[mask] = 0.0
        if zero_row:
            values[case.rng.randint(len(values))] = 0.0
        if zero_column:
            values[..., case.rng.randint(values.shape[-1])] = 0.0
        return values

    return Sampler("float", dims, draw)


def uniform(*dims: Dim, low: float = 0.0, high: float = 1.0) -> Sampler:
    """Floats evenly from ``low`` to ``high``, the same at every magnitude."""
    return Sampler("float", dims, lambda case: case.rng.uniform(low, high, case.shape(dims)))


def constant_tensor(*dims: Dim, value: float) -> Sampler:
    """A float tensor with every entry ``value``, the same at every magnitude."""
    return Sampler("float", dims, lambda case: np.full(case.shape(dims), value))


def integers(*dims: Dim, high: Dim) -> Sampler:
    """int64 values from 0 to ``high − 1``; ``high`` is a number or a letter, so that it can be another input's size."""

    def draw(case: Draw) -> np.ndarray[Any, Any]:
        (top,) = case.shape((high,))
        return case.rng.randint(0, top, case.shape(dims))

    letters = tuple(dim for dim in (*dims, high) if isinstance(dim, str))
    return Sampler("int", dims, draw, letters)


def number(low: float, high: float) -> Sampler:
    """A plain Python float from ``low`` to ``high``, rounded to six digits so that it prints in full."""
    return Sampler("constant", (), lambda case: float(f"{case.rng.uniform(low, high):.6g}"))


def fixed(value: Constant) -> Sampler:
    """The same plain Python value in every case."""
    return Sampler("constant", (), lambda case: value)


def sizes(*dims: Dim) -> Sampler:
    """The sizes of letters as a tuple of ints: ``sizes("n", 1)`` is ``(7, 1)``."""
    return Sampler("constant", (), lambda case: case.shape(dims), tuple(dim for dim in dims if isinstance(dim, str)))


def size(dim: str) -> Sampler:
    """The size of one letter as an int."""
    return Sampler("constant", (), lambda case: case.sizes[dim], (dim,))


def computed(kind: str, *dims: Dim, by: Callable[[Draw], np.ndarray[Any, Any]]) -> Sampler:
    """Values that an author's own function draws: ``kind`` is ``"float"`` or ``"int"``; ``by`` gets the ``Draw``."""
    if kind not in {"float", "int"}:
        raise ValueError(f"computed({kind!r}, …): the kind is 'float' or 'int', which a mask is")
    return Sampler("float" if kind == "float" else "int", dims, by)
