"""Signs that a notebook gets round a check, in whatever source it has."""

from __future__ import annotations

import time

from grader.submission.meddling import meddling_suspected


def test_a_line_of_nothing_but_imports_takes_no_time() -> None:
    began = time.process_time()
    assert meddling_suspected("# " + "from grader import " * 27_000) is None
    assert time.process_time() - began < 5
