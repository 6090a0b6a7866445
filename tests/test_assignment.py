"""What was assigned counts also where it was not handed in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import Attendance, Standing, attendance_by, expected_of, standing_of, students_below
from grader.cli.outcome import exit_status
from grader.course.loading import load_course
from grader.errors import UsageError
from grader.model import RunReport, SubmissionReport, SubmissionStatus
from tests.report.builders import exercise, submission, ungraded, untouched
from tests.report.builders import run as run_of


def report(score: float = 4.0, student: str = "ada", **fields: object) -> SubmissionReport:
    wrong = {4.0: {}, 2.0: {"w.g": "transposed"}, 1.0: {"w.g": "zeros", "b.g": "zeros"}}[score]
    return submission(student, exercise("lin_grad", wrong), **fields)


def run(*reports: SubmissionReport, assigned: dict[str, float]) -> RunReport:
    return run_of(*reports, assigned=assigned)


@pytest.mark.parametrize(
    ("reports", "assigned", "standing"),
    [
        ([report()], {}, Standing(4.0, 4.0)),
        ([report()], {"lin_grad": 4.0, "mse_grad": 2.0}, Standing(4.0, 6.0)),
        ([report()], {"mse_grad": 2.0}, Standing(0.0, 2.0)),
        ([ungraded("ada", "unreadable", "not JSON")], {"lin_grad": 4.0}, Standing(None, 4.0)),
        ([report(), report(1.0, "alan")], {}, Standing(5.0, 8.0)),
        ([], {"lin_grad": 4.0}, Standing(None, 4.0)),
        ([], {}, Standing(None, 0)),
    ],
    ids=["graded", "one missing", "another handed in", "unreadable", "two students", "no notebook", "nothing"],
)
def test_standing_of_a_run(reports: list[SubmissionReport], assigned: dict[str, float], standing: Standing) -> None:
    assert standing_of(run(*reports, assigned=assigned)) == standing


def test_expected_of_names_the_exercises_of_the_assigned_notebooks() -> None:
    course = load_course("autograd")

    assert expected_of(course, ["03_backprop.ipynb"]) == {
        "lin_grad": 4,
        "relu_grad": 2,
        "mse_grad": 2,
        "forward_and_backward": 6,
    }
    assert expected_of(course, []) == {}
    several = expected_of(course, ["01_tensors, 03_backprop.ipynb", "09_capstone"])
    assert several == expected_of(course, ["01_tensors", "03_backprop", "09_capstone"])
    assert {"residual", "lin_grad", "train"} <= several.keys()
    with pytest.raises(UsageError, match="no notebook '33_backprop'") as caught:
        expected_of(course, ["34_layers", "33_backprop", "03_backprop"])
    assert "03_backprop" in caught.value.remedy


def test_expected_of_takes_a_notebooks_whole_name_before_it_parts_at_commas() -> None:
    course = load_course("autograd")
    one = replace(course.exercises["lin_grad"], notebook="Lab 1, gates")
    course = replace(course, exercises={**course.exercises, "lin_grad": one})

    assert [*expected_of(course, ["Lab 1, gates.ipynb"])] == ["lin_grad"]
    assert {"lin_grad", "residual", "train"} <= expected_of(course, ["Lab 1, gates", "01_tensors,09_capstone"]).keys()


def test_below_counts_what_was_assigned_and_not_handed_in() -> None:
    handed_in = [report(student="ada"), report(2.0, "alan")]

    assert students_below(run(*handed_in, assigned={}), 60) == ("alan",)
    assert students_below(run(*handed_in, assigned={"lin_grad": 4.0, "mse_grad": 4.0}), 60) == ("ada", "alan")
    assert students_below(run(*handed_in, assigned={}), 50) == ()
    assert students_below(run(*handed_in, assigned={}), 50.1) == ("alan",)


def test_below_counts_no_notebook_that_was_not_assigned() -> None:
    beside = submission("ada", untouched("relu_grad"), notebook="04_layers.ipynb")

    assert students_below(run(report(), beside, assigned={"lin_grad": 4.0}), 60) == ()
    assert students_below(run(report(), beside, assigned={}), 60) == ("ada",)


def test_below_counts_the_better_of_two_attempts() -> None:
    first = submission("ada", exercise("lin_grad"), exercise("relu_grad", {"inp.g": "zeros"}))
    second = submission("ada", untouched("lin_grad"), exercise("relu_grad"), notebook="again.ipynb")

    assert students_below(run(first, second, assigned={}), 100) == ()


def test_below_is_nobody_whose_work_could_not_be_graded() -> None:
    assert students_below(run(report(), ungraded("alan", "unreadable", "not JSON"), assigned={}), 100) == ()


@pytest.mark.parametrize(
    ("standing", "percentage"),
    [
        (Standing(1.0, 3.0), 33.33),
        (Standing(0.0, 2.0), 0),
        (Standing(0.5, 0.5), 100),
        (Standing(None, 2.0), None),
        (Standing(0.0, 0.0), None),
    ],
)
def test_percentage_is_of_a_score_and_of_points_to_earn(standing: Standing, percentage: float | None) -> None:
    assert standing.percentage == percentage


def test_exit_status_below_says_who_is_and_names_ten_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    many = [report(1.0, f"student {place:02}\n::error::x") for place in range(12)]

    assert exit_status(run(report(1.0), assigned={}), 60) == 1
    assert capsys.readouterr().err == "below 60 %: the submission\n"
    assert exit_status(run(report(), *many, assigned={}), 60) == 1
    said = capsys.readouterr().err
    assert said.startswith("below 60 %: 12 of 13 students: student 00 ∷error∷x; student 01")
    assert said.endswith("student 09 ∷error∷x and 2 more\n")
    assert exit_status(run(report(), assigned={}), 60) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("status", ["unreadable", "no_exercises", "grader_error"])
def test_exit_status_of_a_run_with_somebody_without_a_score_is_three(status: SubmissionStatus) -> None:
    assert exit_status(run(report(), ungraded("bob", status, "x"), assigned={}), None) == 3


def test_attendance_tells_who_handed_in_nothing_and_who_is_not_on_the_list(tmp_path: Path) -> None:
    (tmp_path / "class.csv").write_text("Name,Login\nAda,ada\nZoë,zoe\nYan,yan\nAlan,alan\n", encoding="utf-8")
    handed_in = [("ada", "ada/03.ipynb"), ("alan", "alan"), ("ada", "ada/04.ipynb"), ("eve", "eve/03.ipynb")]
    assert attendance_by(tmp_path / "class.csv", handed_in) == Attendance(("Yan", "Zoë"), ("eve",))
    with pytest.raises(UsageError, match="has no column 'student'"):
        attendance_by(tmp_path / "class.csv", [("grace", "grace/03.ipynb")])
