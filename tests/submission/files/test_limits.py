"""What a submission may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.submission.files.limits import Allowance, CollectLimits
from grader.submission.files.regular_file import TooLarge


def test_limits_are_those_that_are_promised() -> None:
    limits = CollectLimits()
    assert (limits.notebook_bytes, limits.cells) == (25 * 2**20, 2_000)
    assert (limits.unpacked_bytes, limits.archive_entries, limits.files) == (500 * 2**20, 10_000, 200_000)


@given(st.lists(st.integers(0, 30), max_size=8), st.integers(0, 60), st.integers(0, 8))
def test_allowance_is_used_up_to_the_last_byte_and_entry(sizes: list[int], most_bytes: int, most_entries: int) -> None:
    allowance = Allowance(CollectLimits(unpacked_bytes=most_bytes, archive_entries=most_entries))
    for count, size in enumerate(sizes, start=1):
        if count > most_entries:
            with pytest.raises(TooLarge, match=f"more than {most_entries} files"):
                allowance.count_entry()
            return
        allowance.count_entry()
        if sum(sizes[:count]) > most_bytes:
            with pytest.raises(TooLarge, match="more than 0 MB"):
                allowance.count_bytes(size)
            return
        allowance.count_bytes(size)
