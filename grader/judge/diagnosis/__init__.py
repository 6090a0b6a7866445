"""Turns a wrong tensor into the mistake that made it.

``table`` holds the hypotheses in their order and asks them about each ``symptom``, a check that is ``failing``; most
predict by ``alternatives``, what would be right under other circumstances, for which torch's ``equivalents`` stand in
the place of what an author wrote out. ``origin`` adds where a mistake begins. The hypotheses, by what they are about:

Calls that left no tensor
    ``endings``, ``absent``, ``returned``; of exceptions ``errors``, by their ``messages`` and ``class_errors``, in the
    words of ``causes`` and ``call_causes``.
Values
    ``shapes``, ``factors``, ``averages``, ``values``, ``operands``, ``rows``, ``given``, ``uneven``, ``relations``,
    ``arrangements``, ``distortions``, ``reductions``, ``uses``; two mistakes at once in ``compound``. Where none holds,
    ``losses`` says how far those of a training loop are right.
Passes with a changed function in them
    ``passes`` and ``values`` ask what comes of torch with something ``replaced`` (all of it in ``operations``):
    ``activations``, ``gelu_slopes``, ``powers``, ``substitutes``, ``softmaxes``, ``attention``, ``products``,
    ``convolutions``, ``normalisations``.
Steps of optimizers and loops
    ``moves``, ``steps``, ``hyperparameters``, ``settings``; ``optimizers`` and ``slip_pairs`` by ``simulations``, or
    the ``loop_simulation``, of each of the ``slips`` and of ``extras`` that nobody asked for, made by ``switches``.
Scalar formulas
    ``formulas``, by an ``engine`` with one of the ``engine_slips``.

``source`` says what a stub's own lines show, ``clues`` what they show beside a diagnosis, ``loops`` whether they loop,
``naming`` what the check's code calls things. What is said is made by ``wording`` of ``words``, in catalogues named for
what recognises the mistake: ``outcome_words``, ``shape_words``, ``factor_words``, ``operand_words``,
``relation_words``, ``pass_words``, ``value_words``, and of steps ``step_words`` and ``loop_words``, which ``clauses``
fill.

The names below are the face. Each loads its module on first use: a class of right answers needs no diagnosis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.judge.diagnosis.loops import loops_flag as loops_flag
    from grader.judge.diagnosis.table import diagnose as diagnose

_HOME = {"diagnose": "table", "loops_flag": "loops"}

__all__ = sorted(_HOME)  # noqa: PLE0605 - the table is the list
__getattr__ = lazy.attributes(__name__, _HOME)
