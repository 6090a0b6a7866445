from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import GraderError
from grader.kernel import warmth
from grader.model import Assets
from grader.submission.entry import Wanted
from grader.submission.files.limits import CollectLimits
from grader.submission.files.regular_file import Refused, TooLarge, content
from grader.submission.reading.reading import read
from grader.submission.reading.suspicion import autograd_suspected, optimizer_suspected
from tests.submission.archives import collect
from tests.submission.notebooks import LIN_GRAD, code, data, entry_for, markdown, notebook

WANTED = [Wanted("lin_grad", ("lin_grad",), notebook="03_backprop"), Wanted("Relu", ("Relu",), notebook="04_layers")]
RELU = "class Relu:\n    def backward(self): self.inp.g = 1"


def written(path: Path, *cells: object) -> Path:
    path.write_bytes(data(notebook(*cells)))
    return path


def test_read_gives_cells_stubs_and_the_hash_of_the_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "nb.ipynb", markdown("# T"), code(LIN_GRAD, "lin_grad"), code("%matplotlib inline"))
    submission = read(replace(entry_for(path), flags=("two",)), WANTED, frozenset())
    assert submission.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (submission.total_cells, [cell.index for cell in submission.cells]) == (3, [1, 2])
    assert (submission.stubs["lin_grad"].cell, submission.unreadable, submission.flags) == (1, None, ("two",))


def test_read_flags_a_tagged_cell_that_is_markdown(tmp_path: Path) -> None:
    turned = {**code(LIN_GRAD, "lin_grad"), "cell_type": "markdown"}
    submission = read(replace(entry_for(written(tmp_path / "nb.ipynb", turned)), flags=("two",)), WANTED, frozenset())
    assert submission.flags == ("two", "cell 0, tagged `lin_grad`, is Markdown, not code")


def test_read_in_a_course_notebook_looks_for_its_own_exercises_and_tagged_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "nb.ipynb", code(LIN_GRAD), code(RELU))
    assert set(read(entry_for(path, "03_backprop.ipynb"), WANTED, frozenset()).stubs) == {"lin_grad"}
    assert set(read(entry_for(path, "mine.ipynb"), WANTED, frozenset()).stubs) == {"lin_grad", "Relu"}
    written(path, code(LIN_GRAD), code(RELU, "Relu"))
    assert set(read(entry_for(path, "03_backprop.ipynb"), WANTED, frozenset()).stubs) == {"lin_grad", "Relu"}


def test_read_an_answer_in_a_module_beside_the_notebook(tmp_path: Path) -> None:
    path = written(tmp_path / "nb.ipynb", code("from helper import lin_grad"))
    (tmp_path / "helper.py").write_text("")
    assert "lin_grad" in read(entry_for(path, assets=(Assets(tmp_path),)), WANTED, frozenset()).stubs
    assert "lin_grad" not in read(entry_for(path), WANTED, frozenset()).stubs


def test_read_flags_what_gets_round_a_check_in_a_module_beside_the_notebook(tmp_path: Path) -> None:
    path = written(tmp_path / "nb.ipynb", code("from lib import helper"))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/helper.py").write_text("import sys\nw = sys.modules['grader.kernel.check.autograd_watch']\n")
    flag = "meddling with the check suspected: `grader.kernel` (lib/helper.py)"
    assert read(entry_for(path, assets=(Assets(tmp_path),)), WANTED, frozenset()).flags == (flag,)
    alone = entry_for(path, assets=(Assets(tmp_path, below=False),))
    assert read(alone, WANTED, frozenset()).flags == ()


def test_read_a_refused_entry_is_not_opened(tmp_path: Path) -> None:
    entry = replace(entry_for(tmp_path / "nowhere"), refused="a link")
    submission = read(entry, WANTED, frozenset())
    assert (submission.unreadable, submission.sha256, submission.cells) == ("a link", "", ())


def test_read_something_else_is_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_bytes(b"SECRET")
    submission = read(entry_for(path), WANTED, frozenset())
    assert submission.unreadable == "not JSON: line 1 column 1; save it again in Jupyter and hand that in"
    assert submission.sha256 == hashlib.sha256(b"SECRET").hexdigest()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "a symbolic link"),
        (lambda path: path.mkdir(), "a folder, not a file"),
        (os.mkfifo, "a named pipe"),
        (lambda path: None, "has vanished"),
        (lambda path: path.write_bytes(bytes(2_000)), "too large"),
    ],
    ids=["link", "folder", "fifo", "vanished", "large"],
)
def test_read_what_became_of_a_notebook_after_it_was_found(make, reason: str, tmp_path: Path) -> None:
    make(tmp_path / "nb.ipynb")
    limits = CollectLimits(notebook_bytes=1_000)
    submission = read(entry_for(tmp_path / "nb.ipynb"), WANTED, frozenset(), limits=limits)
    assert submission.unreadable is not None
    assert submission.unreadable.startswith(reason)
    assert ("clear the outputs" in submission.unreadable) == (reason == "too large")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(errno.EACCES, "x"), "cannot be read: permission denied"),
        (OSError(errno.ENXIO, "x"), "a socket or device, not a file"),
        (OSError(errno.EIO, "x"), "cannot be read: input/output error"),
        (OSError("odd"), "cannot be read: input/output error"),
        (ValueError("embedded null byte"), "its name is not one that a file can have"),
    ],
)
def test_content_says_in_words_why_not(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(Refused, match=reason):
        content(Path("nb.ipynb"), 10)


def test_content_of_what_grows_as_it_is_read_is_refused_and_no_file_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nb.ipynb").write_bytes(bytes(10))
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in ("large", "grown"):
        with pytest.raises(TooLarge):
            content(tmp_path / "nb.ipynb", 9)
        monkeypatch.setattr(os, "fstat", lambda _: SimpleNamespace(st_mode=stat.S_IFREG, st_size=0))
    monkeypatch.undo()
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO], ids=errno.errorcode.get)
def test_read_what_only_this_user_or_machine_cannot_is_a_fault_of_the_grader_s_side(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", Mock(side_effect=OSError(number, "secret")))
    with pytest.raises(GraderError, match=r"nb\.ipynb cannot be read: ") as fault:
        read(entry_for(tmp_path / "nb.ipynb"), WANTED, frozenset())
    assert fault.value.remedy


@given(content=st.binary(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_read_of_any_bytes_never_raises(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_bytes(content)
    assert read(entry_for(tmp_path / "nb.ipynb"), WANTED, frozenset()).unreadable


def test_read_is_fast(tmp_path: Path) -> None:
    best = 1.0
    for turn in range(10):
        texts = [f"def f{i}(x):\n    y = x @ x\n    return y.sum() * {i}" for i in range(30)]
        texts += [LIN_GRAD, RELU, "%%time\nlin_grad(a, b, c, d)"]
        path = written(tmp_path / "nb.ipynb", *(code(f"{text}\n# {turn}") for text in texts))  # none parsed before
        start = time.process_time()
        read(entry_for(path), WANTED, frozenset())
        best = min(best, time.process_time() - start)
    assert best < 0.01  # measured: 0.7 ms


#: By what makes them long: cells of some 200 KB. What is done with one in the grader's own process holds up all others.
ENDLESS = {
    "blanks": ["\n" * 200_000],
    "brackets": ["[" * 200_000],
    "quotes": ["'\"#" * 70_000],
    "backslashes": ["\\\n" * 100_000],
    "dots": ["a." * 100_000],
    "attributes": [("torch" + ".b" * 900 + "\n") * 100],
    "renamed": ["import torch as t\n" + "t = t.optim_optim\n" * 11_000],
    "texts run in texts run": ["exec(" * 90 + "[" + "1," * 90_000 + "]" + ")" * 90],
    "attributes of attributes": ["getattr(" * 90 + "[" + "1," * 90_000 + "]" + ", 'a')" * 90],
    "long words": ["".join(f"x = '{'a ' * 400}{n}'\n" for n in range(150)) + "getattr(torch, x)\n" * 4000],
    "lists of words": [
        "x = [" + "'a'," * 25_000 + "]\n" + "".join(f"for y{n} in x: exec(y{n})\n" for n in range(4000))
    ],
    "names of names": [
        "".join(f"a{n} = a{n + 1}\n" * 150 for n in range(150)) + "a150 = open('x.py').read()",
        *["exec(a0)"] * 1500,
    ],
    "marks": ["a" + "\u0301\u0316" * 50_000 + " = 1"],
    "marks in a text": ["exec('a" + "\\u0301\\u0316" * 20_000 + "')"],
}


@pytest.mark.parametrize("sources", ENDLESS.values(), ids=ENDLESS)
def test_reading_takes_a_time_that_grows_with_the_code_alone(tmp_path: Path, sources: list[str]) -> None:
    path = written(tmp_path / "nb.ipynb", *map(code, sources), code("import torch as t\n" + LIN_GRAD))
    began = time.process_time()
    cells = read(entry_for(path), WANTED, frozenset()).cells
    assert len(cells) == len(sources) + 1
    warmth.needed(cell.source for cell in cells)
    autograd_suspected(sources[0], cells)
    optimizer_suspected(sources[0], cells)
    assert time.process_time() - began < 8


def test_collect_then_read_a_whole_class(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        (tmp_path / student).mkdir()
        written(tmp_path / student / "03_backprop.ipynb", code(LIN_GRAD, "lin_grad"))
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "03_backprop.ipynb").write_bytes(b"{")
    collection = collect([tmp_path])
    submissions = [read(entry, WANTED, frozenset()) for entry in collection]
    assert [(item.student, item.unreadable) for item in submissions] == [
        ("ada", None),
        ("bob", None),
        ("eve", "not JSON: line 1 column 2; save it again in Jupyter and hand that in"),
    ]
