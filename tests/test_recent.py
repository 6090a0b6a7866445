"""What is kept never weighs more than it may, but for the newest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.recent import Recent, by_source


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20))), st.integers(0, 30))
def test_recent_keeps_the_newest_within_its_budget(entries: list[tuple[int, int]], budget: int) -> None:
    table: Recent[int, int] = Recent(budget)
    weights: dict[int, int] = {}
    for key, weight in entries:
        table.keep(key, weight, weight)
        weights.pop(key, None)
        weights[key] = weight
        assert table.get(key) == weight
        kept = [one for one in weights if table.get(one) is not None]
        assert len(kept) == len(table)
        assert kept == list(weights)[len(weights) - len(kept) :]
        assert len(kept) == 1 or sum(weights[one] for one in kept) <= budget


def test_function_of_a_source_is_asked_once_while_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.recent.SOURCE_KEPT", 6)
    asked = []

    @by_source
    def length(source: str) -> int | None:
        asked.append(source)
        return len(source) or None

    assert [length(source) for source in ("", "", "abc", "abc", "defg", "abc")] == [None, None, 3, 3, 4, 3]
    assert asked == ["", "abc", "defg", "abc"]
