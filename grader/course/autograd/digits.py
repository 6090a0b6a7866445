"""The 8×8 handwritten digits that ship with the course; source and licence in `DIGITS.md`.

Importing this module does not import torch; `load_digits` does.
"""

from __future__ import annotations

import gzip
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_PIXELS = 64
_BLACK = 16


def load_digits() -> tuple[torch.Tensor, torch.Tensor]:
    """All 1,797 digits as images `x` (1797, 64) and labels `y` (1797,).

    `x` is float32 from 0 (white) to 1 (black), each image row by row; `y` is int64 from 0 to 9. Every call returns
    new tensors, in the order of the source.

    Raises:
        FileNotFoundError: the data file is missing from the installation.
    """
    import torch

    packed = resources.files(__package__).joinpath("digits.csv.gz").read_bytes()
    lines = gzip.decompress(packed).decode("ascii").splitlines()
    table = torch.tensor([[int(number) for number in line.split(",")] for line in lines])
    return table[:, :_PIXELS].to(torch.float32) / _BLACK, table[:, _PIXELS].clone()
