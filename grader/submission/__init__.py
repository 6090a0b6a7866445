"""Who handed in what: collect submissions from folders and archives, read a notebook, find its answers.

``collecting`` makes an ``entry`` of each notebook, with ``attribution`` to its student; ``reading`` makes a submission
of an entry. Both open ``files`` that students control.

The names below are the public ones; each imports its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.submission.attribution.file_names import stems_in as stems_in
    from grader.submission.collecting.collection import collect as collect
    from grader.submission.collecting.excess import turns as turns
    from grader.submission.entry import Collection as Collection
    from grader.submission.entry import Entry as Entry
    from grader.submission.entry import Wanted as Wanted
    from grader.submission.files.limits import CollectLimits as CollectLimits
    from grader.submission.reading.givens import givens_of as givens_of
    from grader.submission.reading.reading import read as read
    from grader.submission.reading.reliance import names_used as names_used
    from grader.submission.reading.renaming import released_definitions as released_definitions
    from grader.submission.reading.renaming import renamed as renamed
    from grader.submission.reading.suspicion import autograd_suspected as autograd_suspected
    from grader.submission.reading.suspicion import lookup_suspected as lookup_suspected
    from grader.submission.reading.suspicion import optimizer_suspected as optimizer_suspected

__getattr__, __all__ = lazy.public(
    __name__,
    {
        "collecting.collection": "collect",
        "collecting.excess": "turns",
        "entry": "Collection Entry Wanted",
        "attribution.file_names": "stems_in",
        "files.limits": "CollectLimits",
        "reading.givens": "givens_of",
        "reading.reading": "read",
        "reading.reliance": "names_used",
        "reading.renaming": "released_definitions renamed",
        "reading.suspicion": "autograd_suspected lookup_suspected optimizer_suspected",
    },
)
