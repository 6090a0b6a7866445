from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from grader.cli.progress import ProofProgress, ScoreProgress
from tests.report.builders import submission


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _run(total: int, step: float, *, done: int = 0, terminal: bool = False, name: str = "ada") -> str:
    clock, file = Clock(), io.StringIO()
    console = Console(file=file, width=100, force_terminal=terminal, color_system=None)
    with ScoreProgress(total, console, clock=clock) as progress:
        for _ in range(done):
            progress.advance(submission(name), taken_over=True)
        for _ in range(total - done):
            clock.now += step
            progress.advance(submission(name))
    return file.getvalue()


def test_progress_in_a_pipe_says_a_line_every_ten_seconds_and_the_last() -> None:
    lines = _run(12, 2.0).splitlines()
    assert lines == [
        "graded 5 of 12 (30/min, 14 s left)",
        "graded 10 of 12 (30/min, 4 s left)",
        "graded 12 of 12 (30/min)",
    ]


def test_progress_last_line_is_said_once() -> None:
    assert _run(5, 2.0).splitlines() == ["graded 5 of 5 (30/min)"]


def test_progress_resumed_counts_the_rate_of_this_run_only() -> None:
    assert _run(12, 0.1, done=7).splitlines() == ["graded 12 of 12 (7 of them earlier; 10.0/s)"]


def test_progress_nothing_to_do_has_no_pace() -> None:
    assert _run(3, 1.0, done=3) == "graded 3 of 3 (3 of them earlier)\n"


def test_progress_does_not_count_what_was_not_run() -> None:
    clock, file = Clock(), io.StringIO()
    with ScoreProgress(3, Console(file=file, width=100), clock=clock) as progress:
        progress.advance(replace(submission("ada"), status="not_assigned"))
        clock.now += 1
        progress.advance(submission("ada"))
        progress.advance(replace(submission("ada"), status="not_assigned"))
    assert file.getvalue() == "graded 1 of 1 (1.0/s)\n"


def test_progress_resumed_on_a_terminal_says_at_its_end_how_many_were_kept() -> None:
    assert "graded 3 of 3 (2 of them earlier; 1.0/s)" in _run(3, 1.0, done=2, terminal=True)
    assert "earlier" not in _run(3, 1.0, terminal=True)


@pytest.mark.parametrize("terminal", [True, False])
def test_proof_progress_shows_seeds_on_a_terminal_only(terminal: bool) -> None:
    file = io.StringIO()
    with ProofProgress(Console(file=file, width=80, force_terminal=terminal, color_system=None)) as progress:
        progress.show(12, 1000)
    assert ("12/1000" in file.getvalue()) is terminal
    assert file.getvalue() or not terminal


def test_progress_on_a_terminal_names_who_without_their_markup() -> None:
    shown = _run(2, 1.0, terminal=True, name="[red]x[/red]\x1b]0;evil\x07")
    assert "[red]x[/red]" in shown
    assert "evil" not in shown


@pytest.mark.parametrize(("step", "left"), [(0.5, "50 s"), (30.0, "50 min"), (300.0, "8.2 h")])
def test_progress_time_left_is_in_a_fitting_unit(step: float, left: str) -> None:
    clock = Clock()
    progress = ScoreProgress(100, Console(file=io.StringIO()), clock=clock)
    clock.now = step
    progress.advance(submission())
    assert progress.pace.endswith(f"{left} left")
