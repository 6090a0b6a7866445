"""Which files a notebook of a download without folders finds: those that its student handed in with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.names.visible import files_of
from tests.submission.archives import collect
from tests.submission.collecting.test_collection import made

CANVAS, TIME = "lovelaceada_101", "2026-11-03-11-30-00"
FLAT = {
    "Canvas": (f"{CANVAS}_551_hw.ipynb", f"{CANVAS}_552_helpers.py", "turingalan_102_553_{}"),
    "Canvas, late": ("lovelaceada_LATE_101_551_hw.ipynb", f"{CANVAS}_552_helpers.py", "lovelaceada_102_553_{}"),
    "Canvas, again": (f"{CANVAS}_551_hw-1.ipynb", f"{CANVAS}_552_helpers-1.py", "lovelaceada_102_553_{}"),
    "Canvas, anonymous": ("anon_x7K_551_hw.ipynb", "anon_x7K_552_helpers.py", "anon_x7L_553_{}"),
    "Moodle": (
        "Ada L_501_assignsubmission_file_hw.ipynb",
        "Ada L_501_assignsubmission_file_helpers.py",
        "Ada L_502_assignsubmission_file_{}",
    ),
    "Blackboard": (
        f"HW_al17_attempt_{TIME}_hw.ipynb",
        f"HW_al17_attempt_{TIME}_helpers.py",
        f"HW_bm_attempt_{TIME}_{{}}",
    ),
    "Blackboard, another attempt": (
        f"HW_al17_attempt_{TIME}_hw.ipynb",
        f"HW_al17_attempt_{TIME}_helpers.py",
        "HW_al17_attempt_2026-11-04-11-30-00_{}",
    ),
    "Brightspace": (
        "1-2 - Ada L - 3 Oct, 2026 1126 - hw.ipynb",
        "1-2 - Ada L - 3 Oct, 2026 1126 - helpers.py",
        "1-3 - Alan T - 3 Oct, 2026 1126 - {}",
    ),
}


@pytest.mark.parametrize("others", ["hw.ipynb", "data.csv"])
@pytest.mark.parametrize("platform", FLAT)
def test_assets_in_a_flat_download_are_what_its_names_say(platform: str, others: str, tmp_path: Path) -> None:
    notebook, helper, others_name = FLAT[platform]
    made(tmp_path, notebook, helper, others_name.format(others), others_name.format("helpers.py"), "nobodys.csv")
    collection = collect([tmp_path])
    found = {entry.path.name: dict(files_of(entry.assets)) for entry in collection}
    assert found[notebook]["helpers.py"] == tmp_path / helper
    assert {path.name for path in found[notebook].values()} == {helper}
    (alone,) = collect([tmp_path / notebook]).entries
    assert dict(files_of(alone.assets)) == found[notebook]


@pytest.mark.parametrize("name", ["", ".netrc", "_", "__pycache__"])
def test_assets_in_a_flat_download_are_work(name: str, tmp_path: Path) -> None:
    (entry,) = collect([made(tmp_path, f"{CANVAS}_551_hw.ipynb", f"{CANVAS}_552_{name}")]).entries
    assert [given for given, _ in files_of(entry.assets[:-1])] == ["_"] * (name == "_")


def test_assets_in_a_flat_download_are_no_links_nor_folders(tmp_path: Path) -> None:
    made(tmp_path, f"{CANVAS}_551_hw.ipynb", f"{CANVAS}_552_folder.py/x", "turingalan_102_553_hw.ipynb")
    (tmp_path / f"{CANVAS}_554_link.py").symlink_to("/etc/passwd")
    collection = collect([tmp_path])
    assert [entry.assets for entry in collection if entry.student == "lovelaceada"] == [()]


def test_assets_of_a_student_s_own_folder_are_all_that_is_in_it(tmp_path: Path) -> None:
    made(tmp_path, f"ada/{CANVAS}_551_hw.ipynb", f"ada/{CANVAS}_552_helpers.py", "ada/data.csv", "bob/hw.ipynb")
    collection = collect([tmp_path])
    names = {name for name, _ in files_of(collection.entries[0].assets)}
    assert names > {"helpers.py", "data.csv"}
