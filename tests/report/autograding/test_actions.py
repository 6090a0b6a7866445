from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.report.autograding.actions import append_output, append_summary, github_annotations
from tests.report.builders import exercise, large_class, run, small_class, submission, ungraded, untouched


def test_github_annotations_names_file_exercise_check_cell_and_line() -> None:
    (line,) = github_annotations(run(submission("ada", exercise("lin_grad", {"w.g": "transposed"}))))
    assert line == (
        "::error file=ada/03_backprop.ipynb,title=lin_grad · w.g (cell 5%2C line 3)::"
        "w.g has shape (3, 5), the transpose of the expected (5, 3), with the right values."
    )


def test_github_annotations_are_on_what_was_begun_and_assigned() -> None:
    wrong = exercise("mse_grad", {"inp.g": "sign_flipped"})
    beside = submission("ada", exercise("relu_grad", {"inp.g": "zeros"}), notebook="04_layers.ipynb")
    made = run(
        submission("ada", *[untouched("lin_grad")] * 12, wrong), beside, assigned={"lin_grad": 4.0, "mse_grad": 2.0}
    )
    (line,) = github_annotations(made)
    assert "title=mse_grad · inp.g" in line


def test_github_annotations_full_marks_has_none() -> None:
    assert github_annotations(run(submission())) == []


@pytest.mark.parametrize("made", [small_class(), large_class(10, 40)], ids=["small", "large"])
def test_github_annotations_are_at_most_ten_and_count_the_rest(made) -> None:
    lines = github_annotations(made)
    assert len(lines) == 10
    assert re.fullmatch(r"::error title=More::\d+ more in the summary of this job", lines[-1])


def test_github_annotations_hostile_text_stays_in_its_place() -> None:
    evil = "x::y,line=1\r\n::set-env name=A::b%0A##[error]\u2028z"
    (first,) = github_annotations(run(ungraded("ada", "unreadable", evil, path=evil)))
    assert len(first.splitlines()) == 1
    properties, _, _message = first.removeprefix("::error ").partition("::")
    assert [part.split("=")[0] for part in properties.split(",")] == ["file", "title"]


def test_append_output_appends_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("before=1\n")
    append_output({"result": "abc=", "lin_grad": "ZA=="}, path)
    assert path.read_text() == "before=1\nresult=abc=\nlin_grad=ZA==\n"


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("a=b", "x"), ("", "x"), ("a", "x\ny=z"), ("a", "x\u2028y")])
def test_append_output_what_could_forge_another_is_refused(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="step output"):
        append_output({name: value}, tmp_path / "output")
    assert not (tmp_path / "output").exists()


def test_append_summary_appends(tmp_path: Path) -> None:
    append_summary("# A\n", tmp_path / "summary")
    append_summary("# B\n", tmp_path / "summary")
    assert (tmp_path / "summary").read_text() == "# A\n# B\n"
