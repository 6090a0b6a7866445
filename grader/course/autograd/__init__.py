"""The bundled course, backpropagation by hand: one module a notebook, in the order in which they are taken.

``tensors``, ``gradients``, ``backprop``, ``layers``, ``two_layer_network``, ``optimizers``, ``trace``, ``beyond`` and
the ``capstone``, which is about ``digits``.
"""

from pathlib import Path

COURSE = "autograd"
_PACKAGED = Path(__file__).parent / "exercises"
#: The released notebooks: packaged in a wheel, at the top of a source checkout.
EXERCISES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[3] / "exercises"
