"""Hostile text in every place that a student can write, through every renderer."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from grader.model import CellFailure, Diagnosis, Override, RunReport
from grader.report.autograding.actions import github_annotations
from grader.report.autograding.gradescope import gradescope_results
from grader.report.counting.tally import tally
from grader.report.document import to_json
from grader.report.gradebooks.lms import export
from grader.report.views.markdown import render_markdown
from grader.report.views.pages import class_page, student_page
from grader.report.views.spreadsheet import gradebook_csv
from grader.report.views.terminal import render_class, render_submission
from tests.report.builders import check, exercise, run, submission
from tests.report.views.test_terminal import drawn

ATTACKS = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "style": "</style><script>alert(1)</script>",
    "attribute": "\" onmouseover=\"alert(1)\" x='",
    "end of pre": "</pre></details></body><iframe src=//evil>",
    "comment": "--><svg onload=alert(1)><!--",
    "template": "{{ 7*7 }}{% raw %}${7*7}",
    "formula": "=HYPERLINK(\"http://evil\",\"x\")",
    "formula behind a tab": "\t=cmd|' /C calc'!A0",
    "formula behind a semicolon": "ada;=HYPERLINK(1);@x;\"=1",
    "at": "@SUM(1+1)",
    "escape": "\x1b[2J\x1b]8;;http://evil\x07click\x1b]8;;\x07\x9b31m",
    "bidi": "\u202egnp.exe\u2066",
    "command": "\r::error::boo\n  ::add-mask::x\u2028##[error]y\x85::stop-commands::z",
    "rich markup": "[bold red]x[/] [link=http://evil]y[/link] [/]",
    "markdown": "| a | b\n\n# h\n[x](javascript:alert(1)) ![i](http://evil) `c` **b** @octocat #1 https://evil www.e",
    "surrogate": "a\udcffb",
    "NUL": "a\x00b",
}  # fmt: skip


def hostile(text: str) -> RunReport:
    """A student who writes ``text`` wherever the grader shows something of theirs."""
    wrong = check("w.g", 2.0, "raised", diagnosis=Diagnosis("raised", f"It raised ValueError: {text}", text), case=text)
    bad = exercise("lin_grad", checks=(wrong,), printed=f"{text}\n{text}", flags=(text,), follows_from=(text,))
    ruled = exercise("relu_grad", override=Override(1.0, text))
    mine = submission(text, bad, ruled, notebook=text, path=text, flags=(text,), reason=text,
                      status="crashed", failed_cells=(CellFailure(3, text),))  # fmt: skip
    return run(mine, submission("ada"))


@pytest.fixture(params=list(ATTACKS.values()), ids=list(ATTACKS))
def attack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Page(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}


def test_html_attack_is_only_text(attack: str) -> None:
    made = hostile(attack)
    harmless = hostile("harmless")
    for page, like in [
        (class_page(made), class_page(harmless)),
        *zip(
            (
                student_page(made, row, hints="nudge")
                for row in sorted(tally(made).rows, key=lambda row: row.student == "ada")
            ),
            (
                student_page(harmless, row, hints="nudge")
                for row in sorted(tally(harmless).rows, key=lambda row: row.student == "ada")
            ),
            strict=True,
        ),
    ]:
        got, expected = Page(page), Page(like)
        assert got.tags == expected.tags
        assert got.attributes == expected.attributes
        assert all(re.fullmatch(r"(students/[\w-]+\.html)?(#[\w-]+)?", link) for link in got.links)
        assert page.count("<style>") == page.count("</style>") == 1
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
        page.encode("utf-8")


def test_terminal_attack_is_only_text(attack: str) -> None:
    made = hostile(attack)
    hostile_first = next(report for report in made.submissions if report.student != "ada")
    for width in (30, 80):
        for content in (render_class(made), render_submission(hostile_first, hints="nudge")):
            shown = drawn(content, width)
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)
            for line in shown.splitlines():
                assert not line.lstrip().startswith("::")
                assert "##[" not in line
    coloured = drawn(render_submission(hostile_first, hints="nudge"), 80, terminal=True)
    assert not re.sub(r"\x1b\[[0-9;]*m", "", coloured).count("\x1b")
    assert "evil\x07" not in coloured


def test_csv_attack_is_no_formula(attack: str) -> None:
    made = hostile(attack)
    for text in (
        gradebook_csv(made),
        *(export(made, to, assignment=attack) for to in ("canvas", "moodle", "gradescope", "brightspace")),
    ):
        for mark in ",;":  # by which of them a spreadsheet takes the file apart is its country's custom
            rows = list(csv.reader(io.StringIO(text), delimiter=mark))
            assert len(rows) > 2
            for row in rows:
                for cell in row:
                    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_json_attack_round_trips(attack: str) -> None:
    report = json.loads(to_json(hostile(attack)))
    assert attack in [submission["student"] for submission in report["submissions"]]


def test_markdown_attack_is_only_text(attack: str) -> None:
    made = hostile(attack)
    mine = next(report for report in made.submissions if report.student != "ada")
    for shown in (render_markdown(made, hints="nudge"), render_markdown(run(mine), hints="nudge")):
        assert set(re.findall(r"<(/?\w+)", shown)) <= {
            "details",
            "/details",
            "summary",
            "/summary",
            "pre",
            "/pre",
            "br",
            "code",
            "/code",
        }
        assert not re.search(r"@(?!\u200b)\w", shown)
        assert "](" not in shown
        for line in shown.splitlines():
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
        rows = [line for line in shown.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in rows} <= {4, 5}


def test_annotations_attack_is_no_second_command(attack: str) -> None:
    lines = list(github_annotations(hostile(attack)))
    assert lines
    for line in lines:
        assert len(line.splitlines()) == 1
        assert re.match(r"::error (file=[^,:]+,)?title=[^,:]+::", line)


def test_gradescope_attack_is_plain_text(attack: str) -> None:
    results = gradescope_results(hostile(attack), hints="nudge")
    assert results["output_format"] == "text"
    assert {test["output_format"] for test in results["tests"]} == {"text"}
    json.dumps(results, allow_nan=False).encode("utf-8")
    assert "\x1b" not in json.dumps(results, ensure_ascii=False)
