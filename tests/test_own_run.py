"""A student's own run of a notebook."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.kernel.host.sandbox import package_home
from grader.own_run import check_notebook
from tests.course.courses import COURSE, write_course
from tests.samples import BACKPROP, ROOT, answered, hand_in


def test_check_notebook_judges_by_the_public_seed(tmp_path: Path) -> None:
    wrong = {"relu_grad": "def relu_grad(inp, out):\n    inp.g = out.g\n"}
    hand_in(tmp_path, {"ada": answered(wrong)})

    report = check_notebook(tmp_path / "ada" / BACKPROP)

    assert report.status == "graded"
    assert {one.id: one.status for one in report.exercises}["relu_grad"] == "failed"


def test_check_notebook_splits_no_name_that_is_a_notebooks_of_its_course(tmp_path: Path) -> None:
    course = write_course(tmp_path, course=COURSE.replace('"doubling"', '"doubling_by_hand"'))
    notebook = next((tmp_path / "solutions").glob("*.ipynb")).rename(tmp_path / "doubling_by_hand.ipynb")

    report = check_notebook(notebook, str(course))

    assert (report.notebook, report.score) == ("doubling_by_hand.ipynb", report.possible)


@pytest.mark.parametrize("name", ["03_backprop.html", "03_backprop.py", "notes"])
def test_check_notebook_of_an_export_asks_for_the_notebook(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(UsageError, match="is no notebook") as caught:
        check_notebook(tmp_path / name)
    assert ".ipynb" in caught.value.remedy


def test_check_notebook_that_cannot_be_looked_at_is_not_denied(tmp_path: Path) -> None:
    (tmp_path / "loop.ipynb").symlink_to("loop.ipynb")
    with pytest.raises(UsageError, match=r"cannot look at .*loop\.ipynb: "):
        check_notebook(tmp_path / "loop.ipynb")
    with pytest.raises(UsageError, match="does not exist"):
        check_notebook(tmp_path / "none.ipynb")


def test_check_notebook_of_an_archive_of_several_is_refused(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "class", {"ada": answered({}), "bob": answered({})})
    packed = shutil.make_archive(str(tmp_path / "class"), "zip", folder)
    with pytest.raises(UsageError, match="holds 2 notebooks"):
        check_notebook(Path(packed))


def test_check_notebook_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no notebook"):
        check_notebook(tmp_path)


_IN_A_SCRIPT = """
from grader import check
def relu_grad(inp, out):
    inp.g = (inp > 0) * out.g
check("relu_grad")
"""


_DOCTOR = ["-m", "grader", "doctor"]
_SCORE = ["-m", "grader", "score", "--sandbox", "none", f"ada/{BACKPROP}"]


@pytest.mark.parametrize(
    ("system", "command", "told"),
    [  # a notebook on Windows alone: it takes the same way there, with less
        pytest.param("win32", ["-m", "grader", "check", f"ada/{BACKPROP}"], "✓ relu_grad  2 / 2", id="notebook-win32"),
        pytest.param("win32", _SCORE, "✓ relu_grad  2 / 2", id="class-win32"),
        pytest.param("win32", ["-c", _IN_A_SCRIPT], "✓ relu_grad  2 / 2", id="script-win32"),
        pytest.param("darwin", ["-c", _IN_A_SCRIPT], "✓ relu_grad  2 / 2", id="script-darwin"),
        pytest.param("win32", _DOCTOR, "✓ kernels come up without a sandbox", id="machine-win32"),
        pytest.param("darwin", _DOCTOR, "✓ kernels come up without a sandbox", id="machine-darwin"),
    ],
)
def test_student_checks_where_the_system_lacks_what_linux_has(
    system: str, command: list[str], told: str, tmp_path: Path
) -> None:
    hand_in(tmp_path, {"ada": answered({})})
    shutil.copy(ROOT / "tests" / "other_system.py", tmp_path / "sitecustomize.py")
    path = os.pathsep.join([str(tmp_path), package_home()])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", "GRADER_TEST_SYSTEM": system}
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert told in ran.stdout, ran.stderr
    assert "WARNING" not in ran.stderr
