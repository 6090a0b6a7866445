from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from grader.errors import UsageError
from grader.model import Override
from grader.report.gradebooks.lms import export
from grader.report.views.spreadsheet import gradebook_csv
from tests.report.builders import exercise, run, small_class, submission, ungraded, untouched

MADE = run(submission("ada", exercise("lin_grad", {"w.g": "transposed"})), submission("alan", exercise("lin_grad")),
           ungraded("linus", "unreadable", "not JSON", possible=4.0))  # fmt: skip


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_export_canvas_is_the_import_form() -> None:
    roster = {"ada": {"Student": "Lovelace, Ada", "ID": "17", "SIS Login ID": "al1", "Section": "A"},
              "alan": {"Section": "B"}, "linus": {"SIS Login ID": "lt1"}}  # fmt: skip
    assert _rows(export(MADE, "canvas", assignment="Backprop (99)", roster=roster)) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Backprop (99)"],
        ["Points Possible", "", "", "", "", "4"],
        ["Lovelace, Ada", "17", "", "al1", "A", "2"],
        ["alan", "", "", "alan", "B", "4"],
        ["linus", "", "", "lt1", "", ""],
    ]


def test_export_moodle_is_the_import_form() -> None:
    roster = {"ada": {"Email address": "ada@example.org"}}
    assert _rows(export(MADE, "moodle", assignment="Backprop", roster=roster, identifier="Email address")) == [
        ["Email address", "Backprop", "Backprop (feedback)"],
        ["ada@example.org", "2", "lin_grad 2/4 (transposed)"],
        ["alan", "4", "lin_grad 4/4"],
        [
            "linus",
            "",
            "No notebook could be read, so nothing was graded. This does not count as zero points. Not JSON.",
        ],
    ]


def test_export_brightspace_is_the_import_form() -> None:
    roster = {"ada": {"OrgDefinedId": "#17", "Username": "al1"}, "alan": {"OrgDefinedId": "#18", "Username": ""}}
    assert _rows(export(MADE, "brightspace", assignment="HW3", roster=roster)) == [
        ["OrgDefinedId", "Username", "HW3 Points Grade", "End-of-Line Indicator"],
        ["#17", "al1", "2", "#"],
        ["#18", "", "4", "#"],
        ["", "linus", "", "#"],
    ]
    assert _rows(export(MADE, "brightspace", out_of=10))[:2] == [
        ["Username", "autograd Points Grade", "End-of-Line Indicator"],
        ["ada", "5", "#"],
    ]


def test_export_moodle_takes_an_identifier_as_the_roster_heads_it() -> None:
    roster = {"ada": {"student": "ada", "ID-Nummer": "77"}}
    rows = _rows(export(MADE, "moodle", roster=roster, identifier="ID-Nummer"))
    assert [row[0] for row in rows[:2]] == ["ID-Nummer", "77"]
    with pytest.raises(UsageError) as caught:
        export(MADE, "moodle", roster=roster)
    assert "ID-Nummer" in caught.value.remedy


def test_export_out_of_scales_the_totals() -> None:
    assert [row[-1] for row in _rows(export(MADE, "canvas", out_of=100))] == ["autograd", "100", "50", "100", ""]
    assert [row[1] for row in _rows(export(MADE, "moodle", out_of=10))[1:]] == ["5", "10", ""]
    assert [row[4:] for row in _rows(export(MADE, "gradescope", out_of=1))[1:3]] == [["0.5", "1"], ["1", "1"]]
    nothing = run(submission("ada", exercise("lin_grad", score=0.0, possible=0.0)))
    assert [row[1] for row in _rows(export(nothing, "moodle", out_of=10))[1:]] == ["0"]


def test_export_moodle_says_what_was_set_by_hand() -> None:
    ruled = replace(exercise("lin_grad", {"w.g": "transposed"}), score=4.0, override=Override(2.0, "the sheet\nhad it"))
    assert (
        _rows(export(run(submission("ada", ruled)), "moodle"))[1][2] == "lin_grad 4/4 (set by hand: the sheet had it)"
    )


def test_export_moodle_has_comments_beside_what_was_found() -> None:
    told = [
        replace(exercise("lin_grad", {"w.g": "transposed"}), comment="look at\nthe shapes"),
        replace(exercise("relu_grad"), comment="neat"),
    ]
    assert _rows(export(run(submission("ada", *told)), "moodle"))[1][2] == (
        "lin_grad 2/4 (transposed; comment: look at the shapes); relu_grad 2/2 (comment: neat)"
    )
    begun = submission("ada", replace(untouched("relu_grad"), comment="why not?"))
    assert "comment: why not?" in _rows(export(run(begun), "moodle"))[1][2]


def test_export_moodle_says_what_was_not_begun_and_what_was_not_found() -> None:
    stubs = submission("ada", untouched("mse_grad"), untouched("relu_grad"), notebook="b.ipynb")
    done = submission("ada", exercise("lin_grad"), notebook="a.ipynb")
    layers = {"Lin": 4.0, "Relu": 2.0}
    assert _rows(export(run(done, stubs), "moodle"))[1][2] == "lin_grad 4/4. Not begun: b.ipynb."
    assert _rows(export(run(stubs), "moodle"))[1][2] == "Not begun: b.ipynb."
    assigned = run(done, stubs, assigned={"lin_grad": 4.0, **layers})
    missing = "Assigned, and found in no notebook: Lin (4), Relu (2)."
    assert _rows(export(assigned, "moodle"))[1][2] == f"lin_grad 4/4. {missing}"
    assert _rows(export(run(stubs, assigned=layers), "moodle"))[1][2] == missing
    deleted = replace(untouched("mse_grad"), status="missing", checks=())
    shorter = submission("ada", deleted, untouched("relu_grad"), notebook="b.ipynb")
    assert _rows(export(run(done, shorter), "moodle"))[1][2] == "lin_grad 4/4. Not begun: b.ipynb."
    renamed = replace(deleted, flags=("`mse_gradient` may be it under another name",))
    other = submission("ada", renamed, untouched("relu_grad"), notebook="b.ipynb")
    assert _rows(export(run(other), "moodle"))[1][2] == "mse_grad 0/2; relu_grad 0/2 (not implemented)"
    ruled = replace(untouched("mse_grad"), status="failed", override=Override(0.0, "r"))
    by_hand = submission("ada", ruled, untouched("relu_grad"))
    said = "mse_grad 0/2 (set by hand: r); relu_grad 0/2 (not implemented)"
    assert _rows(export(run(by_hand), "moodle"))[1][2] == said


def test_export_gradescope_is_its_export_form() -> None:
    rows = _rows(export(MADE, "gradescope", roster={"ada": {"First Name": "Ada", "SID": "17"}}))
    assert rows[0] == ["First Name", "Last Name", "SID", "Email", "autograd", "autograd - Max Points"]
    assert rows[1] == ["Ada", "", "17", "", "2", "4"]


def test_export_csv_is_the_gradebook() -> None:
    assert export(MADE, "csv") == gradebook_csv(MADE)


def test_export_csv_with_a_roster_has_its_columns_in_front_and_a_row_for_each_of_a_team() -> None:
    team = submission("Grace & Ada", exercise("lin_grad"), path="x.zip!submission_102/hw.ipynb")
    made = run(team, submission("=zoe", exercise("lin_grad")), absent=("yan",))
    roster = {name: {"Email": f"{name}@x", "student": name} for name in ("Grace", "Ada", "yan", "noah")}

    rows = _rows(export(made, "csv", roster=roster))

    assert rows[0] == ["Email", *_rows(gradebook_csv(made))[0]]
    assert [row[:4] for row in rows[1:]] == [
        ["", "'=zoe", "4", "4"], ["Grace@x", "Grace", "4", "4"], ["Ada@x", "Ada", "4", "4"], ["yan@x", "yan", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize("option", [{"assignment": "HW3"}, {"identifier": "Email"}, {"out_of": 10}], ids=str)
def test_export_csv_refuses_what_would_change_nothing_in_it(option) -> None:
    with pytest.raises(UsageError, match="a CSV of all exercises has"):
        export(MADE, "csv", **option)


@pytest.mark.parametrize("to", ["canvas", "moodle", "gradescope"])
def test_export_a_row_a_student(to) -> None:
    assert len(_rows(export(small_class(), to))) == 14 + (2 if to == "canvas" else 1)


def test_export_of_what_was_assigned_has_one_total_for_all_platforms() -> None:
    made = run(submission("ada", exercise("lin_grad")), submission("alan", exercise("mse_grad")),
               assigned={"lin_grad": 4.0, "mse_grad": 2.0, "relu_grad": 2.0})  # fmt: skip

    assert _rows(export(made, "canvas"))[1][-1] == "8"
    assert [row[-1] for row in _rows(export(made, "gradescope"))[1:]] == ["8", "8"]
    sheet = _rows(gradebook_csv(made))
    assert [row[sheet[0].index("possible")] for row in sheet[1:]] == ["8", "8"]


@pytest.mark.parametrize("to", ["canvas", "gradescope", "brightspace"])
def test_export_to_another_platform_refuses_the_column_that_moodle_has(to) -> None:
    with pytest.raises(UsageError, match="only Moodle's import"):
        export(MADE, to, roster={"ada": {"ID": "7"}}, identifier="ID")


def test_export_moodle_takes_the_first_of_its_columns_that_the_roster_fills() -> None:
    worksheet = {"ada": {"Identifier": "Participant 7", "Email address": "ada@x", "ID number": ""}}
    assert _rows(export(MADE, "moodle", roster=worksheet))[:2] == [
        ["Email address", "autograd", "autograd (feedback)"],
        ["ada@x", *_rows(export(MADE, "moodle"))[1][1:]],
    ]


def test_export_unknown_identifier_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="shoe size"):
        export(MADE, "moodle", identifier="shoe size")
