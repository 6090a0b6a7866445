"""Decides what an answer is worth: pure functions, which read no file and run no student's code.

A seed makes ``cases`` of an exercise, each with its ``reference``, the right tensors. What came of a submission is laid
beside them by ``comparison`` as ``evidence``, from which ``failing`` tells the checks that lose points, ``diagnosis``
names the mistakes and ``score`` makes the points; ``verdicts`` remembers both for equal answers. ``remarks`` are for a
human and cost nothing.

The names below are the public ones. Each imports its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.judge.cases import PUBLIC_SEED as PUBLIC_SEED
    from grader.judge.cases import Prepared as Prepared
    from grader.judge.cases import prepare as prepare
    from grader.judge.evidence import gather as gather
    from grader.judge.remarks import coarse_results as coarse_results
    from grader.judge.remarks import raised_late as raised_late
    from grader.judge.score import link_consequences as link_consequences
    from grader.judge.score import score_exercise as score_exercise
    from grader.judge.score import score_fault as score_fault
    from grader.judge.score import score_missing as score_missing
    from grader.judge.score import score_unreached as score_unreached
    from grader.judge.verdicts import Verdicts as Verdicts

__getattr__, __all__ = lazy.public(
    __name__,
    {
        "cases": "PUBLIC_SEED Prepared prepare",
        "evidence": "gather",
        "remarks": "coarse_results raised_late",
        "score": "link_consequences score_exercise score_fault score_missing score_unreached",
        "verdicts": "Verdicts",
    },
)
