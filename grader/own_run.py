"""A student's own run of one notebook: ``grader check``.

As for a class, the kernels' process is started before anything is imported here that it does not need for that.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from grader import torch_import
from grader.errors import UsageError
from grader.kernel.host.pool import KernelPool
from grader.model import SubmissionReport


def check_notebook(notebook: Path, course: str = "autograd") -> SubmissionReport:
    """The report of one notebook, on the public seed and without a sandbox.

    Raises:
        UsageError: there is no such notebook.
        CourseError: the course cannot be loaded.
    """
    try:
        notebook.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{notebook} does not exist", remedy="name your notebook, an .ipynb file") from None
    except OSError as error:
        raise UsageError(
            f"cannot look at {notebook}: {error.strerror}", remedy="name a path that this user may read"
        ) from None
    if not notebook.is_file():
        raise UsageError(f"{notebook} is no notebook", remedy="name one .ipynb file; `grader score` takes folders")
    from grader.submission.files.finding import is_archive, is_notebook

    if not (is_notebook(notebook.name) or is_archive(notebook.name)):
        raise UsageError(
            f"{notebook} is no notebook", remedy="name the .ipynb file that you work in, not an export of it"
        )
    return asyncio.run(_check_notebook(notebook, course))


async def _check_notebook(notebook: Path, course: str) -> SubmissionReport:
    from grader.kernel.host.workplace import Workplace
    from grader.submission.collecting.collection import collect

    async with KernelPool(sandbox="none", jobs=1) as pool:
        torch_import.postpone_shapes()
        from grader.course.loading import load_course
        from grader.judge.cases import PUBLIC_SEED
        from grader.pipeline import grade, read_entry
        from grader.seeded_course import SeededCourse

        seeded = SeededCourse(load_course(course), PUBLIC_SEED)
        with Workplace() as place:
            collection = collect([notebook], place=place, known=seeded.course.notebooks)
            if len(collection) > 1:
                raise UsageError(
                    f"{notebook} holds {len(collection)} notebooks",
                    remedy="unpack it, and name the one that you work in",
                )
            submission = read_entry(collection.entries[0], seeded)
            return submission if isinstance(submission, SubmissionReport) else await grade(submission, seeded, pool)
