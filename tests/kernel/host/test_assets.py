"""Which files beside a notebook are opened for its kernel."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import KernelError
from grader.kernel.host import assets
from grader.kernel.host.pool import KernelPool
from grader.model import Assets, Cell, Execution
from tests.kernel.conftest import BEST
from tests.kernel.laboratory import LIMITS, Laboratory, linear_job, verdicts


def _opened(folder: Path, most_bytes: int = 10**6) -> list[tuple[str, str, bool] | None]:
    """Path, text and executability of what is opened, None for what is left out."""
    found: list[tuple[str, str, bool] | None] = []
    for asset in assets.opened([Assets(folder)], most_bytes):
        if isinstance(asset, assets.LeftOut):
            found.append(None)
            continue
        with os.fdopen(asset.fd) as file:
            found.append((asset.path, file.read(), asset.executable))
    return found


def test_regular_files_are_opened_in_order_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "deep.txt").write_text("deep")
    (tmp_path / "z.txt").write_text("z")
    (tmp_path / "run.sh").write_text("exit")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "link").symlink_to("z.txt")
    (tmp_path / "folder").symlink_to("b")
    os.mkfifo(tmp_path / "pipe")

    assert _opened(tmp_path) == [("run.sh", "exit", True), ("z.txt", "z", False), ("b/c/deep.txt", "deep", False)]
    assert list(assets.opened([], 10**6)) == []


def test_what_is_nobodys_work_is_not_opened(tmp_path: Path) -> None:
    for name in (
        ".git/config",
        ".env",
        ".ssh/id_rsa",
        "venv/lib/site.py",
        "__pycache__/a.pyc",
        "lib/.hidden",
        "lib/a.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    assert _opened(tmp_path) == [("lib/a.py", "x", False)]
    assert list(assets.opened([Assets(tmp_path, below=False)], 10**6)) == []


@pytest.mark.parametrize("place", ["", "marks/", "old/marks/"], ids=["beside", "below", "deeper"])
def test_grades_that_were_written_among_the_work_are_not_opened(place: str, tmp_path: Path) -> None:
    for name in ("gradebook.db", "gradebook.db-wal", "report.json", "students/ada.html", "grader.log"):
        (tmp_path / place / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place / name).write_text("the seed")
    (tmp_path / "students.csv").write_text("1")

    assert _opened(tmp_path) == [("students.csv", "1", False)]


def test_file_too_large_is_left_out_and_smaller_ones_are_not(tmp_path: Path) -> None:
    for name, size in (("a", 4097), ("b", 4097), ("c", 1), ("d", 1)):
        (tmp_path / name).write_text("x" * size)

    before = len(list(Path("/dev/fd").iterdir()))
    assert _opened(tmp_path, 3 * 4096) == [("a", "x" * 4097, False), None, ("c", "x", False), None]
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Lets no file or folder of a name be opened, for the reason that an error number gives."""

    def close(name: str, number: int) -> None:
        def refusing(opener: Callable[..., Any]) -> Callable[..., Any]:
            def opening(path: Any, *how: Any) -> Any:
                if Path(path).name == name:
                    raise OSError(number, os.strerror(number), path)
                return opener(path, *how)

            return opening

        for opener in ("open", "scandir"):
            monkeypatch.setattr(os, opener, refusing(getattr(os, opener)))

    return close


@pytest.mark.parametrize(
    ("name", "source", "named"),
    [
        pytest.param("helpers.py", "from helpers import lin_grad", True, id="module"),
        pytest.param("lib", "import lib.helpers", True, id="folder"),
        pytest.param("lib", "open('lib/a.csv')", True, id="file in a folder"),
        pytest.param("other.py", "another = 1", False, id="another name"),
    ],
)
def test_file_that_this_user_may_not_read_is_told_and_a_fault_where_the_code_names_it(
    name: str, source: str, named: bool, tmp_path: Path, closed: Callable[[str, int], None]
) -> None:
    for file in ("helpers.py", "other.py", "lib/a.csv", "z.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(file)
    closed(name, errno.EACCES)

    left_out = [one for one in assets.opened([Assets(tmp_path)], 10**6) if isinstance(one, assets.LeftOut)]

    said = f"{name}, beside the notebook, cannot be read: permission denied"
    if named:
        with pytest.raises(KernelError, match=said) as fault:
            assets.flags_of(left_out, [Cell(0, source)])
        assert fault.value.remedy.startswith("let the user who grades read it")
    else:
        assert assets.flags_of(left_out, [Cell(0, source)]) == (said,)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ESTALE], ids=errno.errorcode.get)
def test_file_that_this_machine_cannot_read_now_is_a_fault(
    number: int, tmp_path: Path, closed: Callable[[str, int], None]
) -> None:
    (tmp_path / "data.csv").write_text("1")
    closed("data.csv", number)
    with pytest.raises(KernelError, match=r"^data\.csv, beside the notebook, cannot be read: ") as fault:
        _opened(tmp_path)
    assert fault.value.remedy


def test_file_that_cannot_be_read_to_its_end_is_a_fault_that_names_it(
    laboratory: Laboratory, sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.bin").touch()
    opening = os.open

    def failing(path: Any, *how: Any, **where: Any) -> int:  # a regular file, of which no byte can be read
        return opening("/proc/self/mem" if Path(path).name == "data.bin" else path, *how, **where)

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(KernelError, match=r"data\.bin, beside the notebook, cannot be copied: input/output error"):
        laboratory.run(sandbox, linear_job("bad disk", assets=(Assets(tmp_path),)))


def test_small_files_are_copied_as_far_as_there_is_room(laboratory: Laboratory, tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.txt").write_text("x")
    job = linear_job("crumbs", "import os\nprint(len(os.listdir('.')))", assets=(Assets(tmp_path),))

    (execution,) = laboratory.run(BEST, job, limits=replace(LIMITS, written=1024**2))

    assert verdicts(execution) == ("exact", "exact")
    assert execution.outputs == {0: "256\n"}
    assert execution.flags[0].startswith("44 of the files")


def test_files_beyond_the_most_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MOST_ASSETS", 2)
    for name in "abcd":
        (tmp_path / name).write_text(name)

    assert _opened(tmp_path) == [("a", "a", False), ("b", "b", False), None, None]


def test_file_in_too_many_folders_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(10):
        folder = folder / "d"
        folder.mkdir()
        (folder / "file").write_text("x")

    assert [asset and asset[0].count("d/") for asset in _opened(tmp_path)] == [*range(1, 10), None]


def test_files_beside_a_notebook_arrive_however_many_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    for number in range(assets.MOST_ASSETS + 3):
        (tmp_path / f"picture-{number}.txt").write_text("text")

    async def run() -> list[Execution]:
        job = linear_job("album", "import os\nprint(len(os.listdir('.')))", assets=(Assets(tmp_path),))
        async with KernelPool(BEST, LIMITS, jobs=2) as pool:
            return [await pool.run(job) for _ in range(2)]  # the first before the zygote is up

    for execution in asyncio.run(run()):
        assert execution.outputs == {0: f"{assets.MOST_ASSETS}\n"}
        (flag,) = execution.flags
        assert flag.startswith("3 of the files beside the notebook were not there when it ran")
