"""Turns a wrong tensor into the mistake that made it.

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
