"""What ``from grader import check`` loads in a student's own kernel."""

from __future__ import annotations

from grader.notebook.checking import check

__all__ = ["check"]
