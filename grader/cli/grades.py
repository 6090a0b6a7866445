"""``grader report``, ``override`` and ``export``: what a gradebook holds, without running anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import normalize

import typer
from typer.core import TyperCommand

from grader.cli.app import app
from grader.cli.outcome import errors_told
from grader.cli.output import StandardOutput, note, write_out
from grader.cli.values import composed, not_nan, overwriting, path
from grader.errors import GradebookError, UsageError
from grader.gradebook.overrides import rulings_for
from grader.gradebook.ruling_file import rulings_csv, rulings_in
from grader.model import Hints, Target
from grader.names.enumeration import count_of, first_of

if TYPE_CHECKING:
    from grader.gradebook.book import Gradebook
    from grader.gradebook.doubts import Kind
    from grader.gradebook.overrides import Ruling
    from grader.model import RunReport
    from grader.report.gradebooks.roster import Roster

_NEGATIVE = re.compile(r"-[0-9]*\.?[0-9]+")
#: What is noted of a ruling in the list of them, by the kind of doubt.
_DOUBTED: dict[Kind, str] = {
    "nobody": "not counted, nobody in the last run having handed in under that name",
    "replaced": "not counted, being on no notebook of the last run",
    "less": "not counted, being on an exercise that is worth less now, or gone",
    "waiting": "not counted, being on a notebook that is not assigned now",
    "outdone": "another notebook of the student counts",
    "changed": "graded otherwise since",
}


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="The folder of a gradebook.")] = Path("grades"),
    hints: Annotated[
        Hints | None, typer.Option(help="As in `grader score`. Default: as the pages have it already.")
    ] = None,
) -> None:
    """Write the reports again from the gradebook, without running anything."""
    with errors_told():
        from grader.report.files import write_reports
        from grader.report.views.terminal import render_class

        with _opened(out) as gradebook:  # whose lock keeps others from writing an older report behind
            run = _told(gradebook)
            written = write_reports(run, out, hints=gradebook.hints(hints))
        console = StandardOutput()
        console.print(render_class(run))
        console.print(f"\nwrote {len(written)} files to {out}")


class _OverrideCommand(TyperCommand):
    """``grader override``, to which ``-1`` is a number of points, that are too few, and no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command does, but for negative numbers."""
        ctx.ignore_unknown_options = any(_NEGATIVE.fullmatch(each) for each in args)
        return super().parse_args(ctx, args)


@app.command(cls=_OverrideCommand)
def override(
    student: Annotated[
        str, typer.Argument(help="As the reports name them. Without one, what was ruled is listed.", callback=composed)
    ] = "",
    exercise: Annotated[str, typer.Argument(help="The exercise's name.")] = "",
    score: Annotated[
        float | None,
        typer.Argument(help="The points to give. Without them, the reason is a comment.", callback=not_nan),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why. The student reads it.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Go back to the grader's own points.")] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A CSV file of rulings with columns student, exercise, points, reason; all or none."
        ),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(help="With --from: the platform's own list (CSV), if the file has the names or logins there."),
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print what was ruled as a file for --from, of another gradebook too.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of a gradebook.", parser=path)] = Path("grades"),
) -> None:
    """Give a student's exercise the points that you decide on.

    They hold for the notebook that was handed in, however often it is graded again, and not for another one.
    A reason without points is a comment: it leaves the points as they are.

    Reports and exports have them from then on, with what the grader found and the reason beside them.
    """
    with errors_told(), _opened(out, "here too: --out") as gradebook:
        if unfinished := gradebook.unfinished():
            note(f"{unfinished}; the others stand here as an earlier one left them, until `grader score` goes on")
        given = bool(student or exercise or score is not None or reason or withdraw)
        if source is not None:
            if given or as_csv:
                raise UsageError("rulings are either in a file or on the command line", remedy="give one of them")
            _rule_from(source, roster, gradebook, out)
        elif roster is not None:
            raise UsageError(
                "--roster is for the names in a file of rulings", remedy="give that too: --from rulings.csv"
            )
        elif as_csv and given:
            raise UsageError("--csv prints all that was ruled", remedy="give it alone, with --out")
        elif not given:
            _list(gradebook, out, as_csv=as_csv)
        elif (
            not student
            or not exercise
            or (withdraw and score is not None)
            or not (withdraw or score is not None or reason.strip())
        ):
            raise UsageError(
                "an override is a student, an exercise and points, or is withdrawn; a reason alone is a comment",
                remedy='write for instance: grader override ada lin_grad 3 --reason "…"',
            )
        else:
            if withdraw:
                _withdraw(gradebook, student, exercise)
            else:
                _rule(gradebook, student, exercise, score, reason.strip())
            _tell_points(gradebook, student, exercise)
            _note_report(gradebook, out)


def _withdraw(gradebook: Gradebook, student: str, exercise: str) -> None:
    if not gradebook.withdraw(student, exercise):
        raise UsageError(f"nothing was ruled on {exercise} of {student}", remedy="`grader override` lists what was")


def _rule(gradebook: Gradebook, student: str, exercise: str, score: float | None, reason: str) -> None:
    if not reason:
        raise UsageError("a ruling needs a reason", remedy='the student reads it: --reason "…"')
    rulings = rulings_for(gradebook.answers(), student, exercise, score, reason)
    _tell_replaced(gradebook.rulings(), rulings)
    gradebook.rule(*rulings)


def _tell_replaced(before: Iterable[Ruling], rulings: Iterable[Ruling]) -> None:
    """Tell what the ``rulings`` take the place of: of one with points, a comment takes that of the reason alone."""
    earlier = {one.answer: one for one in before}
    others = []
    for new in rulings:
        old = earlier.get(new.answer, new)
        comments = new.score is None and not new.withdrawn
        if not (comments or new.score == old.score) or new.reason != old.reason:
            part = "the reason of " if comments and old.score is not None else ""
            others.append(f"{part}{old} ({old.reason})")
    if others:
        note(f"in place of what was ruled before: {first_of(others, separator='; ')}")


def _tell_points(gradebook: Gradebook, student: str, ruled: str) -> None:
    """Tell what the exercise ``ruled`` has now in each notebook of a student, and what the notebook has.

    An exercise that fails because the one that is right by ruling did is named: it may want a ruling as well.
    """
    from grader.report.words.numbers import points, points_of

    found = {answer.sha256: answer for answer in gradebook.answers() if answer.student == student}
    for one in gradebook.report().submissions:
        if one.student != student:
            continue
        whose = ", ".join(filter(None, (student, one.notebook)))  # where no notebook was there, there is no name
        total = f"{points(one.score)} of {points(one.possible)} points"
        exercise = next((each for each in one.exercises if each.id == ruled), None)
        if exercise is not None:
            how = "by your ruling" if exercise.override else "as graded"
            total += f" in all, {ruled} {points_of(exercise.score, exercise.possible)} {how}"
            total += ", with your comment" * bool(exercise.comment)
        if exercise is not None and exercise.override and exercise.status == "passed":
            followers = [other.id for other in found.get(one.sha256, one).exercises if ruled in other.follows_from]
            total += "".join(f"; {name} failed because of it: rule on that too, if it is right" for name in followers)
        note(f"{whose}: {total}")


def _rule_from(source: Path, roster: Path | None, gradebook: Gradebook, out: Path) -> None:
    """Rule as a CSV file says, and tell on how much, what was ruled otherwise before, and what of it is in doubt.

    Of a ruling that another gradebook wrote and what was decided here, the later holds.
    """
    from grader.gradebook.doubts import remarks_on

    called = {} if roster is None else _names_in(roster, gradebook)
    before = gradebook.rulings()
    given = rulings_in(source, gradebook.answers(), called)
    rulings, outdated = _taken(given, gradebook.decisions())
    gradebook.rule(*rulings)
    held = [one for one in rulings if not one.withdrawn]
    many = count_of(len({(ruling.student, ruling.exercise) for ruling in held}), "answer")
    students = count_of(len({ruling.student for ruling in held}), "student")
    note(f"ruled on {many} of {students}; `grader override` lists them")
    if outdated:
        names = first_of([*map(str, outdated)], separator="; ")
        note(f"not taken, something else having been decided here later: {names}")
    if comments := len({(ruling.student, ruling.exercise) for ruling in held if ruling.score is None}):
        note(f"{count_of(comments, 'answer')} without points: a comment, which leaves the points as they are")
    _tell_replaced(before, rulings)
    answers = {one.answer for one in rulings}
    for remark in remarks_on([doubt for doubt in gradebook.doubts() if doubt.ruling.answer in answers]):
        note(remark)
    _note_report(gradebook, out)


def _taken(given: Iterable[Ruling], decided: Iterable[Ruling]) -> tuple[list[Ruling], list[Ruling]]:
    """Those of the rulings ``given`` that are not older than what was ``decided`` on their answers, and the others.

    An older one that says the same is neither. Older points are taken where a comment was made since: that leaves the
    points as they are, and stands beside them. What was written over in a file, beside the time of before, is of now.
    """
    last = {one.answer: one for one in decided}
    taken, outdated = [], []
    for one in given:
        old = last.get(one.answer, one)
        same = (one.score, one.reason) == (old.score, old.reason)
        if one.made and one.made < old.made:
            if one.score is not None and old.score is None and not old.withdrawn:
                taken.append(replace(one, reason=old.reason, made=old.made))
            else:
                outdated += [] if same else [one]
        else:
            taken.append(replace(one, made="") if one.made == old.made and not same else one)
    return taken, outdated


def _names_in(roster: Path, gradebook: Gradebook) -> dict[str, str]:
    """The students by whatever stands in their row of the platform's list and in nobody else's."""
    from grader.report.gradebooks.roster import read_roster

    people = read_roster(roster, gradebook.report().handed_in)
    times = Counter(cell for person in people.values() for cell in {*person.values()})
    return {
        normalize("NFC", cell): name
        for name, person in people.items()
        for cell in person.values()
        if cell and times[cell] == 1
    }


def _note_report(gradebook: Gradebook, out: Path) -> None:
    if not gradebook.unfinished():  # else the run that goes on writes them
        note(f"to have it in the files under {out}: grader report {quote(str(out))}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The folder of a gradebook.")] = Path("grades"),
    to: Annotated[Target, typer.Option("--to", help="The platform to export for.")] = "csv",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Where to write them. Default: standard output.")
    ] = None,
    assignment: Annotated[
        str, typer.Option(help="The assignment's name there. Default: the notebook's, or of several the course's.")
    ] = "",
    roster: Annotated[
        Path | None,
        typer.Option(
            help="The platform's own list of students (CSV), as it is or with a column `student` of the grader's names."
        ),
    ] = None,
    identifier: Annotated[
        str | None,
        typer.Option(
            help="The roster's column by which Moodle knows a student. "
            "Default: the first of ID number, Email address and Username that it has."
        ),
    ] = None,
    out_of: Annotated[
        float | None,
        typer.Option(
            help="Points for full marks there. Default: the course's.", min=1, max=1_000_000, callback=not_nan
        ),
    ] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(help="Also write the students' pages to this zip, named as Moodle expects feedback files."),
    ] = None,
) -> None:
    """Print the grades in the form that a learning platform imports."""
    with errors_told():
        from grader.report.counting.tally import tally
        from grader.report.gradebooks.lms import export as exported
        from grader.report.gradebooks.lms import keys_of
        from grader.report.gradebooks.roster import read_roster

        clash = overwriting({"--file": file, "--feedback": feedback}, out, [roster], packing="--feedback")
        if clash is not None:
            raise clash
        with _opened(out) as gradebook:
            run, subject = _told(gradebook), gradebook.subject()
        assignment = assignment or ("" if to == "csv" else subject)
        people = None if roster is None else read_roster(roster, run.handed_in)
        text = exported(run, to=to, assignment=assignment, roster=people, identifier=identifier, out_of=out_of)
        if people is not None:
            _compare(run, people, keys_of(to, people, identifier), to.capitalize())
            if to == "canvas":
                _tell_new(assignment, people)
            if roster is not None and to in ("canvas", "moodle"):
                _tell_worth(roster, assignment, out_of or tally(run).possible)
        if feedback is not None:
            _give_back(run, out, feedback)
        if file is None:
            write_out(text)
        else:
            try:
                file.write_text(text, encoding="utf-8", newline="")
            except OSError as error:
                error.filename = str(file)  # which a full disk does not say
                raise
            StandardOutput().print(f"wrote {file}")


def _compare(run: RunReport, roster: Roster, keys: Sequence[str], platform: str) -> None:
    """Tell who of the class is not in the roster by one of its ``keys``, and who of the roster not in the class."""
    from grader.report.gradebooks.roster import absentees, strangers

    unlike = bool(keys) and not any(person.get(key) for person in roster.values() for key in keys)
    if unlike:
        note(
            f"the roster has no {' or '.join(keys)}, by which {platform} knows a student, so all are exported by the "
            f"grader's name: give the list that {platform} itself exports"
        )
    where = f"in the roster with its {' or '.join(map(repr, keys))}" if keys else "in the roster"
    for what, names in (
        (f"not {where}, so exported by the grader's name", () if unlike else strangers(run.handed_in, roster, keys)),
        ("no submission, or only under another name", absentees(run.handed_in, roster)),
    ):
        if names:
            note(f"{what}: {'; '.join(names)}")


def _tell_new(assignment: str, roster: Roster) -> None:
    """Tell where Canvas, whose gradebook has assignments, would make another of the export."""
    from grader.report.gradebooks.roster import assignments_in

    there = assignments_in(roster)
    if there and assignment not in (*there, *(name.rpartition(" (")[0] for name in there)):
        note(
            f"Canvas has no assignment {assignment!r} and will make one; --assignment names one of: {'; '.join(there)}"
        )


def _tell_worth(roster: Path, assignment: str, possible: float) -> None:
    """Tell where full marks are other points on the platform than in the export: it takes points as they stand."""
    from grader.report.gradebooks.roster import full_marks_in
    from grader.report.words.numbers import points

    there = full_marks_in(roster, assignment)
    if there is not None and abs(there[1] - possible) >= 0.01:
        note(
            f"full marks are {points(there[1])} points there ({there[0]}), and {points(possible)} in this file: "
            f"--out-of {points(there[1])} makes them the same"
        )


def _give_back(run: RunReport, out: Path, archive: Path) -> None:
    """Write the archive of the students' pages, and tell for whom Moodle's upload will find nobody."""
    from grader.report.feedback import write_feedback

    unknown = write_feedback(run, out, archive)
    note(f"the students' pages are in {archive}")
    if len(unknown) == len({submission.student for submission in run.submissions}):
        note("nothing came from a download of Moodle, so each page has the name that it has in students/")
    elif unknown:
        note(f"from no download of Moodle, so under their page's own name there: {'; '.join(unknown)}")


def _list(gradebook: Gradebook, out: Path, *, as_csv: bool) -> None:
    """Print what was ruled and counts in the last run, and tell of what may not be right any more why not.

    Where nothing was ruled, the folder is told in which that is so.
    """
    from grader.report.words import wording
    from grader.report.words.text import one_line

    held = [
        (submission, exercise)
        for submission in gradebook.report().submissions
        for exercise in submission.exercises
        if exercise.override or exercise.comment
    ]
    if as_csv:
        answers = {(one.student, exercise.id, one.sha256) for one in gradebook.answers() for exercise in one.exercises}
        ruled = {(submission.student, exercise.id, submission.sha256) for submission, exercise in held}
        write_out(
            rulings_csv(one for one in gradebook.decisions() if one.answer in (answers if one.withdrawn else ruled))
        )
    else:
        for submission, exercise in held:
            what = f"{submission.student}  {submission.notebook}  {exercise.id}  {wording.override(exercise)}"
            write_out(f"{one_line(what)}\n")
    doubts = gradebook.doubts()
    if not held and not doubts:
        note(f"nothing was ruled in {out}")
    for doubt in doubts:
        note(f"{_DOUBTED[doubt.kind]}: {doubt}")


def _told(gradebook: Gradebook) -> RunReport:
    """The last run in a gradebook, of which is told what the operator should know.

    Raises:
        GradebookError: it cannot be read, or was interrupted after one that was not: what is made of a part would take
            the place of the whole.
    """
    if unfinished := gradebook.unfinished():
        if gradebook.has_whole_run():
            raise GradebookError(unfinished, remedy="the same `grader score` again goes on, and ends with all reports")
        note(f"{unfinished}; `grader score` again goes on")
    for remark in gradebook.remarks():
        note(remark)
    return gradebook.report()


def _opened(out: Path, how: str = "") -> Gradebook:
    """The gradebook in a folder; ``how`` says how that is named where the command's argument is another."""
    from grader.gradebook.book import FILE_NAME, Gradebook

    if not (out / FILE_NAME).is_file():
        remedy = ", ".join(filter(None, ("name the folder given to `grader score --out`", how)))
        raise UsageError(f"there is no gradebook in {out}", remedy=remedy)
    return Gradebook(out / FILE_NAME)
