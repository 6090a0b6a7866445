"""Faces whose names load their module on first use."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import grader.kernel
import grader.report
import grader.submission
from tests.samples import ROOT


@pytest.mark.parametrize("face", [grader.kernel, grader.report, grader.submission])
def test_every_public_name_is_there_and_no_other(face: ModuleType) -> None:
    for name in face.__all__:
        assert getattr(face, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = face.no_such_name


def test_face_of_reports_loads_no_renderer() -> None:
    code = "import sys, grader.report; print([m for m in ('rich', 'jinja2', 'torch', 'json') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_runs_in_the_sandbox_comes_up_without_the_graders_side() -> None:
    code = "import sys, grader.kernel.supervisor.jobserver; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)

    assert {"grader.kernel.supervisor.jobserver", "grader.kernel.protocol.wire"} <= set(done.stdout.split())
    assert not {"grader.model", "grader.kernel.host.pool", "grader.kernel.host.sandbox"} & set(done.stdout.split())
