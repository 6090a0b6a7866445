"""Who handed in what: collect submissions from folders and archives, read a notebook, find its answers.

Collecting, from the paths of the command line to entries
    ``collection`` decides what needs the whole class. Each path is a ``listing``: walked by ``finding``, its archives
    unpacked by ``archive`` (``zip_names``) unless they lie there ``unpacked``, the folders ``wrapping`` the work taken
    off. Whose each file is, a ``draft`` tells by ``naming``: by ``file_names``, ``folder_names`` and what
    ``gradescope`` says of its export. ``missing`` knows who handed in no notebook, ``excess`` who handed in too
    many; ``remarks`` are for the operator.
Reading one of them
    ``reading`` takes the cells out of a ``notebook``; ``location`` finds the answers among their ``definitions`` and
    ``patches``, apart from the course's ``givens``. ``suspicion`` (with ``reliance`` on other cells) and ``meddling``
    find what a human should look at.
For both
    ``entry`` is what passes between the two, ``limits`` how much there may be; ``regular_file`` opens what a student
    controls, ``printable`` makes its name fit to be shown.

The names below are the public ones; each imports its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.submission.collection import collect as collect
    from grader.submission.entry import Collection as Collection
    from grader.submission.entry import Entry as Entry
    from grader.submission.entry import Wanted as Wanted
    from grader.submission.file_names import stems_in as stems_in
    from grader.submission.givens import givens_of as givens_of
    from grader.submission.limits import CollectLimits as CollectLimits
    from grader.submission.location import locate as locate
    from grader.submission.reading import read as read
    from grader.submission.reliance import names_used as names_used
    from grader.submission.suspicion import autograd_suspected as autograd_suspected
    from grader.submission.suspicion import optimizer_suspected as optimizer_suspected

__getattr__, __all__ = lazy.public(
    __name__,
    {
        "collection": "collect",
        "entry": "Collection Entry Wanted",
        "file_names": "stems_in",
        "givens": "givens_of",
        "limits": "CollectLimits",
        "location": "locate",
        "reading": "read",
        "reliance": "names_used",
        "suspicion": "autograd_suspected optimizer_suspected",
    },
)
