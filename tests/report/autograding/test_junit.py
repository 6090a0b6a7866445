from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import CellFailure, ExerciseStatus, Override
from grader.report.autograding.junit import junit_failure, junit_xml
from grader.report.counting.row import rows_of
from tests.report.builders import exercise, large_class, run, small_class, submission, ungraded, untouched


def cases_of(document: str) -> dict[tuple[str, str], Element | None]:
    """The element that says how each test ended, None where it passed, by suite and test."""
    suites = ElementTree.fromstring(document).iter("testsuite")
    return {
        (suite.get("name", ""), case.get("name", "")): next(iter(case), None)
        for suite in suites
        for case in suite.iter("testcase")
    }


def ends(document: str) -> dict[str, str]:
    return {name: "passed" if end is None else end.tag for (_, name), end in cases_of(document).items()}


def test_junit_has_a_suite_a_student_and_a_test_an_exercise() -> None:
    ada = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"))
    document = junit_xml(run(ada, submission("alan", exercise("lin_grad"))), hints="nudge")
    found = cases_of(document)

    assert list(found) == [("ada", "lin_grad"), ("ada", "relu_grad"), ("alan", "lin_grad")]
    assert {case.get("classname") for case in ElementTree.fromstring(document).iter("testcase")} == {"ada", "alan"}
    failure = found["ada", "lin_grad"]
    assert failure is not None
    assert failure.get("message", "").startswith("2 / 4: w.g has shape (3, 5), the transpose of the expected")
    assert "Hint: Which of inp and out.g" in (failure.text or "")
    assert "Hint: " not in junit_xml(run(ada), hints="none")


@pytest.mark.parametrize("made", [run(), small_class(), large_class(3, 40)], ids=["empty", "small", "large"])
def test_junit_counts_what_it_holds(made) -> None:
    root = ElementTree.fromstring(junit_xml(made, hints="nudge"))
    suites = list(root.iter("testsuite"))
    assert len(suites) == len(rows_of(made))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        for element in (root, *suites):
            assert element.get(attribute) == str(len(list(element.iter(tag))))
        assert sum(int(suite.get(attribute, "")) for suite in suites) == int(root.get(attribute, ""))


def test_junit_what_was_not_graded_is_an_error_and_no_failure() -> None:
    broken = submission("ada", untouched("lin_grad", "grader_error"), untouched("relu_grad"))
    document = junit_xml(run(ungraded("linus", "unreadable", "not JSON"), broken), hints="nudge")
    assert ends(document) == {"03_backprop.ipynb": "error", "lin_grad": "error", "relu_grad": "failure"}
    end = cases_of(document)["linus", "03_backprop.ipynb"]
    assert end is not None
    assert end.text == "not JSON"


def test_junit_what_was_assigned_and_not_found_fails() -> None:
    made = run(submission("ada", exercise("lin_grad")), assigned={"lin_grad": 4.0, "mse_grad": 2.0})
    assert ends(junit_xml(made, hints="nudge")) == {"lin_grad": "passed", "mse_grad": "failure"}


def test_junit_what_may_be_in_a_notebook_that_cannot_be_read_is_no_failure() -> None:
    made = run(ungraded("linus", "unreadable", "not JSON"), assigned={"lin_grad": 4.0})
    assert ends(junit_xml(made, hints="nudge")) == {"03_backprop.ipynb": "error"}


@pytest.mark.parametrize(("points", "status", "end"), [(4.0, "passed", "passed"), (3.0, "partial", "failure")])
def test_junit_goes_by_what_a_human_decided(points: float, status: ExerciseStatus, end: str) -> None:
    answer = exercise("lin_grad", {"w.g": "transposed"})
    ruled = replace(answer, score=points, status=status, override=Override(2.0, "spoke with her"))
    assert ends(junit_xml(run(submission("ada", ruled)), hints="nudge")) == {"lin_grad": end}


def test_junit_of_a_failed_grader_is_one_error_with_the_message() -> None:
    (end,) = cases_of(junit_failure("disk full")).values()
    assert end is not None
    assert (end.tag, end.text) == ("error", "disk full")
    assert "does not count as zero points" in end.get("message", "")


@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_junit_is_well_formed_whatever_students_write(text: str) -> None:
    """Controls, lone surrogates and U+FFFF are in no XML document, not even as escapes."""
    wrong = exercise("lin_grad", {"w.g": "transposed"}, printed=text)
    document = junit_xml(run(submission(text, wrong, failed_cells=(CellFailure(1, text),))), hints="nudge")
    document.encode()
    assert list(ends(document)) == ["lin_grad"]
    document = junit_failure(text)
    document.encode()
    assert len(cases_of(document)) == 1
