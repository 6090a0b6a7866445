"""The words that reports add to what was found, in one place: to translate or rewrite without touching logic.

The sentences of a diagnosis come ready from the judge, reasons and flags from where they arose. A symbol always stands
beside the colour of a status, and its label beside the symbol or in the legend, so that colour is never alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from grader.model import Diagnosis, ExerciseScore, Hints, RunReport, SubmissionReport
from grader.names.enumeration import count_of, first_of
from grader.report.words.numbers import points

SYMBOLS: Final = {
    "passed": "✓",
    "partial": "◐",
    "failed": "✗",
    "not_implemented": "○",
    "missing": "–",
    "grader_error": "!",
}

EXERCISE: Final = {
    "passed": "passed",
    "partial": "partly right",
    "failed": "not right yet",
    "not_implemented": "not started",
    "missing": "not found",
    "grader_error": "could not be graded",
}

EXERCISE_DETAIL: Final = {
    "not_implemented": "The stub still raises NotImplementedError: nothing has been graded here yet.",
    "missing": "No cell of the notebook defines this. Was the cell deleted, or the name changed?",
    "grader_error": "The grader failed here, not you. This does not count as zero points: tell your instructor.",
}

SUBMISSION: Final = {
    "graded": "graded",
    "unreadable": "could not be read",
    "crashed": "kernel crashed",
    "timed_out": "ran out of time",
    "no_exercises": "no exercises found",
    "not_assigned": "not assigned",
    "grader_error": "grader error",
}

#: What a status means, where the reason that stands in the report does not say all.
SUBMISSION_DETAIL: Final = {
    "unreadable": "No notebook could be read, so nothing was graded. This does not count as zero points.",
    "no_exercises": "There was nothing to grade.",
    "not_assigned": "This was not assigned, and was not graded.",
    "grader_error": "The grader itself failed. This does not count as zero points: it has to be graded again.",
}

#: What a platform is told where no submission can be blamed.
GRADER_FAILED: Final = "the grader failed; this does not count as zero points"

#: What is said of a notebook that takes nothing away from the student's others.
SPARE: Final = {
    "unreadable": "{name} could not be read ({reason}); another attempt at it was graded and counts.",
    "no_exercises": "{name} holds no exercise of this course; the student's other notebook counts.",
}

CELL_ENDED: Final = {
    "raised": "raised",
    "timed_out": "ran out of time",
    "crashed": "killed the kernel",
    "memory_exceeded": "used too much memory",
    "output_exceeded": "printed or wrote too much",
}

#: Shown in every report where the confinement was not the strongest one.
SANDBOX_NOTE: Final = {
    "none": "This run had no sandbox: the students' code could do anything that the user who ran the grader may do.",
    "landlock": "This run had the weaker sandbox (landlock, without bubblewrap).",
}

#: The most characters that are shown of a reason or a remark, of an error, of a diagnosis, and of what was printed.
MOST_REASON: Final = 600
MOST_ERROR: Final = 400
MOST_MESSAGE: Final = 1200
MOST_PRINTED: Final = 4000
#: The most students that a remark names.
_NAMED: Final = 6
#: The most who handed in nothing, each of whom somebody will write to.
_ABSENT_NAMED: Final = 100
FLAGGED: Final = "flagged"
BY_HAND: Final = "✎"
GRADER_ERROR_IN: Final = "the grader failed in {exercises}"
NONE_FOUND: Final = "none of its exercises is in it: emptied, or another notebook under this name"
NONE_ASSIGNED: Final = "no assigned exercise is in what was handed in: another week's notebook, perhaps"
COUNTED_FROM: Final = "Cells are counted from 0, text cells included."
NOT_ASSIGNED: Final = "This was not assigned: none of it counts."
NOT_HANDED_IN: Final = "This was assigned, and was not handed in."
OF_ASSIGNED: Final = "Of all that was assigned"
NOTHING_GRADED: Final = "No submission was found."
FOLLOWS_FROM: Final = "This one calls what is not right yet: {names}. Mend that first."
MEANWHILE: Final = "What its checks say meanwhile"
HUMANS_EYE: Final = "Needs a human's eye"
WENT_WRONG: Final = "What went wrong"
ENDED_BADLY: Final = "Cells that failed"
PRINTED: Final = "What your code printed"
WORST: Final = "worst element [{index}]: expected {expected}, got {actual}"
SHAPES: Final = "expected shape {expected}, got {actual}"
WORST_MARK: Final = "worst element"
CUT: Final = "Only part of the tensor is shown."


def not_found(exercises: Mapping[str, float]) -> str:
    """What is said of exercises, each with its points, that were assigned and are in no notebook.

    >>> not_found({"lin_grad": 4.0, "mse_grad": 2.5})
    'Assigned, and found in no notebook: lin_grad (4), mse_grad (2.5).'
    """
    names = ", ".join(f"{id_} ({points(possible)})" for id_, possible in exercises.items())
    return f"Assigned, and found in no notebook: {names}."


def cell_name(index: int) -> str:
    """A cell as the whole grader names it: its index from 0, Markdown cells included.

    >>> cell_name(5)
    'cell 5'
    """
    return f"cell {index}"


def place(cell: int | None, line: int | None) -> str:
    """Where a stub stands: ``"cell 5, line 3"``, or nothing where it is not known."""
    if cell is None:
        return ""
    return cell_name(cell) if line is None else f"{cell_name(cell)}, line {line}"


def reason(entry: SubmissionReport) -> str:
    """Why a submission was not graded: what was found, else what its status means."""
    return entry.reason or SUBMISSION_DETAIL.get(entry.status, "")


def by_hand(entry: SubmissionReport) -> str:
    """What is said of a submission that a human ruled on because there was nothing to grade."""
    return f"{sentence(entry.reason)} The points below were given by hand."


def spare(entry: SubmissionReport) -> str:
    """Why a notebook that was not graded takes no points away."""
    return SPARE[entry.status].format(name=entry.notebook or entry.path, reason=entry.reason)


def strays(notebooks: Sequence[str]) -> str:
    """Why many notebooks of a student without exercises take no points away.

    >>> strays(["a.ipynb", "b.ipynb"])
    "2 notebooks hold no exercise of this course (a.ipynb, b.ipynb); the student's other notebook counts."
    """
    named = first_of(notebooks, _NAMED)
    return f"{len(notebooks)} notebooks hold no exercise of this course ({named}); the student's other notebook counts."


def idle(entries: Sequence[SubmissionReport]) -> str:
    """What is said of notebooks in place of feedback on them."""
    names = ", ".join(entry.notebook or entry.path for entry in entries)
    left_out = any(entry.status == "not_assigned" for entry in entries)
    return f"{'Not assigned, so not graded' if left_out else 'Neither assigned nor begun'}: {names}."


def not_run(notebooks: Sequence[str]) -> str:
    """What is said of a class' notebooks that were not assigned, by their names.

    >>> not_run(["01_tensors.ipynb", "04_layers.ipynb", "01_tensors.ipynb"])
    'Not assigned, so not run: 3 notebooks (01_tensors.ipynb, 04_layers.ipynb).'
    """
    names = first_of([*dict.fromkeys(notebooks)], _NAMED)
    return f"Not assigned, so not run: {count_of(len(notebooks), 'notebook')} ({names})."


def absent(students: Sequence[str]) -> str:
    """What is said of those of a class who handed in nothing.

    >>> absent(["alan", "Hopper, Grace"])
    'Handed in nothing, or only under another name: 2 students (alan; Hopper, Grace).'
    """
    return f"Handed in nothing, or only under another name: {_counted(students)}."


def not_on_the_list(students: Sequence[str]) -> str:
    """What is said of those who handed in and are not on the class list.

    >>> not_on_the_list(["lovelaceada"])
    'Not on the class list, or there under another name: 1 student (lovelaceada).'
    """
    return f"Not on the class list, or there under another name: {_counted(students)}."


def _counted(students: Sequence[str]) -> str:
    return f"{count_of(len(students), 'student')} ({first_of(students, _ABSENT_NAMED, '; ')})"


def attempts(notebooks: Sequence[str]) -> str:
    """What is remarked on notebooks of other names that answer the same exercises."""
    return f"{', '.join(notebooks)} answer the same exercises: for each the better answer counts"


def same_file(students: Sequence[str]) -> str:
    """What is remarked on a notebook that other ``students`` handed in too.

    >>> same_file(["alan", "grace"])
    'the same file, to the byte, as that of alan; grace'
    """
    return f"the same file, to the byte, as that of {_some(students)}"


def unlike_totals(least: float, most: float) -> str:
    """What is said of a class whose totals are of unlike notebooks.

    >>> unlike_totals(14, 36.5)
    'Each total is of what that student handed in, 14 to 36.5 points: to count what is missing too, name each notebook \
that counts by --assigned.'
    """
    return (
        f"Each total is of what that student handed in, {points(least)} to {points(most)} points: "
        "to count what is missing too, name each notebook that counts by --assigned."
    )


def unbegun(notebooks: Mapping[str, float], possible: float) -> str:
    """What is said of notebooks, each with its points, that nobody of a class began and that count all the same.

    >>> unbegun({"01_tensors": 8.0, "04_layers": 27.0}, 49)
    'Begun by nobody, and 35 of 49 points: 01_tensors, 04_layers. If they are not to count, name each notebook that \
does by --assigned.'
    """
    return (
        f"Begun by nobody, and {points(sum(notebooks.values()))} of {points(possible)} points: "
        f"{first_of([*notebooks], _NAMED)}. If they are not to count, name each notebook that does by --assigned."
    )


def not_begun(notebooks: Sequence[str]) -> str:
    """What a student is told of notebooks that they handed in as they got them.

    >>> not_begun(["01_tensors.ipynb"])
    'Not begun: 01_tensors.ipynb.'
    """
    return f"Not begun: {', '.join(notebooks)}."


def namesakes(students: Sequence[str]) -> str:
    """What is remarked on a student whose name is almost that of each of ``students``.

    >>> namesakes(["ada lovelace"])
    'almost the same name as ada lovelace: perhaps one student in several rows'
    """
    return f"almost the same name as {_some(students)}: perhaps one student in several rows"


def no_module(name: str, students: Sequence[str]) -> str:
    """What is remarked on a module that the notebooks of ``students`` did not find.

    >>> no_module("seaborn", ["ada", "alan"])
    'no module `seaborn` where the grader is installed; points were lost in notebooks that import it: ada; alan'
    """
    return (
        f"no module `{name}` where the grader is installed; points were lost in notebooks that import it: "
        f"{_some(students)}"
    )


def no_colab(name: str, students: Sequence[str]) -> str:
    """What is remarked on Colab's own module, which is nowhere else."""
    return (
        f"no module `{name}` where the grader is installed, for `google.colab` is Colab's own: the rest of a cell that "
        f"imports it did not run, and points were lost: {_some(students)}"
    )


def no_file(name: str, students: Sequence[str]) -> str:
    """What is remarked on a file that the notebooks of ``students`` did not find.

    >>> no_file("data.csv", ["ada"])
    'no file `data.csv` where the notebook ran, among what was handed in with it and what the course releases; points \
were lost in notebooks that look for it: ada'
    """
    return (
        f"no file `{name}` where the notebook ran, among what was handed in with it and what the course releases; "
        f"points were lost in notebooks that look for it: {_some(students)}"
    )


def no_input(_: str, students: Sequence[str]) -> str:
    """What is remarked on a cell that waits for somebody to type."""
    return (
        "nobody answers `input()` where notebooks are graded: the rest of a cell that calls it did not run, and points "
        f"were lost: {_some(students)}"
    )


def no_network(_: str, students: Sequence[str]) -> str:
    """What is remarked on a cell that downloads something."""
    return (
        "nothing can be downloaded where notebooks are graded: the rest of a cell that does so did not run, and points "
        f"were lost: {_some(students)}"
    )


def _some(students: Sequence[str]) -> str:
    return first_of(students, _NAMED, "; ")


def override(exercise: ExerciseScore) -> str:
    """What is remarked on an exercise whose points a human gave, or that one commented on; nothing of others.

    >>> from grader.model import Override
    >>> override(ExerciseScore("lin_grad", "", "partial", 3.0, 4.0, override=Override(1.0, "the sheet had it wrong")))
    'set by hand to 3 of 4 points (the grader gave 1): the sheet had it wrong'
    """
    if exercise.override is None:
        return f"comment: {exercise.comment}" if exercise.comment else ""
    graded = exercise.override.graded
    nothing = "the grader failed" if exercise.checks else "there was nothing to grade"
    grader = nothing if graded is None else f"the grader gave {points(graded)}"
    of = f"{points(exercise.score)} of {points(exercise.possible)} points"
    return f"set by hand to {of} ({grader}): {exercise.override.reason}"


def sentence(reason: str) -> str:
    """A reason as a sentence of its own, after another one.

    >>> sentence("not JSON: line 184 column 4")
    'Not JSON: line 184 column 4.'
    """
    return f"{reason[:1].upper()}{reason[1:]}" + ("." if reason[-1:].isalnum() else "")


def code_label(code: str) -> str:
    """A diagnosis code in words: ``"not summed over batch"``."""
    return code.replace("_", " ")


def made_with(run: RunReport) -> str:
    """What stands at the end of a report: what graded, and how the students' code was confined."""
    return f"grader {run.grader_version} · torch {run.torch_version} · sandbox {run.sandbox}"


def help_for(diagnosis: Diagnosis | None, hints: Hints) -> str:
    """The help that a report gives: none, the hint, or the hint and what to do about it."""
    if diagnosis is None or hints == "none":
        return ""
    parts = (diagnosis.hint, diagnosis.explanation) if hints == "full" else (diagnosis.hint,)
    return " ".join(part for part in parts if part)
