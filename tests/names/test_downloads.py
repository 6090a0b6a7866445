from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.names.downloads import BLACKBOARD, BRIGHTSPACE, CANVAS, LAYOUTS, MOODLE, DownloadName, Layout, read

EXAMPLES = [(layout, name, said) for layout in LAYOUTS for name, said in layout.examples.items()]
#: Names of people, with what is rare in them.
PEOPLE = st.from_regex(r"[A-Za-zÀ-ž][A-Za-zÀ-ž' .-]{0,20}[A-Za-zÀ-ž]", fullmatch=True)
NOTEBOOKS = st.from_regex(r"[0-9]{2}_[a-z]{1,12}", fullmatch=True)
NUMBERS = st.integers(100, 10**9).map(str)


@pytest.mark.parametrize(("layout", "name", "said"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES])
def test_each_example_is_read_by_its_own_layout_alone(layout: Layout, name: str, said: DownloadName) -> None:
    assert layout.read(name) == read(name) == said
    assert [other.platform for other in LAYOUTS if other.read(name) is not None] == [layout.platform]


@pytest.mark.parametrize("name", ["ada", "HW3_ada", "03_backprop", "submission_101", "ada_03_backprop", "2026", ""])
def test_no_platform_is_seen_in_names_that_people_choose(name: str) -> None:
    assert read(name) is None


@given(PEOPLE, NUMBERS, NOTEBOOKS)
def test_moodles_and_canvas_names_say_whose_they_are_whoever_it_is(person: str, number: str, notebook: str) -> None:
    assert MOODLE.read(f"{person}_{number}_assignsubmission_file_{notebook}") == DownloadName(person, number, notebook)
    assert CANVAS.read(f"{person}_{number}_{number}9_{notebook}") == DownloadName(person, number, notebook)


@given(PEOPLE, NOTEBOOKS)
def test_blackboards_and_brightspaces_names_say_whose_they_are(person: str, notebook: str) -> None:
    attempt = f"HW 3_{person}_attempt_2026-11-03-11-30-00_{notebook}"
    assert BLACKBOARD.read(attempt) == DownloadName(person, "", notebook, "2026-11-03-11-30-00")
    handed_in = f"397063-2557369 - {person} - Sep 24, 2026 926 PM - {notebook}"
    assert BRIGHTSPACE.read(handed_in) == DownloadName(person, "", notebook, "Sep 24, 2026 926 PM")
