"""Printing in CI: nothing that a student wrote is a workflow command, in whatever pieces it is written."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cli import process
from grader.console import GuardedStream, guard_streams, raw_line, take_every_letter
from grader.kernel.host.sandbox import package_home


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_what_reads_the_output_gets_every_letter_whatever_the_encoding(encoding: str, tmp_path: Path) -> None:
    code = "from grader.console import take_every_letter; take_every_letter(); print('✓ Zoë')"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert ran.stdout.decode("utf-8").strip() == "✓ Zoë"


def test_files_of_every_letter_are_read_and_written_whatever_the_locale(tmp_path: Path) -> None:
    folder = tmp_path / "王小明"
    folder.mkdir()
    (folder / "03_backprop.ipynb").write_bytes(b"")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "grader", "score", str(tmp_path), "--who-csv"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[1].startswith("王小明,,03_backprop.ipynb,王小明/")


def test_command_line_makes_its_streams_ready_before_any_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    steps = ["open_closed_streams", "take_every_letter", "outlive_standard_error", "guard_streams", "app"]
    for name in steps:
        monkeypatch.setattr(process, name, lambda *_, name=name: done.append(name))
    process.main()
    assert done == steps


def test_a_terminal_of_few_letters_is_shown_those_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.BytesIO()
    terminal = io.TextIOWrapper(below, encoding="cp1252")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)
    take_every_letter()
    print("✓ Zoë", flush=True)
    assert below.getvalue().decode("cp1252").strip() == "? Zoë"


def guarded(*pieces: str) -> str:
    below = io.StringIO()
    stream = GuardedStream(below)
    for piece in pieces:
        stream.write(piece)
        stream.flush()
    return below.getvalue()


@pytest.mark.parametrize(
    "pieces",
    [
        ("::error::x\n",),
        (":", ":error:", ":x\n"),
        ("a\r::error::x\n",),
        ("a\r", "::error::x\n"),
        ("  ::stop-commands::x\n",),
        ("a ##[error]x\n",),
        ("#", "#", "[error]x\n"),
        ("a\u2028::error::x\n",),
        ("a\x85", "::error::x\n"),
        ("\x1b[1m::error::x\x1b[0m\n",),
        (":\x00:error::x\n",),
        ("##\u200b", "[error]x\n"),
        ("##\x1b[0m", "[error]x\n"),
        (":\u200b", ":error::x\n"),
    ],
)
def test_guarded_stream_lets_no_command_through(pieces: tuple[str, ...]) -> None:
    text = guarded(*pieces)

    assert "::" not in text
    assert "##[" not in text
    assert "x\n" in text


def test_guarded_stream_can_be_flushed_when_what_is_below_is_closed() -> None:
    below = io.TextIOWrapper(io.BytesIO())
    stream = GuardedStream(below)
    below.close()
    stream.flush()


def test_guarded_stream_leaves_other_text_as_it_is() -> None:
    assert guarded("graded 3 of 4: fine\n", "12:", "30\n") == "graded 3 of 4: fine\n12:30\n"


def test_guarded_stream_writes_what_it_holds_at_the_end() -> None:
    below = io.StringIO()
    stream = GuardedStream(below)
    stream.write("why:")
    stream.finish()
    assert below.getvalue() == "why:"


def test_raw_line_stands_at_the_start_of_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.StringIO()
    monkeypatch.setattr(sys, "stdout", GuardedStream(below))
    sys.stdout.write("half a line:")
    raw_line("::error title=t::m")
    sys.stdout.write("::more\n")

    assert below.getvalue() == "half a line:\n::error title=t::m\n∷more\n"


@pytest.mark.parametrize(
    ("variable", "arguments", "expected"),
    [("true", [], True), ("", ["score", "--github"], True), ("", ["score"], False), ("false", [], False)],
)
def test_streams_are_guarded_where_github_may_read_them(
    monkeypatch: pytest.MonkeyPatch, variable: str, arguments: list[str], expected: bool
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", variable)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())

    guard_streams(arguments)

    assert isinstance(sys.stdout, GuardedStream) is expected
    assert isinstance(sys.stderr, GuardedStream) is expected


def test_a_stream_redirected_to_a_file_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with (tmp_path / "export.csv").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        guard_streams([])
        assert sys.stdout is file


@pytest.mark.parametrize(
    "arguments",
    [["score", "::error::pwned"], ["score", "--::error::pwned"], ["::error::pwned"], ["check", "##[error]pwned"]],
    ids=["path", "option", "command", "notebook"],
)
def test_no_message_of_the_command_line_is_a_command(arguments: list[str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": package_home(), "GITHUB_ACTIONS": "true"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )

    text = ran.stdout.decode()
    assert ran.returncode == 2
    assert "pwned" in text
    assert "::" not in text
    assert "##[" not in text


@pytest.mark.parametrize("closed", [(1,), (0, 1, 2)], ids=str)
def test_closed_streams_lead_nowhere_and_not_to_the_next_file(closed: tuple[int, ...], tmp_path: Path) -> None:
    script = """
import os, sys
from grader.console import open_closed_streams
open_closed_streams()
with open("next", "w") as file:
    assert file.fileno() > 2
    print("lost"); sys.stdout.flush(); os.write(1, b"lost"); print("lost", file=sys.stderr)
    file.write("kept")
assert sys.stdin.read() == ""
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}

    def close() -> None:
        for fd in closed:
            os.close(fd)

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        preexec_fn=close,
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "next").read_text(encoding="utf-8") == "kept"
