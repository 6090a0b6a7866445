"""The HTML pages: one for the class, one for each student. Self-contained, without JavaScript, everything escaped."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateRuntimeError
from markupsafe import Markup

from grader.model import ExerciseScore, Hints, RunReport
from grader.names.enumeration import count_of, first_of
from grader.report.counting.row import Row
from grader.report.counting.tally import Mistake, Tally, class_notes, tally
from grader.report.views.heatmap import heat_map
from grader.report.words import numbers, wording
from grader.report.words.evidence import shapes, with_leads, worst
from grader.report.words.text import one_line, plain

#: Stands in every page that we write, so that a page of ours can be told from anything else before it is replaced.
GENERATOR = "autograd-grader"
_BINS = 10
#: Pixels that a page of ours makes of 1rem.
_REM = 16
#: The most mistakes, and links to students under them, that the class page shows: it has to stay below 1 MB, of which
#: the matrix of 500 × 40 takes half, and a link costs 120 bytes. The rarest are left out, and counted.
_MISTAKES, _LINKS = 400, 2000
_SLUG = 40
#: Status → class of the style sheet, two letters since the matrix writes one for each cell.
_KINDS = {
    "passed": "pa",
    "partial": "hf",
    "failed": "fa",
    "not_implemented": "no",
    "missing": "mi",
    "grader_error": "gr",
}


def prepare() -> Iterator[None]:
    """Compile what the pages are made from, a part at each step: most of the time that a small class's pages take."""
    for name in ("exercise.html.j2", "base.html.j2", "class.html.j2", "student.html.j2"):
        _environment().get_template(name)
        yield


def class_page(run: RunReport) -> str:
    """``index.html``: what needs a human's eye, the distribution, the exercises, the mistakes, and the matrix."""
    counted = tally(run)
    mistakes = counted.mistakes[:_MISTAKES]
    return (
        _environment()
        .get_template("class.html.j2")
        .render(
            run=run,
            tally=counted,
            notes=class_notes(counted, run.sandbox),
            pages={row.student: f"students/{page_name(row.student)}" for row in counted.rows},
            bins=bins(counted),
            mistakes=mistakes,
            shown_links=_shown_links(mistakes),
        )
    )


def student_page(run: RunReport, row: Row, hints: Hints) -> str:
    """``students/<name>-<hash>.html``: the feedback on all notebooks of one student.

    Holds neither the seed nor anything of another student. With ``hints="none"`` the hints are left out.
    """
    return _environment().get_template("student.html.j2").render(run=run, row=row, hints=hints)


def exercises_html(exercises: Sequence[ExerciseScore], hints: Hints) -> str:
    """What ``check()`` shows in a notebook: a fragment that brings its own style and touches nothing around it."""
    template = _environment().get_template("notebook.html.j2")
    return template.render(exercises=exercises, hints=hints, style=_scoped(_style("tokens", "notebook", "exercise")))


@lru_cache(maxsize=1024)
def _section(exercise: ExerciseScore, fragment: str, hints: Hints, brief: bool = False) -> str:
    """The part of a page on one exercise; a class hands in the same answers over and over."""
    module: Any = _environment().get_template("exercise.html.j2").make_module({"hints": hints})
    section: str = module.exercise_section(exercise, fragment, brief)
    return section


def page_name(student: str) -> str:
    """The file name of a student's page: what is safe of the name, and a hash so long that none can be made to collide.

    Letters lose their marks where ASCII has them; others stay, else a whole class' pages would be called alike.

    >>> page_name("Zoë / Ångström"), page_name("李小龙")
    ('Zoe-Angstrom-2b598a1be3a10792.html', '李小龙-535320da46397a78.html')
    """
    letters = "".join(_letter(one) for one in unicodedata.normalize("NFC", student))
    slug = unicodedata.normalize("NFC", re.sub(r"-{2,}", "-", letters)[:_SLUG]).strip("-") or "student"
    return f"{slug}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.html"


def _letter(one: str) -> str:
    """A character as a page's name has it: the ASCII in it if any, ``-`` where it is no letter or digit."""
    if plain_one := unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode("ascii"):
        return re.sub(r"\W", "-", plain_one)
    return one if unicodedata.category(one)[0] in "LMN" else "-"


# ---------------------------------------------------------------------------------------------- the class page


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of the distribution: students whose share of the points is in ``label``; ``height`` is 0 to 100."""

    label: str
    students: int
    height: float


def bins(counted: Tally) -> tuple[Bin, ...]:
    """The distribution of totals in ten equal steps, full marks with the last."""
    counts = [0] * _BINS
    for share in counted.shares:
        counts[min(_BINS - 1, int(share * _BINS + 1e-9))] += 1
    top = max([*counts, 1])
    width = 100 // _BINS
    return tuple(
        Bin(f"{width * place}–{width * (place + 1)}", count, 100 * count / top) for place, count in enumerate(counts)
    )


def _shown_links(mistakes: tuple[Mistake, ...]) -> int:
    """How many students each mistake may link so that all together stay below the limit."""
    most = max((len(mistake.students) for mistake in mistakes), default=0)
    while most > 1 and sum(min(most, len(mistake.students)) for mistake in mistakes) > _LINKS:
        most = most * 9 // 10
    return most


# ---------------------------------------------------------------------------------------------- the templates


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        w=wording,
        count_of=count_of,
        first_of=first_of,
        style=_style("tokens", "exercise", "style"),
        generator=GENERATOR,
        heat_map=heat_map,
        section=_section,
        with_leads=with_leads,
        shapes=shapes,
        worst=worst,
        anchor=_anchor,
        kind=_KINDS,
    )
    environment.filters.update(
        points=numbers.points,
        points_of=numbers.points_of,
        one_line=one_line,
        share=_share,
        code_label=wording.code_label,
    )
    return environment


def _printable(value: Any) -> Any:
    """What a template prints: no control characters; nothing that forgot to say what it is."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, int | float):
        return value
    raise TemplateRuntimeError(f"a template printed {type(value).__name__}: format it first")


def _style(*names: str) -> Markup:
    """Our own style sheets, one after the other and without what only their readers need."""
    folder = resources.files("grader.report") / "templates"
    style = "\n".join((folder / f"{name}.css").read_text("utf-8") for name in names)
    return Markup(_compact(style))  # noqa: S704 - our own files


def _scoped(style: Markup) -> Markup:
    """The same rules nested below an element of ours: what was said of the page is said of that element.

    Its sizes are those of our own pages, whatever the size of letters that the page around goes by.
    """
    sized = re.sub(r"([\d.]+)rem\b", lambda size: f"{_REM * float(size[1]):g}px", str(style))
    return Markup(sized.replace(":root", "&"))  # noqa: S704 - our own files


def _compact(style: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)).strip()


def _share(part: float | None, whole: float) -> str:
    value = numbers.percent(part, whole)
    return "–" if value is None else f"{value} %"


def _anchor(exercise: str) -> str:
    """An id for a fragment: what is safe of an exercise's name, which a course may have chosen freely."""
    return "ex-" + re.sub(r"[^A-Za-z0-9_-]+", "-", exercise)
