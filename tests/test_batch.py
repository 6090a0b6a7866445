"""A class is graded to the end, whatever happens in between, and the same way each time."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import re
import signal
import sqlite3
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import grader.batch
from grader.batch import Observer, ScoreOptions, score_class
from grader.course.loading import load_course
from grader.errors import CourseError, GradebookBusy, GradebookError, KernelError, SandboxUnavailable, UsageError
from grader.gradebook.book import FILE_NAME, Gradebook
from grader.gradebook.overrides import rulings_for
from grader.kernel.host.sandbox import SandboxStatus
from grader.model import Limits, RunReport, SubmissionReport
from grader.report import load_schema
from grader.report.counting.row import rows_of
from grader.report.document import to_json
from grader.submission.entry import Entry
from grader.submission.files.limits import CollectLimits
from tests.conftest import grade_folder
from tests.fakes import InProcessPool
from tests.samples import BACKPROP, EXERCISES, answered, hand_in

WRONG = {"relu_grad": "def relu_grad(inp, out):\n    inp.g = out.g\n"}


@pytest.fixture
def fake_pool(monkeypatch: pytest.MonkeyPatch) -> type[InProcessPool]:
    """The batch runs jobs in this process; returns the class, to be told what to break."""
    pool = type("Pool", (InProcessPool,), {})
    monkeypatch.setattr(grader.batch, "KernelPool", pool)
    return pool


@pytest.fixture
def small_class(tmp_path: Path) -> Path:
    texts = {"ada": answered({}), "bob": answered(WRONG), "cyd": "no notebook"}
    return hand_in(tmp_path / "class", texts)


def timeless(run: RunReport) -> Any:
    report = json.loads(to_json(run))
    for submission in report["submissions"]:
        submission["seconds"] = None
    return report


def score(folder: Path, out: Path, **options: Any) -> RunReport:
    return score_class(ScoreOptions(paths=(folder,), out=out, **{"seed": 5, **options}))


def test_score_with_one_job_and_with_two_gives_the_same_report(small_class: Path, tmp_path: Path) -> None:
    hand_in(
        small_class, {"dan": answered({"mse_grad": "def mse_grad(inp, targ):\n    print(inp)\n    return object()\n"})}
    )
    one = grade_folder(small_class, tmp_path / "one", jobs=1)
    two = grade_folder(small_class, tmp_path / "two", jobs=2)

    assert json.dumps(timeless(one)) == json.dumps(timeless(two))


def test_score_runs_everybodys_first_attempt_before_anybodys_second(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    folder = tmp_path / "class"
    names = ("03_backprop (1).ipynb", "03_backprop (2).ipynb", "03_backprop.ipynb", "a.ipynb", "b.ipynb")
    for number, name in enumerate(names):
        hand_in(folder, {"ada": answered({}, before=f"number = {number}")}, name)
    hand_in(folder, {"bob": answered(WRONG)})
    hand_in(folder, {"bob": answered({})}, "03_backprop again.ipynb")
    run = score(folder, tmp_path / "out")

    firsts, seconds = ["ada/03_backprop (1)", "ada/a", "bob/03_backprop again"], ["ada/03_backprop (2)", "ada/b"]
    ran = [path.removesuffix(".ipynb") for path in fake_pool.ran]
    assert [sorted(some) for some in (ran[:3], ran[3:6], ran[6:])] == [
        firsts,
        [*seconds, "bob/03_backprop"],
        ["ada/03_backprop"],
    ]
    shown = [one.path for one in run.submissions]
    assert shown == sorted(shown)


def test_score_again_runs_only_what_changed(fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path) -> None:
    first = score(small_class, tmp_path / "out")
    assert sorted(fake_pool.ran) == ["ada/03_backprop.ipynb", "bob/03_backprop.ipynb"]

    hand_in(small_class, {"bob": answered({})})
    second = score(small_class, tmp_path / "out")

    assert fake_pool.ran == ["bob/03_backprop.ipynb"]
    assert [one.score == 14 for one in first.submissions] == [True, False, False]
    assert [one.score for one in second.submissions] == [14, 14, None]


@pytest.mark.parametrize(
    "change",
    [{"seed": 6}, {"fresh": True}, {"limits": Limits(check_s=3)}],
    ids=["seed", "fresh", "limits"],
)
def test_score_under_other_settings_grades_everything_again(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    score(small_class, tmp_path / "out")
    score(small_class, tmp_path / "out", **change)

    assert len(fake_pool.ran) == 2


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        (r"seed \(before: 5\)", ({"seed": 5}, {"seed": 6}, {"seed": 6}, {"seed": None}, {"seed": 7, "fresh": True})),
        ("limits", ({}, {"limits": Limits(check_s=3)}, {"limits": Limits(check_s=3)}, {"fresh": True})),
    ],
)
def test_score_under_other_settings_says_that_all_is_graded_again(
    fake_pool: type[InProcessPool],
    small_class: Path,
    tmp_path: Path,
    changed: str,
    runs: tuple[dict[str, Any], ...],
) -> None:
    said: list[str] = []
    for change in runs:
        score_class(ScoreOptions((small_class,), tmp_path / "out", **change), Observer(remarked=said.append))
    (note,) = said
    assert re.fullmatch(rf"the {changed} changed since the last run, so everything is graded again", note)


def test_score_with_other_limits_of_what_is_read_grades_what_they_let_through(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    folder = hand_in(tmp_path / "class", {"ada": answered({})})
    with zipfile.ZipFile(folder / "bob.zip", "w") as archive:
        archive.writestr("03_backprop.ipynb", answered(WRONG))
        archive.writestr("data.txt", "1")
    seen = []
    for reading in (
        CollectLimits(notebook_bytes=1000),
        CollectLimits(cells=3, archive_entries=1),
        CollectLimits(unpacked_bytes=2000),
        CollectLimits(),
        CollectLimits(cells=1000),
    ):
        run = score(folder, tmp_path / "out", reading=reading)
        seen.append(([one.reason.partition(":")[0] for one in run.submissions], list(fake_pool.ran)))
    large = "too large"
    assert seen == [
        ([large, large], []),
        (["too many cells", "the archive holds more than 1 files"], []),
        (["", large], ["ada/03_backprop.ipynb"]),
        (["", ""], ["bob.zip!03_backprop.ipynb"]),
        (["", ""], []),
    ]


def test_score_with_a_file_changed_beside_the_notebook_grades_it_again(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    (small_class / "ada/helper.py").write_text("A = 1\n")
    score(small_class, tmp_path / "out")
    (small_class / "ada/helper.py").write_text("A = 2\n")
    score(small_class, tmp_path / "out")

    assert fake_pool.ran == ["ada/03_backprop.ipynb"]


def test_score_keeps_two_that_share_student_and_path_apart_and_by_the_same_keys_again() -> None:
    entry = Entry("ada", "03.ipynb", Path("x"), "03.ipynb")
    keys = grader.batch._keys([entry, replace(entry, student="bob"), entry])
    assert len(set(keys)) == 3
    assert keys == grader.batch._keys([entry, replace(entry, student="bob"), entry])


def test_score_hides_from_notebooks_what_the_course_keeps_private(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = replace(load_course("autograd"), private=(tmp_path / "solutions",))
    monkeypatch.setattr("grader.course.loading.load_course", lambda _: course)
    score(small_class, tmp_path / "out")
    assert fake_pool.hidden == [tmp_path / "solutions"]


def test_score_without_a_seed_draws_one_keeps_it_and_draws_again_when_fresh(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    first = score(small_class, tmp_path / "out", seed=None)
    again = score(small_class, tmp_path / "out", seed=None)
    fresh = score(small_class, tmp_path / "out", seed=None, fresh=True)

    assert first.seed == again.seed != fresh.seed


def test_score_without_a_seed_keeps_that_of_the_course_whatever_was_graded_there_in_between(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    said: list[str] = []
    names = ("week1", "week2", "week1")
    for name in names:
        (tmp_path / f"{name}.py").write_text(FAULTY)
    hand_in(tmp_path / "class", {"ada": answered({})})
    runs = []
    for name in names:
        options = ScoreOptions((tmp_path / "class",), tmp_path / "out", course=str(tmp_path / f"{name}.py"))
        runs.append(score_class(options, Observer(remarked=said.append)))

    assert [run.seed == runs[0].seed for run in runs] == [True, False, True]
    assert "the last run was of the course 'week2': give --course again where that is meant" in said
    assert f"the course (before: week2) and the seed (before: {runs[1].seed}) changed since the last run" in said[-1]


def test_score_with_a_failing_machinery_blames_the_grader_and_tries_again_next_time(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake_pool.broken = frozenset({"ada/03_backprop.ipynb"})
    broken = score(small_class, tmp_path / "out").submissions[0]
    fake_pool.broken = frozenset()
    mended = score(small_class, tmp_path / "out").submissions[0]

    assert (broken.status, broken.score) == ("grader_error", None)
    assert "the machinery failed" in broken.reason
    assert (mended.status, mended.score) == ("graded", 14)
    assert fake_pool.ran == ["ada/03_backprop.ipynb"]


def test_score_that_the_gradebook_cannot_write_down_is_a_fault_of_the_grader_and_ends_nothing(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Gradebook.store

    def store(book: Gradebook, key: str, mark: str, report: SubmissionReport) -> None:
        if report.student == "ada" and report.status == "graded":
            raise ValueError("Out of range float values are not JSON compliant")
        stored(book, key, mark, report)

    monkeypatch.setattr(Gradebook, "store", store)
    found = {one.student: one for one in score(small_class, tmp_path / "out").submissions}
    assert (found["ada"].status, found["ada"].score) == ("grader_error", None)
    assert found["bob"].status == "graded"


def test_score_on_a_gradebook_in_use_is_refused(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with Gradebook(tmp_path / "out" / FILE_NAME), pytest.raises(GradebookBusy):
        score(small_class, tmp_path / "out")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, UsageError),
        ({"course": "no_such_course"}, CourseError),
        ({"assigned": ("99",)}, UsageError),
        ({"roster": Path("no.csv")}, UsageError),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_score_that_is_refused_leaves_no_gradebook(
    asked: dict[str, Any],
    error: type[Exception],
    fake_pool: type[InProcessPool],
    small_class: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(error):
        score(small_class if asked else tmp_path / "empty", tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_score_where_no_sandbox_works_is_refused_unless_none_is_asked_for(
    small_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = (SandboxStatus("bwrap", False, "not here"), SandboxStatus("none", True))
    monkeypatch.setattr("grader.kernel.host.sandbox.available_sandboxes", lambda: only)
    with pytest.raises(SandboxUnavailable, match="bwrap does not work here: not here"):
        score_class(ScoreOptions(paths=(small_class,), out=tmp_path / "out"))


def test_score_whose_kernels_never_come_up_puts_no_report_in_the_place_of_an_earlier_one(
    small_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.kernel.host.sandbox.zygote_command", lambda *_: [sys.executable, "-c", "raise OSError"])
    reported: list[RunReport] = []
    options = ScoreOptions(paths=(small_class,), out=tmp_path / "out", sandbox="none")
    with pytest.raises(KernelError, match="did not come up"):
        score_class(options, Observer(reported=reported.append))
    assert reported == []


def test_score_tells_an_observer_how_far_it_is(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    seen: list[Any] = []
    observer = Observer(
        collected=lambda collection: seen.append(len(collection)),
        started=seen.append,
        finished=lambda report, taken_over: seen.append((report.student, taken_over)),
        ended=lambda: seen.append("ended"),
    )
    options = ScoreOptions(paths=(small_class,), out=tmp_path / "out", seed=5)

    score_class(options, observer)
    score_class(options, observer)

    first, second = seen[:6], seen[6:]
    assert first == [3, 3, ("ada", False), ("bob", False), ("cyd", False), "ended"]
    assert second[2:4] == [("ada", True), ("bob", True)]


def test_score_prepares_its_report_while_submissions_run(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def steps() -> Iterator[None]:
        seen.append("first")
        yield
        seen.append("second")
        yield

    observer = Observer(finished=lambda *_: seen.append("graded"), meanwhile=steps, ended=lambda: seen.append("ended"))
    score_class(ScoreOptions(paths=(small_class,), out=tmp_path / "out", seed=5), observer)

    assert sorted(seen[:-1]) == ["first", "graded", "graded", "graded", "second"]
    assert seen.index("first") < seen.index("second")
    assert seen[-1] == "ended"


def _grade(folder: Path, out: Path, graded: Connection) -> None:
    """Grade the folder, and tell of each notebook that is graded."""
    pytest.MonkeyPatch().setattr(grader.batch, "KernelPool", InProcessPool)
    InProcessPool.delay_s = 0.05

    def finished(_: SubmissionReport, taken_over: bool) -> None:
        if not taken_over:
            graded.send_bytes(b".")

    score_class(ScoreOptions(paths=(folder,), out=out, seed=5), Observer(finished=finished))


def _killed_after(notebooks: int, seconds: float, folder: Path, out: Path) -> bool:
    """Grade in a fork that is killed some seconds after it told of ``notebooks``; whether it was still at work then."""
    told, telling = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_grade, args=(folder, out, telling))
    process.start()
    telling.close()
    with told, contextlib.suppress(EOFError):
        for _ in range(notebooks):
            told.recv_bytes()
        time.sleep(seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_score_killed_again_and_again_ends_like_one_that_was_not(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    answers = [{}, WRONG, {"mse_grad": "def mse_grad(inp, targ):\n    inp.g = inp\n"}]
    folder = hand_in(tmp_path / "class", {f"student{i:02}": answered(answers[i % 3]) for i in range(8)})
    whole = score(folder, tmp_path / "whole")
    rng = random.Random(4)

    killed = [_killed_after(number, rng.uniform(0, 0.05), folder, tmp_path / "killed") for number in (0, 1, 1)]
    resumed = score(folder, tmp_path / "killed")

    assert killed == [True] * 3
    assert len(fake_pool.ran) <= 6
    assert timeless(resumed) == timeless(whole)


def test_score_fresh_that_is_interrupted_goes_on_without_old_results(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    score(small_class, tmp_path / "out")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    options = ScoreOptions(paths=(small_class,), out=tmp_path / "out", seed=5, fresh=True)
    with pytest.raises(KeyboardInterrupt):
        score_class(options, Observer(finished=interrupt))
    score(small_class, tmp_path / "out")

    assert "bob/03_backprop.ipynb" in fake_pool.ran


def test_score_fresh_does_not_read_how_the_last_run_began(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    score(small_class, tmp_path / "out")
    with contextlib.closing(sqlite3.connect(tmp_path / "out" / FILE_NAME)) as database:
        database.execute("UPDATE run SET settings = 'no settings'")
        database.commit()

    with pytest.raises(GradebookError, match="is damaged"):
        score(small_class, tmp_path / "out")
    assert len(score(small_class, tmp_path / "out", fresh=True).submissions) == 3


def test_score_goes_on_where_what_only_saves_work_fails(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("grader.fingerprint.fingerprint", fail)
    options = ScoreOptions(paths=(small_class,), out=tmp_path / "out", seed=5)

    run = score_class(options, Observer(meanwhile=lambda: map(fail, [None])))

    assert [one.status for one in run.submissions] == ["graded", "graded", "unreadable"]


def test_score_with_a_notebook_assigned_that_is_none_is_refused_before_anything_is_graded(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no notebook '3_backprop'"):
        score(small_class, tmp_path / "out", assigned=("3_backprop",))

    assert fake_pool.ran == []


def test_score_with_notebooks_assigned_counts_them_again_in_every_later_report(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    score(small_class, tmp_path / "out")
    run = score(small_class, tmp_path / "out", assigned=("01_tensors", "03_backprop"))

    assert fake_pool.ran == []
    assert sum(run.assigned.values()) == 22
    with Gradebook(tmp_path / "out" / FILE_NAME) as gradebook:
        assert gradebook.report().assigned == run.assigned
    jsonschema.validate(json.loads(to_json(run)), load_schema())
    assert json.loads(to_json(run))["assigned"]["lin_grad"] == 4


def test_score_runs_no_notebook_without_an_assigned_exercise_and_reports_that_it_was_there(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    for notebook in ("04_layers.ipynb", "07_trace.ipynb"):
        hand_in(small_class, {"ada": answered({}, notebook)}, notebook)
    hand_in(small_class, {"dan": "cut off"}, "04_layers.ipynb")  # he handed in nothing else
    hand_in(small_class, {"bob": answered({})}, "mine.ipynb")  # told by its tags, not by its name
    run = score(small_class, tmp_path / "out", assigned=("03_backprop",))

    assert sorted(fake_pool.ran) == ["ada/03_backprop.ipynb", "bob/03_backprop.ipynb", "bob/mine.ipynb"]
    left = [one for one in run.submissions if one.status == "not_assigned"]
    assert [(one.student, one.notebook, one.score) for one in left] == [
        ("ada", "04_layers.ipynb", None),
        ("ada", "07_trace.ipynb", None),
        ("dan", "04_layers.ipynb", None),
    ]
    assert [(row.student, row.score, row.status) for row in rows_of(run)] == [
        ("ada", 14.0, "graded"),
        ("bob", 14.0, "graded"),
        ("cyd", None, "unreadable"),
        ("dan", 0.0, "graded"),
    ]
    jsonschema.validate(json.loads(to_json(run)), load_schema())

    told: list[str] = []
    options = ScoreOptions(paths=(small_class,), out=tmp_path / "out")
    score_class(options, Observer(remarked=told.append))
    assert "ada/04_layers.ipynb" in fake_pool.ran  # they count again, so they run
    assert told == [
        "the last run was of what --assigned named; without it, each total is of what that student handed in"
    ]


def test_score_of_late_joiners_says_who_is_left_out_and_both_together_run_nobody_again(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    late = hand_in(tmp_path / "late", {"eve": answered({})})
    said: list[str] = []

    def both(*paths: Path) -> RunReport:
        said.clear()
        options = ScoreOptions(paths=paths, out=tmp_path / "out", seed=5)
        return score_class(options, Observer(remarked=said.append))

    both(small_class)
    assert said == []
    both(late)
    assert said[0].startswith("3 submissions of earlier runs are not in this one")
    assert "name all folders in one `grader score`" in said[0]
    run = both(small_class, late)

    assert (fake_pool.ran, said) == ([], [])
    assert [one.path for one in run.submissions] == [
        "class/ada/03_backprop.ipynb", "class/bob/03_backprop.ipynb", "class/cyd/03_backprop.ipynb",
        "late/eve/03_backprop.ipynb",
    ]  # fmt: skip


def test_score_of_untouched_exercises_finds_nothing_implemented(fake_pool: type[InProcessPool], tmp_path: Path) -> None:
    hand_in(tmp_path / "class", {"ada": (EXERCISES / BACKPROP).read_text(encoding="utf-8")})

    (report,) = score(tmp_path / "class", tmp_path / "out").submissions

    assert {one.status for one in report.exercises} == {"not_implemented"}
    assert report.score == 0


def test_score_of_a_stub_with_a_loop_flags_it_once(fake_pool: type[InProcessPool], tmp_path: Path) -> None:
    looping = "def outer_difference(a, b):\n    return torch.stack([x - b for x in a])\n"
    text = answered({"outer_difference": looping}, "01_tensors.ipynb")
    hand_in(tmp_path / "class", {"ada": text}, "01_tensors.ipynb")

    (report,) = score(tmp_path / "class", tmp_path / "out").submissions

    outer = next(one for one in report.exercises if one.id == "outer_difference")
    assert (outer.status, [flag for flag in outer.flags if "loop" in flag]) == ("passed", [outer.flags[0]])
    assert len(outer.flags) == 1


FAULTY = """
from grader.course import exercise, normal

NOTEBOOK = "pair"


@exercise(call="one_grad(inp, out)", inputs={"inp": normal("n", "d")}, points={"inp.g": 2})
def one_grad(inp):
    "Backward pass of doubling."
    return 2 * inp


@exercise(call="two_grad(inp, out)", inputs={"inp": normal("n", "d")}, points={"inp.g": 2})
def two_grad(inp):
    "A forward pass that cannot work."
    return inp @ inp
"""


def test_score_with_one_exercise_of_the_course_broken_is_no_score_and_the_rest_is_judged(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY)
    (tmp_path / "class").mkdir()
    right = "def {}_grad(inp, out):\n    inp.g = 2 * out.g\n"
    cells = [{"cell_type": "code", "metadata": {}, "source": right.format(name)} for name in ("one", "two")]
    (tmp_path / "class" / "ada_pair.ipynb").write_text(json.dumps({"nbformat": 4, "cells": cells}))

    ada = score(tmp_path / "class", tmp_path / "out", course=str(tmp_path / "faulty.py")).submissions[0]

    assert (ada.status, ada.score, ada.possible) == ("grader_error", None, 4)
    assert ada.reason == "the grader failed in two_grad"
    assert [(one.id, one.status, one.score) for one in ada.exercises] == [
        ("one_grad", "passed", 2),
        ("two_grad", "grader_error", 0),
    ]
    assert "exercise 'two_grad'" in ada.exercises[1].flags[0]
    assert "; mend the forward pass" in ada.exercises[1].flags[0]


def test_score_with_the_course_mended_grades_again_says_so_and_keeps_what_was_ruled(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    course = tmp_path / "mended.py"
    (tmp_path / "class").mkdir()
    right = {"cell_type": "code", "metadata": {}, "source": "def one_grad(inp, out):\n    inp.g = 2 * out.g\n"}
    (tmp_path / "class" / "ada_pair.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [right]}))
    said: list[str] = []
    digests, ran = [], []
    for text in (FAULTY, FAULTY, FAULTY.replace("inp @ inp", "inp * 3")):
        course.write_text(text)
        options = ScoreOptions((tmp_path / "class",), tmp_path / "out", course=str(course), seed=5)
        run = score_class(options, Observer(remarked=said.append))
        ran.append(len(fake_pool.ran))
        digests.append(json.loads(to_json(run))["course_digest"])
        with Gradebook(tmp_path / "out" / FILE_NAME) as book:
            book.rule(*rulings_for(book.answers(), "ada", "two_grad", 1.0, "by word of mouth"))

    assert said == ["the course 'mended' changed since the last run, so everything is graded again"]
    assert ran == [1, 0, 1]
    assert digests[0] == digests[1] != digests[2]
    assert [one.score for one in run.submissions[0].exercises] == [2, 1]


def test_score_with_the_course_mended_tells_whose_points_changed(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    course = tmp_path / "mended.py"
    (tmp_path / "class").mkdir()
    for student, factor in (("ada", 2), ("bob", 3), ("cyd", 5)):
        answer = {
            "cell_type": "code",
            "metadata": {},
            "source": f"def one_grad(inp, out):\n    inp.g = {factor} * out.g\n",
        }
        (tmp_path / "class" / f"{student}_pair.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [answer]}))
    said: list[str] = []
    one = FAULTY[: FAULTY.index('@exercise(call="two_grad')]
    for text in (one, *[one.replace("2 * inp", "3.0 * inp")] * 2):
        sys.modules.pop("mended", None)  # as in another process
        course.write_text(text)
        options = ScoreOptions((tmp_path / "class",), tmp_path / "out", course=str(course), seed=5)
        score_class(options, Observer(remarked=said.append))

    assert [remark.partition("; gradebook.csv")[0] for remark in said[1:]] == [
        "graded anew, with other points than after the last run: ada 2 → 0; bob 0 → 2"
    ]


def test_score_tells_of_a_ruling_whose_notebook_finds_other_files_now(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    options = ScoreOptions((small_class / "ada",), tmp_path / "out", seed=5)
    for helper in ("A = 1\n", "A = 1\n", "A = 2\n"):
        (small_class / "ada" / "helper.py").write_text(helper)
        (ada,) = score_class(options, Observer(remarked=said.append)).submissions
        if not said:
            with Gradebook(tmp_path / "out" / FILE_NAME) as book:
                book.rule(*rulings_for(book.answers(), ada.student, "lin_grad", 1.0, "from the net"))

    (remark,) = said
    assert "1 for lin_grad of ada (the files beside the notebook are others)" in remark


def test_score_flags_cells_that_meddle_and_results_in_half_precision_and_takes_no_points(
    fake_pool: type[InProcessPool], tmp_path: Path
) -> None:
    coarse = "import torch\nmake_fx = 0\ndef relu_grad(inp, out):\n    inp.g = ((inp > 0).float() * out.g).bfloat16()\n"
    hand_in(tmp_path / "class", {"eve": answered({"relu_grad": coarse})})

    eve = score(tmp_path / "class", tmp_path / "out").submissions[0]

    relu = next(one for one in eve.exercises if one.id == "relu_grad")
    assert (eve.status, relu.score) == ("graded", 2)
    assert [flag for flag in eve.flags if "meddling" in flag] == [
        f"meddling with the check suspected: `make_fx` (cell {relu.cell})"
    ]
    assert "`inp.g` came as bfloat16, and was compared no finer than that" in relu.flags


def test_score_tells_who_of_the_class_list_handed_in_nothing(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("student,ID\nada,1\ncyd,3\nzoe,4\n", encoding="utf-8")
    said: list[str] = []

    def again(**options: Any) -> RunReport:
        said.clear()
        options = {"paths": (small_class,), "out": tmp_path / "out", "seed": 5, **options}
        return score_class(ScoreOptions(**options), Observer(remarked=said.append))

    assert again(roster=roster).absent == ("zoe",)
    with Gradebook(tmp_path / "out" / FILE_NAME) as book:
        book.rule(*rulings_for(book.answers(), "zoe", "lin_grad", 3.0, "oral exam"))
        book.rule(*rulings_for(book.answers(), "cyd", "relu_grad", 2.0, "sent as a PDF"))

    run = again(roster=roster)
    assert (run.absent, fake_pool.ran) == ((), [])
    assert said == ["Not on the class list, or there under another name: 1 student (bob)."]
    by_hand = {one.student: (one.score, one.possible) for one in run.submissions if one.by_hand}
    assert by_hand == {"cyd": (2.0, 14.0), "zoe": (3.0, 14.0)}

    assert again().absent == ()
    assert said[:1] == [
        "the last run had a class list, which --roster names; without it, nobody is told to have handed in nothing"
    ]
    (lost,) = said[1:]
    assert lost.startswith("ruled, and nobody in this run handed in under that name: 3 for lin_grad of zoe; ")


def test_score_refuses_a_class_list_before_anything_runs(
    fake_pool: type[InProcessPool], small_class: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("Nachname\nLovelace\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column 'student'"):
        score_class(ScoreOptions(paths=(small_class,), out=tmp_path / "out", roster=roster))
    assert fake_pool.ran == []
