"""The proof of a course, for people: a table with the margins of each check, and what went wrong below it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.course.proving.proof_report import CourseProof, ExerciseProof, ProblemKind
from grader.names.enumeration import count_of

#: What to do about a problem, where its kind tells it.
_REMEDIES: dict[ProblemKind, str] = {
    "solution": "A solution that loses points: fix it or the forward pass, whichever is wrong; or leave out a case that"
    " asks too much, by ones=, sizes= or magnitudes=.",
    "stub": "A stub must come to nothing but NotImplementedError: put more of its cell between solution markers.",
    "gradcheck": "A forward pass that gradcheck refuses is no differentiable function of its inputs: fix it, draw"
    " values off its kinks, or give gradcheck=False.",
    "survivor": "A mistake that loses nothing needs a case that shows it: a Variant with other values or sizes.",
    "diagnosis": "A mistake with another diagnosis: write that code, if its sentence is true of the mistake; if you did"
    " not write the mistake, draw values that tell the two apart, such as some on each side of 0.",
    "variant": "A right answer that loses points: fix it, or ask for less by tolerance= or gentler values.",
}


def proof_view(report: CourseProof) -> RenderableType:
    """The whole report: table, cases that no mistake needs, problems, and a last line that says how it ended."""
    return Group(_table(report), *_idle(report), *_problems(report), _verdict(report))


def _table(report: CourseProof) -> Table:
    table = Table(caption="Errors in units of the tolerance: right answers stay below 1, mistakes lie above.")
    table.add_column("exercise", no_wrap=True)
    table.add_column("check", overflow="fold")
    for heading in ("cases", "variants", "largest right", "mistakes", "smallest wrong", "gradcheck"):
        table.add_column(heading, justify="right")
    notebook = ""
    for proof in report.exercises:
        if proof.notebook != notebook:
            table.add_section()
            table.add_row(Text(proof.notebook, style="bold"))
            notebook = proof.notebook
        for row in _rows(proof):
            table.add_row(*row)
    return table


def _rows(proof: ExerciseProof) -> Iterator[tuple[str | Text, ...]]:
    name = Text(proof.exercise, style="red" if proof.problems else "green")
    gradcheck = {None: "–", True: "holds", False: "fails"}[proof.gradcheck]
    first: tuple[str | Text, ...] = (str(proof.cases), str(proof.variants))
    for margin in proof.margins:
        yield (
            name,
            Text(margin.check),
            *first,
            _factor(margin.correct),
            str(margin.mutants),
            _factor(margin.wrong),
            gradcheck,
        )
        name, first, gradcheck = Text(""), ("", ""), ""


def _factor(value: float) -> str:
    if math.isinf(value):
        return "–"
    return f"{value:.2g}" if value < 1e4 else f"{value:.0e}"


def _idle(report: CourseProof) -> Iterator[Text]:
    idle: dict[str, list[str]] = {}
    for proof in report.exercises:
        for case in proof.idle_cases:
            idle.setdefault(case, []).append(proof.exercise)
    if idle:
        yield Text("\nCases that catch no known mistake which no other case catches:", style="bold")
    for case, exercises in idle.items():
        yield Text(f"  {case}: {', '.join(exercises)}")


def _problems(report: CourseProof) -> Iterator[Text]:
    """Each problem once, with all exercises that have it, and behind those of a kind what to do about them."""
    if report.problems:
        yield Text("\nProblems:", style="bold red")
    having: dict[tuple[ProblemKind, str, str], list[str]] = {}
    for problem in report.problems:
        seed = "" if problem.seed is None else f" (seed {problem.seed})"
        having.setdefault((problem.kind, problem.message + seed, problem.remedy), []).append(problem.exercise)
    for (_, message, remedy), exercises in having.items():
        yield Text(f"  {', '.join(exercises)}: {message}")
        if remedy:
            yield Text(f"    {remedy}")
    for kind in dict.fromkeys(kind for kind, _, _ in having if kind in _REMEDIES):
        yield Text(f"\n{_REMEDIES[kind]}")


def _verdict(report: CourseProof) -> Text:
    mutants = sum(proof.mutants for proof in report.exercises)
    variants = sum(proof.variants for proof in report.exercises)
    ending = "proved" if report.ok else count_of(len(report.problems), "problem")
    made_of = ((len(report.exercises), "exercise"), (mutants, "mistake"), (variants, "variant"), (report.seeds, "seed"))
    return Text(
        f"\n{report.course}: {', '.join(count_of(*part) for part in made_of)}, {report.seconds:.0f} s: {ending}",
        style="bold green" if report.ok else "bold red",
    )
