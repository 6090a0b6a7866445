"""Hypotheses about scalar autograd engines and the formulas that they differentiate.

``formulas`` asks what an ``engine`` with one of the ``engine_slips`` would give.
"""
