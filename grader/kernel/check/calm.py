"""Suspends what could run a notebook's code while the harness binds a check's inputs and reads its results.

The collector with its callbacks and finalizers, traces, profiles and monitors, timers, and handlers of signals, which a
thread of the notebook's can send at any time: each would run between two steps of the harness, some of whose operators
run past the watch for autograd (``exchange.apart``), and could there write the results.
"""

from __future__ import annotations

import gc
import signal
import sys
from typing import Any

_settrace, _setprofile = sys.settrace, sys.setprofile
#: Each kind of event for which each tool may have a function called (PEP 669), since Python 3.12.
_MONITORS: list[tuple[int, int]] = []
_monitoring: Any = getattr(sys, "monitoring", None)
if _monitoring is not None:
    _set_monitor = _monitoring.register_callback
    _EVENTS = [value for name, value in vars(_monitoring.events).items() if name.isupper() and value]
    _MONITORS = [(tool, event) for tool in range(6) for event in _EVENTS]
_gc_enable, _gc_disable, _gc_is_enabled = gc.enable, gc.disable, gc.isenabled
_setitimer: Any = getattr(signal, "setitimer", None)  # which Windows has not
_TIMERS = tuple(value for name, value in vars(signal).items() if name.startswith("ITIMER_"))
# What ``signal`` itself calls: its own functions look for each handler in an enumeration, which takes far longer.
_signal: Any = vars(signal)["_signal"]
_handler_of, _set_handler, _ignored = _signal.getsignal, _signal.signal, _signal.SIG_IGN
_SIGNALS = tuple(range(1, signal.NSIG))
_callable = callable


def untraced() -> None:
    """Take off what would run at each call or line of this thread: its trace and profile, and every monitor."""
    _setprofile(None)
    _settrace(None)
    for tool, event in _MONITORS:  # whose events, unlike these, may also be those of single functions
        _set_monitor(tool, event, None)


class Calm:
    """Between ``begin`` and ``end`` only the harness runs; the collector and signal handlers are then as before."""

    def __init__(self) -> None:
        self.collects = False
        self.handlers: dict[int, Any] = {}

    def begin(self) -> None:
        """Let nothing run but the harness. Only the main thread may call this."""
        self.collects = _gc_is_enabled()
        _gc_disable()
        untraced()
        for timer in _TIMERS:
            _setitimer(timer, 0)
        self.handlers = {}
        for number in _SIGNALS:
            handler = _handler_of(number)
            if _callable(handler):
                self.handlers[number] = handler
                _set_handler(number, _ignored)

    def end(self) -> None:
        """Collect garbage again, and answer signals."""
        for number, handler in self.handlers.items():
            _set_handler(number, handler)
        if self.collects:
            _gc_enable()
