"""What ``from grader import check`` loads in a student's own kernel.

``checking`` runs the checks of what is ``defined`` there, under torch's ``usual_settings``; ``display`` shows what came
of them, and ``rivals`` what else was run that may be graded in its place.
"""

from __future__ import annotations

from grader.notebook.checking import check
from grader.notebook.rivals import follow_cells

__all__ = ["check", "follow_cells"]
