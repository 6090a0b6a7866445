"""Rulings are read from a table as they were meant, or not at all, and come home from another gradebook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import UsageError
from grader.gradebook.overrides import Ruling, answerable
from grader.gradebook.ruling_file import rulings_csv, rulings_in
from grader.model import Task
from grader.report.words.text import csv_cell
from tests.report.builders import exercise, submission, ungraded

ADA = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"))
CLASS = (ADA, submission("=Zoë", exercise("lin_grad")), submission("linus", exercise("lin_grad"), sha256="l"))


def ruling(score: float | None, **fields: Any) -> Ruling:
    given: dict[str, Any] = {"student": "ada", "exercise": "lin_grad", "sha256": ADA.sha256, "reason": "r"}
    return Ruling(score=score, **given | fields)


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
    known = (*ATTEMPTS, *CLASS[1:], answerable(missing, [Task("lin_grad", "Linear", "03_backprop", 4.0)]))
    made = (
        ruling(7 / 3, reason="- 1 for the style; see mail", graded=2.0, possible=4.0),
        ruling(0.0, sha256="second", reason="'tis copied, all", graded=4.0, possible=4.0),
        ruling(None, student="=Zoë", sha256=CLASS[1].sha256, reason="neat", graded=4.0, possible=4.0),
        ruling(3.0, student="zoe", sha256="", reason="oral exam", possible=4.0, made="2026-12-01T09:08:07.006Z"),
        ruling(None, student="linus", sha256="l", reason="", graded=4.0, possible=4.0),
    )
    (tmp_path / "r.csv").write_text(rulings_csv(made), encoding="utf-8", newline="")
    read = rulings_in(tmp_path / "r.csv", known)
    assert read == made
    assert [one.made for one in read] == [one.made for one in made]


def test_ruling_of_another_gradebook_remembers_what_the_grader_gave_there(tmp_path: Path) -> None:
    there = ruling(3.0, graded=0.5, possible=6.0)
    (tmp_path / "r.csv").write_text(rulings_csv([there]).replace(",", ";").replace(".", ","), newline="")
    assert rulings_in(tmp_path / "r.csv", CLASS) == (there,)


def test_ruling_of_an_older_gradebook_is_taken_to_be_on_what_the_grader_gives_here(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(rulings_csv([ruling(3.0)]), newline="")
    assert rulings_in(tmp_path / "r.csv", CLASS) == (ruling(3.0, graded=2.0, possible=4.0),)


def test_row_whose_points_are_withdrawn_takes_back_what_was_ruled_on_each_notebook(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student,exercise,points,reason\nada,lin_grad,Withdrawn,\n")
    made = rulings_in(tmp_path / "r.csv", ATTEMPTS)
    assert [(one.sha256, one.withdrawn) for one in made] == [(ADA.sha256, True), ("second", True)]


def test_time_of_a_ruling_that_a_spreadsheet_wrote_over_is_told(tmp_path: Path) -> None:
    rows = rulings_csv([ruling(3.0, made="2026-12-01T09:08:07.006Z")]).replace("2026-12-01T09:08:07.006Z", "12/1/26")
    (tmp_path / "r.csv").write_text(rows, newline="")
    with pytest.raises(UsageError, match="line 2: '12/1/26' is no time"):
        rulings_in(tmp_path / "r.csv", CLASS)


def test_rulings_in_csv_leave_columns_alone_that_no_gradebook_wrote(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("student,exercise,points,reason,graded,possible\nada,lin_grad,1,r,yes,6\n")
    assert rulings_in(tmp_path / "r.csv", CLASS) == (ruling(1.0, graded=2.0, possible=4.0),)


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
