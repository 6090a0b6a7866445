"""The gradebook keeps what was graded, one submission at a time."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from grader.errors import GradebookBusy, GradebookError, UsageError
from grader.gradebook.book import FILE_NAME, Gradebook
from grader.gradebook.overrides import Ruling, rulings_for
from grader.gradebook.run_head import RunHead, RunSettings
from grader.model import CheckScore, Diagnosis, ExerciseScore, Override, Sample, Submission, SubmissionReport, Task
from tests.report.builders import exercise, submission, ungraded

SETTINGS = RunSettings("0.1.0", "autograd", 7, "2.13.0", "bwrap")


def report_of(student: str, score: float | None = 1.0) -> SubmissionReport:
    sample = Sample(((1.0, float("nan")),), ((2.0, float("inf")),), (0, 1), cut=False)
    check = CheckScore(
        "w.g", "failed", 0.0, 2.0, "n=7", Diagnosis("zeros", "m", "h"), (1, 2), (1, 2), 0.5, sample=sample
    )
    exercise = ExerciseScore("lin_grad", "t", "partial", 1.0, 3.0, (check,), ("flag",), 4, 1, "out", ("relu_grad",))
    return SubmissionReport(
        student, "03.ipynb", f"{student}/03.ipynb", "ab", "graded", score, 3.0, 0.1, 9, (), (exercise,)
    )


def test_gradebook_reopened_gives_the_same_reports_in_order(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        for student in ("bob", "ada"):
            book.store(student, "f", report_of(student))

    with Gradebook(tmp_path / FILE_NAME) as book:
        run = book.report()
        assert [one.student for one in run.submissions] == ["ada", "bob"]
        assert repr(run.submissions[0]) == repr(report_of("ada"))
        assert (run.seed, run.course, run.sandbox) == (7, "autograd", "bwrap")


def test_gradebook_takes_over_only_what_is_unchanged(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "old", report_of("ada"))
        book.begin(RunHead(SETTINGS, 1))

        assert book.take_over("ada", "new") is None
        assert book.take_over("bob", "old") is None
        assert book.unfinished()
        assert book.take_over("ada", "old") is not None
        assert len(book.report().submissions) == 1


def test_gradebook_remarks_on_a_ruling_of_a_notebook_that_was_replaced(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
        book.rule(Ruling("ada", "lin_grad", "ab", 2.5, "r"))
        assert book.remarks() == ()

        book.store("ada", "g", replace(report_of("ada"), sha256="cd"))
        (remark,) = book.remarks()
        assert remark.startswith(
            "ruled, and not counted since the notebook was replaced or the course changed: 2.5 for"
        )

        book.rule(Ruling("ada", "lin_grad", "cd", 2.0, "looked again"))
        assert book.remarks() == ()


def test_gradebook_keeps_a_ruling_over_runs_until_it_is_withdrawn(tmp_path: Path) -> None:
    ruling = Ruling("ada", "lin_grad", "ab", 3.0, "the sheet had it wrong")
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
        book.rule(Ruling("ada", "lin_grad", "ab", 2.0, "an earlier one"))
        book.rule(ruling)

    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        kept = book.take_over("ada", "f")
        assert repr(kept) == repr(report_of("ada"))  # what the grader found is not overwritten
        assert book.rulings() == (ruling,)
        assert book.report().submissions[0].exercises[0].override == Override(1.0, "the sheet had it wrong")
        assert book.report().submissions[0].score == 3.0

        others = (Ruling("ada", "relu_grad", "ab", 1.0, "x"), Ruling("bob", "lin_grad", "ab", 1.0, "x"))
        for other in others:
            book.rule(other)
        assert book.withdraw("ada", "lin_grad")
        assert not book.withdraw("ada", "lin_grad")
        assert book.rulings() == others
        (withdrawn,) = (one for one in book.decisions() if one.withdrawn)
        assert withdrawn.answer == ruling.answer
        assert withdrawn.made > ruling.made == ""
        assert repr(book.report().submissions[0]) == repr(report_of("ada"))


def test_gradebook_takes_over_what_was_handed_in_under_that_name_alone_by_its_path_of_now(tmp_path: Path) -> None:
    now = Submission("ada", "03.ipynb", Path(), "hw1/ada/03.ipynb", sha256="ab")
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 2))
        for student, notebook in (("ada", "04.ipynb"), ("bob", "03.ipynb")):
            book.store(f"{student} {notebook}", "f", replace(report_of(student), notebook=notebook))
        assert book.take_over_moved("here", "f", now) is None

        book.store("there", "f", report_of("ada"))
        moved = book.take_over_moved("here", "f", now)
        assert repr(moved) == repr(book.take_over("here", "f"))
        assert repr(moved) == repr(replace(report_of("ada"), path="hw1/ada/03.ipynb"))


def test_comment_holds_no_points_and_leaves_those_that_were_ruled_before(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
        book.rule(*rulings_for(book.answers(), "ada", "lin_grad", None, "neat"))
        book.store("ada", "g", replace(report_of("ada"), exercises=(exercise("lin_grad"),), score=4.0, possible=4.0))
        (lin_grad,) = book.report().submissions[0].exercises
        assert (lin_grad.score, lin_grad.status, lin_grad.comment, lin_grad.override) == (4.0, "passed", "neat", None)
        assert book.remarks() == ()
        book.rule(*rulings_for(book.answers(), "ada", "lin_grad", None, "very neat"))
        (ruling,) = book.rulings()
        assert (ruling.reason, ruling.graded) == ("very neat", 4.0)

        book.rule(*rulings_for(book.answers(), "ada", "lin_grad", 3.0, "half"))
        book.rule(*rulings_for(book.answers(), "ada", "lin_grad", None, "neat, but half"))
        assert book.rulings() == (Ruling("ada", "lin_grad", "ab", 3.0, "neat, but half", 4.0, 4.0),)
        assert book.withdraw("ada", "lin_grad")


def test_gradebook_from_before_overrides_is_read(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
    before = "UPDATE submission SET report = json_remove(report, '$.exercises[0].override')"
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute(before)
    db.close()

    with Gradebook(tmp_path / FILE_NAME) as book:
        assert repr(book.report().submissions[0]) == repr(report_of("ada"))
        assert book.rulings() == ()


@pytest.mark.parametrize(
    "later", ["", ", graded REAL, possible REAL, files TEXT NOT NULL DEFAULT ''"], ids=["no basis", "no time"]
)
def test_gradebook_whose_rulings_are_an_older_graders_keeps_them_and_takes_others(
    later: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as db:
        db.execute("DROP TABLE ruling")
        db.execute(
            "CREATE TABLE ruling (student TEXT NOT NULL, exercise TEXT NOT NULL, sha256 TEXT NOT NULL, "
            f"score REAL NOT NULL, reason TEXT NOT NULL{later}, PRIMARY KEY (student, exercise, sha256))"
        )
        db.execute(
            "INSERT INTO ruling (student, exercise, sha256, score, reason) VALUES ('ada', 'lin_grad', 'ab', 2.5, 'r')"
        )

    for may_be_written in (False, True, True):
        with monkeypatch.context() as patched:
            if not may_be_written:
                _forbid_writing(patched)
            book = Gradebook(tmp_path / FILE_NAME)
        with book:
            assert book.rulings() == (Ruling("ada", "lin_grad", "ab", 2.5, "r"),)
            assert book.report().submissions[0].score == 2.5
            assert book.remarks() == ()  # what was graded then is not known
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.rule(*rulings_for(book.answers(), "ada", "lin_grad", 2.0, "again"))
        assert book.rulings() == (Ruling("ada", "lin_grad", "ab", 2.0, "again", 1.0, 3.0),)
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "g", replace(report_of("ada"), exercises=(exercise("lin_grad"),)))
        assert "the grader gave 1 / 3, and gives 4 / 4 now" in book.remarks()[0]


def test_gradebook_of_a_second_run_forgets_who_is_gone_but_keeps_the_row(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("gone", "f", report_of("gone"))
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))

        assert [one.student for one in book.report().submissions] == ["ada"]
        assert book.take_over("gone", "f") is not None


def test_gradebook_open_twice_is_refused_and_free_after_closing(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME), pytest.raises(GradebookBusy, match="another run"):
        Gradebook(tmp_path / FILE_NAME)
    Gradebook(tmp_path / FILE_NAME).close()


@pytest.mark.parametrize("replaced", [False, True])
def test_gradebook_that_is_gone_from_its_place_keeps_and_tells_nothing_more(replaced: bool, tmp_path: Path) -> None:
    place = tmp_path / "grades"
    place.mkdir()
    with Gradebook(place / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        place.rename(tmp_path / "old")
        place.mkdir()
        if replaced:
            _held(place / FILE_NAME)
        for use in (lambda: book.store("bob", "f", report_of("bob")), book.report, book.remarks):
            with pytest.raises(GradebookError, match="removed or replaced while it was in use"):
                use()
    if replaced:
        with Gradebook(place / FILE_NAME) as other:
            assert [one.student for one in other.report().submissions] == ["ada"]


def _forbid_writing(patched: pytest.MonkeyPatch) -> None:
    """Nothing may be written, also where the tests run as root."""
    patched.setattr("grader.gradebook.file.os.access", lambda _path, mode: mode != os.W_OK)


def _held(path: Path) -> None:
    with Gradebook(path) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))


def test_gradebook_that_may_only_be_read_is_read_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _held(tmp_path / FILE_NAME)
    _forbid_writing(monkeypatch)
    before = (tmp_path / FILE_NAME).read_bytes()

    with Gradebook(tmp_path / FILE_NAME) as book:
        assert [one.student for one in book.report().submissions] == ["ada"]
        assert book.remarks() == ()
        for write in (
            lambda: book.begin(RunHead(SETTINGS, 1)),
            lambda: book.rule(Ruling("ada", "lin_grad", "ab", 2.0, "fair")),
        ):
            with pytest.raises(GradebookError, match="may only be read") as refused:
                write()
            assert "copy" in refused.value.remedy
        with pytest.raises(GradebookError, match="may only be read"):
            book.withdraw("ada", "lin_grad")

    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_gradebook_that_may_only_be_read_has_what_a_killed_run_left_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
        left = shutil.copytree(tmp_path, tmp_path / "killed")
    assert (left / f"{FILE_NAME}-wal").stat().st_size

    _forbid_writing(monkeypatch)
    with Gradebook(left / FILE_NAME) as book:
        assert [one.student for one in book.report().submissions] == ["ada"]


@pytest.mark.parametrize(("number", "error"), [(errno.EAGAIN, GradebookBusy), (errno.ENOLCK, None)])
def test_gradebook_that_may_only_be_read_is_not_read_while_another_run_writes_it(
    number: int, error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _held(tmp_path / FILE_NAME)
    _forbid_writing(monkeypatch)
    monkeypatch.setattr("fcntl.lockf", Mock(side_effect=OSError(number, "refused")))

    with pytest.raises(error) if error else nullcontext():
        Gradebook(tmp_path / FILE_NAME).close()


def test_gradebook_that_may_not_be_read_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _held(tmp_path / FILE_NAME)
    _forbid_writing(monkeypatch)
    monkeypatch.setattr("shutil.copyfile", Mock(side_effect=PermissionError(errno.EACCES, "Permission denied")))

    with pytest.raises(GradebookError, match=": Permission denied"):
        Gradebook(tmp_path / FILE_NAME)


def test_gradebook_where_there_are_no_locks_is_not_said_to_be_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SQLite says of both that the file is locked."""
    with Gradebook(tmp_path / FILE_NAME):
        monkeypatch.setattr("fcntl.lockf", Mock(side_effect=OSError(errno.ENOLCK, "No locks available")))
        with pytest.raises(GradebookError, match="gives no locks") as refused:
            Gradebook(tmp_path / FILE_NAME)

    assert not isinstance(refused.value, GradebookBusy)
    assert "local disk" in refused.value.remedy


def test_gradebook_that_is_another_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("a shopping list, and a long one, so that it cannot be taken for an empty file\n" * 20)

    with pytest.raises(GradebookError, match="cannot be used") as refused:
        Gradebook(path)

    assert refused.value.remedy
    assert path.read_text().startswith("a shopping list")


@pytest.mark.parametrize("version", [0, 2, 99])
def test_database_of_another_version_or_program_is_refused_and_kept(version: int, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("CREATE TABLE theirs (anything)")
        db.execute(f"PRAGMA user_version = {version}")

    with pytest.raises(GradebookError, match=f"version {version}"):
        Gradebook(tmp_path / FILE_NAME)

    assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    db.close()


def test_gradebook_says_by_its_version_which_tables_it_has(tmp_path: Path) -> None:
    Gradebook(tmp_path / FILE_NAME).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_gradebook_in_a_folder_that_may_not_be_written_is_not_called_another_programs_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _forbid_writing(monkeypatch)
    with pytest.raises(GradebookError) as refused:
        Gradebook(tmp_path / FILE_NAME)
    assert str(refused.value).endswith(f"{FILE_NAME} cannot be made: you may not write in {tmp_path}")
    assert refused.value.remedy == "write to another folder with --out"


def test_gradebook_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GradebookError):
        Gradebook(tmp_path / "nowhere" / FILE_NAME)


def test_report_of_an_empty_gradebook_says_what_to_do(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book, pytest.raises(GradebookError, match="nothing was graded"):
        book.report()


def test_take_over_of_a_row_that_cannot_be_read_grades_again(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("UPDATE submission SET report = '{}'")
    db.close()

    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        assert book.take_over("ada", "f") is None


def test_gradebook_tells_what_the_last_run_has_not(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        assert (book.remarks(), book.last_head()) == ((), None)
        book.begin(RunHead(SETTINGS, 2))
        book.store("ada", "f", report_of("ada"))
        assert book.unfinished() == "the last run was interrupted: 1 of 2 submissions are graded"
        book.store("bob", "f", report_of("bob"))
        assert (book.unfinished(), book.remarks()) == ("", ())
        book.begin(RunHead(SETTINGS, 1))
        book.take_over("ada", "f")
        assert "1 submission of an earlier run is not in this one, nor in its reports: bob. " in book.remarks()[0]
        head = book.last_head()
        assert head is not None
        assert head.settings == SETTINGS
        book.begin(RunHead(SETTINGS, 0))
        assert "2 submissions of earlier runs are not in this one, nor in its reports: ada; bob. " in book.remarks()[0]


def test_gradebook_whose_last_runs_were_interrupted_has_what_they_did_not_get_to_as_it_was_and_nobody_who_left(
    tmp_path: Path,
) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 4))
        for student in ("ada", "bob", "cy", "left"):
            book.store(student, "old", replace(report_of(student), sha256=student))
        book.begin(RunHead(SETTINGS, 3))
        for student in ("ada", "bob", "cy"):
            book.take_over(student, "old")
        book.rule(Ruling("cy", "lin_grad", "cy", 3.0, "r"), Ruling("left", "lin_grad", "left", 3.0, "r"))
        book.begin(RunHead(SETTINGS, 3))
        book.store("class/ada", "new", replace(report_of("ada"), sha256="new"))
        book.begin(RunHead(SETTINGS, 3))
        book.store("class/ada", "new", replace(report_of("ada"), sha256="new"))

        assert [(one.student, one.sha256, one.score) for one in book.report().submissions] == [
            ("ada", "new", 1.0),
            ("bob", "bob", 1.0),
            ("cy", "cy", 3.0),
        ]
        assert [one.student for one in book.answers()] == ["bob", "cy", "ada"]
        assert [(one.kind, one.ruling.student) for one in book.doubts()] == [("nobody", "left")]
        for student in ("bob", "cy"):
            book.store(f"class/{student}", "new", replace(report_of(student), sha256="new"))
        assert {one.sha256 for one in book.report().submissions} == {"new"}


def test_gradebook_of_an_interrupted_run_has_every_attempt_of_before(tmp_path: Path) -> None:
    attempts = [replace(report_of("ada"), path=f"{day}/nb.ipynb", sha256=day) for day in ("monday", "friday")]
    with Gradebook(tmp_path / FILE_NAME) as book:
        for done in (attempts, attempts[:1]):
            book.begin(RunHead(SETTINGS, 2))
            for one in done:
                book.store(one.path, "f", one)

        assert [one.path for one in book.report().submissions] == ["friday/nb.ipynb", "monday/nb.ipynb"]
        moved = [replace(one, path=f"class/{one.path}") for one in attempts]
        book.begin(RunHead(SETTINGS, 2))
        book.store(moved[1].path, "f", moved[1])
        assert [one.path for one in book.report().submissions] == ["class/friday/nb.ipynb", "monday/nb.ipynb"]


def test_gradebook_tells_whose_points_are_others_since_the_last_run_that_was_not_interrupted(tmp_path: Path) -> None:
    def graded(student: str, score: float | None, *, digest: str = "ab") -> SubmissionReport:
        answer = exercise("lin_grad", score=score or 0.0)
        return submission(student, answer, sha256=digest, score=score)

    def run(*entries: SubmissionReport, submissions: int = 4) -> list[str]:
        book.begin(RunHead(SETTINGS, submissions))
        for one in entries:
            book.store(one.student, "f", one)
        return [*book.remarks()]

    with Gradebook(tmp_path / FILE_NAME) as book:
        assert run(graded("ada", 1), graded("bob", 2), graded("cy", None), graded("dan", 2)) == []
        book.rule(Ruling("ada", "lin_grad", "ab", 3.0, "r", 1.0, 4.0))
        run(graded("bob", 3), submissions=4)
        again = [graded("ada", 1), graded("bob", 4), graded("cy", 4), graded("dan", 4, digest="handed in again")]
        (remark,) = run(*again)
        assert "other points than after the last run: bob 2 → 4; cy – → 4; gradebook.csv has" in remark
        assert book.report().previous == {"bob": 2.0, "cy": None}
        assert run(*again) == []
        assert book.report().previous == {}


def test_gradebook_names_who_is_not_in_a_run_until_one_run_has_said_so(tmp_path: Path) -> None:
    def run(*keys: str, submissions: int | None = None) -> list[str]:
        book.begin(RunHead(SETTINGS, len(keys) if submissions is None else submissions))
        for key in keys:
            student, _, notebook = key.partition("/")
            if book.take_over(key, "f") is None:
                book.store(key, "f", replace(report_of(student), notebook=notebook, sha256=key))
        return [remark.partition(". ")[0].partition(": ")[2] for remark in book.remarks()]

    everyone = [f"{student}/03.ipynb" for student in "abcdefghi"]
    with Gradebook(tmp_path / FILE_NAME) as book:
        assert run(*everyone) == []
        assert run(*everyone[2:]) == ["a; b"]
        assert run(*everyone[2:]) == run(*everyone[2:]) == []
        assert run(*everyone[2:], "c/04.ipynb") == []
        assert run(*everyone[2:]) == ["a; b; c (04.ipynb)"]
        assert run(*everyone) == ["c (04.ipynb)"]
        assert run(everyone[0]) == ["b; c; d; e; f; g and 2 more"]

        run(*everyone)
        run(everyone[0], submissions=8)  # which is interrupted, and tells nobody of them
        assert run(*everyone[:-1]) == ["c (04.ipynb); i"]


def test_gradebook_takes_a_notebook_handed_in_again_for_no_submission_that_is_left_out(tmp_path: Path) -> None:
    first, second, late = (replace(report_of("ada"), sha256=digest) for digest in ("ab", "cd", "ef"))
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada/03.ipynb", "f", first)
        book.begin(RunHead(SETTINGS, 1))  # with another folder named beside it, all paths are shown with their folder
        book.store("class/ada/03.ipynb", "g", second)
        assert book.remarks() == ()

        book.begin(RunHead(SETTINGS, 2))
        book.take_over("class/ada/03.ipynb", "g")
        book.store("late/ada/03.ipynb", "h", late)
        assert book.remarks() == ()
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada/03.ipynb", "g", second)
        assert "1 submission of an earlier run is" in book.remarks()[0]  # the late one


def test_gradebook_counts_none_left_out_where_each_attempt_came_by_a_path_of_its_own(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        for digest in ("ab", "cd", "ef"):
            book.begin(RunHead(SETTINGS, 1))
            book.store(f"download-{digest}/ada/03.ipynb", digest, replace(report_of("ada"), sha256=digest))
            assert book.remarks() == ()


TASKS = (
    Task("lin_grad", "Linear", "03_backprop", 4.0),
    Task("relu_grad", "ReLU", "03_backprop", 2.0),
    Task("Relu", "A layer", "04_layers", 2.0),
)


def test_gradebook_reports_who_is_absent_until_somebody_rules_on_them(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1, absent=("zoe", "yan"), tasks=TASKS))
        book.store("ada", "f", submission("ada", exercise("lin_grad")))
        head = book.last_head()
        assert head is not None
        assert (head.absent, book.report().absent) == (("zoe", "yan"), ("zoe", "yan"))

        book.rule(*rulings_for(book.answers(), "zoe", "lin_grad", 3.0, "oral exam"))
        with pytest.raises(UsageError, match="zoe has no exercise 'Relu'"):  # of a notebook that nobody handed in
            rulings_for(book.answers(), "zoe", "Relu", 1.0, "r")
        with pytest.raises(UsageError, match="ada has no exercise 'relu_grad'"):  # nor is she asked for it
            rulings_for(book.answers(), "ada", "relu_grad", 1.0, "r")

        run = book.report()
        assert run.absent == ("yan",)
        zoe = run.submissions[-1]
        assert (zoe.student, zoe.notebook, zoe.status, zoe.score, zoe.possible) == (
            "zoe", "03_backprop.ipynb", "graded", 3.0, 6.0,
        )  # fmt: skip
        assert zoe.exercises[0].override == Override(None, "oral exam")
        assert (zoe.by_hand, zoe.reason, zoe.exercises[1].status) == (True, "nothing was handed in", "missing")

        book.begin(RunHead(SETTINGS, 1, absent=("zoe", "yan"), tasks=TASKS))  # graded again
        book.take_over("ada", "f")
        assert book.report().submissions[-1] == zoe
        book.begin(RunHead(SETTINGS, 2, absent=("yan",), tasks=TASKS))  # she has handed in since
        book.take_over("ada", "f")
        book.store("zoe", "g", replace(submission("zoe", exercise("lin_grad")), sha256="of hers"))
        assert "3 for lin_grad of zoe" in book.remarks()[0]


def test_assigned_notebook_that_was_not_handed_in_can_be_ruled_on(tmp_path: Path) -> None:
    other = replace(report_of("alan", None), exercises=(), status="not_assigned", notebook="01_tensors.ipynb")
    head = RunHead(SETTINGS, 2, {task.id: task.possible for task in TASKS}, tasks=TASKS)
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(head)
        book.store("ada", "f", submission("ada", exercise("lin_grad"), exercise("relu_grad")))
        book.store("alan", "f", other)
        before = book.report()
        book.rule(*rulings_for(book.answers(), "ada", "Relu", 1.5, "by mail"))
        book.rule(*rulings_for(book.answers(), "alan", "lin_grad", 4.0, "on paper"))

        run = book.report()
        assert [(one.student, one.notebook, one.score) for one in run.submissions if one.by_hand] == [
            ("ada", "04_layers.ipynb", 1.5),
            ("alan", "03_backprop.ipynb", 4.0),
        ]
        assert [one for one in run.submissions if not one.by_hand] == [*before.submissions]
        assert run.submissions[1].reason == "it was not found in what was handed in"
        assert book.remarks() == ()

        layers = replace(exercise("lin_grad"), id="Relu")
        book.store("ada/04", "g", replace(submission("ada", layers), notebook="04_layers.ipynb", sha256="of hers"))
        assert "1.5 for Relu of ada" in book.remarks()[0]


@pytest.mark.parametrize(
    ("answered", "assigned", "subject"),
    [
        (("lin_grad",), (), "03_backprop"),
        (("lin_grad", "Relu"), (), "autograd"),
        (("lin_grad", "Relu"), ("Relu",), "04_layers"),
        ((), ("Relu",), "04_layers"),
        ((), (), "autograd"),
    ],
)
def test_gradebook_of_one_notebook_is_called_so(
    answered: tuple[str, ...], assigned: tuple[str, ...], subject: str, tmp_path: Path
) -> None:
    counted = [task for task in TASKS if not assigned or task.id in assigned]
    answers = tuple(replace(exercise("lin_grad"), id=name) for name in answered)
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1, dict.fromkeys(assigned, 2.0), tasks=tuple(counted)))
        book.store("ada", "f", replace(report_of("ada"), exercises=answers))

        assert book.subject() == subject


def test_gradebook_of_an_older_grader_has_nobody_absent(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", ungraded("ada", "unreadable", "not JSON"))
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as db:
        db.execute("UPDATE run SET settings = json_remove(settings, '$.absent', '$.tasks')")
    with Gradebook(tmp_path / FILE_NAME) as book:
        assert book.report().absent == ()
        with pytest.raises(UsageError, match="ada has no exercise"):
            rulings_for(book.answers(), "ada", "lin_grad", 1.0, "r")


def test_gradebook_keeps_a_ruling_on_a_notebook_that_is_not_assigned_now(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "", replace(report_of("ada", None), status="not_assigned", exercises=()))
        book.rule(Ruling("ada", "lin_grad", "ab", 2.5, "r"))
        assert book.remarks() == ()


def test_gradebook_from_before_runs_had_a_size_is_not_unfinished(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 2, assigned={"lin_grad": 4.0}))
        assert book.report().assigned == {"lin_grad": 4.0}
        book._file.execute("UPDATE run SET settings = json_remove(settings, '$.submissions', '$.assigned')")
        assert book.remarks() == ()
        assert book.report().assigned == {}


def test_gradebook_of_a_fresh_run_takes_nothing_over(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
        book.begin(RunHead(SETTINGS, 1), fresh=True)
        assert book.take_over("ada", "f") is None


def test_gradebook_with_damaged_settings_is_told_of_its_damage_only(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book._file.execute("UPDATE run SET settings = '{'")
        for asked in (book.remarks, book.last_head):
            with pytest.raises(GradebookError, match="is damaged"):
                asked()


@pytest.mark.parametrize("text", ["{", "{}", "[]", "5", "null"])
def test_damaged_row_is_told_with_its_gradebook_and_never_taken_over(text: str, tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(SETTINGS, 1))
        book.store("ada", "f", report_of("ada"))
        book._file.execute("UPDATE submission SET report = ?", (text,))
        with pytest.raises(GradebookError, match=r"a row of .*gradebook\.db is damaged: "):
            book.report()
        assert book.take_over("ada", "f") is None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_gradebook_of_which_a_part_is_lost_says_so_whatever_is_asked(share: float, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with Gradebook(path) as book:
        book.begin(RunHead(SETTINGS, 60))
        for number in range(60):
            book.store(f"{number}", "f", replace(report_of(f"s{number}"), reason="r" * 5000))
    content = path.read_bytes()
    start = int(len(content) * share) // 4096 * 4096
    path.write_bytes(content[:start] + b"\xff" * 4096 * 10 + content[start + 4096 * 10 :])
    asked: tuple[Callable[[Gradebook], object], ...] = (
        Gradebook.report,
        Gradebook.remarks,
        lambda book: [book.take_over(f"{number}", "f") for number in range(60)],
    )
    for ask in asked:
        with Gradebook(path) as book, pytest.raises(GradebookError):
            ask(book)


def test_gradebook_keeps_all_of_several_rulings_or_none(tmp_path: Path) -> None:
    good, bad = Ruling("ada", "lin_grad", "ab", 2.0, "r"), Ruling("bob", "lin_grad", "cd", 2.0, None)  # type: ignore[arg-type]
    with Gradebook(tmp_path / FILE_NAME) as book:
        with pytest.raises(GradebookError):
            book.rule(good, bad)
        assert book.rulings() == ()
        book.rule(good)
        assert book.rulings() == (good,)
