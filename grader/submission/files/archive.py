"""Unpacking untrusted ZIP and tar archives: into one folder, regular files only, counted as they grow.

What an archive says of itself (sizes, counts, names) is not believed: bytes are counted while they are written, names
that lead out of the folder are passed over and reported, links and devices are never made.
"""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import re
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from grader.machine import remedy_of_reading
from grader.submission.files.finding import UNPACKED
from grader.submission.files.limits import Allowance, CollectLimits
from grader.submission.files.regular_file import Refused, TooLarge, Unavailable, opened, refusal_for
from grader.submission.files.zip_names import name_of

_CHUNK = 64 * 1024
_HEADERS = 16 * 1024**2  # so much is read of a tar's long names and attributes, all together
_DEEPEST = 100  # folders in folders, which removing them again has to get through too
_LONGEST = 255  # characters of a name; in an archive it may have 65,535, to find whose that is would take hours
_NO_FILE = "has a name in the archive that cannot be a file"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@dataclass
class Unpacking:
    """One archive being unpacked: how much it may still write, and what was passed over (parts, reason)."""

    target: Path
    allowance: Allowance
    passed_over: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def make_folder(self, parts: tuple[str, ...]) -> None:
        """Make a folder, which may stay empty; one that cannot be made is left out, its files are passed over."""
        try:
            self._make(self.target.joinpath(*parts))
        except (OSError, ValueError) as error:
            _refuse_for_this_machine(error)

    def _make(self, folder: Path) -> None:
        """Make a folder and those above it, each counted."""
        if not folder.is_dir():
            self._make(folder.parent)
            self.allowance.count_folder()
            folder.mkdir()

    def write(self, parts: tuple[str, ...], source: _Readable) -> None:
        """Write one member; a name that cannot be made is passed over, a source that breaks is cut off and reported."""
        path = self.target.joinpath(*parts)
        try:
            self._make(path.parent)
            file = path.open("xb")
        except FileExistsError:
            self.passed_over.append((parts, "stands in the archive more than once"))
            return
        except (OSError, ValueError) as error:
            _refuse_for_this_machine(error)
            self.passed_over.append((parts, _NO_FILE))
            return
        try:
            with file:
                while chunk := source.read(_CHUNK):
                    self.allowance.count_bytes(len(chunk))
                    file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)  # cut off, it is nobody's work
            raise


def unpack(archive: Path, target: Path, allowance: Allowance) -> list[tuple[tuple[str, ...], str]]:
    """Unpack ``archive`` into the existing, empty folder ``target``; return what was passed over and why.

    Raises:
        Refused: the archive is not one, is of a kind that is not unpacked, is damaged or encrypted, holds too many
            files or unpacks to too much.
    """
    if not archive.name.lower().endswith(UNPACKED):
        raise Refused("an archive of a kind that is not unpacked: hand in a .zip, or the notebook itself")
    unpacking = Unpacking(target, allowance)
    with opened(archive, allowance.limits.unpacked_bytes) as file:
        try:
            if archive.name.lower().endswith(".zip"):
                _unpack_zip(file, unpacking)
            else:
                _unpack_tar(file, unpacking)
        except _BROKEN as error:
            _refuse_for_this_machine(error)
            raise Refused("the archive is damaged, or not one of its kind") from None
    return unpacking.passed_over


def _refuse_for_this_machine(error: Exception) -> None:
    """Refuse the archive where the disk is full or cannot be read now, which is no fault of the archive's."""
    if not isinstance(error, OSError):
        return
    if error.errno in _FULL:
        remedy = "make some where temporary files go, or name another folder by TMPDIR, and grade again"
        raise Unavailable(f"there was no room to unpack it: {remedy}", remedy) from None
    if remedy_of_reading(error):
        raise refusal_for(error) from None


def _unpack_zip(file: BinaryIO, unpacking: Unpacking) -> None:
    size = _check_directory(file, unpacking.allowance.limits)
    left = 2 * size  # to read: files that lie apart have less, and a damaged one may say that it has all
    with zipfile.ZipFile(file) as archive, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Overlapped entries")  # counted here
        for member in archive.infolist():
            unpacking.allowance.count_entry()
            name = name_of(member)
            parts = _parts(name, unpacking)
            if parts is None:
                continue
            if name.endswith(("/", "\\")):  # some of Windows' writers separate by backslashes
                unpacking.make_folder(parts)
            elif obstacle := _obstacle(member):
                unpacking.passed_over.append((parts, obstacle))
            else:
                left -= min(member.compress_size, size)
                if left < 0:  # what comes out is counted too, but may be nothing
                    raise Refused("the archive's files lie in one another, so that each is read over and over")
                with _broken_member(parts, unpacking), archive.open(member) as source:
                    unpacking.write(parts, source)


def _obstacle(member: zipfile.ZipInfo) -> str:
    """Why a file in a ZIP is passed over; empty where nothing keeps it from being unpacked."""
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link or device in the archive, which is not unpacked"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # bz2 and LZMA come out in pieces of gigabytes, however little of them is asked for
        return "compressed in the archive in a way that is not unpacked"
    return "encrypted in the archive" if member.flag_bits & 0x1 else ""


def _check_directory(file: BinaryIO, limits: CollectLimits) -> int:
    """The size of a ZIP, refused if its table of contents alone would fill the memory when ``zipfile`` reads it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise Refused("the archive is damaged, or not one of its kind")
    entries, table_bytes = struct.unpack("<10xHI", tail[at : at + 16])
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # ZIP64: what stands before the end is believed instead
        entries, table_bytes = struct.unpack("<32xQQ8x", tail[at - 76 : at - 20])
        (place,) = struct.unpack("<8xQ4x", tail[at - 20 : at])
        if place != size - len(tail) + at - 76:  # where newer Pythons look for it
            raise Refused("the archive is damaged, or not one of its kind")
    if entries > limits.archive_entries or table_bytes > limits.archive_entries * 1024:
        raise TooLarge(f"the archive holds more than {limits.archive_entries} files")
    file.seek(0)
    return size


@contextmanager
def _broken_member(parts: tuple[str, ...], unpacking: Unpacking) -> Iterator[None]:
    """Let a damaged member of a ZIP spoil itself alone (each is compressed on its own)."""
    try:
        yield
    except _BROKEN as error:
        _refuse_for_this_machine(error)
        unpacking.passed_over.append((parts, "damaged in the archive"))


def _pax_records(data: bytes) -> dict[str, str]:
    """The path and the size that a pax header tells, in records of a length, a key and a value."""
    about = {}
    at = 0
    while data[at : at + 1] not in (b"", b"\0"):
        length = data[at : at + 20].partition(b" ")[0]
        if not length.isdigit() or not int(length):
            raise tarfile.ReadError("not a pax header")
        key, _, value = data[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        if key.startswith(b"GNU.sparse."):
            raise Refused("the archive holds a sparse file")
        if key in (b"path", b"size"):
            about[key.decode()] = value.decode("utf-8", "surrogateescape")
        at += int(length)
    return about


class _Counted:
    """The decompressed bytes of a tar, counted as they come, headers and padding included."""

    def __init__(self, source: IO[bytes] | gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._left = limit

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge("the archive unpacks to more than the limit")
        return data


class _Content:
    """The ``size`` bytes of one member of a tar, up to the end of a block."""

    def __init__(self, tar: _Counted, size: int) -> None:
        self._tar, self._left, self._padding = tar, size, -size % tarfile.BLOCKSIZE

    def read(self, size: int = _CHUNK, /) -> bytes:
        data = self._tar.read(min(size, self._left))
        if self._left and not data:
            raise tarfile.ReadError("cut off")
        self._left -= len(data)
        return data

    def skip(self) -> None:
        while self.read():
            pass
        self._tar.read(self._padding)


def _unpack_tar(file: BinaryIO, unpacking: Unpacking) -> None:
    zipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    allowance = unpacking.allowance
    plain = gzip.GzipFile(fileobj=file) if zipped else file
    counted = _Counted(plain, allowance.bytes_left + (allowance.entries_left + 40) * 4096)
    for member, content in _members(counted):
        allowance.count_entry()
        parts = _parts(member.name, unpacking)
        if parts is None:
            continue
        if member.isdir():
            unpacking.make_folder(parts)
        elif member.isreg():
            unpacking.write(parts, content)
        else:
            unpacking.passed_over.append((parts, "a link or device in the archive, which is not unpacked"))


def _members(tar: _Counted) -> Iterator[tuple[tarfile.TarInfo, _Content]]:
    """Yield the members of a tar, each with its content, which is to be read before the next one.

    Of ``tarfile`` only the parser of a single header is used: its iterator reads headers of any size, keeps every one
    of them, and in older Pythons takes long over some.
    """
    headers_left = _HEADERS
    about: dict[str, str] = {}  # the path and the size of the next member, where headers of their own tell them
    block = tar.read(tarfile.BLOCKSIZE)
    if not block:
        raise tarfile.ReadError("empty")
    while any(block):  # a block of zeros, or nothing, is the end
        head = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if head.type in (b"x", b"g", b"X", b"L", b"K"):
            if not 0 <= head.size <= headers_left:
                raise Refused(f"the archive has headers larger than {_HEADERS // 1024**2} MB")
            headers_left -= head.size
            data = tar.read(head.size + -head.size % tarfile.BLOCKSIZE)[: head.size]
            if head.type == b"L":
                about.setdefault("path", data.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
            elif head.type in (b"x", b"X"):
                about = {**_pax_records(data), **about}
        elif head.type == tarfile.GNUTYPE_SPARSE:
            raise Refused("the archive holds a sparse file")
        else:
            head.name = about.get("path", head.name)
            bare = head.isdir() or head.issym() or head.islnk() or head.isdev()
            size = 0 if bare else int(about.get("size", head.size))
            if size < 0:
                raise tarfile.ReadError("a negative size")
            content = _Content(tar, size)
            yield head, content
            content.skip()
            about = {}
        block = tar.read(tarfile.BLOCKSIZE)
    if about:
        raise tarfile.ReadError("no member behind its header")


def _parts(name: str, unpacking: Unpacking) -> tuple[str, ...] | None:
    """The parts of a member's name, None (and a note) where they lead out of the folder or are no path."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if not parts:
        return None
    told = (*(part[:_LONGEST] for part in parts[:-1][: _DEEPEST - 1]), parts[-1][-_LONGEST:])
    if name.startswith(("/", "\\")) or ".." in parts or _DRIVE.match(name) or any("\0" in part for part in parts):
        kept = tuple(part.replace("\0", "") for part in told if part != "..")
        unpacking.passed_over.append((kept or told, "its path leads out of the archive"))
        return None
    if len(parts) > _DEEPEST:
        unpacking.passed_over.append((told, "lies too deep in the archive"))
        return None
    if max(map(len, parts)) > _LONGEST:
        unpacking.passed_over.append((told, _NO_FILE))
        return None
    return parts
