"""Archives made in code, hostile ones included, and what is found in them."""

from __future__ import annotations

import io
import tarfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grader.submission.collecting import collection
from grader.submission.entry import Collection


@contextmanager
def collect(paths: Sequence[Path], **options: Any) -> Iterator[Collection]:
    """What is found in ``paths``, with the archives unpacked meanwhile."""
    with TemporaryDirectory() as place:
        yield collection.collect(paths, place=Path(place), **options)


def collected(paths: Sequence[Path], **options: Any) -> Collection:
    """What is found in ``paths``, with nothing unpacked any more."""
    with collect(paths, **options) as found:
        return found


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
        return self._raw, self.flag_bits
