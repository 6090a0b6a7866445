"""What a graded submission depends on, as one hash: while it holds, the submission need not be run again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path

from grader.gradebook.run_head import RunSettings
from grader.kernel.host.assets import LeftOut, opened
from grader.model import Course, Limits, Submission
from grader.names.visible import files_of


def course_digest(course: Course) -> str:
    """A hash of the course's files, its forward passes' among them, what is released, and the exercises' order."""
    digest = hashlib.sha256()
    files = {*course.files, *(Path(exercise.forward.__code__.co_filename) for exercise in course.exercises.values())}
    if course.exercises_dir is not None:
        files.update(course.exercises_dir.glob("*.ipynb"), (path for _, path in files_of(course.assets)))
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(os.fsencode(file.name) + b"\0" + len(content).to_bytes(8, "big") + content)
    digest.update("\0".join(course.exercises).encode())
    return digest.hexdigest()


def files_digest(submission: Submission, limits: Limits) -> str:
    """A hash of the names and contents of the files that the notebook finds beside it."""
    digest = hashlib.sha256()
    for name, content in _assets(submission, limits.written):
        digest.update(os.fsencode(name) + b"\0" + content)
    return digest.hexdigest()


def fingerprint(submission: Submission, settings: RunSettings, limits: Limits, course: str, files: str) -> str:
    """A hash of the notebook, what it is called, its ``files_digest``, the run's settings and limits, and the course.

    ``course`` is the ``course_digest``.
    """
    parts = [
        submission.sha256,
        submission.notebook,
        submission.unreadable or "",
        *submission.flags,
        repr(sorted(asdict(settings).items())),
        repr(sorted((name, float(value)) for name, value in asdict(limits).items())),
        course,
        files,
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _assets(submission: Submission, most: int) -> Iterator[tuple[str, bytes]]:
    """Name and content hash of each file that the kernel gets; of other notebooks only where the code speaks of such.

    A student's notebooks often lie in one folder, and one that changes is no reason to run the others again.
    """
    notebooks = any(".ipynb" in cell.source for cell in submission.cells)
    for asset in opened(submission.assets, most):
        if isinstance(asset, LeftOut):
            continue
        with os.fdopen(asset.fd, "rb") as file:
            if notebooks or not asset.path.endswith(".ipynb"):
                yield asset.path, _digest(file)


def _digest(file: BufferedReader) -> bytes:
    try:
        return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return f"unreadable {error.errno}".encode()
