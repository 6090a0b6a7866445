"""Between the calls of a check nothing of the notebook's waits for its moment."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from grader.kernel.check.calm import Calm

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has few signals")


@pytest.fixture
def heard() -> Iterator[list[int]]:
    found: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        found.append(number)

    before = {number: signal.signal(number, hear) for number in (signal.SIGUSR1, signal.SIGALRM)}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


def test_calm_leaves_signals_unanswered_until_its_end(heard: list[int]) -> None:
    calm = Calm()
    calm.begin()
    signal.raise_signal(signal.SIGUSR1)
    assert heard == []

    calm.end()
    signal.raise_signal(signal.SIGUSR1)
    assert heard == [signal.SIGUSR1]


def test_calm_puts_back_each_handler_and_leaves_what_python_does_not_handle() -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    calm = Calm()
    calm.begin()
    kept = {number: handler for number, handler in before.items() if not callable(handler)}
    assert {number: signal.getsignal(number) for number in kept} == kept
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN

    calm.end()
    assert {number: signal.getsignal(number) for number in before} == before


def test_calm_ends_timers() -> None:
    calm = Calm()
    signal.setitimer(signal.ITIMER_REAL, 240)
    calm.begin()
    calm.end()
    assert signal.setitimer(signal.ITIMER_REAL, 0) == (0, 0)


@pytest.mark.parametrize("collects", [True, False])
def test_calm_collects_no_garbage_and_traces_nothing(collects: bool) -> None:
    before, tracer, profiler = gc.isenabled(), sys.gettrace(), sys.getprofile()
    (gc.enable if collects else gc.disable)()
    calm = Calm()
    try:
        sys.setprofile(lambda *about: None)
        calm.begin()
        assert not gc.isenabled()
        assert sys.getprofile() is None
        assert sys.gettrace() is None

        calm.end()
        assert gc.isenabled() is collects
    finally:
        sys.setprofile(profiler)
        sys.settrace(tracer)
        (gc.enable if before else gc.disable)()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nothing is monitored before Python 3.12")
def test_calm_ends_what_monitors_single_lines_and_calls() -> None:
    monitoring: Any = vars(sys)["monitoring"]
    heard: list[str] = []

    def measured() -> int:
        return 1

    monitoring.use_tool_id(4, "late")
    monitoring.register_callback(4, monitoring.events.LINE, lambda *about: heard.append("line"))
    monitoring.register_callback(4, monitoring.events.PY_START, lambda *about: heard.append("start"))
    monitoring.set_events(4, monitoring.events.LINE)
    monitoring.set_local_events(4, measured.__code__, monitoring.events.PY_START)
    try:
        measured()
        assert {"line", "start"} <= set(heard)

        calm = Calm()
        calm.begin()
        heard.clear()
        measured()
        assert heard == []
        calm.end()
    finally:
        monitoring.set_events(4, 0)
        monitoring.set_local_events(4, measured.__code__, 0)
        monitoring.free_tool_id(4)
