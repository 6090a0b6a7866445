"""Hypotheses about the steps of an optimizer or a training loop.

One step
    ``descent`` with its parts put together in another way; ``moves`` that are too few, too small or not in place;
    ``settings`` of a momentum step.
Many of them
    ``hyperparameters`` other than the given ones; ``simulations`` and ``slip_pairs`` by the ``optimizer_simulation`` of
    ``updates``, by the ``roles`` of the inputs, or the ``loop_simulation``. What they are made of is in ``parts``, of
    which each of the ``slips`` and ``loop_slips`` puts in wrong ones, or ``extras`` that are not asked for.
"""
