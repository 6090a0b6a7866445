"""A human's points stand in place of the grader's, for the notebook that they were given for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.gradebook.overrides import Ruling, answerable, overridden, rulings_csv, rulings_for, rulings_in
from grader.model import Override, SubmissionStatus, Task, total
from grader.report.words.text import csv_cell
from tests.report.builders import CHECKS, exercise, submission, ungraded, untouched

ADA = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"))


def ruling(score: float | None = 3.0, id_: str = "lin_grad", **fields: Any) -> Ruling:
    given: dict[str, Any] = {"student": "ada", "exercise": id_, "sha256": ADA.sha256, "score": score, "reason": "r"}
    return Ruling(**given | fields)


@pytest.mark.parametrize(("score", "status"), [(0.0, "failed"), (3.0, "partial"), (4.0, "passed")])
def test_ruling_sets_points_status_and_sum_and_keeps_what_was_found(score: float, status: str) -> None:
    ruled = overridden(ADA, [ruling(score)])

    first, second = ruled.exercises
    assert (first.score, first.status, first.override) == (score, status, Override(2.0, "r"))
    assert first.checks == ADA.exercises[0].checks
    assert second == ADA.exercises[1]
    assert (ruled.score, ruled.possible, ruled.status) == (score + 2.0, 6.0, "graded")


def test_comment_leaves_points_status_and_sum() -> None:
    comment = ruling(None, reason="neat")
    assert overridden(ADA, [comment]) == replace(
        ADA, exercises=(replace(ADA.exercises[0], comment="neat"), ADA.exercises[1])
    )


def test_comment_on_what_was_not_graded_is_refused() -> None:
    linus = answerable(ungraded("linus", "unreadable", "not JSON"), TASKS)
    with pytest.raises(UsageError, match="lin_grad of linus was not graded, so it needs points"):
        rulings_for([linus], "linus", "lin_grad", None, "where is it?")


@pytest.mark.parametrize(
    "other",
    [ruling(student="alan"), ruling(sha256="of another notebook"), ruling(id_="mse_grad"), ruling(score=4.5)],
    ids=["student", "notebook", "exercise", "more than there are points"],
)
def test_ruling_on_something_else_changes_nothing(other: Ruling) -> None:
    assert overridden(ADA, [other]) is ADA


def test_ruling_on_each_exercise_that_the_grader_failed_in_makes_it_graded() -> None:
    failed = submission("ada", untouched("lin_grad", "grader_error"), untouched("relu_grad", "grader_error"))
    failed = replace(failed, status="grader_error", score=None, reason="the grader failed in lin_grad, relu_grad")

    half = overridden(failed, [ruling(4.0)])
    whole = overridden(failed, [ruling(4.0), ruling(1.0, "relu_grad")])

    assert (half.status, half.score, half.reason) == ("grader_error", None, failed.reason)
    assert (whole.status, whole.score, whole.reason) == ("graded", 5.0, "")
    assert whole.exercises[0].override == Override(None, "r")


@pytest.mark.parametrize(("score", "left"), [(4.0, ("relu_grad",)), (3.0, ("lin_grad", "relu_grad"))])
def test_nothing_follows_from_what_was_ruled_to_be_right(score: float, left: tuple[str, ...]) -> None:
    network = replace(exercise("forward_and_backward", {"w1.g": "transposed"}), follows_from=("lin_grad", "relu_grad"))
    whole = replace(ADA, exercises=(*ADA.exercises, network))
    assert overridden(whole, [ruling(score)]).exercises[-1].follows_from == left


def test_ruling_does_not_hide_that_a_kernel_crashed() -> None:
    crashed = replace(ADA, status="crashed", reason="its kernel died")
    assert overridden(crashed, [ruling()]).reason == "its kernel died"


@given(st.dictionaries(st.sampled_from(sorted(CHECKS)), st.floats(0, 6)))
def test_sum_is_always_that_of_the_exercises(scores: dict[str, float]) -> None:
    whole = submission("ada")
    ruled = overridden(whole, [ruling(score, id_) for id_, score in scores.items()])
    assert ruled.score == total(one.score for one in ruled.exercises) <= ruled.possible


def test_every_notebook_of_the_student_that_has_the_exercise_is_ruled_on() -> None:
    second = submission("ada", exercise("lin_grad"), sha256="second", notebook="again.ipynb", files="of hers")
    third = submission("ada", exercise("mse_grad"), sha256="third", notebook="other.ipynb")

    made = rulings_for([ADA, second, third, submission("alan")], "ada", "lin_grad", 0.0, "copied")

    assert made == (
        ruling(0.0, reason="copied", graded=2.0, possible=4.0),
        ruling(0.0, sha256="second", reason="copied", graded=4.0, possible=4.0, files="of hers"),
    )


def test_ruling_gives_up_to_what_every_notebook_has_for_it() -> None:
    fewer = submission("ada", exercise("lin_grad", possible=2.0), sha256="second")
    assert len(rulings_for([ADA, fewer], "ada", "lin_grad", 2.0, "r")) == 2
    with pytest.raises(UsageError, match="worth 2 points, not 3"):
        rulings_for([ADA, fewer], "ada", "lin_grad", 3.0, "r")


@pytest.mark.parametrize(
    ("student", "exercise_", "score", "said"),
    [
        ("Ada", "lin_grad", 1.0, "no student in the gradebook is called 'Ada' .perhaps 'ada'.*gradebook.csv"),
        ("Turing, Alan", "lin_grad", 1.0, "is called 'Turing, Alan' .perhaps 'alan turing'"),
        ("xyz", "lin_grad", 1.0, "is called 'xyz' write"),
        ("ada", "lingrad", 1.0, "ada has no exercise 'lingrad'.*lin_grad, relu_grad"),
        ("ada", "lin_grad", 4.5, "worth 4 points, not 4.5.*0 to 4 points; a bonus is"),
        ("ada", "lin_grad", -1.0, "worth 4 points, not -1"),
        ("linus", "lin_grad", 1.0, "linus has no exercise.*that can be read"),
    ],
)
def test_ruling_that_cannot_be_meant_is_refused(student: str, exercise_: str, score: float, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        rulings_for(
            [ADA, submission("alan turing"), ungraded("linus", "unreadable", "not JSON")],
            student,
            exercise_,
            score,
            "r",
        )
    assert re.search(said, f"{caught.value} {caught.value.remedy}")


CLASS = (ADA, submission("=Zoë", exercise("lin_grad")), submission("linus", exercise("lin_grad"), sha256="l"))


@pytest.mark.parametrize(
    "text",
    [
        'student,exercise,points,reason\nada,lin_grad,2.5,r\n,,,\n\'=Zoë,lin_grad,0,"copied, all\nof it"\n,,,\n',
        "Reason;Points;Student;Exercise;mark\r\nr;2,5;ada;lin_grad;x\r\n"
        '"copied, all\nof it";0; =Zoe\u0308 ;lin_grad;\r\n',
        'student\texercise\tpoints\treason\nada\tlin_grad\t2.5\tr\n=Zoë\tlin_grad\t0\t"copied, all\nof it"',
    ],
    ids=["commas", "a German spreadsheet's", "tabs"],
)
def test_rulings_are_read_from_csv(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(text, encoding="utf-8-sig", newline="")
    assert rulings_in(tmp_path / "r.csv", CLASS) == (
        ruling(2.5, graded=2.0, possible=4.0),
        Ruling("=Zoë", "lin_grad", CLASS[1].sha256, 0.0, "copied, all\nof it", 4.0, 4.0),
    )


def test_row_without_points_is_a_comment(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student;exercise;points;reason\nada;lin_grad; ;neat\n")
    assert rulings_in(tmp_path / "r.csv", CLASS) == (ruling(None, reason="neat", graded=2.0, possible=4.0),)


ATTEMPTS = (ADA, submission("ada", exercise("lin_grad"), sha256="second", notebook="again.ipynb"))


def test_rulings_written_are_read_as_they_were_each_on_its_notebook(tmp_path: Path) -> None:
    missing = replace(ungraded("zoe", "unreadable", "nothing was handed in"), sha256="")
    known = (*ATTEMPTS, *CLASS[1:], answerable(missing, TASKS))
    made = (
        ruling(7 / 3, reason="- 1 for the style; see mail", graded=2.0, possible=4.0),
        ruling(0.0, sha256="second", reason="'tis copied, all", graded=4.0, possible=4.0),
        ruling(None, student="=Zoë", sha256=CLASS[1].sha256, reason="neat", graded=4.0, possible=4.0),
        ruling(3.0, student="zoe", sha256="", reason="oral exam", possible=4.0),
    )
    (tmp_path / "r.csv").write_text(rulings_csv(made), encoding="utf-8", newline="")
    assert rulings_in(tmp_path / "r.csv", known) == made


@pytest.mark.parametrize("digest", ["that of another", "none"])
def test_ruling_of_another_gradebook_is_on_no_notebook_but_its_own(digest: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(f"student,exercise,points,reason,sha256\nada,lin_grad,1,r,{digest}\n")
    with pytest.raises(UsageError, match="line 2: lin_grad of ada was ruled on a notebook that is not here") as caught:
        rulings_in(tmp_path / "r.csv", ATTEMPTS)
    assert "empty the cell sha256" in caught.value.remedy


def test_rulings_on_one_answer_with_its_notebook_and_without_are_told(tmp_path: Path) -> None:
    rows = "ada,lin_grad,1,r,second\nada,lin_grad,1,r,\n"
    (tmp_path / "r.csv").write_text(f"student,exercise,points,reason,sha256\n{rows}")
    with pytest.raises(UsageError, match="line 3: rules on the same answer as line 2"):
        rulings_in(tmp_path / "r.csv", ATTEMPTS)


def test_rulings_in_csv_know_what_else_a_student_is_called_and_the_own_name_first(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student,exercise,points,reason\nada@u,lin_grad,1,r\nlinus,lin_grad,2,r\n")
    made = rulings_in(tmp_path / "r.csv", CLASS, {"ada@u": "ada", "linus": "ada"})
    assert [(one.student, one.score) for one in made] == [("ada", 1.0), ("linus", 2.0)]


@pytest.mark.parametrize("row", ["ada,,,", ",lin_grad,,", ",,1,", ",,,r"])
def test_rulings_in_csv_pass_over_no_row_with_anything_in_it(row: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(f"student,exercise,points,reason\n{row}\nada,lin_grad,1,r\n")
    with pytest.raises(UsageError, match="line 2: "):
        rulings_in(tmp_path / "r.csv", CLASS)


def test_rulings_in_csv_drop_a_spreadsheets_apostrophe_and_no_students_own(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student,exercise,points,reason\n'ada,lin_grad,1,r\nbada,lin_grad,1,r\n")
    with pytest.raises(UsageError, match="line 3: no student in the gradebook is called 'bada'"):
        rulings_in(tmp_path / "r.csv", [ADA])
    (tmp_path / "r.csv").write_text("student,exercise,points,reason\n'ada,lin_grad,1,r\n")
    own = submission("'ada", exercise("lin_grad"), sha256="own")
    assert [one.sha256 for one in rulings_in(tmp_path / "r.csv", [ADA])] == [ADA.sha256]
    assert [one.sha256 for one in rulings_in(tmp_path / "r.csv", [ADA, own])] == ["own"]


def test_rulings_in_csv_know_a_name_as_the_sheets_of_the_grader_write_it(tmp_path: Path) -> None:
    name = "=ada;=1+1"
    (tmp_path / "r.csv").write_text(f"student,exercise,points,reason\n{csv_cell(name)},lin_grad,1,r\n")
    assert [one.student for one in rulings_in(tmp_path / "r.csv", [submission(name, exercise("lin_grad"))])] == [name]


def test_rulings_in_csv_that_cannot_be_meant_are_told_by_line_and_none_is_made(tmp_path: Path) -> None:
    rows = ["ada,lin_grad,1,r", "Ada,lin_grad,1,r", "ada,lin_grad,nan,r", "linus,lin_grad,9,r", "linus,lin_grad,1,"]
    rows += ["ada,lin_grad,1,again", '"linus","lin_grad","1,5",r']
    (tmp_path / "r.csv").write_text("\n".join(["student,exercise,points,reason", *rows]))
    with pytest.raises(UsageError) as caught:
        rulings_in(tmp_path / "r.csv", CLASS)
    assert str(caught.value).splitlines()[1:] == [
        "line 3: no student in the gradebook is called 'Ada' (perhaps 'ada')",
        "line 4: 'nan' is no number of points",
        "line 5: lin_grad is worth 4 points, not 9",
        "line 6: a ruling needs a reason",
        "line 7: rules on the same answer as line 2",
        "line 8: '1,5' is no number of points",
    ]
    assert "whole file again" in caught.value.remedy


def test_rulings_in_csv_have_the_first_faults_told(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student,exercise,points,reason\n" + "Ada,lin_grad,1,r\n" * 30)
    with pytest.raises(UsageError) as caught:
        rulings_in(tmp_path / "r.csv", CLASS)
    assert str(caught.value).endswith(
        "line 21: no student in the gradebook is called 'Ada' (perhaps 'ada')\n… and 10 more"
    )
    assert "first column of gradebook.csv" in caught.value.remedy


def test_rulings_of_a_file_without_the_columns_are_an_error_of_use(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student,exercise,score,reason\n")
    with pytest.raises(UsageError, match="has no column 'points'") as caught:
        rulings_in(tmp_path / "r.csv", CLASS)
    assert caught.value.remedy == "begin it with a line: student,exercise,points,reason"


@pytest.mark.parametrize("rows", ["", ",,,\n"])
def test_rulings_of_a_file_without_rows_are_an_error_of_use(rows: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(f"student,exercise,points,reason\n{rows}")
    with pytest.raises(UsageError, match="no rulings"):
        rulings_in(tmp_path / "r.csv", CLASS)


TASKS = (
    Task("lin_grad", "Linear", "03_backprop", 4.0),
    Task("relu_grad", "ReLU", "03_backprop", 2.0),
    Task("Relu", "A layer", "04_layers", 2.0),
)


@pytest.mark.parametrize("status", ["unreadable", "no_exercises"])
@pytest.mark.parametrize("notebook", ["03_backprop.ipynb", "Copy of 03_Backprop (1).ipynb", "final.ipynb", ""])
def test_ruling_on_a_notebook_in_which_nothing_was_graded_makes_it_a_graded_one(
    status: SubmissionStatus, notebook: str
) -> None:
    linus = ungraded("linus", status, "not JSON", notebook=notebook, possible=0.0)

    made = rulings_for([answerable(linus, TASKS)], "linus", "lin_grad", 3.0, "sent as a PDF")
    ruled = overridden(linus, made, TASKS)

    assert (ruled.status, ruled.score, ruled.possible, ruled.reason) == ("graded", 3.0, 6.0, "not JSON")
    assert [(one.id, one.status, one.score) for one in ruled.exercises] == [
        ("lin_grad", "partial", 3.0), ("relu_grad", "missing", 0.0),
    ]  # fmt: skip
    assert ruled.exercises[0].override == Override(None, "sent as a PDF")
    assert ruled.by_hand


def test_ruling_asks_an_unread_notebook_for_what_the_course_asks_in_it() -> None:
    linus = ungraded("linus", "unreadable", "not JSON", notebook="04_layers.ipynb")
    with pytest.raises(UsageError, match="linus has no exercise 'lin_grad'") as caught:
        rulings_for([answerable(linus, TASKS)], "linus", "lin_grad", 3.0, "r")
    assert caught.value.remedy == "choose one of: Relu"


def test_ruling_is_on_a_notebook_that_was_graded_and_leaves_one_that_was_not() -> None:
    stray = ungraded("ada", "unreadable", "not JSON", notebook="scratch.ipynb", sha256="stray")
    made = rulings_for([ADA, answerable(stray, TASKS)], "ada", "lin_grad", 3.0, "r")
    assert [one.sha256 for one in made] == [ADA.sha256]
    assert overridden(stray, made, TASKS) is stray


def test_ruling_of_more_than_there_is_now_leaves_an_unread_notebook_ungraded() -> None:
    linus = ungraded("linus", "unreadable", "not JSON", notebook="03_backprop.ipynb")
    many = ruling(5.0, student="linus", sha256=linus.sha256)
    assert overridden(linus, [many], TASKS) == linus
