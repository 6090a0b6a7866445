from __future__ import annotations

import errno
import gzip
import io
import os
import struct
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.submission.files import archive
from grader.submission.files.archive import unpack
from grader.submission.files.limits import Allowance, CollectLimits
from grader.submission.files.regular_file import Refused, Unavailable
from tests.submission.archives import member, tar_of, zip_link, zip_of

SMALL = CollectLimits(unpacked_bytes=1_000_000, archive_entries=50)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "outer" / "target"
    folder.mkdir(parents=True)
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("ending", ["a.zip", "a.tar", "a.tar.gz", "a.tgz"])
def test_unpack_makes_the_files(ending: str, tmp_path: Path, target: Path) -> None:
    files = {"ada/nb.ipynb": b"{}" * 40_000, "b": b""}
    archive = (zip_of if ending == "a.zip" else tar_of)(tmp_path / ending, files)
    assert unpack(archive, target, Allowance(SMALL)) == []
    assert tree(target) == ["ada/nb.ipynb", "b"]
    assert (target / "ada/nb.ipynb").read_bytes() == files["ada/nb.ipynb"]


@pytest.mark.parametrize("slash", ["/", "\\"], ids=["slash", "backslash"])
@pytest.mark.parametrize("ending", ["a.zip", "a.tar"])
def test_unpack_makes_folders_empty_ones_too(ending: str, slash: str, tmp_path: Path, target: Path) -> None:
    folders = [f"alan{slash}", f"ada{slash}"]
    file = {f"ada{slash}nb.ipynb": b"{}"}
    if ending == "a.zip":
        archive = zip_of(tmp_path / ending, [*((name, b"") for name in folders), *file.items()])
    else:
        archive = tar_of(tmp_path / ending, file, [member(name, tarfile.DIRTYPE) for name in folders])
    assert unpack(archive, target, Allowance(SMALL)) == []
    assert sorted(path.name for path in target.iterdir() if path.is_dir()) == ["ada", "alan"]
    assert tree(target) == ["ada/nb.ipynb"]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/tmp/evil-x", "..\\x", "C:\\x", "\\x"])
@pytest.mark.parametrize("make", [zip_of, tar_of], ids=["zip", "tar"])
def test_unpack_passes_over_paths_that_lead_out(make, name: str, tmp_path: Path, target: Path) -> None:
    archive = make(tmp_path / ("a.zip" if make is zip_of else "a.tar"), {name: b"evil", "ok": b""})
    passed_over = unpack(archive, target, Allowance(SMALL))
    assert [reason for _, reason in passed_over] == ["its path leads out of the archive"]
    assert tree(tmp_path / "outer") == ["target/ok"]
    assert not Path("/tmp/evil-x").exists()


def test_unpack_makes_no_links_or_devices(tmp_path: Path, target: Path) -> None:
    odd = [
        member("link", tarfile.SYMTYPE, "/etc"),
        member("hard", tarfile.LNKTYPE, "/etc/passwd"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
    ]
    archive = tar_of(tmp_path / "a.tar", {"ok": b""}, odd)
    assert [parts for parts, _ in unpack(archive, target, Allowance(SMALL))] == [
        ("link",),
        ("hard",),
        ("pipe",),
        ("device",),
    ]
    assert tree(target) == ["ok"]


def test_unpack_writes_nothing_through_a_link_in_a_zip(tmp_path: Path, target: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [(zip_link("l"), b"/tmp"), ("l/evil", b"x")])
    assert [reason for _, reason in unpack(archive, target, Allowance(SMALL))] == [
        "a link or device in the archive, which is not unpacked"
    ]
    assert tree(target) == ["l/evil"]
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([("a", b"1"), ("a", b"2")], "stands in the archive more than once"),
        ([("a", b"1"), ("a/b", b"2")], "stands in the archive more than once"),
        ([("x" * 300, b"1"), ("a", b"1")], "has a name in the archive that cannot be a file"),
        ([("x/" * 1_500 + "y", b"1"), ("a", b"1")], "lies too deep in the archive"),
    ],
)
def test_unpack_passes_over_names_that_cannot_be(files, reason: str, tmp_path: Path, target: Path) -> None:
    passed_over = unpack(zip_of(tmp_path / "a.zip", files), target, Allowance(SMALL))
    assert len(passed_over) == 1
    assert (target / "a").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["a" + " " * 60_000 + "b", "a_" * 30_000, "a/" * 30_000 + "b", "../" + "-" * 60_000])
def test_unpack_tells_of_a_name_no_more_than_a_file_may_have(name: str, tmp_path: Path, target: Path) -> None:
    ((parts, _),) = unpack(zip_of(tmp_path / "a.zip", {f"{name}.ipynb": b"1"}), target, Allowance(CollectLimits()))
    assert parts[-1].endswith(".ipynb")
    assert len(parts) <= 100
    assert max(map(len, parts)) <= 255


@pytest.mark.parametrize("ending", ["a.zip", "a.tar"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE], ids=errno.errorcode.get)
def test_unpack_does_not_call_an_archive_damaged_where_this_machine_fails(
    number: int, ending: str, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = (zip_of if ending == "a.zip" else tar_of)(tmp_path / ending, {"nb.ipynb": b"{}"})
    monkeypatch.setattr(Path, "open", Mock(side_effect=OSError(number, "x")))
    with pytest.raises(Unavailable, match="cannot be read: "):
        unpack(archive, target, Allowance(SMALL))


@pytest.mark.parametrize("ending", ["a.zip", "a.tar"])
def test_unpack_does_not_call_an_archive_damaged_where_the_disk_is_full(
    ending: str, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = (zip_of if ending == "a.zip" else tar_of)(tmp_path / ending, {"nb.ipynb": b"{}"})
    really = Path.open

    def opened(path: Path, mode: str) -> Any:
        return really(Path("/dev/full") if target in path.parents else path, mode.replace("x", "w"))

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(Unavailable, match="no room to unpack it"):
        unpack(archive, target, Allowance(SMALL))


def test_unpack_counts_the_folders_that_one_path_makes(tmp_path: Path, target: Path) -> None:
    deep = {f"{number}/" + "x/" * 30 + "nb.ipynb": b"{}" for number in range(2)}
    with pytest.raises(Refused, match="more than 50 folders"):
        unpack(zip_of(tmp_path / "a.zip", deep), target, Allowance(SMALL))


@pytest.mark.parametrize("second", ["b.ipynb", "b.ipynb/c"], ids=["twice", "in it"])
def test_unpack_keeps_a_file_beside_a_damaged_one_of_its_name(second: str, tmp_path: Path, target: Path) -> None:
    path = zip_of(tmp_path / "a.zip", [("b.ipynb", b"{}"), (second, b"damaged"), ("c.ipynb", b"{}")])
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        place = archive.infolist()[1].header_offset + 30 + len(second)
    path.write_bytes(data[:place] + b"\xff" * 4 + data[place + 4 :])

    passed_over = unpack(path, target, Allowance(SMALL))

    assert len(passed_over) == 1
    assert tree(target) == ["b.ipynb", "c.ipynb"]


def test_unpack_reads_no_table_of_a_zip64_that_hides_its_size(tmp_path: Path, target: Path) -> None:
    """The mark of ZIP64's locator stands in its record, too, where another search would find it first."""
    path = zip_of(tmp_path / "a.zip", {"a": b""})
    data = path.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQHH4sIQQQQ", b"PK\x06\x06", 44, 45, 45, b"PK\x06\x07", 0, 10**6, 10**6, 10**9, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    path.write_bytes(data[:end] + record + locator + data[end:])

    with pytest.raises(Refused, match="more than 50 files"):
        unpack(path, target, Allowance(SMALL))


def _bomb_outside(path: Path) -> Path:
    return _quine_like_bomb(path, "../big")


def _quine_like_bomb(path: Path, name: str = "big") -> Path:
    with gzip.open(path, "wb") as file:
        head = tarfile.TarInfo(name)
        head.size = 50_000_000
        file.write(head.tobuf())
        for _ in range(50):
            file.write(bytes(1_000_000))
    return path


def _huge_header(path: Path) -> Path:
    head = tarfile.TarInfo("././@LongLink")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, 2_000_000_000
    path.write_bytes(head.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    return path


def _broken_in_the_middle(path: Path) -> Path:
    tar_of(path, {"ada.ipynb": b"{}", "alan.ipynb": b"{}"})
    content = bytearray(path.read_bytes())
    content[1024 + 148] ^= 1  # of the second header's checksum
    path.write_bytes(content)
    return path


def _lying_zip(path: Path) -> Path:
    """A ZIP whose table of contents says that its member has one byte."""
    zip_of(path, {"big": bytes(5_000_000)})
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def _table_bomb(path: Path) -> Path:
    zip_of(path, {"a": b""})
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(content)
    return path


REFUSED = {
    "zip_bomb": ("a.zip", lambda path: zip_of(path, {"big": bytes(5_000_000)}), "unpacks to more than 1 MB"),
    "tar_bomb": ("a.tgz", _quine_like_bomb, "unpacks to more than"),
    "tar_header_bomb": ("a.tar", _huge_header, "headers larger than 16 MB"),
    "table_of_contents_bomb": ("a.zip", _table_bomb, "more than 50 files"),
    "many_files_zip": ("a.zip", lambda path: zip_of(path, {str(i): b"" for i in range(51)}), "more than 50 files"),
    "many_files_tar": ("a.tar", lambda path: tar_of(path, {str(i): b"" for i in range(51)}), "more than 50 files"),
    "large_file": ("a.zip", lambda path: path.write_bytes(bytes(2_000_000)), "too large"),
    "not_a_zip": ("a.zip", lambda path: path.write_bytes(b"SECRET" * 9), "damaged"),
    "not_a_tar": ("a.tar", lambda path: path.write_bytes(b"SECRET" * 900), "damaged"),
    "empty_zip": ("a.zip", lambda path: path.write_bytes(b""), "damaged"),
    "empty_tar": ("a.tar", lambda path: path.write_bytes(b""), "damaged"),
    "tar_broken_in_the_middle": ("a.tar", _broken_in_the_middle, "damaged"),
    "tar_cut_behind_a_long_name": ("a.tar", lambda path: path.write_bytes(_header(b"L", b"name")), "damaged"),
    "bomb_in_what_is_passed_over": ("a.tgz", _bomb_outside, "unpacks to more than"),
    "cut_gzip": ("a.tgz", lambda path: path.write_bytes(gzip.compress(os.urandom(9_000))[:-900]), "damaged"),
    "link": ("a.zip", lambda path: path.symlink_to("/etc/passwd"), "a symbolic link"),
    "pipe": ("a.zip", os.mkfifo, "a named pipe"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_unpack_refuses(name: str, tmp_path: Path, target: Path) -> None:
    file, make, reason = REFUSED[name]
    make(tmp_path / file)
    with pytest.raises(Refused, match=reason) as raised:
        unpack(tmp_path / file, target, Allowance(SMALL))
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("spoil", ["encrypt", "corrupt", "lie"])
def test_unpack_a_spoilt_member_spoils_itself_alone(spoil: str, tmp_path: Path, target: Path) -> None:
    archive = tmp_path / "a.zip"
    if spoil == "lie":
        _lying_zip(archive)
        with zipfile.ZipFile(archive, "a") as more:
            more.writestr("ok", b"1")
    else:
        zip_of(archive, {"big": os.urandom(5_000), "ok": b"1"})
        content = bytearray(archive.read_bytes())
        if spoil == "encrypt":
            content[6] |= 1
            content[content.find(b"PK\x01\x02") + 8] |= 1
        else:
            content[100:120] = bytes(20)
        archive.write_bytes(content)
    passed_over = unpack(archive, target, Allowance(SMALL))
    assert [parts for parts, _ in passed_over] == [("big",)]
    assert tree(target) == ["ok"]


def test_unpack_refuses_a_sparse_file(tmp_path: Path, target: Path) -> None:
    hole = tmp_path / "hole"
    with hole.open("wb") as file:
        file.truncate(50_000_000)
    if os.system(f"tar --sparse -C {tmp_path} -cf {tmp_path}/a.tar hole") != 0:
        pytest.skip("no GNU tar")
    with pytest.raises(Refused, match="sparse"):
        unpack(tmp_path / "a.tar", target, Allowance(SMALL))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unpack_decompresses_in_pieces_or_not_at_all(method: int, tmp_path: Path, target: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("nb.ipynb", bytes(100_000), method)
        archive.writestr("ok", b"1")
    assert unpack(tmp_path / "a.zip", target, Allowance(SMALL)) == [
        (("nb.ipynb",), "compressed in the archive in a way that is not unpacked")
    ]
    assert tree(target) == ["ok"]


def test_unpack_takes_names_and_sizes_from_pax_headers(tmp_path: Path, target: Path) -> None:
    name = "Zoë/" + "ä" * 120
    head = tarfile.TarInfo(name)
    head.size, head.pax_headers = 3, {"size": "3", "comment": "x" * 2_000}
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "c"}) as archive:
        archive.addfile(head, io.BytesIO(b"abc"))
        archive.addfile(tarfile.TarInfo("ok"))
    assert unpack(tmp_path / "a.tar", target, Allowance(SMALL)) == []
    assert tree(target) == [name, "ok"]
    assert (target / name).read_bytes() == b"abc"


def _header(kind: bytes, data: bytes) -> bytes:
    head = tarfile.TarInfo("././@PaxHeader")
    head.type, head.size = kind, len(data)
    return head.tobuf() + data + bytes(-len(data) % 512)


def test_unpack_never_reads_a_member_of_a_negative_size(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which would be all that is left, in one piece."""
    asked = []

    class Asked(archive._Counted):
        def read(self, size: int) -> bytes:
            asked.append(size)
            return super().read(size)

    monkeypatch.setattr(archive, "_Counted", Asked)
    (tmp_path / "a.tar").write_bytes(_header(b"x", b"12 size=-1\n") + tarfile.TarInfo("a").tobuf() + bytes(9_000))
    with pytest.raises(Refused, match="damaged"):
        unpack(tmp_path / "a.tar", target, Allowance(SMALL))
    assert min(asked) >= 0


@pytest.mark.parametrize("kind", [b"x", b"g"])
def test_unpack_reads_a_pax_header_in_a_time_that_grows_with_it_alone(
    kind: bytes, tmp_path: Path, target: Path
) -> None:
    (tmp_path / "a.tar").write_bytes(_header(kind, b"1" * 990_000) + tarfile.TarInfo("ok").tobuf() + bytes(1024))
    assert unpack(tmp_path / "a.tar", target, Allowance(SMALL)) == []
    assert tree(target) == ["ok"]


@pytest.mark.parametrize("kind", [b"x", b"g", b"L"])
def test_unpack_counts_the_headers_of_a_tar_together(kind: bytes, tmp_path: Path, target: Path) -> None:
    header = _header(kind, b"6 a=b\n" * 200_000)
    with gzip.open(tmp_path / "a.tgz", "wb") as file:
        for number in range(20):
            file.write(header + tarfile.TarInfo(str(number)).tobuf())
    with pytest.raises(Refused, match="headers larger than 16 MB"):
        unpack(tmp_path / "a.tgz", target, Allowance(CollectLimits()))


@given(
    noise=st.binary(max_size=300),
    name=st.sampled_from(["a.zip", "a.tar", "a.tgz"]),
    at=st.integers(0, 400),
    length=st.integers(1, 40),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_unpack_damaged_archives_never_raise_anything_else(
    noise: bytes, name: str, at: int, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("a")
    (zip_of if name == "a.zip" else tar_of)(folder / name, {"x/nb.ipynb": b"{}", "y": b"1" * 500})
    content = bytearray((folder / name).read_bytes())
    content[at : at + length] = noise
    (folder / name).write_bytes(content)
    (folder / "t").mkdir()
    with suppress(Refused):
        unpack(folder / name, folder / "t", Allowance(SMALL))


def _zip64(*, aside: bool) -> bytes:
    """A ZIP of 60 members that says of itself, in the old fields, it had one; with ``aside`` in a new record too."""
    name = b"a/"
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, *[0] * 8, len(name), *[0] * 6) + name
    table = entry * 60
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 60, 60, len(table), 0)
    decoy = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(entry), 0) if aside else b""
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(table), 1)
    return table + record + decoy + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46, 0, 0)


def test_unpack_refuses_a_table_of_contents_that_zip64_tells_of(tmp_path: Path, target: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_zip64(aside=False))
    assert len(zipfile.ZipFile(tmp_path / "a.zip").infolist()) == 60
    with pytest.raises(Refused, match="more than 50 files"):
        unpack(tmp_path / "a.zip", target, Allowance(SMALL))


def test_unpack_refuses_two_tables_of_contents(tmp_path: Path, target: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_zip64(aside=True))
    with pytest.raises(Refused, match="damaged"):
        unpack(tmp_path / "a.zip", target, Allowance(SMALL))


def test_unpack_takes_a_small_archive_of_the_kind_zip64(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    archive = zip_of(tmp_path / "a.zip", {"a": b"1", "b": b"2"})
    assert b"PK\6\7" in archive.read_bytes()
    assert unpack(archive, target, Allowance(SMALL)) == []
    assert tree(target) == ["a", "b"]


def test_unpack_reads_no_map_of_holes(tmp_path: Path, target: Path) -> None:
    sparse = tarfile.TarInfo("GNUSparse/x.ipynb")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "x.ipynb"}
    sparse.pax_headers["GNU.sparse.realsize"] = "0"
    body = b"200000\n" + b"0\n" * 400_000
    sparse.size = len(body)
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(sparse, io.BytesIO(body))
    with pytest.raises(Refused, match="sparse"):
        unpack(tmp_path / "a.tar", target, Allowance(SMALL))
