"""The commands: parse, call, print; nothing else.

Whatever needs torch, nbclient or jinja2 is imported inside the command that uses it, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys

# isort: off
# Importing registers the commands, and the help lists them in this order: what is used most stands first.
from grader.cli import scoring, student, grades, authoring  # noqa: F401

# isort: on
from grader.cli.app import app
from grader.console import guard_streams, open_closed_streams, take_every_letter

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; the entry point of the ``grader`` command."""
    open_closed_streams()
    take_every_letter()
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
