"""With ``pytest -n`` no fixture is made twice that a file's tests share, and nothing long comes last."""

from __future__ import annotations

from tests.samples import ROOT
from tests.scheduling import LABORATORY, LONGEST, turn, unit


def test_files_that_share_kernels_are_one_unit_and_others_are_units_of_their_own() -> None:
    assert "tests/kernel/test_hostile.py" in LABORATORY
    assert unit("tests/kernel/test_hostile.py::test_a[x::y]") == unit("tests/kernel/test_contract.py::test_b")
    assert unit("tests/test_cli.py::test_a") == "tests/test_cli.py"
    assert unit("tests/kernel/test_local.py::test_a") == "tests/kernel/test_local.py"


def test_what_takes_longest_is_there_and_comes_first() -> None:
    assert [name for name in LONGEST[1:] if not (ROOT / name).is_file()] == []
    assert turn("tests/kernel/test_hostile.py::test_a") < turn("tests/test_cli.py::test_a")
    assert turn(f"{LONGEST[-1]}::test_a") < turn("tests/judge/test_score.py::test_a")
