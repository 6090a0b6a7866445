"""Connections that nobody has accepted are counted, whoever made them."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from grader.kernel.supervisor import backlog


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_connections_wait_until_they_are_accepted(short_path: Path) -> None:
    before = backlog.waiting()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short_path / "place"))
        listener.listen(64)
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(short_path / "place"))
        assert backlog.waiting() - before == 50
        listener.accept()[0].close()
        assert backlog.waiting() - before == 49
    assert backlog.waiting() == before
