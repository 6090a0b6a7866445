"""Hypotheses about a wrong tensor, each of which predicts what one mistake writes.

Of another shape
    ``shapes``, ``rows``.
The right one, changed
    ``factors``, ``other_factors``, ``averages``, ``relations``, ``arrangements``, ``distortions``, ``reductions``.
The right formula of something else
    ``operands``, ``given``, ``uses``, ``uneven``; with a changed function in it ``changed`` and ``passes``; with
    another use of the upstream gradient ``upstreams``.
Two mistakes at once
    ``compound``.
None of these
    ``unexplained`` says what can be said.
"""
