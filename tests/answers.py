"""The table of ``answers.toml``, loaded."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Answer:
    """What a student wrote. ``lost`` maps each check that must fail, ``"lin_grad/w.g"``, to its diagnosis code."""

    id: str
    cells: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    before: str = ""
    notebook: str = "03_backprop.ipynb"


WHOLE = {"forward_and_backward": _TABLE["whole"]}
RIGHT = tuple(Answer(**row) for row in _TABLE["right"])
WRONG = tuple(Answer(**{**row, "cells": {**WHOLE, **row.get("cells", {})}}) for row in _TABLE["wrong"])
#: Notebooks that try to get at the verdict by patching what a naive grader would use.
PATCHES: dict[str, str] = _TABLE["patches"]
