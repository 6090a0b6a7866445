"""A ``RunReport`` as text and files. Pure renderers; nothing here knows of kernels, courses or judging.

``counting`` says what was earned, in the same ``words`` everywhere. From it are made the ``views`` for people, the
results for ``autograding`` services and the exports for the ``gradebooks`` of learning platforms. ``document`` is
``report.json``. ``files`` writes a run's reports, ``feedback`` packs the students' pages to be given back.
"""

from __future__ import annotations

from typing import Any

__all__ = ["load_schema"]


def load_schema() -> dict[str, Any]:
    """The JSON Schema of ``report.json``, as ``document`` has it; whoever imports this package loads no more for it."""
    from grader.report import document

    return document.load_schema()
