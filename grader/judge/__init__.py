"""Decides what an answer is worth: pure functions, which read no file and run no student's code.

A seed makes ``cases`` of an exercise, each with its ``reference``, the right tensors. What came of a submission is laid
beside them by ``comparison`` as ``evidence``, from which ``failing`` tells the checks that lose points, ``diagnosis``
names the mistakes and ``score`` makes the points; ``verdicts`` remembers both for equal answers. ``remarks`` are for a
human and cost nothing.
"""
