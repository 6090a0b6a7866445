"""A course's repository for students, ready to push (``grader init``).

``repository`` writes it; ``pins`` are the versions that it is held to.
"""

from __future__ import annotations

from grader.starter.repository import start_repository

__all__ = ["start_repository"]
