from __future__ import annotations

import random

from grader.names.alphabet import alphabetical


def test_order_of_names_does_not_depend_on_where_they_stood() -> None:
    names = ["Émile", "Emile", "emile", "Zoë", "zoe", "Ørsted", "Olga", "иван", "Иван", "王"]
    ordered = sorted(names, key=alphabetical)
    for _ in range(5):
        random.shuffle(names)
        assert sorted(names, key=alphabetical) == ordered
    assert ordered[:3] == ["Emile", "emile", "Émile"]
