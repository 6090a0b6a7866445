from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.model import Override
from grader.report.feedback import write_feedback
from grader.report.files import write_reports
from grader.report.views.pages import page_name
from grader.submission.files.printable import printable
from tests.report.builders import exercise, run, submission

MOODLE = "ML-4711.zip!Ada Lovelace_501_assignsubmission_file_/03_backprop.ipynb"


def _pages(tmp_path: Path, path: str, student: str = "Ada Lovelace") -> tuple[dict[str, str], tuple[str, ...]]:
    made = run(submission(student, exercise("lin_grad"), path=path))
    write_reports(made, tmp_path, hints="nudge")
    unknown = write_feedback(made, tmp_path, tmp_path / "feedback.zip")
    with zipfile.ZipFile(tmp_path / "feedback.zip") as zipped:
        return {name: zipped.read(name).decode() for name in zipped.namelist()}, unknown


@pytest.mark.parametrize(
    "path",
    [
        MOODLE,
        MOODLE.removeprefix("ML-4711.zip!"),
        "Ada Lovelace_501_assignsubmission_file_03_backprop.ipynb",
        "Ada Lovelace_501_assignsubmission_onlinetext_",
        "class/Ada Lovelace_501_assignsubmission_file_/hw.zip!03_backprop.ipynb",
    ],
    ids=["archive", "folder", "flat", "online_text", "zip_in_it"],
)
def test_feedback_of_a_moodle_download_lies_where_moodle_looks(tmp_path: Path, path: str) -> None:
    pages, unknown = _pages(tmp_path, path)
    name, page = pages.popitem()
    assert name == "Ada Lovelace_501_assignsubmission_file_/feedback.html"
    assert name.partition("/")[0].split("_", 4)[1:4] == ["501", "assignsubmission", "file"]  # as Moodle reads it
    assert not pages
    assert unknown == ()
    assert "lin_grad" in page


def test_feedback_of_other_layouts_has_the_names_of_the_pages(tmp_path: Path) -> None:
    pages, unknown = _pages(tmp_path, "ada/03_backprop.ipynb", "ada")
    assert list(pages) == [page_name("ada")]
    assert unknown == ("ada",)


def test_feedback_of_two_in_one_folder_of_moodles_has_the_names_of_their_pages(tmp_path: Path) -> None:
    names = ("Ada Lovelace", "Ada Lovelace_501")
    made = run(*(submission(name, exercise("lin_grad"), path=MOODLE) for name in names))
    write_reports(made, tmp_path, hints="nudge")
    assert write_feedback(made, tmp_path, tmp_path / "feedback.zip") == names
    with zipfile.ZipFile(tmp_path / "feedback.zip") as zipped:
        assert zipped.namelist() == [*map(page_name, names)]


def test_feedback_of_one_does_not_lie_in_a_folder_with_the_name_of_another(tmp_path: Path) -> None:
    pages, unknown = _pages(tmp_path, "mallory/Ada Lovelace_501_assignsubmission_file_/hw.ipynb", "mallory")
    assert list(pages) == [page_name("mallory")]
    assert unknown == ("mallory",)


@given(
    st.lists(
        st.lists(
            st.sampled_from([*"\\/.:_!\t=~é名", "..", "_501_assignsubmission_file_", "submission_17"]), max_size=8
        ).map("".join),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=50)
def test_feedback_of_any_names_lies_in_no_other_place_and_is_all_there(paths: list[str]) -> None:
    of_whom = {" ".join(path.partition("_501_")[0].split()) or "unnamed": path for path in map(printable, paths)}
    made = run(*(submission(name, exercise("lin_grad"), path=path) for name, path in of_whom.items()))
    with TemporaryDirectory() as out:
        write_reports(made, Path(out), hints="nudge")
        write_feedback(made, Path(out), Path(out) / "feedback.zip")
        with zipfile.ZipFile(Path(out) / "feedback.zip") as zipped:
            names = zipped.namelist()
    assert len({*names}) == len(made.submissions)
    for name in names:
        parts = name.split("/")
        assert len(parts) <= 2
        assert all(parts)
        assert not {"..", "."} & {*parts}
        assert not set("\\:\t\0") & {*name}


def test_feedback_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    _pages(tmp_path, MOODLE)
    first = (tmp_path / "feedback.zip").read_bytes()
    _pages(tmp_path, MOODLE)
    assert (tmp_path / "feedback.zip").read_bytes() == first


@pytest.mark.parametrize("state", ["no page", "no report", "overridden"])
def test_feedback_without_the_pages_of_now_says_how_to_write_them(state: str, tmp_path: Path) -> None:
    out = tmp_path / "my grades"
    made = run(submission("ada", exercise("lin_grad")))
    write_reports(made, out, hints="nudge")
    if state == "overridden":
        made = run(submission("ada", replace(exercise("lin_grad"), score=3.0, override=Override(4.0, "copied"))))
    else:
        (out / ("report.json" if state == "no report" else f"students/{page_name('ada')}")).unlink()
    with pytest.raises(UsageError) as caught:
        write_feedback(made, out, tmp_path / "feedback.zip")
    assert caught.value.remedy == f"write them again: grader report '{out}'"
    assert not (tmp_path / "feedback.zip").exists()
