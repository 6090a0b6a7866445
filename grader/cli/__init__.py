"""The commands: parse, call, print; nothing else.

``scoring``, ``student``, ``grades`` and ``authoring`` are the commands, which register with ``app`` and run in a
``process``; ``options`` and ``values`` are what they take. ``view`` is what they show while they run, with the bars of
``progress``; ``output`` is where they print, ``outcome`` how they end.

Whatever needs torch, nbclient or jinja2 is imported inside the command that uses it, so that ``--help`` is quick.
"""

from __future__ import annotations

# isort: off
# Importing registers the commands, and the help lists them in this order: what is used most stands first.
from grader.cli import scoring, student, grades, authoring  # noqa: F401

# isort: on
from grader.cli.app import app
from grader.cli.process import main

__all__ = ["app", "main"]
