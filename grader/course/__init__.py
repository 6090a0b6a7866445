"""What is asked: the author's declaration, samplers, loading a course, releasing and proving it.

Declaring
    ``exercise`` and ``samplers`` are what an author writes, ``declaration`` the rules for it. ``loading`` finds a
    course, ``privacy`` what of it no notebook may read. The bundled one is the package ``autograd``.
Releasing
    ``release`` makes the students' notebooks: without each ``solution``, and without a ``leak`` of one.
Proving
    ``validate`` has a ``proof`` made of each exercise. The ``answers`` are those of the solution notebooks, whose
    ``self_checks`` are looked at, and the ``specimens`` beside them. They are put on ``trial`` with the cases of each
    seed, in a ``rehearsal``; so are the mistakes made of them, ``mutants`` and ``habits``. The ``ledger`` notes what
    came of it, which is the ``proof_report``, shown as the ``proof_table``.
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
