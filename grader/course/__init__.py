"""What is asked: the author's declaration, samplers, loading a course, releasing and proving it."""

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
