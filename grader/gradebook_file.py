"""The file of a gradebook: one run's alone while it is open, of a version that is known, with its troubles in words.

The database is locked as it is opened, so that two runs on one gradebook cannot mix, and the lock dies with its
process. Whatever SQLite says of it, from then on too, is a ``GradebookError`` that names the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.errors import GradebookBusy, GradebookError
from grader.machine import remedy_of_shortage

#: The version of the tables; a gradebook of another version is refused, never converted in silence.
SCHEMA = 1
#: What SQLite's module raises of a file; of one that is damaged it may even fail to read the message.
_UNUSABLE = (sqlite3.Error, UnicodeDecodeError)

_TABLES = """
CREATE TABLE run (id INTEGER PRIMARY KEY, settings TEXT NOT NULL);
CREATE TABLE submission (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES run(id),
    report TEXT NOT NULL
);
CREATE INDEX submission_fingerprint ON submission (fingerprint);
"""
#: Also in a gradebook that is older than overrides.
_RULINGS = """
CREATE TABLE IF NOT EXISTS ruling (
    student TEXT NOT NULL,
    exercise TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    score REAL NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (student, exercise, sha256)
)
"""


class GradebookFile:
    """The database at ``path``, made where there is none.

    Raises:
        GradebookBusy: another run has it open.
        GradebookError: the file is no gradebook, of another version, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=0.2, isolation_level=None)
        except _UNUSABLE as error:
            raise self._unusable(error) from error
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("BEGIN EXCLUSIVE")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0 and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {SCHEMA}")
                version = SCHEMA
            if version == SCHEMA:
                self._db.execute(_RULINGS)
            self._db.execute("COMMIT")
        except _UNUSABLE as error:
            if "locked" in str(error) or "busy" in str(error):
                raise GradebookBusy(
                    f"another run is writing {self.path}",
                    remedy="wait for it to end, or write to another folder with --out",
                ) from error
            raise self._unusable(error) from error
        if version != SCHEMA:
            raise GradebookError(
                f"{self.path} is a gradebook of version {version}, this grader writes version {SCHEMA}",
                remedy="write to another folder with --out, or use the grader that made it",
            )

    def _unusable(self, error: Exception) -> GradebookError:
        return GradebookError(
            f"{self.path} cannot be used as a gradebook: {error}",
            remedy=remedy_of_shortage(error)
            or "check that it may be written and is not another program's file, or use another --out",
        )

    def close(self) -> None:
        """Close the file and give up its lock."""
        self._db.close()

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Execute one statement; a full disk or a damaged file is told like any other trouble with the gradebook."""
        try:
            return self._db.execute(statement, values)
        except _UNUSABLE as error:
            raise self._unusable(error) from error

    def rows(self, statement: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows that a statement finds; damage that comes to light only as they are read is told as well."""
        try:
            for row in self._db.execute(statement, values):  # noqa: UP028 - "yield from" would close the cursor late
                yield row
        except _UNUSABLE as error:
            raise self._unusable(error) from error

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Keep all that is executed meanwhile or, where something fails, nothing of it."""
        with self._db:  # rolls back what was begun, where one of them fails
            self.execute("BEGIN")
            yield
            self.execute("COMMIT")
