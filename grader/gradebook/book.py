"""What was graded, in SQLite: committed submission by submission, so that an interrupted run loses nothing.

One file, ``gradebook.db``, is the source of every report. A row holds one submission's report as JSON under a
fingerprint of all that it depends on (notebook, files beside it, course, seed, limits, versions); a row whose
fingerprint still holds is not graded again. Two runs on one gradebook cannot mix (``grader.gradebook.file``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import GradebookError
from grader.gradebook.codec import submission_from_dict, submission_to_dict
from grader.gradebook.doubts import Doubt, doubts_in, remarks_on
from grader.gradebook.file import GradebookFile
from grader.gradebook.overrides import Ruling, answerable, overridden
from grader.gradebook.run_head import RunHead
from grader.model import Hints, RunReport, Submission, SubmissionReport
from grader.names.alphabet import alphabetical
from grader.names.enumeration import first_of
from grader.names.visible import GRADEBOOK
from grader.report.counting.row import rows_of
from grader.report.words.numbers import points

FILE_NAME = GRADEBOOK

#: So many of those are named who are not in a run, or have other points.
_NAMED = 6

#: Whose submissions of earlier runs are not in a run, whatever the path they are in it by; how many of each name, and
#: whether others of theirs are. One that came instead, by the same student under the same name, has replaced one of
#: them; of those, only the last earlier run's had counted.
_LEFT_OUT = """
WITH entry AS (
    SELECT run, json_extract(report, '$.student') AS student, json_extract(report, '$.notebook') AS notebook,
        json_extract(report, '$.sha256') AS sha256
    FROM submission WHERE json_valid(report)
),
    there AS (SELECT DISTINCT student, notebook, sha256 FROM entry WHERE run = ?),
    latest AS (SELECT student, notebook, MAX(run) AS run FROM entry WHERE run < ? GROUP BY 1, 2),
    earlier AS (SELECT DISTINCT student, notebook, sha256 FROM entry JOIN latest USING (student, notebook, run)),
    gone AS (SELECT * FROM earlier WHERE (student, sha256) NOT IN (SELECT student, sha256 FROM there)),
    came AS (SELECT * FROM there WHERE (student, sha256) NOT IN (SELECT student, sha256 FROM earlier)),
    replaced AS (SELECT student, notebook, COUNT(*) AS number FROM came GROUP BY 1, 2)
SELECT student, notebook, COUNT(*) - COALESCE(number, 0) AS left_out, student IN (SELECT student FROM there)
    FROM gone LEFT JOIN replaced USING (student, notebook) GROUP BY student, notebook HAVING left_out > 0 ORDER BY 1, 2
"""


class Gradebook:
    """A gradebook opened for one run; a context manager.

    Raises:
        GradebookBusy: another run has it open.
        GradebookError: the file is no gradebook, of another version, or cannot be read; later: it may only be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._run: int | None = None
        self._file = GradebookFile(path)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and give up its lock."""
        self._file.close()

    def last_head(self) -> RunHead | None:
        """How the last run began; None in a new gradebook.

        Raises:
            GradebookError: it cannot be read.
        """
        last = self._last_run()
        return None if last is None else last[1]

    def _last_run(self) -> tuple[int, RunHead] | None:
        row = next(self._file.rows("SELECT id, settings FROM run ORDER BY id DESC LIMIT 1"), None)
        if row is None:
            return None
        try:
            return row[0], RunHead.read(row[1])
        except (AttributeError, TypeError, ValueError) as error:
            raise GradebookError(f"{self.path} is damaged: {error}", remedy="grade again with --fresh") from error

    def seed_of(self, course: str) -> int | None:
        """The seed of the last run of a course; None where there was none, whatever other courses were graded since."""
        runs = self._file.rows(
            "SELECT json_extract(settings, '$.seed') FROM run "
            "WHERE json_valid(settings) AND json_extract(settings, '$.course') = ? ORDER BY id DESC LIMIT 1",
            (course,),
        )
        return next((seed for (seed,) in runs), None)

    def begin(self, head: RunHead, *, fresh: bool = False) -> None:
        """Start a run: reports are made of what it stores or takes over.

        A ``fresh`` run takes nothing over, nor does the one that goes on where it was interrupted: no earlier row keeps
        its fingerprint.
        """
        interrupted = False
        with suppress(GradebookError):  # a fresh run need not be able to read what was before
            interrupted = bool(self.unfinished())
            head = replace(head, missed=self._told(), since=self._finished())
        if not interrupted:
            self._file.execute("DELETE FROM replaced")
        if fresh:
            self._file.execute("UPDATE submission SET fingerprint = ''")
        self._run = self._file.execute("INSERT INTO run (settings) VALUES (?)", (head.text(),)).lastrowid

    def take_over(self, key: str, fingerprint: str) -> SubmissionReport | None:
        """The stored report of an unchanged submission, now part of this run; None where it must be graded."""
        found = self._file.rows("SELECT report FROM submission WHERE key = ? AND fingerprint = ?", (key, fingerprint))
        row = next(found, None)
        if row is None:
            return None
        try:
            report = self._report_in(row[0])
        except GradebookError:
            return None
        self._file.execute("UPDATE submission SET run = ? WHERE key = ?", (self._run, key))
        return report

    def take_over_moved(self, key: str, fingerprint: str, submission: Submission) -> SubmissionReport | None:
        """The same from another key: what this student handed in under this name, unchanged but for its path.

        A path is shown with its folder as soon as several are graded together; nothing is run again for that.
        """
        for (text,) in [*self._file.rows("SELECT report FROM submission WHERE fingerprint = ?", (fingerprint,))]:
            with suppress(GradebookError):
                report = self._report_in(text)
                if (report.student, report.notebook) == (submission.student, submission.notebook):
                    report = replace(report, path=submission.shown_path)
                    self.store(key, fingerprint, report)
                    return report
        return None

    def store(self, key: str, fingerprint: str, report: SubmissionReport) -> None:
        """Commit one finished submission; what stood in its place when the run began stays for comparison."""
        text = json.dumps(submission_to_dict(report), ensure_ascii=True, allow_nan=False)
        self._file.execute(
            "INSERT OR IGNORE INTO replaced SELECT key, report FROM submission WHERE key = ? AND run < ?",
            (key, self._run),
        )
        self._file.execute(
            "INSERT OR REPLACE INTO submission (key, fingerprint, run, report) VALUES (?, ?, ?, ?)",
            (key, fingerprint, self._run, text),
        )

    def report(self) -> RunReport:
        """The last run with what a human ruled, its submissions sorted by student, notebook and path.

        Who handed in nothing is absent, or has a submission that is all by hand. So has an assigned notebook that its
        student did not hand in, once a human ruled on it. Of a run that is ``unfinished`` it has what an earlier one
        found in the submissions that this one did not get to, so that what was ruled on them is there.

        Raises:
            GradebookError: nothing was graded yet, or a row cannot be read.
        """
        last = self._begun()
        handed_in = self._submissions()
        run = self._ruled(last, handed_in)
        replaced = self._replaced()
        if not replaced:
            return run
        then = _totals(self._ruled(last, [replaced.get(_place(one), one) for one in handed_in]))
        changed = [who for who, score in _totals(run).items() if who in then and points(score) != points(then[who])]
        return replace(run, previous={who: then[who] for who in changed})

    def _ruled(self, last: RunHead, handed_in: Sequence[SubmissionReport]) -> RunReport:
        """The run that began so, of these submissions."""
        rulings = self.rulings()
        graded = [overridden(one, rulings, last.tasks) for one in handed_in]
        missing = [overridden(one, rulings, last.tasks) for one in last.missing(handed_in)]
        ruled = [*graded, *(one for one in missing if one.by_hand)]
        submissions = sorted(ruled, key=lambda one: (alphabetical(one.student), one.notebook, one.path))
        present = {one.student for one in submissions}
        return RunReport(
            **asdict(last.settings),
            submissions=tuple(submissions),
            assigned=last.assigned,
            course_digest=last.course_digest,
            absent=tuple(student for student in last.absent if student not in present),
        )

    def subject(self) -> str:
        """What the last run graded: one notebook of the course, or the whole course.

        Raises:
            GradebookError: nothing was graded yet, or a row cannot be read.
        """
        return self._begun().subject(self._submissions())

    def hints(self, asked: Hints | None) -> Hints:
        """How much help the last run's pages give: as ``asked``, which is kept, else as they gave before.

        Raises:
            GradebookError: nothing was graded yet, or what is asked cannot be kept.
        """
        last = self._begun()
        if asked not in (None, last.hints):
            head = replace(last, hints=asked).text()
            self._file.execute("UPDATE run SET settings = ? WHERE id = (SELECT MAX(id) FROM run)", (head,))
        return asked or last.hints

    def answers(self) -> tuple[SubmissionReport, ...]:
        """What may be ruled on: the last run's submissions, and what should have been in those not graded or missing.

        Raises:
            GradebookError: nothing was graded yet, or a row cannot be read.
        """
        last = self._begun()
        submissions = self._submissions()
        return tuple(answerable(one, last.tasks) for one in (*submissions, *last.missing(submissions)))

    def _begun(self) -> RunHead:
        head = self.last_head()
        if head is None:
            raise GradebookError(f"nothing was graded in {self.path} yet", remedy="run `grader score` first")
        return head

    def rulings(self) -> tuple[Ruling, ...]:
        """All that humans ruled, by student and exercise; also on notebooks that are in no report any more."""
        return tuple(one for one in self.decisions() if not one.withdrawn)

    def decisions(self) -> tuple[Ruling, ...]:
        """The same, and what was withdrawn: of each answer what was decided last."""
        names = ", ".join(field.name for field in fields(Ruling))
        rows = self._file.rows(f"SELECT {names} FROM ruling ORDER BY student, exercise, sha256")  # noqa: S608
        return tuple(Ruling(*row) for row in rows)

    def doubts(self) -> tuple[Doubt, ...]:
        """What there is to doubt of the rulings, by the last run.

        Raises:
            GradebookError: nothing was graded yet, or a row cannot be read.
        """
        rulings = self.rulings()
        return doubts_in(rulings, self.report()) if rulings else ()

    def rule(self, *rulings: Ruling) -> None:
        """Keep rulings, each in place of an earlier one on the same answer: all of them or, where that fails, none.

        A comment leaves the points that were given before, and what they were given on. One that does not say when it
        was made was made now.
        """
        before = {one.answer: one for one in self.rulings() if one.score is not None}
        with self._file.all_or_none():
            for ruling in rulings:
                comments = ruling.score is None and not ruling.withdrawn
                kept = replace(before.get(ruling.answer, ruling), reason=ruling.reason) if comments else ruling
                values = astuple(replace(kept, made=ruling.made or _now()))
                self._file.execute("INSERT OR REPLACE INTO ruling VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def withdraw(self, student: str, exercise: str) -> bool:
        """Withdraw all rulings on a student's exercise; whether there was one."""
        held = [one for one in self.rulings() if (one.student, one.exercise) == (student, exercise)]
        self.rule(*(replace(one, score=None, reason="", made="") for one in held))
        return bool(held)

    def unfinished(self) -> str:
        """How far the last run came where it was interrupted; empty where it was not."""
        last = self._last_run()
        if last is None:
            return ""
        run, head = last
        done = self._done(run)
        if done >= (head.submissions or 0):
            return ""
        return f"the last run was interrupted: {done} of {head.submissions} submissions are graded"

    def has_whole_run(self) -> bool:
        """Whether any run was finished, perhaps before the last one."""
        return self._finished() > 0

    def remarks(self) -> tuple[str, ...]:
        """What is missing in the report of a run that was finished: submissions that it was not given.

        Then what a human ruled and may have to look at again (``grader.gradebook.doubts``).
        """
        last = self._last_run()
        if last is None:
            return ()
        run, head = last
        remarks = []
        if changes := self._changes():
            whose = first_of(changes, _NAMED, "; ")
            remarks.append(
                f"graded anew, with other points than after the last run: {whose}; "
                "gradebook.csv has those of before in its column `previous`"
            )
        missed = self._missed(run)
        if missed and missed != head.missed:
            number = len(missed)
            those = "1 submission of an earlier run is" if number == 1 else f"{number} submissions of earlier runs are"
            whose = first_of([*dict.fromkeys(missed)], _NAMED, "; ")
            remarks.append(
                f"{those} not in this one, nor in its reports: {whose}. To have everyone there, name all folders in "
                "one `grader score` (what was graded is not run again); of who left, the next run says no more"
            )
        return (*remarks, *remarks_on(self.doubts()))

    def _changes(self) -> list[str]:
        """Whose total is another since notebooks were graded anew, with both."""
        if next(self._file.rows("SELECT 1 FROM replaced"), None) is None:
            return []  # as mostly: all that was graded need not be read for that
        run = self.report()
        now = _totals(run)
        return [f"{student} {points(before)} → {points(now[student])}" for student, before in run.previous.items()]

    def _done(self, run: int) -> int:
        ((done,),) = self._file.rows("SELECT COUNT(*) FROM submission WHERE run = ?", (run,))
        return int(done)

    def _missed(self, run: int) -> tuple[str, ...]:
        """Who is not in a run with what an earlier one had, once for each; with its name where others of theirs are."""
        return tuple(
            f"{student} ({notebook})" if is_there else student
            for student, notebook, times, is_there in self._file.rows(_LEFT_OUT, (run, run))
            for _ in range(times)
        )

    def _told(self) -> tuple[str, ...]:
        """Who was told not to be in the last run; where that was interrupted, in the one before."""
        last = self._last_run()
        if last is None:
            return ()
        run, head = last
        return head.missed if self.unfinished() else self._missed(run)

    def _finished(self) -> int:
        """The number of the last run that was not interrupted; 0 where there is none, or it is not known."""
        last = self._last_run()
        if last is None:
            return 0
        run, head = last
        return head.since if self.unfinished() else run

    def _submissions(self) -> list[SubmissionReport]:
        """What the last run has; where it was interrupted, also what there was before of other files."""
        rows = self._file.rows(
            "SELECT run = (SELECT MAX(id) FROM run), report FROM submission WHERE run >= ?", (self._finished(),)
        )
        found = [(is_last, self._report_in(text)) for is_last, text in rows]
        there = {mark for is_last, one in found if is_last for mark in _marks(one)}
        return [one for is_last, one in found if is_last or there.isdisjoint(_marks(one))]

    def _replaced(self) -> dict[tuple[str, str, str], SubmissionReport]:
        """What was found before in notebooks that are the same and were graded anew."""
        found = {}
        for (text,) in self._file.rows("SELECT report FROM replaced"):
            with suppress(GradebookError):  # of an older grader, perhaps
                one = self._report_in(text)
                if one.status != "not_assigned":
                    found[_place(one)] = one
        return found

    def _report_in(self, text: str) -> SubmissionReport:
        try:
            return submission_from_dict(json.loads(text))
        except (GradebookError, ValueError) as error:
            raise GradebookError(
                f"a row of {self.path} is damaged: {error}",
                remedy="grade again with `grader score --fresh`",
            ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place(one: SubmissionReport) -> tuple[str, str, str]:
    """What a notebook that is graded anew is known by: whose it is, where it lies, and what it holds."""
    return one.student, one.path, one.sha256


def _marks(one: SubmissionReport) -> set[tuple[str, str, str]]:
    """What says that a notebook is one that was there before: it lies where that did, or holds what that held."""
    return {(one.student, one.notebook, mark) for mark in (one.path, one.sha256) if mark}


def _totals(run: RunReport) -> dict[str, float | None]:
    return {row.student: row.score for row in rows_of(run)}
