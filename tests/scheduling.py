"""Which worker of ``pytest -n`` runs what, and what comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

LoadFileScheduling: Any = pytest.importorskip("xdist.scheduler").LoadFileScheduling

TESTS = Path(__file__).parent
#: The files whose tests share the kernels of one laboratory.
LABORATORY = frozenset(
    path.relative_to(TESTS.parent).as_posix()
    for path in (TESTS / "kernel").rglob("test_*.py")
    if "laboratory: Laboratory" in path.read_text(encoding="utf-8")
)
#: What takes more than ten seconds, the longest first.
LONGEST = (
    "laboratory", "tests/test_cli.py", "tests/test_answers.py", "tests/test_notebook.py", "tests/test_batch.py",
    "tests/test_authors_guide.py", "tests/course/proving/test_validate.py", "tests/starter/test_autograders.py",
    "tests/github/test_action.py", "tests/report/test_browser.py", "tests/kernel/test_cold.py",
)  # fmt: skip


def unit(nodeid: str) -> str:
    """What a worker runs together with this test: its file, or all that needs the laboratory."""
    file = nodeid.split("::", maxsplit=1)[0]
    return "laboratory" if file in LABORATORY else file


def turn(nodeid: str) -> int:
    """The turn at which a test is handed out; what has the same turn keeps its order."""
    found = unit(nodeid)
    return LONGEST.index(found) if found in LONGEST else len(LONGEST)


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Hands out units in the order in which they were collected."""

    def schedule(self) -> None:
        """Hand out the first units."""
        self.config.option.loadscopereorder = False
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
