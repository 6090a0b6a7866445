from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.submission.attribution import gradescope as module
from grader.submission.entry import Collection
from tests.submission.archives import collect, whose, zip_of

#: As Gradescope's Ruby writes it: symbols for keys, nothing for nil, the history with keys of the same names.
METADATA = """\
---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0123'
    :email: ada@example.edu
  :created_at: 2024-02-01 12:00:00.000000000 Z
  :score: 3.0
  :status: processed
  :history:
  - :id: 90
    :submitters:
    - :name: Somebody Else
      :sid: '9'
  :results:
    tests:
    - name: lin_grad
      output: ":submitters:"
submission_102:
  :submitters:
  - :name: Grace Hopper
    :sid:
    :email: grace@example.edu
  - :name: Alan Turing
    :sid: '200'
    :email: alan@example.edu
  :score: 0.0
submission_103:
  :submitters:
  - :name:
    :sid: 0300
    :email: hedy@example.edu
"""
CLASS = ["submission_101/hw.ipynb", "submission_102/src/hw.ipynb", "submission_103/hw.ipynb"]
NAMED = [
    ("Ada Lovelace", "0123", CLASS[0]),
    ("Grace Hopper & Alan Turing", "grace@example.edu+200", CLASS[1]),
    ("hedy@example.edu", "0300", CLASS[2]),
]


def exported(root: Path, metadata: str | bytes | None = METADATA, files: list[str] = CLASS) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    if metadata is not None:
        (root / module.METADATA).write_bytes(metadata if isinstance(metadata, bytes) else metadata.encode())
    return root


def zipped(path: Path, prefix: str = "", files: list[str] = CLASS, metadata: str = METADATA) -> Path:
    return zip_of(
        path, {f"{prefix}{module.METADATA}": metadata.encode(), **{f"{prefix}{name}": b"{}" for name in files}}
    )


def seen(collection: Collection) -> list[tuple[str, str, str]]:
    return [(entry.student, entry.number, entry.shown_path) for entry in collection]


def students(root: Path) -> dict[str, tuple[str, ...]]:
    """The flags of each student of an export."""
    return {entry.student: entry.flags for entry in collect([root])}


def one(text: str) -> str:
    return f"submission_1:\n  :submitters:\n{text}"


def test_export_as_a_folder_names_the_people_and_the_team_without_flags(tmp_path: Path) -> None:
    found = collect([exported(tmp_path / "assignment_5_export")])
    assert seen(found) == NAMED
    assert not any(entry.flags or entry.refused for entry in found)
    assert [entry.assets[0].folder.name for entry in found] == ["submission_101", "src", "submission_103"]


def test_export_in_one_more_folder_gives_the_same_names(tmp_path: Path) -> None:
    exported(tmp_path / "downloads/assignment_5_export")
    assert seen(collect([tmp_path / "downloads"])) == [
        (student, number, f"assignment_5_export/{path}") for student, number, path in NAMED
    ]


@pytest.mark.parametrize(
    ("archive", "prefix"),
    [("assignment_5_export.zip", ""), ("assignment_5_export.zip", "assignment_5_export/"), ("hw (1).zip", "export/")],
    ids=["flat", "wrapped", "renamed"],
)
def test_export_as_an_archive_gives_the_same_names(tmp_path: Path, archive: str, prefix: str) -> None:
    (tmp_path / "all").mkdir()
    path = zipped(tmp_path / "all" / archive, prefix)
    expected = [(student, number, f"{archive}!{prefix}{place}") for student, number, place in NAMED]
    for given in (path, path.parent):
        found = collect([given])
        assert seen(found) == expected


@pytest.mark.parametrize("prefix", ["", "assignment_5_export/"])
def test_export_of_one_submission_is_still_that_persons(tmp_path: Path, prefix: str) -> None:
    files = ["submission_101/a/hw.ipynb", "submission_101/b/hw2.ipynb"]
    found = collect([zipped(tmp_path / "assignment_5_export.zip", prefix, files)])
    assert {entry.student for entry in found if entry.refused is None} == {"Ada Lovelace"}


def test_submission_that_is_only_listed_is_an_entry(tmp_path: Path) -> None:
    found = collect([exported(tmp_path, files=CLASS[:2])])
    refused = {entry.student: entry.refused for entry in found if entry.refused}
    assert refused == {"hedy@example.edu": f"{module.METADATA} lists submission_103, which is not there"}


def test_submission_without_a_notebook_is_named_too(tmp_path: Path) -> None:
    found = collect([exported(tmp_path / "x", files=[*CLASS[:2], "submission_103/hw.pdf"])])
    assert [(entry.student, entry.refused) for entry in found] == [
        ("Ada Lovelace", None),
        ("Grace Hopper & Alan Turing", None),
        ("hedy@example.edu", "no notebook in submission_103, only hw.pdf"),
    ]


def test_namesakes_are_told_apart_by_number(tmp_path: Path) -> None:
    metadata = "".join(
        f"submission_{i}:\n  :submitters:\n  - :name: Ada\n{number}" for i, number in ((1, "    :sid: '7'\n"), (2, ""))
    )
    assert list(students(exported(tmp_path, metadata, ["submission_1/a.ipynb", "submission_2/a.ipynb"]))) == [
        "Ada_2",
        "Ada_7",
    ]


def test_folder_that_the_file_does_not_have_keeps_its_name_and_is_flagged(tmp_path: Path) -> None:
    found = students(exported(tmp_path, files=[*CLASS, "submission_104/hw.ipynb"]))
    assert found.pop("submission_104") == (
        "who handed in submission_104 is not known: submission_metadata.yml does not have it",
    )
    assert list(found) == [student for student, _, _ in NAMED]
    assert not any(found.values())


def test_folders_without_the_file_are_called_as_ever(tmp_path: Path) -> None:
    assert students(exported(tmp_path, None, CLASS[:1] + CLASS[2:])) == {"submission_101": (), "submission_103": ()}


def test_other_folders_beside_the_submissions_are_called_as_ever(tmp_path: Path) -> None:
    named = {name: () for name, _, _ in NAMED}
    assert students(exported(tmp_path, files=[*CLASS, "late-zoe/hw.ipynb"])) == {**named, "late-zoe": ()}


UNUSABLE = {
    "empty": ("", "names nobody"),
    "a_list": ("- a\n- b\n", "names nobody"),
    "a_string": ("hello\n", "names nobody"),
    "nobody": ("submission_1: {}\n", "names nobody"),
    "no_list": ("submission_1:\n  :submitters: Ada\n", "names nobody"),
    "only_others_keys": (one("  - :sis: 1\n"), "has no usable name or e-mail address"),
    "one_of_two": (one("  - :name: Ada\n  - :name: ''\n"), "has no usable name or e-mail address"),
    "endless_name": (one(f"  - :name: {'a' * 201}\n"), "has no usable name or e-mail address"),
    "large_team": (one("  - :name: Ada\n" * 100), "has no usable name or e-mail address"),
    "not_yaml": ("a: [1\n", "is not YAML from line 2 on"),
    "tab": ("a:\n\t- b\n", "is not YAML from line 2 on"),
    "binary": (b"\x00\xff\x80\n", "is not YAML"),
    "not_utf8": (one("  - :name: Ad\xe9\n").encode("latin-1"), "is not YAML"),
    "cut_off": (one("  - :name: Ada Lov"), "is cut off"),
    "cut_in_a_string": (one("  - :name: 'Ada"), "is not YAML from line 3 on"),
    "deep": ("[" * 100_000, "is not YAML from line 1 on"),
    "deep_blocks": ("- " * 100_000 + "\n", "is not YAML from line 1 on"),
    "itself": ("submission_1: &a\n  :submitters: [*a]\n", "names nobody"),
    "team_by_alias": ("x: &a\n- :name: Ada\nsubmission_1:\n  :submitters: *a\n", "names nobody"),
    "second_document": ("a: 1\n---\n" + one("  - :name: Ada\n"), "names nobody"),
}


@pytest.mark.parametrize(("metadata", "problem"), UNUSABLE.values(), ids=UNUSABLE)
def test_file_that_tells_nobody_leaves_the_folders_name_with_a_flag(
    tmp_path: Path, metadata: str | bytes, problem: str
) -> None:
    ((student, flags),) = students(exported(tmp_path, metadata, ["submission_1/hw.ipynb"])).items()
    assert student == "submission_1"
    (flag,) = flags
    assert flag.startswith(f"who handed in submission_1 is not known: submission_metadata.yml {problem}")


def test_file_damaged_further_down_names_those_before(tmp_path: Path) -> None:
    damaged = METADATA.replace("submission_103:", "submission_103: ]")
    assert [(student, bool(flags)) for student, flags in students(exported(tmp_path, damaged)).items()] == [
        ("Ada Lovelace", False),
        ("submission_102", True),  # it may have had more submitters
        ("submission_103", True),
    ]


def test_aliases_and_tags_are_only_text(tmp_path: Path) -> None:
    laughs = "a0: &a0 {x: ha}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60))
    tagged = one('  - :name: !!python/object/apply:os.getcwd "Ada"\n    :email: &e a@x.edu\n    :sid: *e\n')
    found = collect([exported(tmp_path, laughs + tagged, ["submission_1/hw.ipynb"])])
    assert seen(found) == [("Ada", "a@x.edu", "submission_1/hw.ipynb")]


def test_name_with_control_characters_is_printable(tmp_path: Path) -> None:
    metadata = one('  - :name: "Ada\\n\\e[31m\\u202e Lovelace"\n')
    assert list(students(exported(tmp_path, metadata, ["submission_1/a.ipynb"]))) == ["Ada \\x1b[31m\\u202e Lovelace"]


def test_name_of_one_person_is_never_that_of_a_team(tmp_path: Path) -> None:
    metadata = one("  - :name: Grace Hopper & Alan Turing\n")
    assert list(students(exported(tmp_path, metadata, ["submission_1/a.ipynb"]))) == ["Grace Hopper and Alan Turing"]


def test_name_that_is_anothers_folder_is_told_apart(tmp_path: Path) -> None:
    metadata = one("  - :name: submission_2\n    :sid: '5'\n")
    found = students(exported(tmp_path, metadata, ["submission_1/a.ipynb", "submission_2/a.ipynb"]))
    assert list(found) == ["submission_2", "submission_2_5"]


def test_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 10)
    ((student, flags), *_) = students(exported(tmp_path)).items()
    assert student == "submission_101"
    assert "too large" in flags[0]


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_file_that_is_no_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    path = exported(tmp_path / "x", None) / module.METADATA
    secret = tmp_path / "secret.yml"
    secret.write_text(METADATA)
    {"link": lambda: path.symlink_to(secret), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
    found = students(path.parent)
    assert all("is not known" in found[folder][0] for folder in ("submission_101", "submission_102", "submission_103"))


def test_file_in_a_students_own_folder_is_not_believed(tmp_path: Path) -> None:
    files = ["ada/submission_1/hw.ipynb", "bob/hw.ipynb"]
    exported(tmp_path, None, files)
    exported(tmp_path / "ada", one("  - :name: bob\n"), [])
    assert list(students(tmp_path)) == ["ada", "bob"]


def test_student_pattern_replaces_the_file(tmp_path: Path) -> None:
    found = collect([exported(tmp_path)], student_pattern=r"submission_(?P<student>\d+)/")
    assert [(entry.student, entry.flags) for entry in found] == [("101", ()), ("102", ()), ("103", ())]


@pytest.mark.parametrize("given", ["submission_*", "submission_*/*"])
def test_submissions_given_one_by_one_are_named_by_the_file_beside_them(given: str, tmp_path: Path) -> None:
    assert whose(sorted(exported(tmp_path, files=[CLASS[0], CLASS[2]]).glob(given))) == [
        "Ada Lovelace",
        "hedy@example.edu",
    ]


def test_file_beside_a_folder_in_a_submission_is_not_believed(tmp_path: Path) -> None:
    planted = exported(tmp_path / "submission_102")
    assert whose([planted / "submission_101"]) == ["submission_101"]


def test_submission_given_alone_is_named_and_its_file_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def content(path: Path, most: int) -> bytes:
        read.append(path)
        return path.read_bytes()

    monkeypatch.setattr(module, "content", content)
    root = exported(tmp_path)
    assert whose([root / "submission_103"]) == ["hedy@example.edu"]
    assert whose([root / "submission_101", root / "submission_103"]) == ["Ada Lovelace", "hedy@example.edu"]
    assert len(read) == 2


def test_archives_of_one_submission_each_are_those_persons(tmp_path: Path) -> None:
    archives = [zipped(tmp_path / f"part{i}.zip", files=[name]) for i, name in enumerate(CLASS)]
    assert whose(archives) == [name for name, _, _ in NAMED]
