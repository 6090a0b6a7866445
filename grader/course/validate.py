"""``grader validate``: prove a course before students meet it.

For every exercise: the solution earns all points and the released stub none, numerical differences agree with the
forward pass, every known mistake loses points and is called by its name, and other right answers lose none, over many
seeds. All of it runs in this process, without a kernel; the course's own code is trusted.
"""

from __future__ import annotations

import multiprocessing
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import torch

from grader.course.proof import Effort, prove
from grader.course.rehearsal import in_folder_of, namespace_of
from grader.course.release import release
from grader.course.solution import MarkerProblem, cut
from grader.course.specimens import refuse_unknown, specimens_in
from grader.course.trial import Answers
from grader.course.validation import ExerciseProof, ValidationReport, unproved
from grader.errors import CourseError, ReleaseError
from grader.model import Course, Exercise

#: Seeds of right answers, and of mistakes and stubs, in the quick proof.
QUICK = Effort(seeds=12, mutant_seeds=1)
#: Seeds of mistakes and stubs in the thorough proof.
MUTANT_SEEDS = 10

Progress = Callable[[ExerciseProof, int, int], None]
#: So often is told how far the proofs are that go on in other processes, in seconds.
_TOLD_S = 0.25


def validate(
    course: Course,
    *,
    solutions: Path | None = None,
    seeds: int = 1000,
    quick: bool = False,
    progress: Progress = lambda proof, done, total: None,
    underway: Callable[[int, int], None] = lambda seeds, total: None,
    jobs: int = 1,
) -> ValidationReport:
    """Prove ``course`` with the solution notebooks in ``solutions`` and the specimens beside them.

    ``solutions`` defaults to the folder of that name beside the released notebooks. ``seeds`` are those of the right
    answers in the thorough proof. ``progress`` is told each exercise's proof, how many are done and how many there are;
    ``underway``, now and then in between, how many seeds of all exercises are.

    What keeps an exercise from being proved is a problem of that exercise's, and the others are proved all the same.

    Raises:
        CourseError: there are no solutions, or not one for each notebook.
    """
    began = time.monotonic()
    folder = _solutions(course, solutions)
    _refuse_strays(folder)
    effort = QUICK if quick else Effort(seeds, min(seeds, MUTANT_SEEDS))
    work = tuple((exercise, folder.resolve(), course, effort) for exercise in course.exercises.values())
    total = sum(_seeds_of(one) for one in work)
    proofs: dict[str, ExerciseProof] = {}
    for proof in _proofs(work, jobs, lambda seeds: underway(seeds, total)):
        proofs[proof.exercise] = proof
        progress(proof, len(proofs), len(work))
    return ValidationReport(
        course=course.name,
        seeds=effort.seeds,
        quick=quick,
        exercises=tuple(proofs[name] for name in course.exercises),
        seconds=time.monotonic() - began,
    )


def is_released(course: Course, solutions: Path | None = None) -> bool:
    """Whether the course's released notebooks are what its solutions give now; True where there are none yet."""
    if course.exercises_dir is None:
        return True
    try:
        return not release(_solutions(course, solutions), course.exercises_dir, check=True).differing
    except ReleaseError:
        return False


def _refuse_strays(folder: Path) -> None:
    """Refuse a file of specimens that belongs to no notebook: it would prove nothing, without a word."""
    notebooks = sorted(file.stem for file in folder.glob("*.ipynb"))
    for file in sorted(folder.glob("mistakes/*.py")) + sorted(folder.glob("variants/*.py")):
        if file.stem not in notebooks and not file.name.startswith("_"):
            raise CourseError(
                f"{file} belongs to no notebook in {folder}",
                remedy=f"call it after one: {', '.join(notebooks)}; or let its name begin with _",
            )


_Work = tuple[Exercise, Path, Course, Effort]


def _proofs(work: Sequence[_Work], jobs: int, told: Callable[[int], None]) -> Iterator[ExerciseProof]:
    """The proofs, as they are done. Declarations hold functions, so helpers are forked and inherit them.

    ``told`` gets how many seeds are done.
    """
    if jobs <= 1:
        before = 0
        for one in work:
            yield _prove(one, lambda seeds, before=before: told(before + seeds))  # type: ignore[misc]
            before += _seeds_of(one)
        return
    fork = multiprocessing.get_context("fork")
    counts = fork.Array("q", len(work), lock=False)
    with ProcessPoolExecutor(jobs, fork, initializer=_adopt, initargs=(work, counts)) as pool:
        try:
            waiting = {pool.submit(_prove_adopted, index) for index in _slowest_first(work)}
            while waiting:
                done, waiting = wait(waiting, timeout=_TOLD_S, return_when=FIRST_COMPLETED)
                told(sum(counts))
                yield from (one.result() for one in done)
        finally:
            pool.shutdown(cancel_futures=True)


def _seeds_of(work: _Work) -> int:
    """On how many seeds it is proved, unless it breaks off."""
    exercise, _, _, effort = work
    mine = effort.for_exercise(exercise)
    return max(mine.seeds, mine.mutant_seeds)


def _slowest_first(work: Sequence[_Work]) -> list[int]:
    return sorted(range(len(work)), key=lambda index: work[index][0].time_limit is None)


_adopted: list[_Work] = []
_counts: list[MutableSequence[int]] = []


def _adopt(work: Sequence[_Work], counts: MutableSequence[int]) -> None:
    """In a helper process: what it inherited, and where it counts the seeds of each that are done."""
    _adopted[:] = work
    _counts[:] = [counts]


def _prove_adopted(index: int) -> ExerciseProof:
    def count(seeds: int) -> None:
        _counts[0][index] = seeds

    proof = _prove(_adopted[index], count)
    count(_seeds_of(_adopted[index]))
    return proof


def _prove(work: _Work, count: Callable[[int], None]) -> ExerciseProof:
    exercise, folder, course, effort = work
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), in_folder_of(folder / f"{exercise.notebook}.ipynb"):
            warnings.simplefilter("ignore")
            return prove(exercise, answers_to(exercise, folder, course), effort, count)
    except CourseError as error:
        named = f"exercise {exercise.id!r}"
        message = str(error).removeprefix(f"{named}, ").removeprefix(f"{named}: ")
        return unproved(exercise.id, exercise.notebook, message, error.remedy)
    finally:
        torch.set_num_threads(threads)


def _solutions(course: Course, given: Path | None) -> Path:
    folder = given
    if folder is None and course.exercises_dir is not None:
        folder = course.exercises_dir.parent / "solutions"
    if folder is None or not folder.is_dir():
        place = "beside its exercises" if folder is None else f"at {folder}"
        raise CourseError(
            f"the course {course.name!r} has no solutions {place}, and a proof needs them",
            remedy="run this in the course's repository, or name the folder with --solutions",
        )
    for notebook in course.notebooks:
        if not (folder / f"{notebook}.ipynb").is_file():
            raise CourseError(
                f"there is no solution notebook {folder / notebook}.ipynb",
                remedy="write it, or name another folder with --solutions",
            )
    return folder


def answers_to(exercise: Exercise, folder: Path, course: Course) -> Answers:
    """The answers to one exercise that ``folder``, of solutions, holds; each in a namespace that is its own.

    Raises:
        CourseError: a notebook or a file of specimens there cannot be read or run, or has no cell for the exercise.
    """
    path = folder / f"{exercise.notebook}.ipynb"
    code = _code_cells(path)
    siblings = {name: one for name, one in course.exercises.items() if one.notebook == exercise.notebook}
    given = [source for name, source in code if name is None]
    tagged = {name: source for name, source in code if name is not None}
    _refuse_second_tag(path, [name for name, _ in code if name is not None])
    if exercise.id not in tagged and not any(name in tagged for name in exercise.needs):
        raise CourseError(
            f"{path} has no cell for it",
            exercise=exercise.id,
            remedy=f'give its cell the metadata {{"grader": {{"exercise": "{exercise.id}"}}}}',
        )
    try:
        stubs = {name: cut(source).source for name, source in tagged.items()}
    except MarkerProblem as error:
        raise CourseError(f"{path}: {error}", exercise=exercise.id, remedy=error.remedy) from error
    reruns = {name for name, one in siblings.items() if one.rerun}
    solved = _namespace(path, {name: source for name, source in tagged.items() if name not in reruns}, given)
    mistakes, variants = (folder / kind / f"{exercise.notebook}.py" for kind in ("mistakes", "variants"))
    wrong, right = specimens_in(mistakes, solved, wrong=True), specimens_in(variants, solved, wrong=False)
    refuse_unknown(siblings, wrong, str(mistakes))
    refuse_unknown(siblings, right, str(variants))
    return Answers(
        solved=solved,
        released=_namespace(path, {name: source for name, source in stubs.items() if name not in reruns}, given),
        solution=tagged.get(exercise.id, ""),
        stub=stubs.get(exercise.id, ""),
        mistakes=tuple(one for one in wrong if one.exercise == exercise.id),
        variants=tuple(one for one in right if one.exercise == exercise.id),
    )


def _refuse_second_tag(path: Path, tags: Sequence[str]) -> None:
    """Refuse two cells with one tag: which one is graded would be a guess, and every student flagged."""
    for name in dict.fromkeys(tags):
        if tags.count(name) > 1:
            raise CourseError(
                f"{path} has {tags.count(name)} cells for it", exercise=name, remedy="tag the one that holds its answer"
            )


def _namespace(path: Path, answers: Mapping[str, str], given: Sequence[str]) -> dict[str, Any]:
    """What a notebook's cells define; a cell that does not run is told like any other fault of a course."""
    try:
        return namespace_of({f"the cell of {name!r}": source for name, source in answers.items()}, given)
    except Exception as error:
        raise CourseError(
            f"{path} cannot be run: {type(error).__name__}: {error}",
            place=_line_in_cell(error),
            remedy="run it in Jupyter from the top",
        ) from error


def _line_in_cell(error: Exception) -> str:
    """The cell and the line that raised ``error``; empty where it was none with an answer, or the error says so."""
    if isinstance(error, SyntaxError):
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("the cell of")]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def _code_cells(path: Path) -> list[tuple[str | None, str]]:
    """The exercise tag and the source of each code cell."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise CourseError(
            f"{path} is no notebook of format 4: {reason}", remedy="open and save it with Jupyter"
        ) from error
    return [(_tag(cell, path), cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def _tag(cell: Any, path: Path) -> str | None:
    tag = cell.metadata.get("grader", {})
    if not isinstance(tag, dict):
        raise CourseError(
            f"{path}: a cell's metadata say 'grader': {tag!r}", remedy='write {"grader": {"exercise": "…"}}'
        )
    return tag.get("exercise")
