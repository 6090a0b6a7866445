"""The process of the command line: what its streams are before any command runs, and how it ends."""

from __future__ import annotations

import os
import sys

from grader.cli.app import app
from grader.console import guard_streams, open_closed_streams, outlive_standard_error, take_every_letter


def main() -> None:
    """Run the command line; the entry point of the ``grader`` command."""
    open_closed_streams()
    take_every_letter()
    outlive_standard_error()
    guard_streams(sys.argv[1:])
    # Where JupyterLab is installed, jsonschema compiles a grammar of IRIs when nbformat loads it: 0.9 s, unused here.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        app()
    except SystemExit as end:
        _end_at_once(end.code)
        raise


def _end_at_once(status: object) -> None:
    """End the process, unless ``status`` is a message or what was printed cannot be written, which Python has to say.

    Taking torch apart object by object, as Python does at its end, takes up to 0.3 s.
    """
    if "torch" not in sys.modules or not isinstance(status, int | None):
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(status or 0)
