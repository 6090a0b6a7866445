"""Turns a wrong tensor into the mistake that made it."""

from grader.judge.diagnosis.loops import loops_flag
from grader.judge.diagnosis.table import diagnose

__all__ = ["diagnose", "loops_flag"]
