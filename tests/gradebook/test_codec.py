from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from grader.errors import GradebookError
from grader.gradebook.codec import submission_from_dict, submission_to_dict
from grader.model import Override, Sample, SubmissionReport
from tests.report.builders import check, exercise, small_class, submission


@pytest.mark.parametrize("report", small_class().submissions, ids=lambda report: report.student)
def test_codec_round_trip_through_json_is_lossless(report: SubmissionReport) -> None:
    text = json.dumps(submission_to_dict(report), allow_nan=False)
    assert submission_from_dict(json.loads(text)) == report


def test_codec_override_survives() -> None:
    report = submission("ada", exercise("lin_grad", override=Override(None, "seen by hand")))
    assert submission_from_dict(json.loads(json.dumps(submission_to_dict(report)))) == report


def test_codec_reads_what_was_written_before_there_were_overrides() -> None:
    data = submission_to_dict(submission("ada", exercise("lin_grad")))
    del data["exercises"][0]["override"]
    assert submission_from_dict(data) == submission("ada", exercise("lin_grad"))


def test_codec_non_finite_numbers_survive() -> None:
    sample = Sample(((1.0, -0.0),), ((math.inf, -math.inf),), None, True)
    odd = check("w.g", 2.0, "non_finite", sample=sample, max_abs_error=math.inf, worst_actual=math.nan)
    report = submission("ada", exercise("lin_grad", checks=(odd,)))
    back = submission_from_dict(json.loads(json.dumps(submission_to_dict(report), allow_nan=False)))
    (read,) = back.exercises[0].checks
    assert read.worst_actual is not None
    assert math.isnan(read.worst_actual)
    assert replace(read, worst_actual=0.0) == replace(odd, worst_actual=0.0)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data.pop("exercises"), id="key missing"),
        pytest.param(lambda data: data.update(colour="red"), id="key unknown"),
        pytest.param(lambda data: data["exercises"][0]["checks"][0].pop("sample"), id="key missing deep down"),
        pytest.param(lambda data: data.update(exercises=[[]]), id="list for an exercise"),
    ],
)
def test_codec_other_version_is_a_gradebook_error(change) -> None:
    data = submission_to_dict(submission())
    change(data)
    with pytest.raises(GradebookError, match="cannot be read") as caught:
        submission_from_dict(data)
    assert "--fresh" in caught.value.remedy
