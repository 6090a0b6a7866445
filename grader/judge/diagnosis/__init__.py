"""Turns a wrong tensor into the mistake that made it.

``table`` holds the hypotheses in their order and asks them about each ``symptom``, a check that is ``failing``; most
predict by ``alternatives``, what would be right under other circumstances, for which torch's ``equivalents`` stand in
the place of what an author wrote out. ``origin`` adds where a mistake begins, ``clues`` what a stub's own lines show
beside it. The hypotheses, by what they are about:

``calls``
    Checks without a tensor: what the call did instead.
``values``
    Wrong tensors; with the changed functions of ``operations`` in the pass.
``steps``
    Steps of optimizers and training loops.
``scalars``
    Scalar formulas and autograd engines.

All of them speak in the ``words``. ``source`` says what a stub's own lines show of its gradients and loops, ``naming``
what the check's code calls things.

The names below are the public ones. Each imports its module on first use: a class of right answers needs no diagnosis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.judge.diagnosis.source import loops_flag as loops_flag
    from grader.judge.diagnosis.table import diagnose as diagnose

__getattr__, __all__ = lazy.public(__name__, {"source": "loops_flag", "table": "diagnose"})
