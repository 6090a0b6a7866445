"""Results as the XML of JUnit, which GitLab, Jenkins and other CI services show as tests.

It has no schema of its own; this is what its readers have in common (testmoapp/junitxml): a suite a student, a test an
exercise, ``failure`` for what earned less than all points, ``error`` for what was not graded.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from grader.model import ExerciseScore, Hints, RunReport, total
from grader.report.autograding.plain_feedback import feedback
from grader.report.counting.row import Row, rows_of
from grader.report.words import wording
from grader.report.words.numbers import points_of
from grader.report.words.text import one_line, plain

_MESSAGE = 400


def junit_xml(run: RunReport, *, hints: Hints) -> str:
    """``run`` as an XML document, with the feedback as plain text."""
    suites = [_suite(row, run.sandbox, hints) for row in rows_of(run)]
    return _document(one_line(run.course), suites)


def junit_failure(message: str) -> str:
    """A document that says only that the grader failed, nothing of any exercise; ``message`` is what went wrong."""
    suite = Element("testsuite", name="grader")
    _add(suite, "graded", "error", wording.GRADER_FAILED, message)
    return _document("grader", [suite])


def _document(name: str, suites: list[Element]) -> str:
    """The suites in one element, each with its number of tests, failures and errors, as the whole has."""
    whole = Element("testsuites", name=name)
    whole.extend(suites)
    for element in (*suites, whole):
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            element.set(attribute, str(sum(1 for _ in element.iter(tag))))
    ElementTree.indent(whole)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(whole, encoding="unicode") + "\n"


def _suite(row: Row, sandbox: str, hints: Hints) -> Element:
    seconds = total(entry.seconds for entry in row.entries)
    suite = Element("testsuite", name=one_line(row.student), time=f"{seconds:.2f}")
    SubElement(SubElement(suite, "properties"), "property", name="sandbox", value=sandbox)
    for name, kind, message, text in (*_ungraded(row), *(_result(answer, row, hints) for answer in row.results)):
        _add(suite, name, kind, message, text)
    return suite


def _ungraded(row: Row) -> Iterator[tuple[str, str, str, str]]:
    for entry in row.counted:
        if entry.status != "graded":
            yield entry.notebook or entry.path, "error", wording.SUBMISSION[entry.status], wording.reason(entry)


def _result(exercise: ExerciseScore, row: Row, hints: Hints) -> tuple[str, str, str, str]:
    """The name of a test, the element that says how it ended (none where it passed), its message, and its text."""
    if exercise.status == "grader_error":
        return exercise.id, "error", wording.EXERCISE[exercise.status], feedback(exercise, row, hints)
    if exercise.status == "passed":
        return exercise.id, "", "", ""
    why = next((check.diagnosis.message for check in exercise.checks if check.diagnosis), "")
    message = f"{points_of(exercise.score, exercise.possible)}: {why or wording.EXERCISE[exercise.status]}"
    return exercise.id, "failure", message, feedback(exercise, row, hints)


def _add(suite: Element, name: str, kind: str, message: str, text: str) -> None:
    case = SubElement(suite, "testcase", classname=suite.get("name", ""), name=one_line(name, 200))
    if kind:
        SubElement(case, kind, message=one_line(message, _MESSAGE)).text = plain(text)
