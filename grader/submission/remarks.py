"""What the operator should know of the paths that were named, beyond what any student's entry says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.enumeration import count_of, first_of
from grader.submission.finding import hidden_with_notebooks
from grader.submission.listing import Listing
from grader.submission.printable import printable

_NAMED = 4


def remarks_on(paths: Sequence[Path], listings: Sequence[Listing]) -> tuple[str, ...]:
    """What was named twice, and which hidden folders hold notebooks that nobody looks at."""
    return tuple(dict.fromkeys([*_overlaps([path.resolve() for path in paths]), *filter(None, [hidden_in(listings)])]))


def hidden_in(listings: Sequence[Listing]) -> str:
    """Which folders at the top of these are passed over, although there are notebooks in them; maybe empty."""
    roots = dict.fromkeys(listing.root for listing in listings if not listing.siblings)
    names = [printable(name) for root in roots for name in hidden_with_notebooks(root)]
    if not names:
        return ""
    are = f"{count_of(len(names), 'hidden folder')} with notebooks {'is' if len(names) == 1 else 'are'} passed over"
    return f"{are}: {first_of(names, _NAMED)}; rename what is a student's, so that it does not begin with a dot"


def _overlaps(paths: Sequence[Path]) -> Iterator[str]:
    for place, path in enumerate(paths):
        shown = printable(path.name or str(path))
        if path in paths[:place]:
            yield f"{shown} is named twice"
        around = next((other for other in paths if other in path.parents), None)
        if around is not None:
            yield (
                f"{shown} lies in {printable(around.name or str(around))}, which is named too: each notebook there is "
                "graded once, for whom the first of the two says"
            )
