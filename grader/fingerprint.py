"""What a graded submission depends on, as one hash: while it holds, the submission need not be run again."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from grader.gradebook import RunSettings
from grader.model import Course, Limits, Submission
from grader.visible import files_of_work


def course_digest(course: Course) -> str:
    """A hash of the course's files, its forward passes' among them, its notebooks, and the exercises' order."""
    digest = hashlib.sha256()
    files = {*course.files, *(Path(exercise.forward.__code__.co_filename) for exercise in course.exercises.values())}
    if course.exercises_dir is not None:
        files.update(course.exercises_dir.glob("*.ipynb"))
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(os.fsencode(file.name) + b"\0" + len(content).to_bytes(8, "big") + content)
    digest.update("\0".join(course.exercises).encode())
    return digest.hexdigest()


def fingerprint(submission: Submission, settings: RunSettings, limits: Limits, course: str) -> str:
    """A hash of the notebook, the files beside it, the settings of the run, its limits and the course's digest."""
    parts = [
        submission.sha256,
        submission.unreadable or "",
        *submission.flags,
        repr(sorted(asdict(settings).items())),
        repr(sorted((name, float(value)) for name, value in asdict(limits).items())),
        course,
    ]
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    if submission.assets is not None:
        for name, content in _assets(submission, limits.written):
            digest.update(os.fsencode(name) + b"\0" + content)
    return digest.hexdigest()


def _assets(submission: Submission, most: int) -> Iterator[tuple[str, bytes]]:
    """Name and content hash of each regular file beside a notebook, in order; links and special files are not read."""
    assert submission.assets is not None
    left = most
    for root, files in files_of_work(submission.assets, below=submission.assets_below):
        for name in files:
            path = Path(root, name)
            try:
                status = path.lstat()
                if not stat.S_ISREG(status.st_mode) or name.endswith(".ipynb"):
                    continue
                left -= status.st_size
                content = hashlib.sha256(path.read_bytes()).digest() if left >= 0 else str(status.st_size).encode()
            except OSError as error:
                content = f"unreadable {error.errno}".encode()
            yield str(path.relative_to(submission.assets)), content
