"""One laboratory a session, every sandbox that works here, and a secret that nobody may find."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.kernel.host.sandbox import available_sandboxes
from tests.kernel.laboratory import Laboratory

WORKING = tuple(status.name for status in available_sandboxes() if status.works)
BEST = WORKING[0]


def _bwrap_alone() -> str:
    """``bwrap``, where bubblewrap works here, whatever of the grader's own command line does not."""
    if shutil.which("bwrap") is None:
        return ""
    command = ["bwrap", "--unshare-user", "--disable-userns", "--unshare-pid"]
    command += ["--ro-bind", "/", "/", "--proc", "/proc", "true"]
    return "" if subprocess.run(command, capture_output=True, check=False).returncode else "bwrap"


#: Those that a CI job says it has, or that should work; in others nothing here would be tested, and nothing would fail.
_REQUIRED = set(filter(None, (os.environ.get("GRADER_REQUIRE") or _bwrap_alone()).split(",")))
assert set(WORKING) >= _REQUIRED, (
    f"{_REQUIRED - set(WORKING)} should work here (or set $GRADER_REQUIRE=none), and does not"
)
ShortPaths = Callable[[], Path]
CONFINED = tuple(name for name in WORKING if name != "none")


@dataclass(frozen=True)
class Secret:
    """Planted in the grader's environment, memory, open files and disk."""

    text: str
    path: Path


@pytest.fixture(scope="session")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secret]:
    """A secret in each place where the grader keeps things; inheritable where that can be said."""
    text = f"planted-{os.urandom(16).hex()}"
    path = tmp_path_factory.mktemp("private") / "secret.txt"
    path.write_text(text)
    os.environ["GRADER_TEST_SECRET"] = text
    fd = os.open(path, os.O_RDONLY)
    os.set_inheritable(fd, True)
    yield Secret(text, path)
    os.close(fd)
    del os.environ["GRADER_TEST_SECRET"]


@pytest.fixture(scope="session")
def short_paths() -> Iterator[ShortPaths]:
    """Makes folders whose paths leave room for a socket's name, wherever temporary files lie."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield lambda: Path(tempfile.mkdtemp(dir=folder))


@pytest.fixture
def short_path(short_paths: ShortPaths) -> Path:
    """One such folder."""
    return short_paths()


@pytest.fixture(scope="session")
def laboratory(secret: Secret) -> Iterator[Laboratory]:
    """Pools that were made after the secret was planted."""
    opened = Laboratory.opened()
    yield opened
    opened.close()


@pytest.fixture(params=WORKING)
def sandbox(request: pytest.FixtureRequest) -> str:
    """Each sandbox that works on this machine."""
    return str(request.param)


@pytest.fixture(params=CONFINED)
def confined(request: pytest.FixtureRequest) -> str:
    """Each sandbox that confines."""
    return str(request.param)
