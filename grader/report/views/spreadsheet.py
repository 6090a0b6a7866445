"""``gradebook.csv``: a row a student, a column an exercise, then the totals."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from grader.model import RunReport, SubmissionReport, total
from grader.names.alphabet import alphabetical
from grader.report.counting.concerns import remarks_on, shared_remarks_on
from grader.report.counting.row import Row
from grader.report.counting.tally import tally
from grader.report.words.numbers import points, rounded
from grader.report.words.text import csv_cell


def gradebook_csv(run: RunReport) -> str:
    """``run`` as CSV (RFC 4180, UTF-8): a row a student, with all of a student's notebooks together.

    A cell is empty where there is no score: the exercise was not handed in, or could not be graded. Who handed in
    nothing has the status ``absent``, and no ``page``; once a human ruled on them, still no ``notebooks``. Text that a
    spreadsheet would take for a formula is quoted by a leading apostrophe. Where anybody's notebooks answer the same
    exercises, a column ``attempts`` has the points of each; where notebooks were graded anew with other points,
    ``previous`` has the totals of before.
    """
    return csv_text(gradebook_records(run))


def gradebook_records(run: RunReport) -> list[list[str]]:
    """The header and the rows of ``gradebook_csv``; the first cell of each is the student's name as it is."""
    counted = tally(run)
    ids = [column.id for column in counted.columns]
    header = ["student", *ids, "score", "possible", "percent", "status", "notebooks", "flags", "page"]
    possible = score_cell(counted.possible) if run.assigned else ""
    nothing = [[name, *[""] * len(ids), "", possible, "", "absent", "", "", ""] for name in counted.absent]
    shared = shared_remarks_on(counted.rows)
    records = [*(_record(row, ids, shared.get(row.student, ())) for row in counted.rows), *nothing]
    attempts = {row.student: text for row in counted.rows if (text := _attempts(row))}
    previous = {student: score_cell(score) or "–" for student, score in run.previous.items()}
    for name, cells in (("attempts", attempts), ("previous", previous)):
        if cells:
            header.append(name)
            records = [[*record, cells.get(record[0], "")] for record in records]
    return [header, *sorted(records, key=lambda record: alphabetical(record[0]))]


def csv_text(records: Iterable[Sequence[str]]) -> str:
    """Records as CSV text; every cell is guarded against formulas, which a number of points is not."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([csv_cell(cell) for cell in record] for record in records)
    return buffer.getvalue()


def score_cell(value: float | None) -> str:
    """A number of the sheet: up to four decimals, empty where there is none."""
    value = rounded(value)
    if value is None:
        return ""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _record(row: Row, ids: Sequence[str], shared: Sequence[str]) -> list[str]:
    from grader.report.views.pages import page_name  # and Jinja, which the other exports do without

    share = None if row.score is None or row.possible <= 0 else 100 * row.score / row.possible
    return [
        row.student,
        *(_exercise_cell(row, id_) for id_ in ids),
        score_cell(row.score),
        score_cell(row.possible),
        "" if share is None else points(share),
        row.status,
        "; ".join(dict.fromkeys(entry.notebook for entry in row.entries if entry.notebook and entry.path)),
        "; ".join([*remarks_on(row), *shared]),
        f"students/{page_name(row.student)}",
    ]


def _exercise_cell(row: Row, id_: str) -> str:
    exercise = row.exercises.get(id_)
    return "" if exercise is None or exercise.status == "grader_error" else score_cell(exercise.score)


def _attempts(row: Row) -> str:
    """The path and the points of each notebook that has an exercise which another has as well."""
    times = Counter(
        exercise.id for entry in row.entries for exercise in entry.exercises if exercise.id in row.exercises
    )
    several = [entry for entry in row.entries if any(times[exercise.id] > 1 for exercise in entry.exercises)]
    return "; ".join(f"{entry.path}: {_earned(row, entry)}" for entry in several)


def _earned(row: Row, entry: SubmissionReport) -> str:
    """What one notebook has by itself of what counts."""
    if entry.score is None:
        return "–"
    return score_cell(total(exercise.score for exercise in entry.exercises if exercise.id in row.exercises))
