from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from grader.model import Override
from grader.report.views.pages import page_name
from grader.report.views.spreadsheet import gradebook_csv
from tests.report.builders import exercise, large_class, run, small_class, submission, ungraded, untouched


def _read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_gradebook_csv_small_class_row_by_row() -> None:
    rows = {row["student"]: row for row in _read(gradebook_csv(small_class()))}
    assert len(rows) == 14
    assert rows["barbara"] | {} == {
        "student": "barbara", "lin_grad": "1", "relu_grad": "2", "mse_grad": "2", "forward_and_backward": "4",
        "score": "9", "possible": "12", "percent": "75", "status": "graded", "notebooks": "03_backprop.ipynb",
        "flags": "", "page": f"students/{page_name('barbara')}",
    }  # fmt: skip
    assert (rows["linus"]["score"], rows["linus"]["lin_grad"], rows["linus"]["status"]) == ("", "", "unreadable")
    assert (rows["tim"]["score"], rows["tim"]["mse_grad"]) == ("", "")
    assert rows["margaret"]["score"] == "0"


def test_gradebook_csv_large_class_has_every_cell() -> None:
    lines = list(csv.reader(io.StringIO(gradebook_csv(large_class(30, 40)))))
    assert {len(line) for line in lines} == {1 + 40 + 7}
    assert len(lines) == 31


def test_gradebook_csv_of_a_student_with_nothing_to_earn_has_no_percent() -> None:
    nothing = run(submission("ada", exercise("lin_grad", score=0.0, possible=0.0)))
    (row,) = _read(gradebook_csv(nothing))
    assert (row["score"], row["possible"], row["percent"]) == ("0", "0", "")


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@SUM(A1)", "\t=1", "\r=1", "\u200e=1", "＝1", "-1"])
def test_gradebook_csv_formula_as_a_name_is_quoted(name: str) -> None:
    (row,) = _read(gradebook_csv(run(submission(name))))
    assert row["student"].startswith("'")


def test_gradebook_csv_has_a_row_for_who_handed_in_nothing_and_no_zero() -> None:
    made = run(submission("ada", exercise("lin_grad")), submission("zoe", exercise("lin_grad")), absent=("Yan", "=Bo"))
    assert [row["page"] for row in _read(gradebook_csv(made))] == [
        "",
        f"students/{page_name('ada')}",
        "",
        f"students/{page_name('zoe')}",
    ]
    shown = ("student", "lin_grad", "score", "possible", "status")
    assert [tuple(row[column] for column in shown) for row in _read(gradebook_csv(made))] == [
        ("'=Bo", "", "", "", "absent"), ("ada", "4", "4", "4", "graded"),
        ("Yan", "", "", "", "absent"), ("zoe", "4", "4", "4", "graded"),
    ]  # fmt: skip
    assigned = run(submission("ada", exercise("lin_grad")), absent=("Yan",), assigned={"lin_grad": 4.0, "Relu": 2.0})
    assert [row["possible"] for row in _read(gradebook_csv(assigned))] == ["6", "6"]


def test_gradebook_csv_names_no_notebook_of_who_handed_in_nothing_and_was_ruled_on() -> None:
    ruled = submission("zoe", exercise("lin_grad", override=Override(None, "r")), path="", sha256="", reason="nothing")
    assert [row["notebooks"] for row in _read(gradebook_csv(run(submission("ada"), ruled)))] == [
        "03_backprop.ipynb",
        "",
    ]


def test_gradebook_csv_has_the_points_of_each_attempt_where_anybody_has_several() -> None:
    wrong = exercise("lin_grad", {"w.g": "transposed"})
    bob = [
        submission("bob", wrong, exercise("relu_grad"), path="hw/bob/1.ipynb"),
        submission("bob", exercise("lin_grad"), untouched("mse_grad"), path="late/bob/1.ipynb"),
        submission("bob", exercise("forward_and_backward"), notebook="2.ipynb", path="hw/bob/2.ipynb"),
        ungraded("bob", "grader_error", "x", exercises=(wrong,), path="again/1.ipynb"),
    ]
    ada = submission("ada", exercise("lin_grad"))
    assert "attempts" not in gradebook_csv(run(ada, bob[0], bob[2]))
    rows = _read(gradebook_csv(run(ada, *bob, absent=("zoe",))))
    assert [row["attempts"] for row in rows] == [
        "",
        "again/1.ipynb: –; hw/bob/1.ipynb: 4; late/bob/1.ipynb: 4",
        "",
    ]
    assigned = run(bob[0], bob[1], assigned={"lin_grad": 4.0})
    assert [row["attempts"] for row in _read(gradebook_csv(assigned))] == ["hw/bob/1.ipynb: 2; late/bob/1.ipynb: 4"]


def test_gradebook_csv_has_the_totals_of_before_where_they_were_others() -> None:
    made = run(*(submission(student, exercise("lin_grad")) for student in ("ada", "bob", "cy")), absent=("zoe",))
    rows = _read(gradebook_csv(replace(made, previous={"ada": 0.0, "cy": None})))
    assert [row["previous"] for row in rows] == ["0", "", "–", ""]
