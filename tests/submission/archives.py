"""Archives made in code, hostile ones included, and what is found in them."""

from __future__ import annotations

import io
import tarfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grader.submission.collecting import collection
from grader.submission.entry import Collection


def collect(paths: Sequence[Path], *, place: Path | None = None, **options: Any) -> Collection:
    """What is found in ``paths``, with the archives unpacked in ``place``; without one they are gone."""
    with TemporaryDirectory() as meanwhile:
        return collection.collect(paths, place=place or Path(meanwhile), **options)


def whose(paths: Sequence[Path], **options: Any) -> list[str]:
    """Whose each notebook in ``paths`` is, and who handed in none, in the order of reports."""
    return [entry.student for entry in collect(paths, **options)]


def zip_of(path: Path, files: Mapping[str, bytes] | Sequence[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    pairs = files.items() if isinstance(files, Mapping) else files
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, content in pairs:
            archive.writestr(name, content)
    return path


def tar_of(path: Path, files: Mapping[str, bytes], members: Sequence[tarfile.TarInfo] = ()) -> Path:
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in members:
            archive.addfile(member)
    return path


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def zip_link(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, 0o120777 << 16
    return made


class UnmarkedInfo(zipfile.ZipInfo):
    """A member whose name is written in ``code`` and does not say so."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(name)
        self._raw = name.encode(code)

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self._raw, self.flag_bits & ~0x800  # newer Pythons have set the mark by then
