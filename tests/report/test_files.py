from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from grader.report.files import write_reports
from grader.report.views.pages import page_name
from tests.report.builders import run, small_class, submission


def test_write_reports_writes_what_design_names(tmp_path: Path) -> None:
    paths = write_reports(small_class(), tmp_path / "grades", hints="nudge")
    names = {path.relative_to(tmp_path / "grades").as_posix() for path in paths}
    assert {"report.json", "gradebook.csv", "index.html"} < names
    assert len([name for name in names if name.startswith("students/")]) == 14
    assert all(path.is_file() for path in paths)
    assert not list(tmp_path.rglob(".*"))


def test_write_reports_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    made = small_class()
    first = {path: path.read_bytes() for path in write_reports(made, tmp_path, hints="nudge")}
    second = {
        path: path.read_bytes() for path in write_reports(run(*reversed(made.submissions)), tmp_path, hints="nudge")
    }
    assert first == second


def test_write_reports_removes_only_its_own_stale_pages(tmp_path: Path) -> None:
    write_reports(run(submission("ada"), submission("alan")), tmp_path, hints="nudge")
    students = tmp_path / "students"
    foreign = students / "notes-0123abcd.html"
    foreign.write_text("<p>by hand")
    (students / page_name("alan")).rename(students / "alan-0123abcd.html")  # as an older grader called it
    other = students / "readme.txt"
    other.write_text("mine")
    write_reports(run(submission("ada")), tmp_path, hints="nudge")
    assert {path.name for path in students.iterdir()} == {page_name("ada"), foreign.name, other.name}


def test_write_reports_keeps_pages_whose_letters_the_file_system_takes_apart(tmp_path: Path) -> None:
    made = run(submission("Мария й"))
    *_, page = write_reports(made, tmp_path, hints="nudge")
    apart = page.rename(page.with_name(unicodedata.normalize("NFD", page.name)))
    write_reports(made, tmp_path, hints="nudge")
    assert apart != page
    assert apart.exists()


def test_write_reports_failing_render_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_reports(run(submission("ada")), tmp_path, hints="nudge")
    before = (tmp_path / "report.json").read_text()
    monkeypatch.setattr(Path, "replace", _refuse)
    with pytest.raises(OSError, match="disk full"):
        write_reports(run(submission("alan")), tmp_path, hints="nudge")
    assert (tmp_path / "report.json").read_text() == before
    assert not list(tmp_path.glob(".report*"))


def _refuse(self: Path, target: Path) -> Path:
    raise OSError("disk full")


def test_write_reports_surrogates_and_long_names_are_written(tmp_path: Path) -> None:
    write_reports(
        run(submission("a\udc80"), submission("x" * 400), submission("../../etc/passwd")), tmp_path, hints="nudge"
    )
    assert len(json.loads((tmp_path / "report.json").read_text("utf-8"))["submissions"]) == 3
    assert {path.parent for path in tmp_path.rglob("*.html")} == {tmp_path, tmp_path / "students"}
