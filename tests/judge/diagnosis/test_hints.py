"""What an author asks where no known mistake explains an answer."""

from __future__ import annotations

from dataclasses import replace

from grader.judge.diagnosis.table import diagnose
from grader.judge.evidence import gather
from tests.judge.builders import cases, changed_runs, linear, noise

ASKED = replace(linear, hints={"w.g": "Which factor of the product is w?"})


def hints(change):
    runs = changed_runs(linear, {"w.g": change, "b.g": change})
    return {check: found.hint for check, found in diagnose(gather(ASKED, cases(linear), runs)).items()}


def test_hint_of_the_author_stands_where_no_known_mistake_explains_the_answer():
    asked = hints(noise)
    assert asked["w.g"] == "Which factor of the product is w?"
    assert "paper" in asked["b.g"]


def test_hint_of_the_author_gives_way_to_a_known_mistake():
    asked = hints(lambda one, right: -right)
    assert asked["w.g"] == asked["b.g"] != "Which factor of the product is w?"
