"""What is asked: the author's declaration, samplers, loading a course, releasing and proving it.

``exercise`` and ``samplers`` are what an author writes, ``declaration`` the rules for it; ``specimens`` are known
mistakes and other right answers, written beside it. ``loading`` finds a course, ``privacy`` what of it no notebook may
read. The bundled one is the package ``autograd``. ``releasing`` makes the students' notebooks, ``proving`` is ``grader
validate``.
"""

from grader.course.exercise import exercise
from grader.course.samplers import computed, constant_tensor, fixed, integers, normal, number, size, sizes, uniform
from grader.model import Variant

__all__ = [
    "Variant",
    "computed",
    "constant_tensor",
    "exercise",
    "fixed",
    "integers",
    "normal",
    "number",
    "size",
    "sizes",
    "uniform",
]
