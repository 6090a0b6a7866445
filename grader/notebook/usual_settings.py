"""torch as the grader computes with it, whatever the notebook has set for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def usual_settings() -> Iterator[None]:
    """Compute with gradients, on the CPU and in float32 by default, and leave all as the notebook had it.

    Who writes gradients by hand may well have switched autograd off for good, or chosen another device or dtype.
    """
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(mode=False), torch.enable_grad(), torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)
