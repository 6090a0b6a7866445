"""What of a run needs a human's eye: what could not be graded, and remarks on students and on the class."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.model import ExerciseScore, SubmissionReport
from grader.names.alphabet import words_of
from grader.names.notebooks import kind_of_notebook
from grader.report.counting.row import UNTRIED, URGENCY, Row
from grader.report.words import wording

_ORDER = (*URGENCY, wording.FLAGGED)
#: So many notebooks of a student without exercises are remarked one by one.
_STRAYS = 3
#: How a cell ends for a reason of the place where it is graded, with what it missed there, and what is said of it.
_OF_THE_PLACE = (
    (re.compile(r"ModuleNotFoundError: No module named '(google)\b"), wording.no_colab),
    (re.compile(r"ModuleNotFoundError: No module named '(\w{1,80})"), wording.no_module),
    (
        re.compile(r"FileNotFoundError: (?:\[Errno 2\] No such file or directory: )?'?((?:(?! not found|').){1,80})"),
        wording.no_file,
    ),
    (re.compile(r"(StdinNotImplementedError)\b"), wording.no_input),
    (re.compile(r"(URLError|ConnectionError|gaierror)\b"), wording.no_network),
)


#: What concerns several students: the entries of each that it is about, and what is said beside them.
_Shared = Mapping[str, tuple[Sequence[SubmissionReport], str]]


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs a human's eye: ``kind`` is a status of ``row.URGENCY``, or ``wording.FLAGGED``."""

    student: str
    kind: str
    notebook: str
    detail: str


def remarks_on(row: Row) -> tuple[str, ...]:
    """The remarks on a student for a human, those on exercises with the exercise named."""
    remarks = [words for _, words in (*_spares(row), *_nothing(row))]
    if attempts := row.attempts:
        remarks.append(wording.attempts(attempts))
    remarks += [flag for entry in row.entries for flag in entry.flags]
    remarks += [f"{id_}: {flag}" for id_, exercise in row.exercises.items() for flag in exercise.flags]
    remarks += [f"{id_}: {said}" for id_, one in row.exercises.items() if (said := wording.override(one))]
    return tuple(dict.fromkeys(remarks))


def concerns_in(rows: Sequence[Row]) -> tuple[Concern, ...]:
    """All that needs a human's eye, each once, the most urgent first."""
    found = [concern for row in rows for concern in _concerns_of(row)]
    for one in _shared(rows):
        first, (entries, words) = next(iter(one.items()))
        found.append(Concern(first, wording.FLAGGED, entries[0].notebook, words))
    return tuple(sorted(dict.fromkeys(found), key=lambda concern: _ORDER.index(concern.kind)))


def shared_remarks_on(rows: Sequence[Row]) -> dict[str, list[str]]:
    """The remarks that concern several students, by each of them. Only instructors may read them: they name others."""
    found: dict[str, list[str]] = {}
    for one in _shared(rows):
        for student, (_, words) in one.items():
            found.setdefault(student, []).append(words)
    return found


def flags_beside(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[str]]:
    """What shows of an entry only beside the others, by its student, notebook and path; in none of its own ``flags``.

    Only instructors may read it: it names other students.
    """
    found: dict[tuple[str, str, str], list[str]] = {}

    def flag(entry: SubmissionReport, words: str) -> None:
        found.setdefault((entry.student, entry.notebook, entry.path), []).append(words)

    for row in rows:
        for entry in row.spare:
            flag(entry, wording.spare(entry))
        for entry, words in _nothing(row):
            flag(entry, words)
        if attempts := row.attempts:
            for entry in row.entries:
                if entry.notebook in attempts:
                    flag(entry, wording.attempts(attempts))
    for one in _shared(rows):
        for entries, words in one.values():
            for entry in entries:
                flag(entry, words)
    return found


def _shared(rows: Sequence[Row]) -> list[_Shared]:
    return [*_namesakes(rows), *_same_files(rows), *_missed(rows)]


def _of_the_others(say: Callable[[list[str]], str], found: Mapping[str, Sequence[SubmissionReport]]) -> _Shared:
    """What is said of each of the students by the names of the others."""
    return {name: (found[name], say([other for other in found if other != name])) for name in found}


def _same_files(rows: Sequence[Row]) -> list[_Shared]:
    """Each file that several students handed in with something done in it: a team's, or a copy."""
    owners: dict[str, dict[str, list[SubmissionReport]]] = {}
    for row in rows:
        for entry in row.entries:
            if not entry.by_hand and any(exercise.status not in UNTRIED for exercise in entry.exercises):
                owners.setdefault(entry.sha256, {}).setdefault(row.student, []).append(entry)
    return [_of_the_others(wording.same_file, found) for found in owners.values() if len(found) > 1]


def _namesakes(rows: Sequence[Row]) -> list[_Shared]:
    """Students whose names have the same words: perhaps one student with several rows."""
    alike: dict[str, dict[str, list[SubmissionReport]]] = {}
    for row in rows:
        alike.setdefault(words_of(row.student), {})[row.student] = [row.entries[0]]
    return [_of_the_others(wording.namesakes, found) for found in alike.values() if len(found) > 1]


def _missed(rows: Sequence[Row]) -> list[_Shared]:
    """Each thing that notebooks missed where they ran and lost points: perhaps not for the students.

    A cell that begins ``import matplotlib`` defines nothing where there is none, ``torch`` in the next line included.
    """
    found: dict[tuple[Callable[[str, Sequence[str]], str], str], dict[str, list[SubmissionReport]]] = {}
    for row in rows:
        for entry in row.entries:
            if entry.score is None or entry.score < entry.possible:
                for missed in dict.fromkeys(_missed_in(failure.error) for failure in entry.failed_cells):
                    if missed is not None:
                        found.setdefault(missed, {}).setdefault(row.student, []).append(entry)
    return [
        {student: (entries, told(name, list(who))) for student, entries in who.items()}
        for (told, name), who in found.items()
    ]


def _missed_in(error: str) -> tuple[Callable[[str, Sequence[str]], str], str] | None:
    """What a cell missed, after what is said of such; None where it ended for another reason."""
    found = ((told, pattern.match(error)) for pattern, told in _OF_THE_PLACE)
    return next(((told, match[1]) for told, match in found if match is not None), None)


def _concerns_of(row: Row) -> list[Concern]:
    own = (*_spares(row), *((entry.notebook, words) for entry, words in _nothing(row)))
    found = [Concern(row.student, wording.FLAGGED, notebook, words) for notebook, words in own]
    told: set[tuple[str, str]] = set()  # each of several attempts has the flag that there are so many
    for entry in row.entries:
        if entry not in row.spare and entry.status in URGENCY:
            found.append(Concern(row.student, entry.status, entry.notebook, wording.reason(entry)))
        broken = [exercise.id for exercise in entry.exercises if exercise.status == "grader_error"]
        if broken and entry.status != "grader_error":
            detail = wording.GRADER_ERROR_IN.format(exercises=", ".join(broken))
            found.append(Concern(row.student, "grader_error", entry.notebook, detail))
        unseen = [exercise for exercise in entry.exercises if exercise.override is None]
        kind = kind_of_notebook(entry.notebook)
        new = [flag for flag in entry.flags if (kind, flag) not in told]
        told.update((kind, flag) for flag in new)
        flags = [*new, *(f"{exercise.id}: {flag}" for exercise in unseen for flag in exercise.flags)]
        if flags:
            found.append(Concern(row.student, wording.FLAGGED, entry.notebook, "; ".join(flags)))
    if attempts := row.attempts:
        found.append(Concern(row.student, wording.FLAGGED, attempts[0], wording.attempts(attempts)))
    return found


def _spares(row: Row) -> list[tuple[str, str]]:
    """The notebooks that take nothing away, with a remark on each; one remark on many without exercises."""
    strays = [entry for entry in row.spare if entry.status == "no_exercises"]
    if len(strays) <= _STRAYS:
        return [(entry.notebook, wording.spare(entry)) for entry in row.spare]
    others = [(entry.notebook, wording.spare(entry)) for entry in row.spare if entry not in strays]
    return [(strays[0].notebook, wording.strays([entry.notebook or entry.path for entry in strays])), *others]


def _nothing(row: Row) -> list[tuple[SubmissionReport, str]]:
    """The notebooks in which none of their exercises is; else the first, where none is that was assigned."""
    empty = [(entry, wording.NONE_FOUND) for entry in row.entries if _none_found(entry.exercises)]
    if not empty and row.score is not None and _none_found(row.answers):
        return [(row.entries[0], wording.NONE_ASSIGNED)]
    return empty


def _none_found(exercises: Sequence[ExerciseScore]) -> bool:
    """Whether not one of them is there, and no human ruled on any."""
    return bool(exercises) and all(one.status == "missing" and one.override is None for one in exercises)
