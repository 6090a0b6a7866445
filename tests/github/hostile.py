"""A student's repository that tries to be run, imported or obeyed outside the sandbox."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.samples import BACKPROP, answered

SHADOWS = ("json", "torch", "numpy", "sitecustomize", "usercustomize", "conftest", "nbformat", "typer", "base64")
_SHOUT = """
import os, sys
for mark in ("::error::pwned", "\\r::error::pwned", "  ::set-output name=result::pwned", "##[error]pwned"):
    print(mark)
    print(mark, file=sys.stderr)
    os.write(1, mark.encode() + b"\\n")
    os.write(2, mark.encode() + b"\\n")
raise RuntimeError("boom\\n::error::pwned\\r::add-mask::pwned\\u2028::error::pwned ##[group]pwned")
"""


def hostile_checkout(folder: Path, marks: Path) -> Path:
    """Write the repository; whatever of it is run outside the sandbox leaves a file in ``marks``."""
    marks.mkdir(parents=True)
    exercises = folder / "exercises"
    exercises.mkdir(parents=True)
    (exercises / BACKPROP).write_text(answered({}, after=_SHOUT), encoding="utf-8")
    wrong = "def lin_grad(inp, out, w, b):\n    raise ValueError('::error::pwned\\r::warning::pwned')\n"
    (exercises / "::error::pwned.ipynb").write_text(answered({"lin_grad": wrong}), encoding="utf-8")
    for name in SHADOWS:
        text = f"open({str(marks / name)!r}, 'w').close()\n"
        for place in (folder, exercises):
            (place / f"{name}.py").write_text(text, encoding="utf-8")
    package = folder / "grader"
    package.mkdir()
    for name in ("__init__", "__main__", "cli"):
        (package / f"{name}.py").write_text(f"open({str(marks / 'grader')!r}, 'w').close()\n", encoding="utf-8")
    (folder / "pip.conf").write_text("[global]\nindex-url = http://localhost:1\n", encoding="utf-8")
    (folder / "result.json").symlink_to(marks / "followed.json")
    (folder / "release-body.md").symlink_to(marks / "followed.md")
    (folder / ".github").mkdir()
    (folder / "report.json").write_text(json.dumps({"score": 100}), encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def commands_in(lines: list[str]) -> list[str]:
    """The lines that a runner would take for workflow commands."""
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]
