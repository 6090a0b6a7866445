"""Who handed in what: collect submissions from folders and archives, read a notebook, find its answers."""

from grader.submission.collection import collect
from grader.submission.entry import Collection, CollectLimits, Entry, Wanted
from grader.submission.givens import givens_of
from grader.submission.location import locate
from grader.submission.reading import read
from grader.submission.suspicion import autograd_suspected

__all__ = [
    "CollectLimits",
    "Collection",
    "Entry",
    "Wanted",
    "autograd_suspected",
    "collect",
    "givens_of",
    "locate",
    "read",
]
