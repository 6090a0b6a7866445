"""What a stub's own lines show beside a diagnosis: a line without effect, a name that changes its meaning.

Each clue is a fact of the source, whatever came of it, with the line that it is read off; none is a diagnosis. Those of
``lines`` show in one, those of ``names`` in all that use one, those of ``aliases`` in all that use two for one tensor;
``expressions`` says what stands in them.
"""

from __future__ import annotations

from grader.judge.diagnosis.clues.aliases import also_changed
from grader.judge.diagnosis.clues.lines import (
    copied,
    in_grad,
    new_for_old,
    one_for_all,
    returned,
    steps,
    whole_numbers,
    without_effect,
)
from grader.judge.diagnosis.clues.names import from_outside, passed_over, renamed_before, reordered, unexplained, unused

__all__ = [
    "also_changed",
    "copied",
    "from_outside",
    "in_grad",
    "new_for_old",
    "one_for_all",
    "passed_over",
    "renamed_before",
    "reordered",
    "returned",
    "steps",
    "unexplained",
    "unused",
    "whole_numbers",
    "without_effect",
]
