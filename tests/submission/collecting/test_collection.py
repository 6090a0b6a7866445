from __future__ import annotations

import errno
import os
import socket
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.model import Assets
from grader.names.visible import files_of
from grader.submission.attribution.file_names import stems_in
from grader.submission.collecting.excess import turns
from grader.submission.entry import Collection
from grader.submission.files.limits import CollectLimits
from tests.submission.archives import collect, member, tar_of, whose, zip_of

Seen = list[tuple[str, str, str]]


def made(root: Path, *files: str) -> Path:
    """Create files, no two equal (and, ending in "/", folders), below ``root``; a ``.zip`` holds ``hw/nb.ipynb``."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif name.endswith(".zip"):
            zip_of(path, {"hw/nb.ipynb": b"{}"})
        else:
            path.write_text(repr(name))
    return root


def seen(collection: Collection) -> Seen:
    return [(entry.student, entry.notebook, entry.shown_path) for entry in collection]


LAYOUTS: dict[str, tuple[list[str], Seen]] = {
    "flat_numbered": (
        ["ada_03_backprop.ipynb", "alan_turing_03_backprop.ipynb"],
        [
            ("ada", "03_backprop.ipynb", "ada_03_backprop.ipynb"),
            ("alan_turing", "03_backprop.ipynb", "alan_turing_03_backprop.ipynb"),
        ],
    ),
    "flat_shared_name": (
        ["ada_b_hw.ipynb", "ada_l_hw.ipynb"],
        [("ada_b", "hw.ipynb", "ada_b_hw.ipynb"), ("ada_l", "hw.ipynb", "ada_l_hw.ipynb")],
    ),
    "flat_first_part": (["ada_hw.ipynb"], [("ada", "hw.ipynb", "ada_hw.ipynb")]),
    "one_students_folder": (
        ["03_backprop.ipynb", "data.csv", "data/x.csv"],
        [("subs", "03_backprop.ipynb", "03_backprop.ipynb")],
    ),
    "a_folder_a_student": (
        ["ada/hw.ipynb", "alan/deep/er/hw.ipynb"],
        [("ada", "hw.ipynb", "ada/hw.ipynb"), ("alan", "hw.ipynb", "alan/deep/er/hw.ipynb")],
    ),
    "nbgrader": (
        [
            *("submitted/ada/ps1/hw.ipynb", "submitted/alan/ps1/hw.ipynb", "source/ps1/hw.ipynb"),
            *("solution/ps1/hw.ipynb", "downloaded/ps1/archive/ada_hw.ipynb"),
        ],
        [
            ("ada", "hw.ipynb", "submitted/ada/ps1/hw.ipynb"),
            ("alan", "hw.ipynb", "submitted/alan/ps1/hw.ipynb"),
        ],
    ),
    "classroom": (
        ["backprop-ada/hw.ipynb", "backprop-alan/exercises/hw.ipynb"],
        [("ada", "hw.ipynb", "backprop-ada/hw.ipynb"), ("alan", "hw.ipynb", "backprop-alan/exercises/hw.ipynb")],
    ),
    "a_students_repository": ([".git/HEAD", "exercises/03.ipynb"], [("subs", "03.ipynb", "exercises/03.ipynb")]),
    "moodle_namesakes": (
        ["Ada L_17_assignsubmission_file_/hw.ipynb", "Ada L_9_assignsubmission_file_/hw.ipynb"],
        [
            ("Ada L_17", "hw.ipynb", "Ada L_17_assignsubmission_file_/hw.ipynb"),
            ("Ada L_9", "hw.ipynb", "Ada L_9_assignsubmission_file_/hw.ipynb"),
        ],
    ),
    "moodle_text_typed_online_beside_a_file": (
        ["Ada L_17_assignsubmission_file_/hw.ipynb", "Ada L_17_assignsubmission_onlinetext_/onlinetext.html"],
        [("Ada L", "hw.ipynb", "Ada L_17_assignsubmission_file_/hw.ipynb")],
    ),
    "a_decomposed_name": (
        ["Jose\u0301/a.ipynb", "Jos\u00e9/b.ipynb"],
        [("Jos\u00e9", "a.ipynb", "Jose\u0301/a.ipynb"), ("Jos\u00e9", "b.ipynb", "Jos\u00e9/b.ipynb")],
    ),
    "canvas": (
        ["ll_12345_67890_hw-1.ipynb", "tt_LATE_12346_67891_hw.ipynb", "zz_12347_67892_-1.ipynb"],
        [
            ("ll", "hw.ipynb", "ll_12345_67890_hw-1.ipynb"),
            ("tt", "hw.ipynb", "tt_LATE_12346_67891_hw.ipynb"),
            ("zz", "zz_12347_67892_-1.ipynb", "zz_12347_67892_-1.ipynb"),
        ],
    ),
    "an_archive_a_student": (
        ["ada.zip", "alan_1234_5678_hw.zip"],
        [("ada", "nb.ipynb", "ada.zip!hw/nb.ipynb"), ("alan", "nb.ipynb", "alan_1234_5678_hw.zip!hw/nb.ipynb")],
    ),
    "tools_files_are_passed_over": (
        [
            "ada/hw.ipynb",
            "ada/.ipynb_checkpoints/hw-checkpoint.ipynb",
            "ada/__pycache__/x.ipynb",
            "ada/lib/pyvenv.cfg",
            "ada/lib/share/x.ipynb",
            "__MACOSX/ada/._hw.ipynb",
            "ada/.hidden.ipynb",
        ],
        [("ada", "hw.ipynb", "ada/hw.ipynb")],
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_collect_tells_who_is_who(name: str, tmp_path: Path) -> None:
    files, expected = LAYOUTS[name]
    collection = collect([made(tmp_path / "subs", *files)])
    assert seen(collection) == expected
    assert not any(entry.refused or entry.flags for entry in collection)


#: Names of files and folders in a folder ``subs``, and whose they are.
WHOSE = [
    # files called after students, or like notebooks of the course and sheets alone
    (["ada.ipynb", "alan.ipynb", "émilie d'X.ipynb"], ["ada", "alan", "émilie d'X"]),
    (["01_tensors.ipynb", "notebook.ipynb"], ["subs", "subs"]),
    (["HW3_draft.ipynb", "HW3_final.ipynb"], ["subs"] * 2),
    (["HW3.ipynb", "HW4.ipynb"], ["subs"] * 2),
    (["week3_03_backprop.ipynb", "week4_04_layers.ipynb"], ["subs"] * 2),
    (["backprop.ipynb", "layers.ipynb"], ["subs"] * 2),
    (["03_backprop_20261101.ipynb", "03_backprop_20261102.ipynb"], ["subs"] * 2),
    (["1.ipynb", "2.ipynb"], ["subs"] * 2),
    (["HW3_Ada.ipynb"], ["subs"]),
    # a name behind that of a notebook
    (
        ["03_backprop_ada.ipynb", "03_backprop - Zoë Ö.ipynb", "03_backprop_al_t (1).ipynb"],
        ["ada", "al_t", "Zoë Ö"],
    ),
    (["03_backprop_ada.ipynb", "02_gradients_ada.ipynb", "03_backprop_al.ipynb"], ["ada", "ada", "al"]),
    (["03_backprop_ada.ipynb", "03_backprop_alan.ipynb", "03_backprop.ipynb"], ["ada", "alan", "subs"]),
    ([f"03_backprop_cy{end}.ipynb" for end in ("", "_v2", "-final (1)", "_resubmission", "-1")], ["cy"] * 5),
    (["03_backprop_dan_late.ipynb", "03_backprop_Ann On-Time.ipynb"], ["Ann", "dan"]),
    (["03_backprop_kim_alt.ipynb", "03_backprop_group_1.ipynb"], ["group_1", "kim_alt"]),
    (["03_backprop_v1.ipynb", "03_backprop_final2.ipynb", "03_backprop_new.ipynb"], ["subs"] * 3),
    (["03_backprop.ipynb", "02_gradients.ipynb", "03_backprop_x.ipynb", "02_gradients_y.ipynb"], ["subs"] * 4),
    (["ada_03_backprop.ipynb", "alan_03_backprop.ipynb"], ["ada", "alan"]),
    # before or behind that of a notebook or a sheet
    (["HW3_Ada_L.ipynb", "HW3-alan.ipynb", "hw3 zoe (1).ipynb"], ["Ada_L", "alan", "zoe"]),
    (["Homework 3 - Ada L.ipynb", "Homework 3 - Alan T.ipynb"], ["Ada L", "Alan T"]),
    (["backprop_ada.ipynb", "backprop_alan.ipynb"], ["ada", "alan"]),
    (["ada_l_backprop.ipynb"], ["ada_l"]),
    (["ada.l.03_backprop.ipynb", "Ada B._03_backprop.ipynb"], ["Ada B.", "ada.l"]),
    (["03_backprop.ada.ipynb", "03_backprop.alan.ipynb"], ["ada", "alan"]),
    (["03_backprop_1234567.ipynb", "03_backprop-1234568.ipynb"], ["1234567", "1234568"]),
    (["1234567.ipynb", "1234568.ipynb"], ["1234567", "1234568"]),
    (["Ada L - Copy of 03_backprop.ipynb", "Zoe K - 03_backprop.ipynb"], ["Ada L", "Zoe K"]),
    (["03_backprop.ipynb - Ada L.ipynb", "Copy of 03_backprop – Zoe K.ipynb"], ["Ada L", "Zoe K"]),
    (
        ["Submitted files/Lovelace, Ada/HW3/Version 2/nb.ipynb", "Submitted files/zoe/nb.ipynb"],
        ["Lovelace, Ada", "zoe"],
    ),
    (["ada_03_backprop.ipynb", "alan_03_backprop.ipynb", "zoe k.ipynb"], ["ada", "alan", "zoe k"]),
    # folders that are nobody's hold students
    (["ada/nb.ipynb", "alan/nb.ipynb", "late/alan/nb.ipynb", "late/zed/nb.ipynb"], ["ada", "alan", "alan", "zed"]),
    (["ada_03_backprop.ipynb", "Late submissions/zed_03_backprop.ipynb"], ["ada", "zed"]),
    (["hw-ada/nb.ipynb", "hw-alan/nb.ipynb", "late/hw-zed/nb.ipynb"], ["ada", "alan", "zed"]),
    (["ada/nb.ipynb", "late/zed/report.pdf", "late/ada/report.pdf"], ["ada", "zed"]),
    (["ada/nb.ipynb", "late/"], ["ada"]),
    (["ada/nb.ipynb", "alan/nb.ipynb", "extensions/zed/nb.ipynb"], ["ada", "alan", "zed"]),
    (["on time/ada/nb.ipynb", "on time/alan/nb.ipynb", "late/zed/nb.ipynb"], ["ada", "alan", "zed"]),
    (["submitted/ada/hw/nb.ipynb", "submitted/alan/hw/nb.ipynb", "late/zed/nb.ipynb"], ["ada", "alan", "zed"]),
    (["ada/nb.ipynb", "alan/nb.ipynb", "submitted/nb.ipynb"], ["ada", "alan", "subs"]),
    (["submitted/ada/hw/nb.ipynb", "submitted/ada/hw2/nb.ipynb", "alan/hw/nb.ipynb"], ["ada", "ada", "alan"]),
    (["HW3/ada/nb.ipynb", "HW3/alan/nb.ipynb", "HW4/ada/nb2.ipynb"], ["ada", "ada", "alan"]),
    (["HW3/ada/nb.ipynb", "HW4/ada/nb2.ipynb", "solutions/nb.ipynb"], ["ada", "ada", "solutions"]),
    (["section 1/ada/nb.ipynb", "section 2/alan/nb.ipynb"], ["ada", "alan"]),
    (["Section A/ada/nb.ipynb", "Section A/zoe/nb.ipynb", "Section B/alan/nb.ipynb"], ["ada", "alan", "zoe"]),
    (["hw12/nb.ipynb", "ada/nb.ipynb"], ["ada", "hw12"]),
    (["03_backprop/ada.ipynb", "03_backprop/alan.ipynb"], ["ada", "alan"]),
    (["03_backprop.ipynb", "late/03_backprop.ipynb"], ["subs", "subs"]),
    # folders with the name of a sheet or a notebook beside the student's
    (["HW3_ada/nb.ipynb", "HW3-alan/nb.ipynb", "late/hw3 zoe/nb.ipynb"], ["ada", "alan", "zoe"]),
    (["ada_l_HW3/nb.ipynb", "Alan T - hw 3/nb.ipynb", "zoe-hw3.zip"], ["ada_l", "Alan T", "zoe"]),
    (["03_backprop_ada/nb.ipynb", "backprop-alan/nb.ipynb"], ["ada", "alan"]),
    (["HW3_ada/nb.ipynb", "alan/nb.ipynb"], ["alan", "HW3_ada"]),
    (["HW3_ada/nb.ipynb"], ["HW3_ada"]),
    (["HW3_ada/nb.ipynb", "HW3_v2/nb.ipynb"], ["HW3_ada", "HW3_v2"]),
    # what else lies in a class, and a name of blanks
    (["ada /nb.ipynb", "alan/nb.ipynb", "grades/gradebook.db"], ["ada", "alan"]),
    (["ada/nb.ipynb", "alan/nb.ipynb", "grades/gradebook.db", "zed/notes.txt"], ["ada", "alan", "zed"]),
    (["ada/hw.ipynb", "alan/hw.ipynb", "scan_2024_001_x.csv"], ["ada", "alan"]),
    (["ada_hw.ipynb", "alan_hw.ipynb", "ada/data.csv"], ["ada", "alan"]),
    ([" /nb.ipynb", "ada/nb.ipynb"], ["ada", "unnamed"]),
]


@pytest.mark.parametrize(("files", "students"), WHOSE, ids=[", ".join(files) for files, _ in WHOSE])
def test_collect_students_by_names_of_files_and_folders(files: list[str], students: list[str], tmp_path: Path) -> None:
    assert whose([made(tmp_path / "subs", *files)], known=["02_gradients", "03_backprop", "04_layers"]) == students


def test_collect_nbgrader_submitted_folder_itself(tmp_path: Path) -> None:
    root = made(tmp_path, "submitted/ada/ps1/hw.ipynb")
    assert seen(collect([root / "submitted"])) == [("ada", "hw.ipynb", "ada/ps1/hw.ipynb")]


def test_collect_known_notebooks_split_names_that_are_ambiguous(tmp_path: Path) -> None:
    root = made(tmp_path, "ada_lovelace_backprop.ipynb")
    assert seen(collect([root], known=["backprop"]))[0][:2] == ("ada_lovelace", "backprop.ipynb")


def test_collect_student_pattern_overrides(tmp_path: Path) -> None:
    root = made(tmp_path, "week1/x-ada/hw.ipynb", "week1/odd/hw.ipynb")
    collection = collect([root], student_pattern=r"week\d/x-(?P<student>\w+)/(?P<notebook>\w+)")
    assert [(entry.student, entry.notebook) for entry in collection] == [("ada", "hw.ipynb"), ("odd", "hw.ipynb")]
    assert collection.entries[1].refused == "its path does not match --student-pattern"
    made(root, "week1/x-alan/report.pdf")
    assert whose([root], student_pattern=r"week\d/x-(?P<student>\w+)/(?P<notebook>\w+)") == ["ada", "odd"]


PLACES = st.lists(st.sampled_from(["ada", "alan", "late", "hw-zed"]), max_size=2)
FILES = st.sampled_from(["ada_hw.ipynb", "alan_hw.ipynb", "hw.ipynb", "ada.zip", "hw.zip"])


@settings(max_examples=60)
@given(st.lists(st.tuples(PLACES, FILES).map(lambda at: "/".join((*at[0], at[1]))), min_size=1, max_size=5))
def test_collect_assets_hold_nothing_of_anybody_else_wherever_it_lies(files: list[str]) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as place:
        collection = collect([made(Path(folder), *files)], place=Path(place))
        for entry in collection:
            for other in collection:
                if other.student != entry.student:
                    handed_in = Path(folder, other.shown_path.partition("!")[0])
                    assert not {other.path, handed_in} & {path for _, path in files_of(entry.assets)}


def test_collect_assets_hold_no_archive_of_another_student_in_an_archive(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "alan.zip", {"hw.ipynb": b"{}"}).read_bytes()
    files = {"ada_hw.ipynb": b"{}", "alan.zip": inner, "zoe/hw.ipynb": b"{}"}
    (tmp_path / "subs").mkdir()
    zip_of(tmp_path / "subs/late.zip", files)
    collection = collect([tmp_path / "subs"])
    assert [(entry.student, not entry.assets) for entry in collection] == [
        ("ada", True),
        ("alan", False),
        ("zoe", False),
    ]


def test_collect_archives_that_cannot_be_read_have_their_reason_and_no_flags(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        (made(tmp_path, "ada/", "bob/nb.ipynb") / "ada" / name).write_bytes(b"PK")
    collection = collect([tmp_path])
    assert [(entry.student, entry.flags) for entry in collection] == [("ada", ()), ("ada", ()), ("bob", ())]
    assert [entry.refused is None for entry in collection] == [False, False, True]


def test_collect_grades_so_many_notebooks_of_a_student_those_of_the_course_first(tmp_path: Path) -> None:
    made(tmp_path, *(f"ada/a{n}.ipynb" for n in range(5)), "ada/03_backprop.ipynb", "bob/03_backprop.ipynb")
    collection = collect([tmp_path], known=["03_backprop"], limits=CollectLimits(notebooks=3))
    shown = [(entry.shown_path, entry.flags) for entry in collection]
    flag = "6 notebooks by this student, at most 3 are graded; not ada/a2.ipynb, ada/a3.ipynb, ada/a4.ipynb"
    assert shown == [
        ("ada/03_backprop.ipynb", (flag,)),
        ("ada/a0.ipynb", ()),
        ("ada/a1.ipynb", ()),
        ("bob/03_backprop.ipynb", ()),
    ]


@pytest.mark.parametrize(
    ("named", "remarks"),
    [
        (["."], []),
        (["late", "."], ["late lies in class, which is named too"]),
        (["late", "late"], ["late is named twice"]),
        (["odd"], ["1 hidden folder with notebooks is passed over: .zoe;"]),
    ],
)
def test_collect_remarks_on_what_was_named(named: list[str], remarks: list[str], tmp_path: Path) -> None:
    folder = made(tmp_path / "class", "ada/x.ipynb", "late/bob/x.ipynb", "odd/cyd/x.ipynb", "odd/.zoe/x.ipynb")
    said = collect([folder / name for name in named]).remarks
    assert len(said) == len(remarks)
    assert all(map(str.startswith, said, remarks))


def test_collect_where_all_is_hidden_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        collect([made(tmp_path, ".zoe/x.ipynb")])
    assert refused.value.remedy.startswith("1 hidden folder")


def test_collect_many_of_one_kind_are_counted_and_some_named(tmp_path: Path) -> None:
    for many, words in ((4, "hw.ipynb; for"), (5, "hw (4).ipynb and 1 more; for")):
        files = ["ada/hw.ipynb", *(f"ada/hw ({n}).ipynb" for n in range(1, many)), "bob/hw.ipynb"]
        collection = collect([made(tmp_path / str(many), *files)])
        (flag,) = collection.entries[0].flags
        assert flag.startswith(f"{many} notebooks of one kind")
        assert words in flag


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"(?P<student>\w+)/(?P<notebook>.+)", ("ada", "hw.ipynb", None)),
        (r"(?P<student>\w+)/", ("ada", "hw.ipynb", None)),
        (r"(?P<student>\w+)/(?P<notebook>x)?", ("ada", "hw.ipynb", None)),
        (r"(?P<student>\w*?)a", ("ada", "hw.ipynb", "its path does not match --student-pattern")),
        (r"(?P<student>.+?)hw", ("ada", "hw.ipynb", None)),
    ],
)
def test_collect_student_pattern_names_student_and_notebook_or_leaves_the_latter(
    pattern: str, found: tuple[str, str, str | None], tmp_path: Path
) -> None:
    collection = collect([made(tmp_path, "ada/hw.ipynb", "bob/hw.ipynb")], student_pattern=pattern)
    entry = collection.entries[0]
    assert (entry.student, entry.notebook, entry.refused) == found


def test_collect_student_pattern_lets_what_must_not_be_opened_keep_its_reason(tmp_path: Path) -> None:
    (made(tmp_path, "bob/hw.ipynb", "ada/hw.ipynb/") / "ada/nb.ipynb").symlink_to("/dev/null")
    collection = collect([tmp_path], student_pattern="(?P<student>bob)/")
    refused = {entry.shown_path: entry.refused for entry in collection}
    assert "link" in (refused["ada/nb.ipynb"] or "")


@pytest.mark.parametrize(
    ("pattern", "message"), [("(", "not a regular expression"), ("(?P<who>.)", "no group named student")]
)
def test_collect_pattern_that_cannot_be_used_is_a_usage_error(pattern: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        collect([made(tmp_path, "a.ipynb")], student_pattern=pattern)
    assert "(?P<student>" in raised.value.remedy


@pytest.mark.parametrize(
    "folders", [("submissions/a", "submissions/b"), ("submitted/a", "submitted/b", "source")], ids=["class", "nbgrader"]
)
def test_collect_a_repository_is_one_students_whatever_its_folders_are_called(
    folders: tuple[str, ...], tmp_path: Path
) -> None:
    root = made(tmp_path / "hw3-ada", ".git/HEAD", *(f"{folder}/03.ipynb" for folder in folders))
    assert whose([root]) == ["hw3-ada"] * len(folders)


def test_collect_a_students_repository_without_a_notebook_is_an_entry(tmp_path: Path) -> None:
    collection = collect([made(tmp_path / "hw3-ada", ".git/HEAD", "hw3.py")])
    assert [(entry.student, entry.refused) for entry in collection] == [
        ("hw3-ada", "no notebook in hw3-ada, only hw3.py")
    ]


@pytest.mark.parametrize(
    ("files", "given", "message"),
    [
        ([], "nowhere", "no such file or folder"),
        (["empty/"], "empty", "no notebook found in"),
        (["a/", "b/"], "", "no notebook found in"),
        (["x/submission_metadata.yml"], "x/submission_metadata.yml", "says whose each folder beside it is"),
        (["a.txt"], "a.txt", "neither a notebook nor a folder nor an archive"),
    ],
)
def test_collect_nothing_is_a_usage_error(files: list[str], given: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        collect([made(tmp_path / "r", *files) / given])
    assert raised.value.remedy


def test_collect_no_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no path given"):
        collect([])


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # socket paths end at 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


OBSTACLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "link_out": (lambda path: path.symlink_to("/etc/passwd"), "a symbolic link"),
    "link_in": (lambda path: path.symlink_to("ok.ipynb"), "a symbolic link"),
    "dangling_link": (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
    "folder": (lambda path: path.mkdir(), "a folder, not a file"),
    "fifo": (_fifo, "a named pipe"),
    "socket": (_socket, "a socket"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_collect_refuses_what_is_no_file(name: str, tmp_path: Path) -> None:
    make, reason = OBSTACLES[name]
    make(made(tmp_path, "ada/ok.ipynb", "bob/") / "bob" / "hw.ipynb")
    bob = collect([tmp_path]).entries[1]
    assert bob.student == "bob"
    assert bob.refused is not None
    assert bob.refused.startswith(reason)
    assert bob.assets == ()


def test_collect_a_device_is_refused(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "ada_x.ipynb", 0o20600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("devices need root")
    assert collect([tmp_path]).entries[0].refused == "a device, not a file"


def test_collect_a_linked_student_folder_is_an_entry_and_elsewhere_a_flag(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/hw.ipynb")
    (root / "mallory").symlink_to("/etc")
    (root / "ada" / "data").symlink_to("/etc")
    ada, mallory = collect([root]).entries
    assert ada.flags == ("ada/data: a symbolic link to a folder, which is not followed",)
    assert mallory.refused == "a symbolic link to a folder, which is not followed"


def test_folder_full_of_links_does_not_bury_the_remarks_on_all_others(tmp_path: Path) -> None:
    made(tmp_path, "ada/03_backprop.ipynb")
    for number in range(50):
        (tmp_path / "ada" / f"{number}").symlink_to("..")
    found = collect([tmp_path])
    ((*first, last),) = (entry.flags for entry in found)
    assert len(first) == 5
    assert last == "45 more remarks like this"


def test_collect_follows_a_link_given_by_the_instructor(tmp_path: Path) -> None:
    made(tmp_path / "real", "ada/hw.ipynb")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "nb.ipynb").symlink_to("real/ada/hw.ipynb")
    assert seen(collect([tmp_path / "link"])) == [("ada", "hw.ipynb", "ada/hw.ipynb")]
    assert collect([tmp_path / "nb.ipynb"]).entries[0].path == (tmp_path / "real/ada/hw.ipynb").resolve()


def test_collect_a_student_without_a_notebook_is_an_entry(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/hw.ipynb", "bob/readme.txt", "hw-1/")
    zip_of(root / "eve.zip", {"readme.txt": b""})
    collection = collect([root])
    refused = {entry.student: entry.refused for entry in collection if entry.refused}
    assert refused == {
        "bob": "no notebook in bob, only readme.txt",
        "eve": "no notebook in eve.zip",
        "hw-1": "no notebook in hw-1",
    }


def test_collect_an_empty_folder_in_an_archive_of_the_class_is_an_entry(tmp_path: Path) -> None:
    files = {"ada/hw.ipynb": b"{}", "alan/hw.ipynb": b"{}", "bob/": b""}
    collection = collect([zip_of(tmp_path / "class.zip", files)])
    assert [(entry.student, entry.refused) for entry in collection if entry.refused] == [("bob", "no notebook in bob")]


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        (
            ["ada_03_backprop.ipynb", "al_03_backprop.ipynb"],
            {"bob_03_backprop.pdf": "bob", "eve_03_backprop.py": "eve"},
        ),
        (["ada_hw.ipynb", "al_hw.ipynb"], {"zoe.b_hw.ipynb.txt": "zoe.b", "hw.pdf": "", "data_points.csv": ""}),
        (["HW3_ada.ipynb", "HW3_al.ipynb"], {"HW3_bob.html": "bob", "HW3.pdf": "", "HW3_grades.csv": ""}),
        (["ada_03_backprop.ipynb"], {"notes_03_backprop.md": "", "ada_03_backprop.pdf": ""}),
        (
            ["ada_03_backprop.ipynb", "al_03_backprop.ipynb"],
            {"al_03_backprop.pdf": "", "README.md": "", "x_04.pdf": ""},
        ),
    ],
)
def test_collect_a_file_called_like_the_notebooks_of_a_class_is_a_missing_one(
    files: list[str], missing: dict[str, str], tmp_path: Path
) -> None:
    root = made(tmp_path / "subs", *files, *missing)
    found = {entry.shown_path: entry.student for entry in collect([root], known=["03_backprop"]) if entry.refused}
    assert found == {file: student for file, student in missing.items() if student}


def test_collect_a_notebook_that_lies_about_in_a_class_hides_nobody(tmp_path: Path) -> None:
    root = made(tmp_path / "subs", "hw.ipynb", "ada/hw.ipynb", "alan/hw.ipynb", "eve/hw.docx", "bob/hw.ipynb.txt")
    found = [(entry.student, entry.refused) for entry in collect([root])]
    assert found == [
        ("ada", None),
        ("alan", None),
        ("bob", "no notebook in bob, only hw.ipynb.txt"),
        ("eve", "no notebook in eve, only hw.docx"),
        ("subs", None),
    ]


def test_collect_a_folder_of_other_files_says_which(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/hw.ipynb", *(f"bob/{name}" for name in "fecbad"), "bob/.git/x", "bob/.hidden")
    assert collect([root]).entries[1].refused == "no notebook in bob, only a, b, c, d and 2 more"


@pytest.mark.parametrize("ending", ["7z", "rar", "tar.xz", "tar.bz2"])
def test_collect_an_archive_that_is_not_unpacked_is_an_entry(ending: str, tmp_path: Path) -> None:
    class_ = made(tmp_path, "ada.zip", f"bob.{ending}", "cyd/nb.ipynb", f"cyd/data.{ending}")
    collection = collect([class_])
    refused = {entry.student: entry.refused for entry in collection}
    assert (refused["ada"], refused["cyd"]) == (None, None)
    assert "hand in a .zip" in str(refused["bob"])
    assert whose([class_ / f"bob.{ending}"]) == ["bob"]


def test_collect_two_of_a_kind_are_two_flagged_entries(tmp_path: Path) -> None:
    entries = collect([made(tmp_path, "ada/hw.ipynb", "ada/hw-Copy1.ipynb", "ada/hw-2.ipynb", "bob/hw.ipynb")]).entries
    flagged = [entry.shown_path for entry in entries if entry.flags]
    assert flagged == ["ada/hw-Copy1.ipynb", "ada/hw.ipynb"]
    assert entries[1].flags == (
        "2 notebooks of one kind by this student: ada/hw-Copy1.ipynb, ada/hw.ipynb; "
        "for each exercise the better answer counts",
    )


def test_collect_the_same_file_twice_is_one_entry(tmp_path: Path) -> None:
    root = made(tmp_path / "subs", "ada/hw.ipynb")
    assert seen(collect([root, root, root / "ada"])) == [("ada", "hw.ipynb", "subs/ada/hw.ipynb")]


def test_collect_assets_never_hold_other_students_work(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/hw.ipynb", "bob/sub/hw.ipynb", "eve_hw.ipynb", "zoe.zip")
    collection = collect([root])
    assets = {entry.student: entry.assets for entry in collection}
    assert assets["ada"] == (Assets(root / "ada"),)
    assert assets["bob"] == (Assets(root / "bob" / "sub"),)
    assert assets["eve"] == ()
    (alone,) = collect([root / "eve_hw.ipynb"]).entries
    assert alone.assets == (Assets(root, below=False),)
    made(root, "max_hw.ipynb")
    assert collect([root / "eve_hw.ipynb"]).entries[0].assets == ()


def test_collect_tells_what_a_notebook_named_by_itself_finds(tmp_path: Path) -> None:
    made(tmp_path, "ada/hw.ipynb", "ada/passwords.txt", "ada/.netrc", "ada/below/x", "alan/hw.ipynb")

    told = "hw.ipynb finds what lies beside it, and can show it: passwords.txt; if"
    assert [remark.startswith(told) for remark in collect([tmp_path / "ada/hw.ipynb"]).remarks] == [True]
    assert collect([tmp_path / "alan/hw.ipynb"]).remarks == collect([tmp_path / "ada"]).remarks == ()


def test_collect_survives_any_file_name(tmp_path: Path) -> None:
    names = [b"new\nline", b"odd\xff\xfebytes", b"x" * 249, "имя\u202egpj".encode(), b"<script>", b"-rf"]
    names += [b"ada", "ada\u200b".encode()]
    for name in names:
        folder = tmp_path / os.fsdecode(name)
        folder.mkdir()
        (folder / "hw.ipynb").write_text("{}")
    entries = collect([tmp_path]).entries
    assert len({entry.student for entry in entries}) == len(names)
    for entry in entries:
        assert entry.path.read_text() == "{}"
        assert (entry.student + entry.shown_path).isprintable()
        entry.shown_path.encode("utf-8")


def test_collect_a_folder_that_cannot_be_read_is_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path, "ada/hw.ipynb", "bob/hw.ipynb")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("bob"):
            raise PermissionError(errno.EACCES, "secret")
        return scandir(path)

    def unseen(path: str, *_about: object, **_more: object) -> object:
        if "bob/" in str(path):
            raise PermissionError(errno.EACCES, "secret")
        return stat(path)

    stat = os.stat
    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr(os, "stat", unseen)
    for paths in ([root], [root / "ada", root / "bob"]):
        bob = collect(paths).entries[1]
        assert (bob.student, bob.refused) == ("bob", "the folder cannot be read: permission denied")


def test_collect_an_archive_that_only_this_user_cannot_read_is_an_entry_beside_other_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path, "ada/03_backprop.ipynb", "ada/newer.zip", "bob/03_backprop.ipynb")
    opening = os.open

    def refusing(path: str | os.PathLike[str], *how: int, **where: int) -> int:
        if Path(path).name == "newer.zip":
            raise PermissionError(errno.EACCES, "secret")
        return opening(path, *how, **where)

    monkeypatch.setattr(os, "open", refusing)
    assert [(entry.shown_path, entry.refused) for entry in collect([root])] == [
        ("ada/newer.zip", "cannot be read: permission denied"),
        ("ada/03_backprop.ipynb", None),
        ("bob/03_backprop.ipynb", None),
    ]


def test_collect_too_many_files_is_a_reason(tmp_path: Path) -> None:
    root = made(tmp_path, *(f"ada/{i}.txt" for i in range(20)))
    assert "too many" in str(collect([root], limits=CollectLimits(files=10)).entries[0].refused)


def test_collect_looks_through_so_many_files_of_each_student(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/hw.ipynb", "mallory/hw.ipynb", *(f"mallory/x/{i}" for i in range(20)), "zoe/hw.ipynb")
    found = collect([root], limits=CollectLimits(files=10))
    assert [(entry.student, entry.refused) for entry in found] == [("ada", None), ("mallory", None), ("zoe", None)]
    assert "too many" in str(found.entries[1].flags)


def test_collect_refuses_a_class_part_that_is_a_damaged_archive_and_keeps_the_rest(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/nb.ipynb", "alan/nb.ipynb")
    (root / "late.zip").write_bytes(b"no archive")
    collection = collect([root])
    found = [(entry.student, entry.refused) for entry in collection]
    assert found[:2] == [("ada", None), ("alan", None)]
    assert found[2][0] == "late"
    assert "damaged" in str(found[2][1])


@pytest.mark.parametrize("place", ["{}/{}.zip", "late/{}/{}.zip", "{}.zip!{}.zip"])
def test_collect_counts_all_that_one_student_has_to_be_unpacked(place: str, tmp_path: Path) -> None:
    root = made(tmp_path / "class", "alan/hw.ipynb")
    for student, archives in (("ada", 1), ("mallory", 30), ("zoe", 1)):
        outer = tmp_path / student
        outer.mkdir()
        for number in range(archives):
            zip_of(outer / f"{number}.zip", {"hw.ipynb": b"{}", "big": bytes(100_000)})
        target = root / place.partition("!")[0].format(student, 0)
        target.parent.mkdir(parents=True, exist_ok=True)
        if "!" in place:
            zip_of(target, {path.name: path.read_bytes() for path in outer.iterdir()})
        else:
            target.parent.rmdir()
            outer.rename(target.parent)
    (unpacked := tmp_path / "unpacked").mkdir()
    found = collect([root], place=unpacked, limits=CollectLimits(unpacked_bytes=1_000_000))
    written = sum(path.stat().st_size for path in unpacked.rglob("big"))
    assert {entry.student for entry in found if not entry.refused} == {"ada", "alan", "mallory", "zoe"}
    mallory = [entry for entry in found if entry.student == "mallory"]
    assert 100_000 < written < 1_300_000
    assert any("unpacks to more than 1 MB" in str((entry.flags, entry.refused)) for entry in mallory)


@pytest.mark.parametrize("own", ["mallory/hw.ipynb", "mallory/mallory_1_assignsubmission_file_/hw.ipynb"])
def test_collect_counts_students_that_one_makes_up_in_a_folder_as_that_one(own: str, tmp_path: Path) -> None:
    root = made(tmp_path / "class", "ada/hw.ipynb", "zoe/hw.ipynb", own)
    for number in range(9):
        folder = root / "mallory" / f"A_{number}_assignsubmission_file_"
        folder.mkdir()
        zip_of(folder / "hw.zip", {"hw.ipynb": b"%d" % number, "big": bytes(100_000)})
    limits = CollectLimits(unpacked_bytes=450_000, notebooks=5)
    found = collect([root], limits=limits)
    opened = [entry.student for entry in found if not entry.refused]
    assert opened == ["A_0", "A_1", "A_2", "A_3", "ada", "mallory", "zoe"]
    assert [turn for entry, turn in zip(found, turns(list(found), []), strict=True) if entry.student == "zoe"] == [0]
    assert sum(turn == 0 for turn in turns(list(found), [])) == 3
    (flag,) = next(entry.flags for entry in found if entry.student == "mallory")
    assert flag.startswith("10 notebooks by this student or in their folder, at most 5 are graded; not mallory/A_4_")


@pytest.mark.parametrize("own", [[], ["{}/nb.ipynb"]], ids=["alone", "beside their own"])
@pytest.mark.parametrize("folder", ["hw-wim", "hw-wim-main", "HW3_wim", "wim"])
@pytest.mark.parametrize("held", ["ada_1_assignsubmission_file_/nb.ipynb", "ada_1_assignsubmission_file_nb.ipynb"])
@pytest.mark.parametrize("apart", [False, True], ids=["class", "folders"])
def test_collect_flags_a_platforms_mark_in_a_students_own_folder(
    own: list[str], folder: str, held: str, apart: bool, tmp_path: Path
) -> None:
    beside = [f"{folder.replace('wim', name)}/nb.ipynb" for name in ("bob", "cat")]
    root = made(tmp_path, *beside, f"{folder}/{held}", *(path.format(folder) for path in own))
    found = collect(sorted(root.iterdir()) if apart else [root])
    flags = {entry.student: entry.flags for entry in found}
    assert [flag.rpartition(", ")[2] for flag in flags.pop("ada")] == ["which is another student's name"]
    assert [*flags.values()] == [()] * (len(beside) + len(own))


def test_collect_takes_no_folder_that_is_nobodys_for_another_students(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    root = made(tmp_path / "made", "on/zz_12347_67892_hw.ipynb", "late/tt_12346_67891_hw.ipynb", "late/hw.ipynb")
    found = collect([root / "on", root / "late"], known=["hw"])
    assert [(entry.student, entry.flags) for entry in found if entry.student == "tt"] == [("tt", ())]


def test_collect_believes_moodle_in_the_folders_of_several_classes(tmp_path: Path) -> None:
    for number, name in enumerate(["x/Ada", "x/Alan", "y/Grace", "y/Zoe"]):
        folder = tmp_path / "class" / f"{name}_{number}_assignsubmission_file_"
        folder.mkdir(parents=True)
        zip_of(folder / "hw.zip", {"hw.ipynb": b"", "big": bytes(100_000)})
    found = collect([tmp_path / "class"], limits=CollectLimits(unpacked_bytes=150_000, notebooks=1))
    assert [entry.student for entry in found] == ["Ada", "Alan", "Grace", "Zoe"]
    assert not any(entry.refused or entry.within for entry in found)


def test_collect_looks_for_what_lies_beside_archives_within_the_limit_of_one_student(tmp_path: Path) -> None:
    for student, folders in (("ada", 1), ("mallory", 9)):
        for number in range(folders):
            folder = tmp_path / "class" / student / str(number)
            folder.mkdir(parents=True)
            files = {"hw.ipynb": b"%d" % number, "big": bytes(100_000)}
            for name, content in files.items():
                (folder / name).write_bytes(content)
            zip_of(folder / "all.zip", files)
    found = collect([tmp_path / "class"], limits=CollectLimits(unpacked_bytes=450_000))
    (remark,) = [remark for remark in found.remarks if "passed over" in remark]
    assert remark.startswith("5 archives are")


def test_collect_a_class_archive_with_archives_in_it(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"hw.ipynb": b"{}", "more.zip": b"PK"}).read_bytes()
    whole = tar_of(
        tmp_path / "class.tar.gz", {"class/ada/hw.ipynb": b"{}", "class/bob.zip": inner, "class/eve.zip": b"x"}
    )
    collection = collect([whole], place=tmp_path)
    assert [(entry.student, entry.shown_path, entry.refused) for entry in collection] == [
        ("ada", "class.tar.gz!class/ada/hw.ipynb", None),
        ("bob", "class.tar.gz!class/bob.zip!hw.ipynb", None),
        ("eve", "class.tar.gz!class/eve.zip", "the archive is damaged, or not one of its kind"),
    ]
    assert "an archive inside an archive inside an archive" in collection.entries[1].flags[0]
    assert collection.entries[0].path.is_file()


def test_collect_order_does_not_depend_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path, "b/x.ipynb", "a/y.ipynb", "a/x.ipynb", "c.zip")
    collection = collect([root])
    first = seen(collection)
    listdir = os.scandir

    class Reversed(list[os.DirEntry[str]]):
        def __enter__(self) -> Reversed:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def __next__(self) -> os.DirEntry[str]:
            if not self:
                raise StopIteration
            return self.pop(0)

    monkeypatch.setattr(os, "scandir", lambda path: Reversed(reversed(list(listdir(path)))))
    collection = collect([root])
    assert seen(collection) == first == sorted(first)


@pytest.mark.parametrize(
    ("name", "stems", "found"),
    [
        ("lab10.ipynb", {"lab1", "lab10"}, {"lab10"}),
        ("lab1.ipynb", {"lab1", "lab10"}, {"lab1"}),
        ("lab1_lab10.ipynb", {"lab1", "lab10"}, {"lab1", "lab10"}),
        ("backprop_advanced.ipynb", {"backprop", "backprop_advanced"}, {"backprop_advanced"}),
        ("hw11.ipynb", {"hw1"}, set()),
        ("ada_03_backprop (2).ipynb", {"03_backprop", "backprop"}, {"03_backprop"}),
        ("03_backprop2.ipynb", {"03_backprop"}, {"03_backprop"}),
        ("103_backprop.ipynb", {"03_backprop"}, set()),
        ("Untitled.ipynb", {"03_backprop"}, set()),
    ],
)
def test_notebook_of_the_course_is_known_by_the_longest_name(name: str, stems: set[str], found: set[str]) -> None:
    assert stems_in(name, stems) == found


def test_collect_several_folders_of_one_notebook_are_students_whatever_it_is_called(tmp_path: Path) -> None:
    made(tmp_path, "ada/final_FINAL.ipynb", "alan/final_v2.ipynb", "grace/Kopie von 03_backprop.ipynb")
    made(tmp_path, "ivan/hw.zip", "joan/hw.zip")
    made(tmp_path, "flat/barbara_hw.ipynb", "flat/carl_hw.ipynb", "week2/eve_03_backprop.ipynb")
    assert whose(sorted(tmp_path.iterdir()), known=["03_backprop"]) == [
        "ada",
        "alan",
        "barbara",
        "carl",
        "eve",
        "grace",
        "ivan",
        "joan",
    ]


def test_collect_one_folder_of_one_notebook_may_be_a_class(tmp_path: Path) -> None:
    made(tmp_path, "late/ada_hw.ipynb", "class/alan/hw.ipynb", "later/barbara.zip")
    for late, student in (("late", "ada"), ("later", "barbara")):
        assert {*whose([tmp_path / "class", tmp_path / late])} == {student, "alan"}


def test_namesakes_in_two_paths_are_two_students(tmp_path: Path) -> None:
    for path, number in (("a", 17), ("b", 18)):
        made(
            tmp_path / path,
            f"Ada L_{number}_assignsubmission_file_/hw.ipynb",
            "Alan T_5_assignsubmission_file_/x.ipynb",
        )
    assert whose([tmp_path / "a", tmp_path / "b"]) == ["Ada L_17", "Ada L_18", "Alan T"]


def test_folder_of_grades_is_nobodys(tmp_path: Path) -> None:
    root = made(tmp_path, "ada/hw.ipynb", "alan/hw.ipynb", "grades/students/ada.html", "grades/x.ipynb")
    assert whose([root], skip=root / "ada" / ".." / "grades") == ["ada", "alan"]


@pytest.mark.parametrize(
    ("archive", "inside", "student"),
    [
        ("class.zip", "ada/nb.ipynb", "ada"),
        ("class.zip", "ada/work/nb.ipynb", "ada"),
        ("Ada L_17_assignsubmission_file_hw.zip", "homework/nb.ipynb", "Ada L"),
        ("lovelace_LATE_12345_67890_hw.zip", "homework/nb.ipynb", "lovelace"),
        ("download.zip", "Ada L_17_assignsubmission_file_/homework/nb.ipynb", "Ada L"),
        ("download.zip", "week1/Ada L_17_assignsubmission_file_/nb.ipynb", "Ada L"),
        ("download.zip", "week1/Ada L_17_assignsubmission_file_nb.ipynb", "Ada L"),
        ("download.zip", "submissions/ada/nb.ipynb", "ada"),
    ],
)
def test_collect_an_archive_alone_is_a_class_but_where_a_platform_named_it(
    archive: str, inside: str, student: str, tmp_path: Path
) -> None:
    path = zip_of(tmp_path / archive, {inside: b"{}"})
    collection = collect([path])
    assert [(entry.student, entry.shown_path) for entry in collection] == [(student, f"{archive}!{inside}")]


@pytest.mark.parametrize(
    "theirs", ["Ada L_101_assignsubmission_file_/hw.ipynb", "Ada L_101_assignsubmission_file_hw.ipynb"]
)
@pytest.mark.parametrize("archive", ["mallory_102_55512_hw.zip", "10-20 - mallory - 3 May, 2026 110 AM/x.zip"])
def test_collect_nobody_takes_anothers_name_within_what_a_platform_named(
    archive: str, theirs: str, tmp_path: Path
) -> None:
    root = made(tmp_path / "subs", "Ada L_101_55511_hw.ipynb", "10-21 - Ada L - 3 May, 2026 111 AM/hw.ipynb")
    (root / archive).parent.mkdir(exist_ok=True)
    zip_of(root / archive, {theirs: b"{}"})
    found = collect([root])
    assert {entry.student for entry in found if "assignsubmission" in entry.shown_path} == {"mallory"}


def test_collect_names_that_look_the_same_are_one_and_flagged(tmp_path: Path) -> None:
    root = made(tmp_path / "subs", *(f"{name}/hw.ipynb" for name in ("Zoë K", "Zoe\u0308 K", "Zoë  K", "Ada L")))
    found = collect([root])
    assert [entry.student for entry in found] == ["Ada L", *["Zoë K"] * 3]
    assert all("3 notebooks of one kind" in entry.flags[0] for entry in found.entries[1:])


def test_collect_archives_given_one_by_one_keep_their_students(tmp_path: Path) -> None:
    paths = [zip_of(tmp_path / f"{name}.zip", {"homework/nb.ipynb": b"{}"}) for name in ("ada", "alan")]
    collection = collect(paths)
    assert [entry.student for entry in collection] == ["ada", "alan"]
    assert not any(entry.flags for entry in collection)


@pytest.mark.parametrize(
    ("inside", "students"),
    [
        (["data/x.csv", "notebooks/nb.ipynb"], ["eve"]),
        (["one/03_backprop.ipynb", "two/04_layers.ipynb"], ["eve", "eve"]),
        (["one/nb.ipynb", "two/nb.ipynb"], ["one", "two"]),
        (["one/one_03_backprop.ipynb", "two/two_04_layers.ipynb"], ["one", "two"]),
        (["one.zip", "two.zip"], ["one", "two"]),
    ],
)
def test_collect_one_of_several_archives_is_a_students_unless_a_notebook_comes_twice(
    inside: list[str], students: list[str], tmp_path: Path
) -> None:
    made(tmp_path / "in", *inside)
    files = {name: (tmp_path / "in" / name).read_bytes() for name in inside}
    paths = [zip_of(tmp_path / "ada.zip", {"nb.ipynb": b"{}"}), zip_of(tmp_path / "eve.zip", files)]
    assert whose(paths, known=["03_backprop", "04_layers"]) == ["ada", *students]


def test_collect_a_course_repository_without_its_history_is_of_the_student_whose_it_is(tmp_path: Path) -> None:
    assert whose([made(tmp_path / "backprop-ada", "exercises/01_tensors.ipynb", "README.md")]) == ["backprop-ada"]


def test_collect_an_archive_called_like_a_sheet_is_of_the_student_whose_folder_it_lies_in(tmp_path: Path) -> None:
    zip_of(made(tmp_path / "ada", "notes.txt") / "HW3.zip", {"nb.ipynb": b"{}"})
    assert whose([tmp_path / "ada"]) == ["ada"]


@pytest.mark.parametrize("name", ["late", "HW3", "03_backprop"])
def test_collect_one_of_several_archives_that_is_called_like_nobody_holds_students(name: str, tmp_path: Path) -> None:
    paths = [
        zip_of(tmp_path / "class.zip", {"ada/nb.ipynb": b"{}", "alan/nb.ipynb": b"{}"}),
        zip_of(tmp_path / f"{name}.zip", {"zoe/nb.ipynb": b"{}"}),
    ]
    assert whose(paths, known=["03_backprop"]) == ["ada", "alan", "zoe"]


@pytest.mark.parametrize(
    ("beside", "held", "flags"),
    [
        (
            ["alan", "grace"],
            "zoe/other.ipynb",
            ("lies in 'eve' among work under other names, beside what this student handed in",),
        ),
        (["alan"], "zoe/other.ipynb", ()),
        (["alan", "grace"], "other.ipynb", ("lies in 'eve', which is another student's name",)),
    ],
    ids=["of nobody's", "as most are", "of another student's"],
)
def test_collect_flags_once_a_student_who_is_named_in_an_archive_of_anothers(
    beside: list[str], held: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    paths = [zip_of(tmp_path / f"{name}.zip", {"nb.ipynb": b"{}"}) for name in ("ada", *beside)]
    paths.append(zip_of(tmp_path / "eve.zip", {"ada/other.ipynb": b"{}", held: b"{}"}))
    collection = collect(paths)
    found = {entry.shown_path: entry.flags for entry in collection}
    assert found.pop("eve.zip!ada/other.ipynb") == flags
    assert not any(found.values())


def test_collect_flags_what_one_students_archive_holds_as_anothers(tmp_path: Path) -> None:
    files = {"eve.zip": ["nb.ipynb", "ada/nb.ipynb"], "alan.zip": ["nb.ipynb"]}
    collection = collect([zip_of(tmp_path / name, dict.fromkeys(held, b"{}")) for name, held in files.items()])
    flags = {entry.student: entry.flags for entry in collection}
    assert flags == {"ada": ("lies in 'eve', which is another student's name",), "alan": (), "eve": ()}


@pytest.mark.parametrize("given", ["", "Ada L_17_assignsubmission_file_", "Ada L_17_assignsubmission_file_/nb.ipynb"])
def test_collect_moodles_folder_is_known_however_it_is_given(given: str, tmp_path: Path) -> None:
    made(tmp_path / "subs", "Ada L_17_assignsubmission_file_/nb.ipynb", "Ada L_17_assignsubmission_file_/data/x.csv")
    collection = collect([tmp_path / "subs" / given])
    assert [(entry.student, entry.number) for entry in collection] == [("Ada L", "17")]


@pytest.mark.parametrize("files", [["ada/alan/nb.ipynb", "alan/nb.ipynb"], ["ada.zip", "hw/nb.ipynb"]])
def test_collect_flags_what_lies_under_another_students_name(files: list[str], tmp_path: Path) -> None:
    collection = collect([made(tmp_path, *files)])
    ada, other = collection
    assert (ada.student, other.flags) == ("ada", ())
    assert ada.flags == (f"lies in {other.student!r}, which is another student's name",)


@pytest.mark.parametrize(
    ("files", "given", "students"),
    [
        (["HW3/HW3/ada/hw.ipynb", "HW3/HW3/alan/hw.ipynb"], "HW3", ["ada", "alan"]),
        (["HW3/HW3/ada/hw.ipynb", "HW3/HW3/alan/hw.ipynb"], "", ["ada", "alan"]),
        (["HW3/HW3/ll_123_456_a.ipynb", "HW3/HW3/tt_124_457_b.ipynb"], "HW3", ["ll", "tt"]),
        (["ada/ada/hw.ipynb", "ada/ada/deeper/other.ipynb"], "", ["ada", "ada"]),
        (["ada/try1/hw.ipynb", "ada/try2/hw.ipynb"], "", ["ada", "ada"]),
    ],
    ids=["given", "above it", "Canvas", "a student", "tries"],
)
def test_collect_a_class_in_a_folder_in_one_of_its_name_is_found(
    files: list[str], given: str, students: list[str], tmp_path: Path
) -> None:
    assert whose([made(tmp_path / "subs", *files) / given]) == students


@pytest.mark.parametrize("given", ["", "hw1-submissions"])
@pytest.mark.parametrize("students", [["ada", "alan"], ["ada-k", "ada-l"], ["ada"]], ids=", ".join)
def test_collect_clones_in_their_own_folder(students: list[str], given: str, tmp_path: Path) -> None:
    made(tmp_path, *(f"hw1-submissions/hw1-{student}/nb.ipynb" for student in students))
    assert whose([tmp_path / given]) == students


@pytest.mark.parametrize(
    ("archive", "inside", "students"),
    [
        ("hw.zip", ["hw/ada/nb.ipynb"], ["ada"]),
        (
            "x.zip",
            ["Ada L_17_assignsubmission_file_/a/nb.ipynb", "Ada L_17_assignsubmission_file_/b/x.ipynb"],
            2 * ["Ada L"],
        ),
    ],
    ids=["its own folder", "a student's"],
)
def test_collect_a_lone_folder_in_an_archive(
    archive: str, inside: list[str], students: list[str], tmp_path: Path
) -> None:
    assert whose([zip_of(tmp_path / archive, dict.fromkeys(inside, b"{}"))]) == students


def test_collect_archives_without_a_notebook_are_entries(tmp_path: Path) -> None:
    for name in ("ada", "alan"):
        zip_of(tmp_path / f"{name}.zip", {f"{name}/notes.txt": b""})
    made(tmp_path, "zed/notes.txt")
    collection = collect([tmp_path])
    assert [(entry.student, entry.refused is None) for entry in collection] == [
        ("ada", False),
        ("alan", False),
        ("zed", False),
    ]


def test_collect_moodles_mark_is_believed_in_folders_of_a_class(tmp_path: Path) -> None:
    own, flat = "Ada L_17_assignsubmission_file_/nb.ipynb", "Alan T_18_assignsubmission_file_nb.ipynb"
    collection = collect([made(tmp_path, f"group 1/{own}", f"group 2/{flat}")])
    assert [(entry.student, entry.number) for entry in collection] == [("Ada L", "17"), ("Alan T", "18")]


def test_collect_copies_are_nobodys(tmp_path: Path) -> None:
    names = ("Copy of 03_backprop", "Copy of ada_l_backprop", "ada_l_backprop - Copy (2)", "ada_l_backprop (1)")
    root = made(tmp_path / "subs", *(f"{name}.ipynb" for name in names))
    collection = collect([root], known=["backprop", "03_backprop"])
    assert [entry.student for entry in collection] == ["ada_l", "ada_l", "ada_l", "subs"]
    assert [bool(entry.flags) for entry in collection] == [True, True, True, False]


def test_collect_a_file_of_a_platform_that_is_no_notebook_is_an_entry(tmp_path: Path) -> None:
    files = ["ll_12345_67890_hw.ipynb", "ll_12345_67891_notes.pdf", "tt_12346_67892_hw.pdf", "tt_12346_67893_hw.py"]
    collection = collect([made(tmp_path, *files, "readme.txt")])
    assert [(entry.student, entry.number, entry.refused) for entry in collection] == [
        ("ll", "12345", None),
        ("tt", "12346", "tt_12346_67892_hw.pdf is no notebook"),
    ]


def test_collect_one_of_several_paths_without_a_notebook_is_an_entry(tmp_path: Path) -> None:
    made(tmp_path, "ada/hw.ipynb", "bob/notes.txt", "carl/hw/readme.md")
    paths = [tmp_path / "ada", tmp_path / "bob", tmp_path / "carl", zip_of(tmp_path / "dora.zip", {"x.pdf": b""})]
    collection = collect(paths)
    assert [(entry.student, entry.shown_path, entry.refused) for entry in collection] == [
        ("ada", "ada/hw.ipynb", None),
        ("bob", "bob", "no notebook in bob, only notes.txt"),
        ("carl", "carl", "no notebook in carl"),
        ("dora", "dora.zip", "no notebook in dora, only x.pdf"),
    ]
    with pytest.raises(UsageError, match="no notebook found"):
        collect(paths[1:])


@pytest.mark.parametrize(
    ("inside", "students"),
    [
        (["ada_03_backprop.ipynb", "al_03_backprop.ipynb"], ["ada", "al"]),
        (["03_backprop_ada.ipynb", "03_backprop_al.ipynb"], ["ada", "al"]),
        (["old_03_backprop.ipynb", "03_backprop.ipynb", "my_notes.ipynb"], ["class"] * 3),
        (["scratch.ipynb", "answers.ipynb"], ["class"] * 2),
        (["ll_123_4567_a.ipynb", "tt_LATE_124_4568_b.ipynb"], ["ll", "tt"]),
        (["A_1_assignsubmission_file_/a.ipynb", "B_2_assignsubmission_file_/b.ipynb"], ["A", "B"]),
        (["ada/nb.ipynb", "alan/nb-Copy1.ipynb"], ["ada", "alan"]),
        (["submissions/ada/nb.ipynb", "submissions/alan/nb.ipynb"], ["ada", "alan"]),
        (["week1/nb.ipynb", "week2/other.ipynb"], ["class", "class"]),
        (["week1/nb.ipynb"], ["class"]),
    ],
    ids=[
        *("name first", "name last", "a student's", "no names", "Canvas", "Moodle"),
        *("a notebook twice", "in a folder", "each once", "one"),
    ],
)
def test_collect_an_archive_alone_in_its_folder_is_a_class_where_names_or_a_notebook_held_twice_tell_so(
    inside: list[str], students: list[str], tmp_path: Path
) -> None:
    (tmp_path / "hw3").mkdir()
    zip_of(tmp_path / "hw3" / "class.zip", dict.fromkeys(inside, b"{}"))
    found = collect([tmp_path / "hw3"], known=["03_backprop"])
    assert sorted(entry.student for entry in found) == students
    assert {entry.shown_path for entry in found} == {f"class.zip!{path}" for path in inside}


@pytest.mark.parametrize("rest", ["1" * 200 + "x", "submission" * 20 + "x", "v_" * 100 + "ö"])
def test_collect_a_long_name_behind_that_of_a_notebook_takes_no_time(rest: str, tmp_path: Path) -> None:
    began = time.process_time()
    assert {*whose([made(tmp_path, f"hw_{rest}.ipynb", "hw_ada.ipynb")], known=["hw"])} == {rest, "ada"}
    assert time.process_time() - began < 10


def test_collect_an_archive_over_the_limits_says_how_a_class_gets_by_them(tmp_path: Path) -> None:
    files = {f"ada/{number}.txt": b"" for number in range(4)} | {"ada/hw.ipynb": b"{}"}
    whole, limits = zip_of(tmp_path / "class.zip", files), CollectLimits(archive_entries=4)
    collection = collect([whole], limits=limits)
    assert [entry.refused for entry in collection] == [
        "the archive holds more than 4 files; unpack it yourself and name the folder"
    ]
    (tmp_path / "subs/ada").mkdir(parents=True)
    whole.rename(tmp_path / "subs/ada/hw.zip")
    made(tmp_path / "subs", "alan/hw.ipynb")
    collection = collect([tmp_path / "subs"], limits=limits)
    assert [entry.refused for entry in collection] == ["the archive holds more than 4 files", None]


def test_collect_files_of_a_student_in_folders_of_notebooks_are_of_two_kinds(tmp_path: Path) -> None:
    files = [f"{folder}/{student}.ipynb" for folder in ("03_backprop", "04_layers") for student in ("ada", "alan")]
    collection = collect([made(tmp_path, *files)], known=["03_backprop", "04_layers"])
    assert [(entry.student, entry.notebook, entry.flags) for entry in collection] == [
        (student, notebook, ()) for student in ("ada", "alan") for notebook in ("03_backprop.ipynb", "04_layers.ipynb")
    ]


def test_collect_clones_given_one_by_one_are_called_without_the_assignment(tmp_path: Path) -> None:
    clones = [made(tmp_path / f"hw-{student}", "nb.ipynb", ".git/") for student in ("ada", "alan-t")]
    collection = collect(clones)
    assert seen(collection) == [
        ("ada", "nb.ipynb", "hw-ada/nb.ipynb"),
        ("alan-t", "nb.ipynb", "hw-alan-t/nb.ipynb"),
    ]


@pytest.mark.parametrize(
    "late", ["late", "extra", "extra/hw-al-t", "extra/hw-al-t/nb.ipynb", "late.zip", "hw-al-t.zip"]
)
@pytest.mark.parametrize(("subs", "third"), [("subs", ["zoe"]), ("hw-submissions", [])])
def test_collect_a_clone_in_a_path_of_its_own_is_called_as_those_in_another(
    subs: str, third: list[str], late: str, tmp_path: Path
) -> None:
    made(tmp_path, *(f"{subs}/hw-{student}/nb.ipynb" for student in ("al-m", "al-t", *third)))
    made(tmp_path, "late/hw-al-t/x.ipynb", "extra/hw-al-t/nb.ipynb", "hw-al-t.zip")
    zip_of(tmp_path / "late.zip", {"hw-al-t/nb.ipynb": b"{}"})
    for paths in ([tmp_path / subs, tmp_path / late], [tmp_path / late, tmp_path / subs]):
        assert {*whose(paths)} == {"al-m", "al-t", *third}


@pytest.mark.parametrize(
    ("files", "notebooks"),
    [
        (["ll_101_551_lab-1", "ll_101_552_lab-2"], ["lab-1", "lab-2"]),
        (["ll_101_551_lab-1-1", "ll_101_552_my lab-2"], ["lab-1", "my lab-2"]),
        (["anon_x_551_lab-1", "anon_x_552_03_backprop-1"], ["03_backprop", "lab-1"]),
        (["ll_101_551_hw-3", "ll_101_552_hw-4"], ["hw-3", "hw-4"]),
        (["ll_101_551_hw-1", "tt_102_552_hw-2"], ["hw", "hw"]),
        (["ll_101_551_03_backprop-1", "ll_101_552_03_backprop-2"], ["03_backprop"] * 2),
        (["Ada L_17_assignsubmission_file_lab-1", "Ada L_17_assignsubmission_file_hw-1"], ["hw-1", "lab-1"]),
    ],
    ids=["course's", "again", "anonymous", "one student's", "two students'", "two downloads", "Moodle"],
)
def test_collect_number_behind_a_notebooks_name_is_of_an_attempt_only_where_canvas_wrote_it(
    files: list[str], notebooks: list[str], tmp_path: Path
) -> None:
    root = made(tmp_path, *(f"{file}.ipynb" for file in files))
    found = collect([root], known=["03_backprop", "lab-1", "lab-2"])
    assert [entry.notebook for entry in found] == [f"{notebook}.ipynb" for notebook in notebooks]


BLACKBOARD = "HW 3_part_al17_attempt_2026-11-03-11-30-00"
BRIGHTSPACE = "397063-2557369 - Mary-Ann Smith - Sep 24, 2026 926 PM"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            [f"{BLACKBOARD}_03_backprop.ipynb", f"{BLACKBOARD}.txt", f"{BLACKBOARD.replace('al17', 'at2')}_x.ipynb"],
            [("al17", "03_backprop.ipynb"), ("at2", "x.ipynb")],
        ),
        (
            [f"{BLACKBOARD}_x.ipynb", f"{BLACKBOARD.replace('al17', 'at2')}.txt", f"{BLACKBOARD}_x.pdf"],
            [("al17", "x.ipynb"), ("at2", "")],
        ),
        (
            [f"{BLACKBOARD}_hw.zip", f"{BLACKBOARD.replace('al17', 'at2')}_hw.zip"],
            [("al17", "nb.ipynb"), ("at2", "nb.ipynb")],
        ),
        (
            [f"{BRIGHTSPACE}/x.ipynb", "1-2 - Ada L - 3 Oct, 2026 1126/report.pdf", "index.html"],
            [("Ada L", ""), ("Mary-Ann Smith", "x.ipynb")],
        ),
        (
            [f"{BRIGHTSPACE} - x.ipynb", "1-2 - Ada L- Oct 3, 2026 1126 AM - y - z.ipynb"],
            [("Ada L", "y - z.ipynb"), ("Mary-Ann Smith", "x.ipynb")],
        ),
    ],
    ids=["blackboard", "no notebook", "archives", "folders", "files"],
)
def test_collect_blackboards_and_brightspaces_attempts(
    files: list[str], found: list[tuple[str, str]], tmp_path: Path
) -> None:
    collection = collect([made(tmp_path, *files)])
    assert [(entry.student, entry.notebook) for entry in collection] == found


@pytest.mark.parametrize(
    ("folders", "given", "students"),
    [
        (["backprop-ada-main", "backprop-alan-main"], "", ["ada", "alan"]),
        (["backprop-ada-main", "backprop-alan-master"], "*", ["ada", "alan"]),
        (["03_backprop-ada-main", "03_backprop-alan-main"], "", ["ada", "alan"]),
        (["ada-main", "alan-main"], "*", ["ada", "alan"]),
        (["backprop-ada-main", "backprop-alan"], "", ["ada-main", "alan"]),
        (["backprop-ada-main"], "", ["backprop-ada-main"]),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_collect_downloads_of_repositories_are_called_without_their_branch(
    folders: list[str], given: str, students: list[str], packed: bool, tmp_path: Path
) -> None:
    for name in folders:
        if packed:
            zip_of(tmp_path / f"{name}.zip", {f"{name}/03_backprop.ipynb": b"{}"})
        else:
            made(tmp_path, f"{name}/03_backprop.ipynb")
    paths = sorted(tmp_path.glob(given)) if given else [tmp_path]
    assert whose(paths, known=["03_backprop"]) == students


def beside(archive: Path, files: dict[str, bytes], place: Path) -> None:
    """An archive of these files, and the files unpacked in ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    zip_of(archive, files)


CLASS = {"ada/nb.ipynb": b"{}", "ada/data.csv": b"1", "alan/nb.ipynb": b"{ }"}


@pytest.mark.parametrize(
    ("archive", "place", "files"),
    [
        ("all.zip", ".", CLASS),
        ("all.zip", "all", CLASS),
        ("all.zip", ".", {f"all/{name}": content for name, content in CLASS.items()}),
        ("ada.zip", ".", {"ada/nb.ipynb": b"{}"}),
        ("ada/work.zip", "ada", {"nb.ipynb": b"{}", "data.csv": b"1"}),
        ("subs.zip", "submissions", {"ada_nb.ipynb": b"{}", "alan_nb.ipynb": b"{ }"}),
    ],
)
def test_collect_what_lies_packed_and_unpacked_side_by_side_is_there_once(
    archive: str, place: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    root = made(tmp_path / "class", "zoe/nb.ipynb") if "ada" in archive else tmp_path / "class"
    (root / archive).parent.mkdir(parents=True, exist_ok=True)
    beside(root / archive, files, root / place)
    if archive == "subs.zip":
        (root / archive).rename(root / "submissions.zip")

    collection = collect([root])
    found = seen(collection)
    assert not any(".zip!" in path for _, _, path in found)
    assert len(found) == len({path for _, _, path in found}) == sum("nb" in name for name in files) + ("ada" in archive)
    assert not any(entry.flags for entry in collection if "all" not in archive)
    assert collection.remarks[0].startswith("1 archive is passed over, for all that is in it lies unpacked beside it")


@pytest.mark.parametrize(("folder", "students"), [("zoe", ["alan", "zoe"]), ("late", ["ada", "alan", "class"])])
def test_collect_an_archive_whose_name_alone_tells_a_student_is_looked_into_whatever_lies_beside_it(
    folder: str, students: list[str], tmp_path: Path
) -> None:
    root = made(tmp_path / "class", "alan/nb.ipynb")
    beside(root / folder / "ada.zip", {"nb.ipynb": b"{}"}, root / folder)
    collection = collect([root])
    assert [student for student, _, _ in seen(collection)] == students


def test_collect_several_archives_of_one_student_beside_folders_called_alike_are_there_once(tmp_path: Path) -> None:
    root = made(tmp_path / "class", "zoe/nb.ipynb")
    for name, content in {"HW1": b"{}", "HW2": b"{ }"}.items():
        beside(root / "ada" / f"{name}.zip", {"nb.ipynb": content}, root / "ada" / name)
    collection = collect([root])
    assert [path for _, _, path in seen(collection)] == ["ada/HW1/nb.ipynb", "ada/HW2/nb.ipynb", "zoe/nb.ipynb"]
    assert collection.remarks[0].startswith("2 archives are passed over")


@pytest.mark.parametrize("named", [["class", "class.zip"], ["class.zip", "class"], ["ada", "alan", "class.zip"]])
def test_collect_an_archive_named_beside_what_it_was_unpacked_to_is_passed_over(
    named: list[str], tmp_path: Path
) -> None:
    beside(tmp_path / "class.zip", CLASS, tmp_path / ("class" if "class" in named else "."))
    collection = collect([tmp_path / name for name in named])
    assert {entry.student for entry in collection} == {"ada", "alan"}
    assert len(collection) == 2


@pytest.mark.parametrize("change", ["edited", "gone", "another", "linked"])
def test_collect_an_archive_that_holds_more_than_lies_beside_it_is_looked_into(change: str, tmp_path: Path) -> None:
    root = tmp_path / "class"
    beside(root / "ada.zip", {"ada/nb.ipynb": b"{}", "ada/data.csv": b"1"}, root)
    made(root, "zoe/nb.ipynb")
    data = root / "ada" / "data.csv"
    if change == "edited":
        data.write_bytes(b"2")
    elif change == "another":
        zip_of(root / "ada.zip", {"ada/nb.ipynb": b"{}", "ada/more.ipynb": b"{}"})
    else:
        data.unlink()
        if change == "linked":
            (tmp_path / "1").write_bytes(b"1")
            data.symlink_to(tmp_path / "1")

    collection = collect([root])
    assert "ada.zip!ada/nb.ipynb" in {entry.shown_path for entry in collection}
    assert collection.remarks == ()


def test_collect_an_archive_named_alone_is_looked_into_whatever_lies_beside_it(tmp_path: Path) -> None:
    beside(tmp_path / "class.zip", CLASS, tmp_path)
    assert whose([tmp_path / "class.zip"]) == ["ada", "alan"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["Abgaben/ada/nb.ipynb", "Abgaben/alan/nb.ipynb"], True),
        (["Monday/ada/nb.ipynb", "Monday/alan/nb.ipynb", "Tuesday/zoe/nb.ipynb"], True),
        (["ada/HW1/nb.ipynb", "ada/HW2/nb.ipynb", "alan/HW1/nb.ipynb"], False),
        (["ada/Version 1/nb.ipynb", "ada/Version 2/nb.ipynb", "alan/old/nb.ipynb"], False),
        (["ada/one/03.ipynb", "ada/two/04.ipynb", "alan/nb.ipynb"], False),
        ([f"late/3-{n} - Ann Bee - Sep {n}, 2026 926 PM/nb.ipynb" for n in (23, 24)], False),
    ],
)
def test_collect_tells_of_a_student_who_may_be_a_folder_of_students(
    files: list[str], told: bool, tmp_path: Path
) -> None:
    collection = collect([made(tmp_path / "x", *files)])
    assert [remark.partition(" may be no student")[0] for remark in collection.remarks] == (
        [files[0].partition("/")[0]] if told else []
    )


def test_collect_does_not_tell_of_hidden_files_that_an_archive_holds_beside_a_notebook(tmp_path: Path) -> None:
    names = ("seen.ipynb", ".git/x.ipynb", "__MACOSX/x.ipynb")
    links = [member(name, tarfile.SYMTYPE, "/etc/passwd") for name in names]
    tar_of(tmp_path / "ada.tar", {"hw.ipynb": b"{}"}, links)
    collection = collect([tmp_path / "ada.tar"])
    told = " ".join([*(f"{entry.shown_path} {entry.refused}" for entry in collection), *collection.remarks])
    assert "seen.ipynb" in told
    assert ".git" not in told
    assert "__MACOSX" not in told


#: What a student packed: one notebook, and an older copy of it.
PACKED = {
    "copy below": {"hw/03_backprop.ipynb": b"{}", "hw/old/03_backprop.ipynb": b"{}"},
    "two folders": {"v1/03_backprop.ipynb": b"{}", "v2/03_backprop.ipynb": b"{}"},
}
OWNED = {
    "Ada L_17_assignsubmission_file": "Ada L",
    "397063-2557369 - Ada L - Sep 24, 2026 926 PM": "Ada L",
    "hw-ada": "ada",
}


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("folder", OWNED)
def test_archive_in_a_folder_that_is_a_students_is_no_class_however_it_is_given(
    folder: str, packed: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir()
    zip_of(tmp_path / folder / "hw.zip", packed)
    if folder == "hw-ada":  # clones, one of which tells nothing of the others
        made(tmp_path, "hw-ada/.git/HEAD", "hw-alan/.git/HEAD", "hw-alan/03_backprop.ipynb")
    others = {"alan"} if folder == "hw-ada" else set()
    for paths in ([tmp_path], sorted(tmp_path.iterdir())):
        assert {*whose(paths, known=["03_backprop"])} == {OWNED[folder], *others}


def test_archive_with_a_notebook_and_a_copy_below_it_is_no_class(tmp_path: Path) -> None:
    made(tmp_path, "ada/", "alan/03_backprop.ipynb")
    zip_of(tmp_path / "ada" / "hw.zip", PACKED["copy below"])
    for paths in ([tmp_path], [tmp_path / "ada", tmp_path / "alan"]):
        assert {*whose(paths, known=["03_backprop"])} == {"ada", "alan"}


def test_file_among_several_paths_that_is_no_submission_is_refused_with_the_way_round_it(tmp_path: Path) -> None:
    made(tmp_path, "ada/hw.ipynb", "index.html")
    with pytest.raises(UsageError) as raised:
        collect(sorted(tmp_path.iterdir()))
    assert raised.value.remedy.endswith("leave it out, or name the folder around all of them")
