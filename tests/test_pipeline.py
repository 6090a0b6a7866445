"""One submission from notebook to report: a fault of the grader or an early end costs what it must, and no more."""

from __future__ import annotations

import asyncio
import errno
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

import grader.pipeline
from grader.course.loading import load_course
from grader.judge.cases import PUBLIC_SEED
from grader.model import Assets, CaseRun, CellFailure, Execution, Job, SubmissionReport
from grader.pipeline import grade, read_entry, unassigned
from grader.seeded_course import SeededCourse
from grader.submission.entry import Entry
from tests.fakes import InProcessPool
from tests.samples import ROOT, answered, code_cell, notebook_of

#: What each exercise of the notebook is worth.
POINTS = {"lin_grad": 4, "relu_grad": 2, "mse_grad": 2, "forward_and_backward": 6}


@pytest.fixture
def seeded() -> SeededCourse:
    return SeededCourse(load_course("autograd"), PUBLIC_SEED)


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    path = tmp_path / "03_backprop.ipynb"
    path.write_text(answered({}), encoding="utf-8")
    return Entry("ada", path.name, path, "ada/03_backprop.ipynb")


class Ending(InProcessPool):
    """Ends a run as it is told to, after the check of the first exercise."""

    def __init__(self, ended: Literal["finished", "timed_out", "crashed"]) -> None:
        super().__init__()
        self.ended = ended
        self.jobs: list[Job] = []

    async def run(self, job: Job, seconds: float | None = None) -> Execution:
        self.jobs.append(job)
        whole = await super().run(job, seconds)
        first = next(iter(whole.checks))
        return replace(whole, ended=self.ended, checks={first: whole.checks[first]})


def graded(entry: Entry, seeded: SeededCourse, pool: InProcessPool) -> SubmissionReport:
    submission = read_entry(entry, seeded)
    assert not isinstance(submission, SubmissionReport)
    return asyncio.run(grade(submission, seeded, pool))  # type: ignore[arg-type] # the fake is the same seam


def test_right_notebook_gets_every_point(entry: Entry, seeded: SeededCourse) -> None:
    report = graded(entry, seeded, InProcessPool())

    assert {one.id: one.score for one in report.exercises} == POINTS
    assert (report.status, report.score, report.possible) == ("graded", 14, 14)
    assert (report.student, report.notebook, report.path) == ("ada", "03_backprop.ipynb", "ada/03_backprop.ipynb")


def test_untouched_stub_below_an_answer_costs_nothing_in_what_calls_the_answer(
    entry: Entry, seeded: SeededCourse
) -> None:
    notebook = json.loads(answered({}))
    place = next(i for i, cell in enumerate(notebook["cells"]) if "def lin_grad(" in "".join(cell["source"]))
    stub = {**notebook["cells"][place], "source": "def lin_grad(inp, out, w, b):\n    raise NotImplementedError"}
    notebook["cells"][place]["metadata"] = {}
    notebook["cells"].insert(place + 1, stub)
    entry.path.write_text(json.dumps(notebook), encoding="utf-8")

    report = graded(entry, seeded, InProcessPool())

    assert {one.id: one.score for one in report.exercises} == POINTS
    assert not report.failed_cells
    (lin_grad,) = (one for one in report.exercises if one.id == "lin_grad")
    assert "run without the untouched stub below it" in lin_grad.flags[0]


def test_stub_that_was_renamed_in_a_notebook_without_tags_is_a_remark(entry: Entry, seeded: SeededCourse) -> None:
    notebook = json.loads(answered({}).replace("def lin_grad(", "def linear_grad("))
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    entry.path.write_text(json.dumps(notebook), encoding="utf-8")

    missing = {one.id: one for one in graded(entry, seeded, InProcessPool()).exercises}["lin_grad"]

    assert (missing.status, missing.score) == ("missing", 0)
    (flag,) = missing.flags
    assert flag.endswith("defines `linear_grad` with its parameters")


def test_name_that_a_failed_cell_would_give_is_told_with_that_cell(entry: Entry, seeded: SeededCourse) -> None:
    setup = "import plots_that_are_not_here\nimport numpy as np"
    stub = "def relu_grad(inp, out):\n    inp.g = out.g * torch.from_numpy(np.greater(inp.numpy(), 0))"
    entry.path.write_text(answered({"relu_grad": stub}, before=setup), encoding="utf-8")

    relu_grad = {one.id: one for one in graded(entry, seeded, InProcessPool()).exercises}["relu_grad"]

    (check,) = relu_grad.checks
    assert check.diagnosis is not None
    told = "Cell 0 would define `np`, and ended before it came to that: ModuleNotFoundError: No module named"
    assert told in check.diagnosis.message


def test_remark_that_names_what_a_student_named_is_cut(entry: Entry, seeded: SeededCourse) -> None:
    entry.path.write_text(answered({"lin_grad": f"def {'n' * 300_000}(): pass"}), encoding="utf-8")
    (flag,) = {one.id: one for one in graded(entry, seeded, InProcessPool()).exercises}["lin_grad"].flags
    assert "defines `nnn" in flag
    assert len(flag) < 400


def test_files_of_the_course_are_there_behind_the_student_s_own(entry: Entry, seeded: SeededCourse) -> None:
    own, released = Assets(entry.path.parent), Assets(Path("exercises"), names={"data.csv": "data.csv"})
    seeded.course = replace(seeded.course, assets=(released,))
    pool = Ending("finished")
    graded(replace(entry, assets=(own,)), seeded, pool)

    assert [job.assets for job in pool.jobs] == [(own, released)]


def test_optimizer_of_torch_in_work_by_hand_is_a_remark_that_costs_nothing(entry: Entry, seeded: SeededCourse) -> None:
    source = "def relu_grad(inp, out):\n    used = torch.optim.SGD\n    inp.g = out.g * (inp > 0)"
    entry.path.write_text(answered({"relu_grad": source}), encoding="utf-8")
    report = graded(entry, seeded, InProcessPool())

    flags = {one.id: one.flags for one in report.exercises if one.flags}
    assert report.score == 14
    assert flags == {"relu_grad": ("an optimizer of torch's in place of one's own: `torch.optim.SGD` (line 2)",)}


def test_fault_for_want_of_open_files_says_what_helps(
    entry: Entry, seeded: SeededCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(grader.pipeline, "read", fail)
    report = read_entry(entry, seeded)

    assert isinstance(report, SubmissionReport)
    assert report.status == "grader_error"
    assert "Too many open files; raise the limit of open files (`ulimit -n 1024`)" in report.reason


def test_fault_of_the_grader_in_reading_is_no_score(
    entry: Entry, seeded: SeededCourse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such case was thought of")

    monkeypatch.setattr(grader.pipeline, "read", fail)
    report = read_entry(entry, seeded)

    assert isinstance(report, SubmissionReport)
    assert (report.student, report.status, report.score) == ("ada", "grader_error", None)
    assert report.reason == "the grader failed here: RuntimeError: no such case was thought of"
    assert "reading ada/03_backprop.ipynb failed" in caplog.text


def test_fault_of_the_grader_in_one_verdict_leaves_the_others_and_no_total(
    entry: Entry, seeded: SeededCourse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = seeded.verdicts.score

    def fail_once(exercise, *rest):
        if exercise.id == "relu_grad":
            raise ZeroDivisionError("by nothing")
        return judge(exercise, *rest)

    monkeypatch.setattr(seeded.verdicts, "score", fail_once)
    report = graded(entry, seeded, InProcessPool())

    assert (report.status, report.score, report.possible) == ("grader_error", None, 14)
    assert report.reason == "the grader failed in relu_grad"
    assert "judging relu_grad of ada/03_backprop.ipynb failed" in caplog.text
    faulty = next(one for one in report.exercises if one.id == "relu_grad")
    assert (faulty.status, faulty.flags) == ("grader_error", ("the grader failed here: ZeroDivisionError: by nothing",))
    assert {one.id: one.score for one in report.exercises} == {**POINTS, "relu_grad": 0}


@pytest.mark.parametrize(
    ("ended", "code", "reason"),
    [
        ("timed_out", "timed_out", "its time was up; the checks made before then count"),
        ("crashed", "crashed", "its kernel died and could not go on; the checks made before then count"),
    ],
)
def test_run_that_ends_early_keeps_the_checks_made_before(
    entry: Entry, seeded: SeededCourse, ended: Literal["timed_out", "crashed"], code: str, reason: str
) -> None:
    report = graded(entry, seeded, Ending(ended))

    first, *rest = sorted(report.exercises, key=lambda one: -one.score)
    assert (report.status, report.score, report.reason) == (ended, POINTS[first.id], reason)
    assert first.status == "passed"
    assert [one.score for one in rest] == [0, 0, 0]
    assert {check.diagnosis.code if check.diagnosis else "" for one in rest for check in one.checks} == {code}


@pytest.mark.parametrize(("left_s", "score"), [(297.5, 14), (0.0, 10)])
def test_check_that_missed_what_a_later_cell_defines_is_made_again_on_other_numbers(
    entry: Entry, seeded: SeededCourse, left_s: float, score: float
) -> None:
    passes: list[tuple[Job, float | None]] = []

    class Late(InProcessPool):
        async def run(self, job: Job, seconds: float | None = None) -> Execution:
            passes.append((job, seconds))
            whole = await super().run(job, seconds)
            if len(passes) == 1:
                missed = {"lin_grad": tuple(CaseRun(one.case, "raised") for one in whole.checks["lin_grad"])}
                checks = {**whole.checks, **missed}
                return replace(whole, checks=checks, time_left=left_s, again={"lin_grad": ("helper", "relu")})
            return whole if seconds else replace(whole, ended="timed_out", checks={})

    report = graded(entry, seeded, Late())
    (first, _), (second, seconds) = passes
    (made,) = (check for check in first.checks if check.exercise == "lin_grad")
    (again,) = second.checks

    assert (report.score, seconds) == (score, left_s)
    assert "lin_grad: checked again at the end: it uses helper, relu, which a later cell defines" in report.flags
    assert (again.exercise, again.cell) == ("lin_grad", max(cell.index for cell in first.cells))
    assert not any(
        one.tensors["inp"].shape == other.tensors["inp"].shape and one.tensors["inp"].equal(other.tensors["inp"])
        for one, other in zip(made.programs, again.programs, strict=True)
    )


def test_appeal_as_the_guide_has_it_shows_the_case_that_a_student_reads_of_either_pass(
    entry: Entry, seeded: SeededCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    class Late(InProcessPool):
        async def run(self, job: Job, seconds: float | None = None) -> Execution:
            return replace(await super().run(job), time_left=9.0, again={} if seconds else {"mse_grad": ("helper",)})

    guide = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(from grader\.course\.loading.*?)```", guide, re.DOTALL)
    exec(re.sub(r"\d{6,}", str(PUBLIC_SEED), code), {})
    shown = capsys.readouterr().out
    entry.path.write_text(answered({"mse_grad": "def mse_grad(inp, targ): inp.g = targ"}), encoding="utf-8")
    cases = [
        check.case
        for pool in (InProcessPool(), Late())
        for one in graded(entry, seeded, pool).exercises
        for check in one.checks
        if one.id == "mse_grad"
    ]
    assert len({*cases}) == 2
    assert all(f"{case} {{" in shown for case in cases)


def test_notebook_that_cannot_be_read_says_why_and_is_not_run(entry: Entry, seeded: SeededCourse) -> None:
    entry.path.write_text("not JSON", encoding="utf-8")
    pool = InProcessPool()
    report = graded(replace(entry, flags=("late",)), seeded, pool)

    assert (report.status, report.score, report.exercises, report.flags) == ("unreadable", None, (), ("late",))
    assert "not JSON" in report.reason
    assert pool.ran == []


def test_stub_that_is_nowhere_costs_itself_alone_and_where_none_is_nothing_is_run(
    entry: Entry, seeded: SeededCourse
) -> None:
    entry.path.write_text(answered({"relu_grad": "pass"}).replace("relu_grad", "gone"), encoding="utf-8")
    pool = InProcessPool()
    report = graded(entry, seeded, pool)
    gone = next(one for one in report.exercises if one.id == "relu_grad")
    assert (gone.status, gone.score, gone.possible, report.possible) == ("missing", 0, 2, 14)
    assert len(pool.ran) == 1

    entry.path.write_text(notebook_of(code_cell("a", "raise SystemExit")), encoding="utf-8")
    pool = InProcessPool()
    report = graded(entry, seeded, pool)
    assert [(one.status, one.score) for one in report.exercises] == [("missing", 0)] * 4
    assert (report.status, report.score, report.possible, pool.ran) == ("graded", 0, 14, [])


def test_report_holds_failed_cells_what_was_printed_and_remarks(entry: Entry, seeded: SeededCourse) -> None:
    class Remarking(InProcessPool):
        async def run(self, job: Job, seconds: float | None = None) -> Execution:
            whole = await super().run(job, seconds)
            printed = {
                "lin_grad": tuple(replace(one, printed="<f at 0x7f21c0a81d90>") for one in whole.checks["lin_grad"])
            }
            return replace(whole, flags=("a remark",), checks={**whole.checks, **printed}, seconds=2.5)

    entry.path.write_text(answered({}, before="raise ValueError(object())"), encoding="utf-8")
    report = graded(replace(entry, flags=("late",)), seeded, Remarking())

    assert report.flags == ("late", "a remark")
    assert [failure.cell for failure in report.failed_cells] == [0]
    assert report.failed_cells[0].error.startswith("ValueError: <object object at ")
    assert "0x7" not in report.failed_cells[0].error + report.exercises[0].printed
    assert report.exercises[0].printed
    assert report.seconds == 2.5
    assert report.total_cells == len(json.loads(entry.path.read_text())["cells"])


def test_cells_that_failed_by_the_thousand_are_counted_and_not_listed(entry: Entry, seeded: SeededCourse) -> None:
    class Failing(InProcessPool):
        async def run(self, job: Job, seconds: float | None = None) -> Execution:
            failures = tuple(CellFailure(cell, "ValueError: x") for cell in range(1500))
            return replace(await super().run(job, seconds), failures=failures)

    report = graded(entry, seeded, Failing())
    assert [failure.cell for failure in report.failed_cells] == list(range(100))
    assert report.flags == ("1400 more cells failed than are listed",)


def test_autograd_where_it_is_the_subject_is_no_remark(entry: Entry, seeded: SeededCourse) -> None:
    source = "class {}:\n    def forward(self):\n        return torch.autograd.grad"
    cells = [code_cell(name, source.format(name)) for name in ("Linear", "Relu")]
    entry.path.write_text(notebook_of(*cells), encoding="utf-8")
    report = graded(replace(entry, notebook="mine.ipynb"), seeded, InProcessPool())

    flags = {one.id: one.flags for one in report.exercises}
    assert flags == {"Linear": (), "Relu": ("autograd suspected: `torch.autograd.grad` (line 3)",)}


def test_loops_in_a_helper_and_an_optimizer_in_place_of_steps_by_hand_are_remarked(
    entry: Entry, seeded: SeededCourse
) -> None:
    looping = "def h(a, b):\n    return [x - b for x in a]\n\ndef outer_difference(a, b):\n    return h(a, b)"
    stepping = "def train_module(model, *_):\n    torch.optim.SGD(model.parameters(), 0.1).step()"
    cells = [code_cell("outer_difference", looping), code_cell("train_module", stepping)]
    entry.path.write_text(notebook_of(*cells), encoding="utf-8")
    report = graded(replace(entry, notebook="mine.ipynb"), seeded, InProcessPool())

    assert {one.id: one.flags for one in report.exercises} == {
        "outer_difference": ("loops in Python where tensor operations are asked for: line 2 of cell 0",),
        "train_module": ("perhaps not worked out, but taken from: `torch.optim.SGD` (line 2)",),
    }


def test_notebook_without_an_exercise_is_told_so_and_not_run(tmp_path: Path, seeded: SeededCourse) -> None:
    path = tmp_path / "notes.ipynb"
    path.write_text(notebook_of(), encoding="utf-8")
    pool = InProcessPool()
    report = graded(Entry("ada", path.name, path, "ada/notes.ipynb"), seeded, pool)

    assert (report.status, report.score) == ("no_exercises", None)
    assert report.reason.startswith("no exercise of the course 'autograd' is in it; hand in the course's own notebook")
    assert pool.ran == []

    submission = read_entry(Entry("ada", path.name, path, "ada/notes.ipynb"), seeded)
    assert not isinstance(submission, SubmissionReport)
    assert unassigned(submission, seeded.course, {"lin_grad"}) is None  # it would be called not assigned


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            "def relu_grad(inp, out):\n    inp.g = ((inp > 0) * out.g",
            "is not valid Python ('(' was never closed, line 2)",
        ),
        (
            "def relu_gradient(inp, out):\n    inp.g = (inp > 0) * out.g",
            "its cell defines `relu_gradient` in its place",
        ),
        (
            "if not inp:\n    def relu_grad(inp, out):\n        inp.g = out.g",
            "before it got there (NameError: name 'inp'",
        ),
        ("if False:\n    def relu_grad(inp, out):\n        inp.g = out.g", "was removed, or gives it another name"),
    ],
    ids=["no Python", "another name", "a cell that failed before", "unknown"],
)
def test_answer_that_is_not_defined_says_why(entry: Entry, seeded: SeededCourse, answer: str, told: str) -> None:
    entry.path.write_text(answered({"relu_grad": answer}), encoding="utf-8")
    report = graded(entry, seeded, InProcessPool())
    (check,) = next(one for one in report.exercises if one.id == "relu_grad").checks
    assert check.diagnosis is not None
    assert check.diagnosis.code == "not_defined"
    assert told in check.diagnosis.message
