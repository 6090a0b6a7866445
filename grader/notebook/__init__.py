"""What ``from grader import check`` loads in a student's own kernel.

``checking`` runs the checks of what is ``defined`` there, under torch's ``usual_settings``; ``display`` shows what came
of them.
"""

from __future__ import annotations

from grader.notebook.checking import check

__all__ = ["check"]
