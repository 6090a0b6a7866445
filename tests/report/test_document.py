from __future__ import annotations

import csv
import json
import math
import random
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from grader.model import CellFailure, Override, SubmissionStatus
from grader.report import load_schema
from grader.report.document import to_json
from grader.report.views.spreadsheet import gradebook_csv
from grader.report.words import wording
from tests.report.builders import check, exercise, large_class, run, small_class, submission, ungraded, untouched

GOLDEN = Path(__file__).parent / "golden" / "report-1.json"


def _valid(document: object) -> None:
    jsonschema.Draft202012Validator(load_schema()).validate(document)


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema())


@pytest.mark.parametrize("made", [run(), small_class(), large_class(20, 40)], ids=["empty", "small", "large"])
def test_to_json_any_run_fits_the_schema(made) -> None:
    _valid(json.loads(to_json(made)))


def test_to_json_version_1_is_as_published() -> None:
    """A golden file: change it only with the schema version, or by adding fields."""
    assert json.loads(to_json(small_class())) == json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize("graded", [1.5, None], ids=["wrong", "failed"])
def test_to_json_override_stands_beside_the_points_that_count(graded: float | None) -> None:
    made = run(submission("ada", exercise("lin_grad", override=Override(graded, "seen by hand"))))
    document = json.loads(to_json(made))
    _valid(document)
    assert document["submissions"][0]["exercises"][0]["override"] == {"graded": graded, "reason": "seen by hand"}


def test_to_json_has_a_comment_only_where_somebody_wrote_one() -> None:
    commented = exercise("lin_grad", comment="name your variables")
    document = json.loads(to_json(run(submission("ada", commented, exercise("relu_grad")))))
    _valid(document)
    assert [one.get("comment") for one in document["submissions"][0]["exercises"]] == ["name your variables", None]


def test_to_json_flags_attempts_and_copies_that_show_beside_the_others_alone() -> None:
    done = exercise("lin_grad")
    ada = [
        submission("ada", done, notebook=name, path=f"ada/{name}", sha256="5a" * 32) for name in ("a.ipynb", "b.ipynb")
    ]
    spare = ungraded("ada", "unreadable", "not JSON", notebook="b (1).ipynb", path="ada/b (1).ipynb", flags=("own",))
    made = run(*ada, spare, submission("alan", done, sha256="5a" * 32), submission("grace", done))
    attempts = "a.ipynb, b.ipynb answer the same exercises: for each the better answer counts"
    copy = "the same file, to the byte, as that of alan"
    document = json.loads(to_json(made))
    _valid(document)
    assert {(one["student"], one["notebook"]): one["flags"] for one in document["submissions"]} == {
        ("ada", "a.ipynb"): [attempts, copy],
        ("ada", "b (1).ipynb"): ["own", wording.spare(spare)],
        ("ada", "b.ipynb"): [attempts, copy],
        ("alan", "03_backprop.ipynb"): ["the same file, to the byte, as that of ada"],
        ("grace", "03_backprop.ipynb"): [],
    }
    assert gradebook_csv(made).count(attempts) == gradebook_csv(made).count(copy) == 1
    assert "as that of ada" in gradebook_csv(made)


def test_to_json_and_sheet_flag_each_student_whom_a_flag_of_the_class_concerns() -> None:
    gone = replace(untouched("lin_grad"), status="missing")
    failed = (CellFailure(1, "ModuleNotFoundError: No module named 'seaborn'"),)
    poor = [submission(name, untouched("lin_grad"), failed_cells=failed) for name in ("Ada B", "B, Ada")]
    others = [submission("cyn", gone), submission("gus", exercise("relu_grad"))]
    made = run(*poor, *others, assigned={"lin_grad": 4.0})
    missed = wording.no_module("seaborn", ["Ada B", "B, Ada"])

    document = json.loads(to_json(made))

    told = {
        "Ada B": [wording.namesakes(["B, Ada"]), missed],
        "B, Ada": [wording.namesakes(["Ada B"]), missed],
        "cyn": [wording.NONE_FOUND],
        "gus": [wording.NONE_ASSIGNED],
    }
    assert {one["student"]: one["flags"] for one in document["submissions"]} == told
    sheet = csv.DictReader(gradebook_csv(made).splitlines())
    assert {row["student"]: row["flags"] for row in sheet} == {name: "; ".join(flags) for name, flags in told.items()}


def test_to_json_order_of_submissions_does_not_matter() -> None:
    made = small_class()
    shuffled = list(made.submissions)
    random.Random(1).shuffle(shuffled)
    assert to_json(run(*shuffled)) == to_json(made)


def test_to_json_odd_numbers_are_rounded_or_null() -> None:
    odd = check("w.g", 0.3, "wrong_value", max_abs_error=math.inf, worst_actual=math.nan, worst_expected=1 / 3)
    made = run(submission("ada", exercise("lin_grad", checks=(odd,), score=0.1 + 0.2), seconds=0.123456))
    text = to_json(made)
    (report,) = json.loads(text)["submissions"]
    (shown,) = report["exercises"][0]["checks"]
    assert (report["score"], report["seconds"], report["exercises"][0]["score"]) == (0.3, 0.12, 0.3)
    assert shown["max_abs_error"] is None
    assert shown["worst"] == {"index": [4, 1], "actual": None, "expected": 0.333333}
    assert "NaN" not in text
    assert "Infinity" not in text


def test_to_json_lone_surrogate_is_written_as_an_escape() -> None:
    text = to_json(run(submission("a\udc80b")))
    text.encode("utf-8")
    assert json.loads(text)["submissions"][0]["student"] == "a\udc80b"


@pytest.mark.parametrize("status", ["unreadable", "grader_error"])
def test_schema_zero_for_what_was_not_graded_is_refused(status: SubmissionStatus) -> None:
    document = json.loads(to_json(run(ungraded("ada", status, "why"))))
    _valid(document)
    document["submissions"][0]["score"] = 0.0
    with pytest.raises(jsonschema.ValidationError):
        _valid(document)


@pytest.mark.parametrize("field", ["student", "status", "cells", "exercises", "score"])
def test_schema_missing_field_is_refused(field: str) -> None:
    document = json.loads(to_json(run(submission())))
    del document["submissions"][0][field]
    with pytest.raises(jsonschema.ValidationError):
        _valid(document)


def test_schema_additional_field_is_allowed() -> None:
    document = json.loads(to_json(run(submission())))
    document["submissions"][0]["exercises"][0]["later"] = 1
    _valid(document)


def test_to_json_names_who_handed_in_nothing_where_anybody_did_not() -> None:
    document = json.loads(to_json(run(submission("ada"), absent=("yan", "zoe"))))
    _valid(document)
    assert document["absent"] == ["yan", "zoe"]
    assert "absent" not in json.loads(to_json(run(submission("ada"))))


def test_schema_says_of_each_field_what_it_is() -> None:
    def undescribed(schema: object, where: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        below = [miss for key, part in schema.items() for miss in undescribed(part, f"{where}/{key}")]
        fields = schema.get("properties", {}) if "type" in schema else {}
        return [f"{where}/{name}" for name, field in fields.items() if not field.get("description")] + below

    assert undescribed(load_schema(), "") == []
