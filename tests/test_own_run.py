"""A student's own run of a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.own_run import check_notebook
from tests.samples import BACKPROP, answered, hand_in


def test_check_notebook_judges_by_the_public_seed(tmp_path: Path) -> None:
    wrong = {"relu_grad": "def relu_grad(inp, out):\n    inp.g = out.g\n"}
    hand_in(tmp_path, {"ada": answered(wrong)})

    report = check_notebook(tmp_path / "ada" / BACKPROP)

    assert report.status == "graded"
    assert {one.id: one.status for one in report.exercises}["relu_grad"] == "failed"


@pytest.mark.parametrize("name", ["03_backprop.html", "03_backprop.py", "notes"])
def test_check_notebook_of_an_export_asks_for_the_notebook(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(UsageError, match="is no notebook") as caught:
        check_notebook(tmp_path / name)
    assert ".ipynb" in caught.value.remedy


def test_check_notebook_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no notebook"):
        check_notebook(tmp_path)
