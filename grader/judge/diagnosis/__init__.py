"""Turns a wrong tensor into the mistake that made it.

``table`` holds the hypotheses in their order and asks them about each ``symptom``, a check that fails; most predict by
``alternatives``, what would be right under other circumstances, for which torch's ``equivalents`` stand in the place of
what an author wrote out. ``origin`` adds where a mistake begins, ``clues`` what a stub's own lines show beside it. The
hypotheses, by what they are about:

``calls``
    Checks without a tensor: what the call did instead.
``values``
    Wrong tensors; with the changed functions of ``operations`` in the pass.
``steps``
    Steps of optimizers and training loops.
``scalars``
    Scalar formulas and autograd engines.

All of them speak in the ``words``. ``source`` answers questions about a stub's syntax tree, ``gradient_lines`` about
what its lines do to gradients, and ``naming`` says what the check's code calls things.
"""
