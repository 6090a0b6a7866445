from __future__ import annotations

import subprocess
import sys

import pytest

import grader.report


@pytest.mark.parametrize("name", grader.report.__all__)
def test_face_every_public_name_loads(name: str) -> None:
    assert callable(getattr(grader.report, name))


def test_face_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = grader.report.nothing


def test_face_import_loads_no_renderer() -> None:
    code = "import sys, grader.report; print([m for m in ('rich', 'jinja2', 'torch', 'json') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
