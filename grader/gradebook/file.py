"""The file of a gradebook: one run's alone while it is open, of a version that is known, with its troubles in words.

The database is locked as it is opened, so that two runs on one gradebook cannot mix, and the lock dies with its
process. Whatever SQLite says of it, from then on too, is a ``GradebookError`` that names the file. One that may only be
read, such as a colleague's or a backup, is read from a copy: SQLite reads no database without a file of its own beside.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grader.errors import GradebookBusy, GradebookError
from grader.machine import remedy_of_shortage

#: The version of the tables; a gradebook of another version is refused, never converted in silence.
SCHEMA = 1
#: What SQLite's module raises of a file; of one that is damaged it may even fail to read the message.
_UNUSABLE = (sqlite3.Error, UnicodeDecodeError)

#: Where in the file SQLite's readers put their locks, and for how many bytes (``os.h``): a writer has all of them.
_READERS = (0x4000_0002, 510)

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
#: Also in a gradebook that is older than overrides; the columns behind ``reason`` say what was ruled on.
_RULINGS = """
CREATE TABLE IF NOT EXISTS ruling (
    student TEXT NOT NULL,
    exercise TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    score REAL,
    reason TEXT NOT NULL,
    graded REAL,
    possible REAL,
    files TEXT NOT NULL DEFAULT '',
    made TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (student, exercise, sha256)
)
"""
#: Also in one that is older than this: what the rows that were graded anew had after the last run that was finished.
_REPLACED = "CREATE TABLE IF NOT EXISTS replaced (key TEXT PRIMARY KEY, report TEXT NOT NULL)"


class GradebookFile:
    """The database at ``path``, made where there is none.

    Raises:
        GradebookBusy: another run has it open.
        GradebookError: the file is no gradebook, of another version, or can neither be used nor made; later: it may
            only be read, or was removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        there, folder = path.exists(), path.parent
        if not there and folder.is_dir() and not os.access(folder, os.W_OK):
            raise GradebookError(
                f"{path} cannot be made: you may not write in {folder}", remedy="write to another folder with --out"
            )
        self._may_be_written = not there or (os.access(path, os.W_OK) and os.access(folder, os.W_OK))
        with ExitStack() as opened:
            self._db = self._connected(path if self._may_be_written else self._copied(opened))
            opened.callback(self._db.close)
            self._open()
            self._identity = _identity(path) if self._may_be_written else None
            self._opened = opened.pop_all()

    def _connected(self, path: Path) -> sqlite3.Connection:
        try:
            return sqlite3.connect(path, timeout=0.2, isolation_level=None)
        except _UNUSABLE as error:
            raise self._unusable(error) from error

    def _copied(self, opened: ExitStack) -> Path:
        """A copy of the file, and of what SQLite had not yet moved into it, gone when ``opened`` ends."""
        if _lock_refused(self.path) in (errno.EACCES, errno.EAGAIN):
            raise self._busy()
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="grader-")))
        try:
            shutil.copyfile(self.path, folder / self.path.name)
            log = f"{self.path.name}-wal"
            if self.path.with_name(log).exists():
                shutil.copyfile(self.path.with_name(log), folder / log)
        except OSError as error:
            raise self._unusable(error) from error
        return folder / self.path.name

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
                self._prepare_rulings()
                self._db.execute(_REPLACED)
            self._db.execute("COMMIT")
        except _UNUSABLE as error:
            if _lock_refused(self.path) not in (None, errno.EACCES, errno.EAGAIN):
                raise GradebookError(
                    f"the file system that {self.path} is on gives no locks, so two runs could mix there",
                    remedy="have it on a local disk, also to read it, and copy the folder when nothing is running",
                ) from error
            if "locked" in str(error) or "busy" in str(error):
                raise self._busy() from error
            raise self._unusable(error) from error
        if version != SCHEMA:
            raise GradebookError(
                f"{self.path} is a gradebook of version {version}, this grader writes version {SCHEMA}",
                remedy="write to another folder with --out, or use the grader that made it",
            )

    def _prepare_rulings(self) -> None:
        """Make the table of rulings; one of an older grader, which lacks columns, is made anew with what it has."""
        columns = [name for _, name, *_ in self._db.execute("PRAGMA table_info(ruling)")]
        older = bool(columns) and "made" not in columns
        if older:
            self._db.execute("ALTER TABLE ruling RENAME TO earlier")
        self._db.execute(_RULINGS)
        if older:
            names = ", ".join(columns)
            self._db.execute(f"INSERT INTO ruling ({names}) SELECT {names} FROM earlier")  # noqa: S608
            self._db.execute("DROP TABLE earlier")

    def _busy(self) -> GradebookBusy:
        return GradebookBusy(
            f"another run is writing {self.path}",
            remedy="wait for it to end, or write to another folder with --out",
        )

    def _unusable(self, error: Exception) -> GradebookError:
        why = error.strerror if isinstance(error, OSError) else error
        return GradebookError(
            f"{self.path} cannot be used as a gradebook: {why}",
            remedy=remedy_of_shortage(error)
            or "check that it may be read and is not another program's file, or use another --out",
        )

    def close(self) -> None:
        """Close the file and give up its lock."""
        self._opened.close()

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Execute one statement that writes.

        Raises:
            GradebookError: the gradebook may only be read, is damaged, or was removed, or the disk is full.
        """
        if not self._may_be_written:
            raise GradebookError(
                f"{self.path} may only be read by you, so nothing can be kept in it",
                remedy="copy its folder to where you may write, and name the copy",
            )
        self._refuse_lost()
        try:
            return self._db.execute(statement, values)
        except _UNUSABLE as error:
            raise self._unusable(error) from error

    def rows(self, statement: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows that a statement finds; damage that comes to light only as they are read is told as well."""
        self._refuse_lost()
        try:
            for row in self._db.execute(statement, values):  # noqa: UP028 - "yield from" would close the cursor late
                yield row
        except _UNUSABLE as error:
            raise self._unusable(error) from error

    def _refuse_lost(self) -> None:
        """Refuse to go on with a file whose place another has taken, or none: nobody would find what is kept in it."""
        if self._identity is not None and _identity(self.path) != self._identity:
            raise GradebookError(
                f"{self.path} was removed or replaced while it was in use, so what was graded since is lost",
                remedy="run the same command again",
            )

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Keep all that is executed meanwhile or, where something fails, nothing of it."""
        with self._db:  # rolls back what was begun, where one of them fails
            self.execute("BEGIN")
            yield
            self.execute("COMMIT")


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that takes its place; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lock_refused(path: Path) -> int | None:
    """Why no lock can be had to read the file, as a number of ``errno``; None where one can, or is not known here."""
    try:
        import fcntl
    except ImportError:  # Windows, where SQLite has other locks
        return None
    with suppress(OSError), path.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, _READERS[1], _READERS[0])
        except OSError as error:
            return error.errno
    return None
