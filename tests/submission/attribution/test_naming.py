from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.submission.attribution.naming import Naming

#: Pieces of names: students', notebooks', a class's parts, what platforms and copies put around them.
PIECES = st.sampled_from(
    [
        *("ada", "Alan Turing", "zoe", "12345", "ü n", "HW3", "homework", "late", "03_backprop", "backprop", "final"),
        *("Copy of ada", "03_backprop-Copy1", "_", "untitled", "submission_5", "Ada L_17_assignsubmission_file_"),
        *("ada_101_55512_hw", "HW 3_al17_attempt_2026-11-03-11-30-00_x", "1-2 - Ada L- 3 Oct, 2026 1126 - y"),
    ]
)
NAMES = st.builds(lambda pieces, between: between.join(pieces), st.lists(PIECES, min_size=1, max_size=3), PIECES)
FOLDERS = st.lists(st.builds(str.__add__, NAMES, st.sampled_from(["", ".zip"])), max_size=4)
FILES = st.lists(NAMES.map("{}.ipynb".format), max_size=4)


@given(NAMES, FOLDERS, FILES, st.booleans(), st.booleans())
def test_every_path_is_somebodys(owner: str, folders: list[str], files: list[str], alone: bool, guessing: bool) -> None:
    naming = Naming(owner, folders, files, ["03_backprop"], of_one_student=alone, guessing=guessing)
    beside = [(file,) for file in files]
    below = [(folder, *rest) for folder in folders for rest in ((), *beside, ("deeper.zip",), ("deeper", "x.ipynb"))]
    for parts in ((), *beside, *below):
        name = naming.name(parts)
        assert name.student
        assert name.notebook == "" or name.notebook.endswith(".ipynb")
