"""Turns a wrong tensor into the mistake that made it."""

from grader.judge.diagnosis.table import diagnose, loops_flag

__all__ = ["diagnose", "loops_flag"]
