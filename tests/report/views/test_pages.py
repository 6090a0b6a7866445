from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Override, SubmissionStatus
from grader.report.counting.row import Row
from grader.report.counting.tally import tally
from grader.report.views.markdown import render_markdown
from grader.report.views.pages import bins, class_page, page_name, student_page
from grader.report.views.terminal import render_class
from grader.report.words import wording
from grader.report.words.text import markdown
from tests.report.builders import check, exercise, large_class, run, small_class, submission, ungraded, untouched
from tests.report.views.test_terminal import drawn


class Outline(HTMLParser):
    """What a page holds: tags, ids, links, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def _student(*exercises, hints="nudge", **fields) -> str:
    made = run(submission("ada", *exercises, **fields))
    return student_page(made, tally(made).rows[0], hints)


def test_class_page_large_class_is_below_a_megabyte_and_quick() -> None:
    made = large_class(500, 40)
    started = time.process_time()
    page = class_page(made)
    assert time.process_time() - started < 10
    assert len(page.encode()) < 1_000_000
    assert page.count('<tr><th scope="row"><a href') >= 500


def test_class_page_worst_class_is_below_a_megabyte() -> None:
    """Every one of 500 × 40 wrong, nobody alike."""
    people = [
        submission(f"a student with a rather long name {i:03}", *(
            exercise("lin_grad", {"w.g": f"code_{(i * k) % 60}"}, id=f"exercise_with_a_long_name_{k:02}")
            for k in range(40)
        ))
        for i in range(500)
    ]  # fmt: skip
    assert len(class_page(run(*people)).encode()) < 1_000_000


@pytest.mark.parametrize("made", [run(), small_class(), large_class(20, 10)], ids=["empty", "small", "large"])
def test_class_page_has_no_script_and_unique_ids(made) -> None:
    outline = Outline(class_page(made))
    assert "script" not in outline.tags
    assert not [name for name in outline.attributes if name.startswith("on") or name == "src"]
    assert len(outline.ids) == len(set(outline.ids))


def test_pages_every_link_of_the_class_page_leads_somewhere() -> None:
    made = small_class()
    pages = {
        f"students/{page_name(row.student)}": Outline(student_page(made, row, hints="nudge")).ids
        for row in tally(made).rows
    }
    outline = Outline(class_page(made))
    assert {link.partition("#")[0] for link in outline.links} >= set(pages)
    for link in outline.links:
        page, _, fragment = link.partition("#")
        assert not fragment or fragment in (pages[page] if page else outline.ids), link
        assert not page or page in pages


def test_class_page_counts_are_those_of_the_tally() -> None:
    page = class_page(small_class())
    assert re.search(r">2</span><span class=\"what\"><b>not summed over batch</b>", page)
    assert page.count("✗") == 1 + 5
    assert page.index("Needs a human’s eye") < page.index("What went wrong") < page.index("Everyone")


def test_class_page_too_many_links_are_counted() -> None:
    people = [submission(f"s{i:03}", *(exercise("lin_grad", {"w.g": "transposed"}, id=f"e{k}") for k in range(20)))
              for i in range(300)]  # fmt: skip
    page = class_page(run(*people))
    (rest,) = set(re.findall(r">and (\d+) more", page))
    assert page.count('#ex-e7"') == 300 - int(rest)


def test_class_page_tells_the_shares_of_the_points() -> None:
    text = " ".join(Outline(class_page(small_class())).text.split())
    assert "Mean7.82 65 %" in text
    nobody = run(submission("ada", replace(exercise("lin_grad"), status="grader_error")))
    assert "lin_grad –0/00" in " ".join(Outline(class_page(nobody)).text.split())


def test_student_page_failed_check_shows_everything() -> None:
    wrong = exercise(
        "lin_grad", {"w.g": "transposed"}, follows_from=("relu_grad",), flags=("`f` loops",), printed="hi\n"
    )
    page = _student(wrong)
    text = " ".join(Outline(page).text.split())
    for words in (
        "partly right",
        "cell 5, line 3",
        "w.g has shape (3, 5), the transpose",
        "Which of inp and out.g",
        "plain: n=7, i=5, o=3",
        "worst element [4, 1]: expected",
        "This one calls what is not right yet: relu_grad",
        "⚑ f loops",
        "hi",
    ):
        assert words in text
    assert page.count('<table class="heat">') == 2
    assert page.count(' worst">') == 2


def test_student_page_without_hints_has_none() -> None:
    assert "Which of inp" not in _student(exercise("lin_grad", {"w.g": "transposed"}), hints="none")


def test_student_page_holds_no_seed() -> None:
    made = small_class()
    assert all(str(made.seed) not in student_page(made, row, hints="nudge") for row in tally(made).rows)


def test_student_page_shapes_differ_says_so_without_maps() -> None:
    odd = check("w.g", 2.0, "transposed", actual_shape=(3, 7), sample=None, worst=None)
    page = _student(exercise("lin_grad", checks=(odd,), status="failed"))
    assert "expected shape (7, 3), got (3, 7)" in page
    assert "<table" not in page


@pytest.mark.parametrize("status", ["unreadable", "grader_error"])
def test_student_page_ungraded_is_no_zero(status: SubmissionStatus) -> None:
    made = run(ungraded("ada", status, "because"))
    page = student_page(made, tally(made).rows[0], hints="nudge")
    assert "This does not count as zero points" in page
    assert "<b>–</b> / 12" in page


def test_student_page_without_anything_that_could_be_read_has_no_points_of_nothing() -> None:
    made = run(replace(ungraded("ada", "unreadable", "no notebook in ada"), possible=0.0))
    page = student_page(made, tally(made).rows[0], hints="nudge")
    assert '<p class="total"><b>–</b></p>' in page


def test_class_page_a_notebook_breaks_between_its_words_and_is_escaped() -> None:
    page = class_page(run(ungraded("ada", "unreadable", "empty", notebook="05_two_<b>.ipynb")))
    assert '<td class="file">05_<wbr>two_<wbr>&lt;b&gt;.ipynb</tr>' in page


def test_student_page_two_notebooks_with_one_exercise_has_unique_ids() -> None:
    worse = submission("ada", exercise("lin_grad", {"w.g": "zeros"}), untouched("mse_grad"), notebook="b.ipynb")
    made = run(submission("ada", exercise("lin_grad"), notebook="a.ipynb"), worse)
    outline = Outline(student_page(made, tally(made).rows[0], hints="nudge"))
    assert len(outline.ids) == len(set(outline.ids))
    assert {link[1:] for link in outline.links} <= set(outline.ids)


def test_class_page_totals_of_unlike_notebooks_say_what_they_are_of() -> None:
    ada, alan = submission("ada", exercise("lin_grad"), exercise("relu_grad")), submission("alan", exercise("lin_grad"))
    page = class_page(run(ada, alan, ungraded("grace", "unreadable", "empty")))
    assert "what that student handed in, 4 to 6 points" in page
    assert ">6<small>/6</small>" in page
    assert ">4<small>/4</small>" in page
    assert "/4</small>" not in class_page(run(alan)).split('id="matrix"')[1]


@given(st.lists(st.text(), min_size=2, max_size=6, unique=True))
def test_page_name_any_names_are_safe_and_never_collide(names: list[str]) -> None:
    pages = [page_name(name) for name in names]
    assert len({page.lower() for page in pages}) == len(names)
    assert all(re.fullmatch(r"[\w-]+\.html", page.encode("ascii", "ignore").decode()) for page in pages)
    assert not any(unicodedata.category(one)[0] in "CZ" for page in pages for one in page)
    assert all(len(page.encode()) <= 255 and page == unicodedata.normalize("NFC", page) for page in pages)


@pytest.mark.parametrize(
    ("student", "begins"),
    [
        ("Łukasz Żak", "Łukasz-Zak-"),
        ("Мария й", "Мария-й-"),
        ("김민준", "김민준-"),
        ("हिन्दी", "हिन्दी-"),
        ("🙂/", "student-"),
        ("o\u0323\u0308", "ö-"),
    ],
)
def test_page_name_letters_of_any_script_stay(student: str, begins: str) -> None:
    assert page_name(student).startswith(begins)


def test_page_name_is_not_anothers_where_eight_digits_of_a_hash_are() -> None:
    assert page_name("Ada 块丐") != page_name("Ada 创丁")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.0999, 0.3, 0.7, 0.95, 1.0])
def test_bins_every_share_is_in_its_bin(share: float) -> None:
    counted = tally(run(submission("ada")))
    row = counted.rows[0]
    made = bins(type(counted)((), (Row(row.student, row.entries, {}, 12 * share, 12.0),), (), (), 12.0))
    (found,) = [place for place, bin_ in enumerate(made) if bin_.students]
    assert found == min(9, int(share * 10 + 1e-9))


def test_student_page_tells_two_notebooks_of_one_name_by_their_paths() -> None:
    attempts = [submission("ada", exercise("lin_grad"), path=path) for path in ("ada/nb.ipynb", "late/ada/nb.ipynb")]
    made = run(*attempts, submission("alan", exercise("lin_grad"), path="alan/nb.ipynb"))
    ada, alan = tally(made).rows
    assert re.findall(r"<h2 [^>]*>([^<]+)", student_page(made, ada, hints="nudge")) == [
        "ada/nb.ipynb ",
        "late/ada/nb.ipynb ",
    ]
    assert re.findall(r"<h2 [^>]*>([^<]+)", student_page(made, alan, hints="nudge")) == ["03_backprop.ipynb"]


def test_student_page_says_what_was_set_by_hand_before_what_was_found() -> None:
    ruled = exercise("lin_grad", {"w.g": "transposed"}, override=Override(2.0, "half a point for the idea"))
    made = run(submission("ada", ruled))
    page = student_page(made, tally(made).rows[0], hints="nudge")
    assert 0 < page.find("half a point for the idea") < page.find('<ul class="checks">')


def test_class_views_name_the_notebooks_that_count_and_nobody_began() -> None:
    done = submission("ada", exercise("lin_grad"), notebook="a.ipynb")
    made = run(done, submission("alan", untouched("mse_grad"), notebook="b.ipynb"))
    said = wording.unbegun({"b": 2.0}, 6.0)
    assert said in class_page(made)
    assert markdown(said) in render_markdown(made, hints="nudge")
    assert said in " ".join(drawn(render_class(made)).split())


def test_pages_name_what_was_not_assigned_and_so_not_run() -> None:
    left = ungraded("ada", "not_assigned", "not run", notebook="06_optimizers.ipynb")
    made = run(submission("ada", exercise("lin_grad")), left, assigned={"lin_grad": 4.0})
    shown = student_page(made, tally(made).rows[0], hints="nudge")
    assert "Not assigned, so not graded: 06_optimizers.ipynb." in shown
    assert shown.count("06_optimizers") == 1
    assert "Not assigned, so not run: 1 notebook (06_optimizers.ipynb)." in class_page(made)


def test_student_page_names_what_was_neither_assigned_nor_begun() -> None:
    begun = submission("ada", exercise("relu_grad"), notebook="04_layers.ipynb")
    idle = submission("ada", untouched("mse_grad"), notebook="06_optimizers.ipynb")
    made = run(submission("ada", exercise("lin_grad")), begun, idle, assigned={"lin_grad": 4.0})
    shown = student_page(made, tally(made).rows[0], hints="nudge")
    assert "Neither assigned nor begun: 06_optimizers.ipynb." in shown
    assert "mse_grad" not in shown
    assert shown.index("04_layers.ipynb") < shown.index("This was not assigned") < shown.index("relu_grad")
    assert shown.count("This was not assigned") == 1


def test_class_page_names_who_handed_in_nothing() -> None:
    page = class_page(run(submission("ada", exercise("lin_grad")), absent=("<b>Yan", "zoe")))
    assert "<div><dt>Handed in nothing</dt><dd>2</dd></div>" in page
    assert '<ul class="absent"><li>&lt;b&gt;Yan<li>zoe</ul>' in page
    assert "Handed in nothing" not in class_page(run(submission("ada", exercise("lin_grad"))))


def test_student_page_says_why_all_of_it_was_given_by_hand() -> None:
    ruled = exercise("lin_grad", checks=(), score=3.0, status="partial", override=Override(None, "sent as a PDF"))
    made = run(submission("linus", ruled, untouched("relu_grad", "missing"), reason="not JSON: line 1"))
    page = student_page(made, tally(made).rows[0], hints="nudge")
    assert "✎ Not JSON: line 1. The points below were given by hand." in page
    assert "set by hand to 3 of 4 points (there was nothing to grade): sent as a PDF" in page
    assert "No cell of the notebook defines this" not in page
    assert "could not be read" not in page
