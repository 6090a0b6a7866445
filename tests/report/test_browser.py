"""The real pages in Debian's Chromium: they look after themselves, lead where they say, and are accessible.

axe-core is looked for in ``$AXE_CORE`` and in ``tests/report/node_modules``; ``npm install --prefix DIR axe-core``
puts it there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.model import Sample
from grader.report.files import write_reports
from grader.report.views.pages import class_page
from tests.report.builders import check, exercise, large_class, run, small_class, submission
from tests.report.test_injection import ATTACKS, hostile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("grades")
    write_reports(small_class(), out, hints="nudge")
    return out


class Visit:
    """A page with everything it complained of, asked for, or popped up."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("dialog", lambda dialog: dialog.dismiss())
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.is_navigation_request():
            self.complaints.append(f"asked for {request.url}")

    def open(self, path: Path, width: int = 1280, height: int = 800) -> Page:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[Visit]:
    """The one page in which all others open: a new one takes thrice as long."""
    made = Visit(browser)
    yield made
    made.context.close()


@pytest.fixture
def visit(visitor: Visit) -> Iterator[Visit]:
    visitor.complaints.clear()
    yield visitor
    visitor.page.emulate_media(media="null", forced_colors="null")
    assert visitor.complaints == []


def test_class_page_counts_are_those_of_report_json(visit: Visit, grades: Path) -> None:
    submissions = json.loads((grades / "report.json").read_text("utf-8"))["submissions"]
    page = visit.open(grades / "index.html")
    assert page.locator(".matrix tbody tr").count() == len({report["student"] for report in submissions}) == 14
    statuses = [exercise["status"] for report in submissions for exercise in report["exercises"]]
    for status, kind in [("passed", "pa"), ("partial", "hf"), ("failed", "fa"), ("not_implemented", "no")]:
        assert page.locator(f".matrix td.{kind}").count() == statuses.count(status)
    wanted: dict[tuple[str, str], set[str]] = {}
    for report in submissions:
        for one in report["exercises"]:
            for judged in one["checks"] if not one["follows_from"] else ():
                if judged["diagnosis"] and judged["diagnosis"]["code"] != "not_implemented":
                    wanted.setdefault((one["id"], judged["diagnosis"]["code"]), set()).add(report["student"])
    rows = page.locator(".mistake")
    assert rows.count() == len(wanted)
    counts = sorted(int(text) for text in page.locator(".mistake .times").all_inner_texts())
    assert counts == sorted(len(students) for students in wanted.values())


def test_class_page_score_of_everyone_is_that_of_report_json(visit: Visit, grades: Path) -> None:
    submissions = json.loads((grades / "report.json").read_text("utf-8"))["submissions"]
    page = visit.open(grades / "index.html")
    shown = dict(
        zip(
            page.locator(".matrix tbody th").all_inner_texts(),
            page.locator(".matrix tbody td.num").all_inner_texts(),
            strict=True,
        )
    )
    for report in submissions:
        if report["student"] != "tim":  # one exercise of theirs was a grader error
            assert shown[report["student"]] == ("–" if report["score"] is None else f"{report['score']:g}")


@pytest.mark.parametrize("width", [390, 768])
def test_class_page_on_a_narrow_screen_hides_nothing_beside_it(visit: Visit, grades: Path, width: int) -> None:
    page = visit.open(grades / "index.html", width, 900)
    for section in ("attention", "exercises"):
        box = page.locator(f"#{section} .scroll")
        assert box.evaluate("one => one.scrollWidth - one.clientWidth") <= 1, section


def test_class_page_every_link_opens_what_it_names(visit: Visit, grades: Path) -> None:
    page = visit.open(grades / "index.html")
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => [a.getAttribute('href'), a.textContent.trim()])")
    links = [(*link.partition("#")[::2], name) for link, name in found]
    assert len(links) > 30
    for path in {path for path, _, _ in links}:
        target = visit.open(grades / (path or "index.html"))
        ids = set(target.eval_on_selector_all("[id]", "all => all.map(one => one.id)"))
        assert {fragment for where, fragment, _ in links if where == path} - {""} <= ids
        assert not path or {name for where, _, name in links if where == path} == {target.locator("h1").inner_text()}


def test_student_page_opens_hint_and_output_without_javascript(browser: Browser, grades: Path) -> None:
    visit = Visit(browser, java_script_enabled=False)
    page = visit.open(next((grades / "students").glob("Johanna*")))
    hint = page.locator("details.hint").first
    assert not hint.locator("p").is_visible()
    hint.locator("summary").click()
    assert hint.locator("p").is_visible()
    page.locator("details.printed summary").click()
    assert "shape of w" in page.locator("details.printed pre").inner_text()
    visit.context.close()


def test_pages_injected_text_does_nothing(visit: Visit, tmp_path: Path) -> None:
    attackers = [report for text in ATTACKS.values() for report in hostile(text).submissions if report.student == text]
    paths = [path for path in write_reports(run(*attackers), tmp_path, hints="nudge") if path.suffix == ".html"]
    assert len(paths) == 1 + len(ATTACKS)
    for path in paths:
        page = visit.open(path)
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.scripts.length + document.images.length + frames.length") == 0
        assert page.evaluate("document.styleSheets.length") == 1
        assert page.locator("main").count() == 1


def test_pages_policy_stops_a_script_that_got_in(browser: Browser, grades: Path, tmp_path: Path) -> None:
    """The second wall: were something not escaped, it would still not run."""
    text = (grades / "index.html").read_text("utf-8")
    (tmp_path / "bad.html").write_text(text.replace("</main>", "<script>window.ran = 1</script></main>"), "utf-8")
    visit = Visit(browser)
    page = visit.open(tmp_path / "bad.html")
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)
    visit.context.close()


@pytest.mark.parametrize("width", [320, 390, 1400])
@pytest.mark.parametrize("name", ["index.html", "students/Johanna*"])
def test_pages_any_width_scrolls_down_only(visit: Visit, grades: Path, name: str, width: int) -> None:
    page = visit.open(next(grades.glob(name)), width, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pages_long_exercise_names_are_wrapped(visit: Visit, tmp_path: Path) -> None:
    long = replace(exercise("lin_grad", {"w.g": "transposed"}), id="gradient_of_" * 8)
    write_reports(run(submission("ada", long), submission("alan", long)), tmp_path, hints="nudge")
    for path in (tmp_path / "index.html", *tmp_path.glob("students/*.html")):
        assert visit.open(path, 360, 800).evaluate("document.documentElement.scrollWidth") <= 360, path.name


def test_student_page_on_a_phone_begins_each_line_of_an_exercise_at_its_edge(visit: Visit, tmp_path: Path) -> None:
    row = (1.5, -2.5, 3.5)
    wrong = check("w.g", code="transposed", sample=Sample(expected=(row,), actual=(row,), worst=(0, 1), cut=False))
    write_reports(
        run(submission("ada", replace(exercise("lin_grad"), status="failed", checks=(wrong,)))), tmp_path, hints="nudge"
    )
    page = visit.open(next(tmp_path.glob("students/*.html")), 390, 800)
    parts = (".exercise header code", ".exercise header .title", ".check.is-failed > p", ".check.is-failed > .maps")
    boxes = [page.locator(part).first.bounding_box() for part in parts]
    assert all(boxes)
    assert len({box["x"] for box in boxes if box}) == 1


def test_student_page_is_no_wider_for_the_mark_at_the_end_of_a_wide_heat_map(visit: Visit, tmp_path: Path) -> None:
    row = (-123.4,) * 10
    wide = check("w.g", code="wrong_value", sample=Sample(expected=(row,), actual=(row,), worst=(0, 9), cut=False))
    write_reports(
        run(submission("ada", replace(exercise("lin_grad"), status="failed", checks=(wide,)))), tmp_path, hints="nudge"
    )
    page = visit.open(next(tmp_path.glob("students/*.html")), 360, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [390, 794], ids=["phone", "A4"])
def test_class_page_names_without_a_blank_are_wrapped_where_they_need_an_eye(
    visit: Visit, tmp_path: Path, width: int
) -> None:
    flag = f"2 notebooks of one kind by this student: {'lovelaceada_LATE_101_555999_' * 3}03_backprop.ipynb"
    write_reports(run(submission("x" * 80, flags=(flag,), notebook="y" * 80)), tmp_path, hints="nudge")
    page = visit.open(tmp_path / "index.html", width, 900)
    assert page.evaluate("(box => box.scrollWidth <= box.clientWidth)(document.querySelector('#attention .scroll'))")


def test_class_page_prints_every_exercise_of_a_long_course(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(class_page(large_class(30, 40)), "utf-8")
    page = visit.open(tmp_path / "index.html", 1000, 700)  # A4 lying on its side, less its margins
    page.emulate_media(media="print")
    assert page.locator(".matrix").evaluate("one => one.getBoundingClientRect().right") <= 1000
    assert page.locator("#matrix").evaluate("one => getComputedStyle(one).page") == "wide"


def test_student_page_prints_nothing_secondary_larger_than_the_mistake(visit: Visit, grades: Path) -> None:
    (path,) = (grades / "students").glob("alan-*.html")
    page = visit.open(path)
    page.emulate_media(media="print")
    size = "one => parseFloat(getComputedStyle(one).fontSize)"
    mistake = page.locator(".words").first.evaluate(size)
    assert mistake == pytest.approx(10 / 72 * 96, abs=0.01)
    for secondary in (".fact", ".pts", ".where", ".note", ".hint summary"):
        assert page.locator(secondary).first.evaluate(size) < mistake, secondary


def test_class_page_says_in_words_what_the_symbols_of_the_matrix_show(visit: Visit, tmp_path: Path) -> None:
    half = exercise("lin_grad", {"w.g": "transposed"})
    write_reports(run(submission("ada", half, exercise("relu_grad"))), tmp_path, hints="nudge")
    page = visit.open(tmp_path / "index.html")
    heard = page.locator(".matrix").aria_snapshot()
    assert 'cell "◐2 partly right"' in heard
    assert 'cell "✓ passed"' in heard


def test_class_page_of_500_opens_at_once(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(class_page(large_class(500, 40)), "utf-8")
    page = visit.open(tmp_path / "index.html")
    assert page.locator(".matrix tbody td").count() == 500 * 41
    timing = "performance.getEntriesByType('navigation')[0]"
    assert page.evaluate(f"{timing}.loadEventEnd - {timing}.startTime") < 5000


# ------------------------------------------------------------------------------------------------- accessibility


@pytest.fixture(scope="module")
def axe() -> str:
    given = os.environ.get("AXE_CORE")
    places = [Path(given)] if given else []
    places += [place / "axe.min.js" for place in places]
    places += [Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip("axe-core is not there (npm install --prefix DIR axe-core; AXE_CORE=DIR/node_modules/axe-core)")
    return found.read_text("utf-8")


def test_bars_are_drawn_where_the_system_forces_its_colours(visit: Visit, grades: Path) -> None:
    visit.page.emulate_media(forced_colors="active")
    for name, bar in [
        ("index.html", ".hist .bar"),
        ("index.html", ".meter > span"),
        ("students/*", ".progress > span"),
    ]:
        page = visit.open(next(grades.glob(name)), 1200, 900)
        colour = "getComputedStyle(one).backgroundColor"
        drawn = page.locator(bar).first.evaluate(f"one => {colour}")
        assert drawn != page.locator("body").evaluate(f"one => {colour}")


@pytest.mark.parametrize(("students", "scrolls"), [(30, False), (60, True)])
def test_class_page_scrolls_the_matrix_of_a_large_class_alone(
    visit: Visit, tmp_path: Path, students: int, scrolls: bool
) -> None:
    (tmp_path / "index.html").write_text(class_page(large_class(students, 3)), "utf-8")
    page = visit.open(tmp_path / "index.html", 1200, 700)
    assert page.locator(".grid").evaluate("one => one.scrollHeight > one.clientHeight + 2") is scrolls


def test_student_page_folds_what_follows_from_another_exercise(visit: Visit, tmp_path: Path) -> None:
    follows = exercise("forward_and_backward", {"w1.g": "sign_flipped"}, follows_from=("lin_grad",))
    write_reports(run(submission("ada", exercise("lin_grad", {"w.g": "zeros"}), follows)), tmp_path, hints="nudge")
    page = visit.open(next((tmp_path / "students").iterdir()), 1200, 900)

    folded = page.locator("#ex-forward_and_backward .check").last
    assert page.locator("#ex-lin_grad .check").first.is_visible()
    assert not folded.is_visible()
    page.locator(".meanwhile > summary").press("Enter")
    assert folded.is_visible()


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small class, and a student with one exercise in two notebooks."""
    out = tmp_path_factory.mktemp("everything")
    odd = submission("odd", exercise("lin_grad", {"w.g": "zeros"}), notebook="again.ipynb")
    write_reports(run(*small_class().submissions, odd, submission("odd")), out, hints="nudge")
    return out


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
@pytest.mark.parametrize("name", ["index.html", "students/Johanna*", "students/tim*", "students/odd*"])
def test_pages_axe_finds_nothing(
    browser: Browser, axe: str, everything: Path, name: str, width: int, scheme: Any
) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    visit = Visit(browser, **options)
    page = visit.open(next(everything.glob(name)))
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    page.evaluate(axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    assert [_told(violation) for violation in result["violations"]] == []
    visit.context.close()


def _told(violation: dict[str, Any]) -> str:
    nodes = [re.sub(r"\s+", " ", node["html"])[:160] for node in violation["nodes"][:3]]
    return f"{violation['id']}: {violation['help']} {nodes}"
