from __future__ import annotations

from dataclasses import replace

import pytest

from grader.model import CellFailure, Override, SubmissionReport
from grader.report import student_page
from grader.report.counting.concerns import remarks_on
from grader.report.counting.tally import tally
from grader.report.words import wording
from tests.report.builders import exercise, run, small_class, submission, ungraded, untouched


@pytest.mark.parametrize(
    "other",
    [
        submission("ada", exercise("lin_grad"), notebook="03_backprop (1).ipynb"),
        submission("ada", untouched("lin_grad"), exercise("relu_grad"), notebook="b.ipynb"),
        submission("ada", untouched("lin_grad", "grader_error"), notebook="b.ipynb"),
    ],
    ids=["of_one_kind", "untouched", "grader_error"],
)
def test_concerns_notebooks_that_are_no_other_attempt_are_not_flagged(other: SubmissionReport) -> None:
    (row,) = tally(run(submission("ada", exercise("lin_grad")), other)).rows
    assert remarks_on(row) == ()


def test_concerns_a_file_of_several_students_is_one_concern_of_the_class_and_on_no_page() -> None:
    done = (exercise("lin_grad"), untouched("relu_grad"))
    made = run(*(submission(name, *done, sha256="5a") for name in ("ada", "alan", "grace")),
               submission("ada", exercise("lin_grad"), notebook="copy.ipynb", sha256="5a"))  # fmt: skip
    counted = tally(made)
    found = [(one.kind, one.student, one.detail) for one in counted.concerns if "same file" in one.detail]
    assert found == [("flagged", "ada", "the same file, to the byte, as that of alan; grace")]
    assert not any("alan" in student_page(made, row, hints="nudge") for row in counted.rows if row.student != "alan")


def test_concerns_names_that_are_almost_alike_are_one_concern_of_the_class() -> None:
    names = ("Zoë B", "zoe b", "Zoe_B", "B, Zoe", "Zoe C", "--", "++", "李", "李小", "1-1", "11")
    counted = tally(run(*(submission(name, exercise("lin_grad")) for name in names)))
    (found,) = counted.concerns
    assert (found.kind, found.student) == ("flagged", "B, Zoe")
    assert found.detail.startswith("almost the same name as Zoë B; zoe b; Zoe_B: ")
    assert all(remarks_on(row) == () for row in counted.rows)


def test_concerns_a_notebook_without_any_of_its_exercises_is_a_concern_until_a_human_decides() -> None:
    gone = [replace(untouched(id_), status="missing") for id_ in ("lin_grad", "relu_grad")]
    (found,) = tally(run(submission("ada", *gone), submission("alan", gone[0], untouched("relu_grad")))).concerns
    assert (found.kind, found.student, found.notebook) == ("flagged", "ada", "03_backprop.ipynb")
    seen = replace(gone[0], override=Override(graded=0.0, reason="on paper"))
    assert tally(run(submission("ada", seen, gone[1]))).concerns == ()


def test_concerns_work_without_an_assigned_exercise_is_one_concern() -> None:
    gone = replace(untouched("lin_grad"), status="missing")
    made = run(
        submission("ada", exercise("relu_grad"), notebook="04_layers.ipynb"),
        submission("alan", gone, exercise("relu_grad")),
        submission("barbara", gone),
        submission("grace", untouched("lin_grad")),
        ungraded("linus", "unreadable", "not JSON"),
        assigned={"lin_grad": 4.0},
    )
    found = [(one.student, one.notebook, one.detail) for one in tally(made).concerns if one.kind == "flagged"]
    assert found == [
        ("ada", "04_layers.ipynb", wording.NONE_ASSIGNED),
        ("alan", "03_backprop.ipynb", wording.NONE_ASSIGNED),
        ("barbara", "03_backprop.ipynb", wording.NONE_FOUND),
    ]


def test_concerns_a_module_that_is_missing_is_one_concern_where_points_were_lost() -> None:
    failed = (
        CellFailure(1, "ModuleNotFoundError: No module named 'matplotlib.pyplot'"),
        CellFailure(2, "NameError: x"),
    )
    poor = [submission(name, untouched("lin_grad"), failed_cells=failed) for name in ("ada", "alan")]
    full = submission("grace", exercise("lin_grad"), failed_cells=failed)
    (found,) = tally(run(*poor, full)).concerns
    assert (found.kind, found.student) == ("flagged", "ada")
    assert "no module `matplotlib`" in found.detail
    assert found.detail.endswith(": ada; alan")


#: What a cell ends with → words of the one remark on it.
OF_THE_PLACE = {
    "FileNotFoundError: [Errno 2] No such file or directory: '/home/zoe/ml'": "no file `/home/zoe/ml` where",
    "FileNotFoundError: data.csv not found.": "no file `data.csv` where",
    f"FileNotFoundError: [Errno 2] No such file or directory: '/{'x' * 200}'": f"no file `/{'x' * 79}` where",
    "FileNotFoundError: where is it?": "no file `where is it?` where",
    "StdinNotImplementedError: nobody answers input() here": "nobody answers `input()`",
    "ModuleNotFoundError: No module named 'google.colab'": "`google.colab` is Colab's own",
    "ModuleNotFoundError: No module named 'googletrans'": "no module `googletrans`",
    "URLError: <urlopen error [Errno -3] Temporary failure in name resolution>": "nothing can be downloaded",
}


@pytest.mark.parametrize("error", OF_THE_PLACE)
def test_concerns_what_a_notebook_missed_where_it_ran_needs_an_eye_where_points_were_lost(error: str) -> None:
    failed = (CellFailure(1, error), CellFailure(2, "NameError: name 'torch' is not defined"))
    poor, full = untouched("lin_grad"), exercise("lin_grad")
    (found,) = tally(run(submission("ada", poor, failed_cells=failed))).concerns
    assert (found.kind, found.student) == ("flagged", "ada")
    assert OF_THE_PLACE[error] in found.detail
    assert tally(run(submission("ada", full, failed_cells=failed))).concerns == ()


def test_concerns_files_in_which_nothing_is_done_are_no_concern() -> None:
    same = [submission(name, untouched("lin_grad"), sha256="5a") for name in ("ada", "alan")]
    unread = [ungraded(name, "unreadable", "empty", sha256="") for name in ("grace", "linus")]
    assert [one.kind for one in tally(run(*same, *unread)).concerns] == ["unreadable", "unreadable"]


def test_concerns_most_urgent_first() -> None:
    found = [(concern.kind, concern.student) for concern in tally(small_class()).concerns]
    assert found == [
        ("grader_error", "radia"),
        ("grader_error", "tim"),
        ("unreadable", "linus"),
        ("crashed", "dennis"),
        ("flagged", "tim"),
        ("flagged", "Zoë Ångström"),
    ]


def test_concerns_many_notebooks_without_exercises_are_one_remark() -> None:
    many = [ungraded("ada", "no_exercises", "none", notebook=f"a{n}.ipynb") for n in range(9)]
    counted = tally(run(submission("ada", exercise("lin_grad")), *many))
    (concern,) = counted.concerns
    assert concern.detail.startswith("9 notebooks hold no exercise of this course (a0.ipynb, a1.ipynb,")
    assert remarks_on(counted.rows[0]) == (concern.detail,)


def test_concerns_flag_of_each_of_several_attempts_needs_an_eye_once() -> None:
    names = {"a/b.ipynb": "b.ipynb", "late/a/b.ipynb": "b.ipynb", "a/b-Copy1.ipynb": "b-Copy1.ipynb"}
    attempts = [
        submission("ada", exercise("lin_grad"), path=path, notebook=name, flags=("3 of one kind",))
        for path, name in names.items()
    ]
    other = submission("ada", exercise("relu_grad"), notebook="c.ipynb", flags=("3 of one kind", "new"))
    found = [(concern.notebook, concern.detail) for concern in tally(run(*attempts, other)).concerns]
    assert found == [("b-Copy1.ipynb", "3 of one kind"), ("c.ipynb", "3 of one kind; new")]


def test_concerns_flag_that_a_human_ruled_on_needs_no_eye_any_more() -> None:
    ruled = exercise("lin_grad", flags=("autograd suspected",), override=Override(0.0, "spoke with her"))
    counted = tally(run(submission("ada", ruled)))
    assert counted.concerns == ()
    assert remarks_on(counted.rows[0]) == (
        "lin_grad: autograd suspected",
        "lin_grad: set by hand to 4 of 4 points (the grader gave 0): spoke with her",
    )


def test_empty_files_that_a_human_ruled_on_are_no_copies() -> None:
    ruled = exercise("lin_grad", checks=(), override=Override(None, "r"))
    both = (submission(name, ruled, sha256="", reason="nothing was handed in") for name in ("yan", "zoe"))
    assert tally(run(*both)).concerns == ()
