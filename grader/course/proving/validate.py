"""``grader validate``: prove a course before students meet it.

For every exercise: the solution earns all points and the released stub none, numerical differences agree with the
forward pass, every known mistake loses points and is called by its name, and other right answers lose none, over many
seeds. All of it runs in this process, without a kernel; the course's own code is trusted.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import warnings
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from difflib import get_close_matches
from pathlib import Path

import torch

from grader.course.proving.answers import answers_to
from grader.course.proving.proof import Effort, prove
from grader.course.proving.proof_report import CourseProof, ExerciseProof, unproved
from grader.course.proving.rehearsal import in_folder_of
from grader.course.releasing.release import release
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
    only: Sequence[str] = (),
    seeds: int = 1000,
    quick: bool = False,
    progress: Progress = lambda proof, done, total: None,
    underway: Callable[[int, int], None] = lambda seeds, total: None,
    jobs: int = 1,
) -> CourseProof:
    """Prove ``course`` with the solution notebooks in ``solutions`` and the specimens beside them.

    ``solutions`` defaults to the folder of that name beside the released notebooks, before the first release beside the
    course's file. Where ``only`` names exercises, these alone are proved. ``seeds`` are those of the right answers in
    the thorough proof. ``progress`` is told each exercise's proof, how many are done and how many there are;
    ``underway``, now and then in between, how many seeds of all exercises are.

    What keeps an exercise from being proved is a problem of that exercise's, and the others are proved all the same.

    Raises:
        CourseError: there are no solutions, or not one for each notebook; or no exercise has a name of ``only``.
    """
    began = time.monotonic()
    folder = _solutions(course, solutions)
    _refuse_strays(folder)
    effort = QUICK if quick else Effort(seeds, min(seeds, MUTANT_SEEDS))
    work = tuple((exercise, folder.resolve(), course, effort) for exercise in _chosen(course, only))
    total = sum(_seeds_of(one) for one in work)
    proofs: dict[str, ExerciseProof] = {}
    for proof in _proofs(work, jobs, lambda seeds: underway(seeds, total)):
        proofs[proof.exercise] = proof
        progress(proof, len(proofs), len(work))
    return CourseProof(
        course=course.name,
        seeds=effort.seeds,
        exercises=tuple(proofs[exercise.id] for exercise, *_ in work),
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


def _chosen(course: Course, only: Sequence[str]) -> list[Exercise]:
    """The exercises to be proved, in the order of the course."""
    for name in only:
        if name not in course.exercises:
            near = get_close_matches(name, course.exercises, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(course.exercises)}"
            raise CourseError(f"the course {course.name!r} has no exercise {name!r}", remedy=meant)
    return [exercise for name, exercise in course.exercises.items() if not only or name in only]


def _refuse_strays(folder: Path) -> None:
    """Refuse a file of specimens that belongs to no notebook: it would prove nothing, without a word."""
    notebooks = sorted(file.stem for file in folder.glob("*.ipynb"))
    for file in sorted(folder.glob("mistakes/*.py")) + sorted(folder.glob("variants/*.py")):
        if file.stem not in notebooks and not file.name.startswith("_"):
            raise CourseError(
                f"{file} belongs to no notebook in {folder}",
                remedy=f"remove it, or call it after one: {', '.join(notebooks)}; or let its name begin with _",
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
            slowest_first = sorted(range(len(work)), key=lambda index: work[index][0].time_limit is None)
            waiting = {pool.submit(_prove_adopted, index) for index in slowest_first}
            while waiting:
                done, waiting = wait(waiting, timeout=_TOLD_S, return_when=FIRST_COMPLETED)
                told(sum(counts))
                yield from (one.result() for one in done)
        except BaseException:
            for helper in multiprocessing.active_children():  # a proof takes minutes, for which nobody waits any more
                helper.terminate()
            raise


def _seeds_of(work: _Work) -> int:
    """On how many seeds it is proved, unless it breaks off."""
    exercise, _, _, effort = work
    mine = effort.for_exercise(exercise)
    return max(mine.seeds, mine.mutant_seeds)


#: What a helper process was given as it began. The tasks that a pool hands to it are pickled, and can hold none of it.
#: Both stay empty in the process that has the helpers.
_adopted: list[_Work] = []
_counts: list[MutableSequence[int]] = []


def _adopt(work: Sequence[_Work], counts: MutableSequence[int]) -> None:
    """In a helper process: what it inherited, and where it counts the seeds of each that are done.

    Ctrl-C reaches it too, but its parent alone says so, and ends it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
    if folder is None:
        beside = [course.exercises_dir] if course.exercises_dir is not None else course.files
        nearest = min(beside, key=lambda path: len(path.parts), default=None)
        folder = nearest.parent / "solutions" if nearest is not None else None
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
                remedy="write it, name another folder with --solutions, or correct NOTEBOOK in the course",
            )
    return folder
