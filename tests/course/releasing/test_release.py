from __future__ import annotations

import base64
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.releasing.release import ReleaseOutcome, notebook_bytes, release, release_notebook
from grader.course.releasing.solution import MarkerProblem, cut
from grader.errors import ReleaseError
from tests.samples import SOLUTIONS

ANSWER = "w.g = inp.t() @ out.g"
SOLUTION = f"def f(inp, out, w):\n    ### BEGIN SOLUTION\n    {ANSWER}\n    ### END SOLUTION"
STUB = "def f(inp, out, w):\n    raise NotImplementedError"


def cell(source: Any, kind: str = "code", metadata: Any = None, **extra: Any) -> dict[str, Any]:
    made = {"cell_type": kind, "source": source, "metadata": metadata or {}, **extra}
    return {**made, "outputs": [], "execution_count": None, **extra} if kind == "code" else made


def notebook(*cells: Any, **extra: Any) -> Any:
    return nbformat.from_dict({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra})


def sources(released: Any) -> list[str]:
    return [item["source"] for item in released["cells"]]


CUTS = {
    "ours": (SOLUTION, STUB),
    "nbgrader_and_otter": ("# BEGIN SOLUTION\nx = 1\n# END SOLUTION", "raise NotImplementedError"),
    "any_case_and_blanks": ("##begin  Solution \nx = 1\n  #  END SOLUTION", "raise NotImplementedError"),
    "at_module_level": ("# hint\n### BEGIN SOLUTION\ny = 1\n### END SOLUTION", "# hint\nraise NotImplementedError"),
    "indentation_of_the_code": (
        "def f():\n### BEGIN SOLUTION\n    return 1\n### END SOLUTION",
        "def f():\n    raise NotImplementedError",
    ),
    "empty_region": ("def f():\n    # BEGIN SOLUTION\n    # END SOLUTION", "def f():\n    raise NotImplementedError"),
    "two_methods": (
        "class A:\n    def a(self):\n        # BEGIN SOLUTION\n        x\n        # END SOLUTION\n\n"
        "    def b(self):\n        # BEGIN SOLUTION\n        y\n        # END SOLUTION\n",
        "class A:\n    def a(self):\n        raise NotImplementedError\n\n"
        "    def b(self):\n        raise NotImplementedError\n",
    ),
    "rest_of_the_cell_stays": ("a\n# BEGIN SOLUTION\nx\n# END SOLUTION\nb", "a\nraise NotImplementedError\nb"),
    "no_prompt": ("a\n# BEGIN SOLUTION NO PROMPT\nx\n# END SOLUTION\nb", "a\nb"),
    "line_suffix": (
        "def f():\n    y = 1  # SOLUTION\n    return y # SOLUTION",
        "def f():\n    raise NotImplementedError",
    ),
    "line_suffix_in_any_case": ("a = 1\nb = 2  # Solution.", "a = 1\nraise NotImplementedError"),
    "line_suffix_no_prompt": ("a = 1\nb = 2 # SOLUTION NO PROMPT", "a = 1"),
    "prompt": (
        '# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n""" # BEGIN PROMPT\nx = ...\n"""; # END PROMPT\ny = 2',
        "x = ...\ny = 2",
    ),
    "none": ("x = 1  # the solution of the equation", "x = 1  # the solution of the equation"),
}


@pytest.mark.parametrize("name", CUTS)
def test_cut_leaves_a_stub(name: str) -> None:
    source, expected = CUTS[name]
    assert cut(source).source == expected


PROBLEMS = {
    "no_end": ("a\n# BEGIN SOLUTION\nx", 2, "BEGIN in line 2 has no END"),
    "no_begin": ("x\n# END SOLUTION", 2, "END SOLUTION in line 2 has no BEGIN"),
    "nested": ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", 2, "stands inside the one begun in line 1"),
    "misspelt": ("# BEGIN SOLUTIONS\nx\n# END SOLUTION", 1, "looks like a solution marker"),
    "after_code": ("x = 1 ### BEGIN SOLUTION", 1, "looks like a solution marker"),
    "more_behind_it": ("x = 1  # SOLUTION: the chain rule", 1, "looks like a solution but"),
    "hidden_tests": ("assert x\n### BEGIN HIDDEN TESTS\nassert x == 7", 2, "marks what nbgrader takes out"),
    "mark_scheme": ("### BEGIN MARK SCHEME\n2 points", 1, "marks what nbgrader takes out"),
    "mark_scheme_of_nbgraders_own": ("=== BEGIN MARK SCHEME ===\n2 points", 1, "marks what nbgrader takes out"),
    "otters_question": ("# BEGIN QUESTION\nname: q1", 1, "marks what otter-grader takes out"),
    "otters_tests": ("# BEGIN TESTS", 1, "marks what otter-grader takes out"),
    "otters_config": ("# ASSIGNMENT CONFIG\nexport_cell: false", 1, "marks what otter-grader takes out"),
    "otters_ignore": ("x\n# BEGIN IGNORE\ny\n# END IGNORE", 2, "marks what otter-grader takes out"),
    "otters_test": ('""" # BEGIN TEST CONFIG\nhidden: true', 1, "marks what otter-grader takes out"),
    "otters_hidden_test": ("# HIDDEN\nassert x == 7", 1, "marks what otter-grader takes out"),
    "otters_older_hidden_test": ("## Hidden test ##\nassert x == 7", 1, "marks what otter-grader takes out"),
    "prompt_without_end": ('""" # BEGIN PROMPT\nx', 1, "has no END"),
    "prompt_without_begin": ('""" # END PROMPT', 1, "END PROMPT in line 1 has no BEGIN"),
    "solution_in_prompt": ('""" # BEGIN PROMPT\n# BEGIN SOLUTION', 2, "inside the prompt"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_cut_refuses_markers_that_do_not_pair(name: str) -> None:
    source, line, message = PROBLEMS[name]
    with pytest.raises(MarkerProblem, match=message) as raised:
        cut(source)
    assert raised.value.line == line
    with pytest.raises(ReleaseError, match=r"part\.ipynb, cell 1: ") as error:
        release_notebook(notebook(cell("x"), cell(source)), name="part.ipynb")
    assert error.value.remedy


@pytest.mark.parametrize(
    ("name", "remedy"), [("otters_question", "take that cell out"), ("otters_tests", "take out what")]
)
def test_release_says_what_of_otters_has_to_go(name: str, remedy: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        release_notebook(notebook(cell(PROBLEMS[name][0], "raw")))
    assert remedy in (raised.value.remedy or "")


def test_release_drops_what_a_run_and_other_tools_left() -> None:
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python", "path": "/home/x"},
        "language_info": {"name": "python", "version": "3.11"},
        "widgets": {"state": 1},
        "grader": {"course": "autograd"},
    }
    code_metadata = {
        "grader": {"exercise": "f"},
        "nbgrader": {"grade_id": "x"},
        "execution": {"iopub.execute_input": "2026"},
        "tags": ["otter_answer_cell", "hard"],
        "collapsed": True,
    }
    output = {"output_type": "stream", "name": "stdout", "text": ANSWER}
    released = release_notebook(
        notebook(
            cell(SOLUTION, metadata=code_metadata, id="stub", outputs=[output], execution_count=7),
            metadata=metadata,
        )
    )
    assert released["metadata"] == {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "grader": {"course": "autograd"},
    }
    assert released["cells"] == [
        {
            "cell_type": "code",
            "id": "stub",
            "metadata": {"grader": {"exercise": "f"}, "tags": ["hard"]},
            "source": STUB,
            "outputs": [],
            "execution_count": None,
        }
    ]
    nbformat.validate(released)


def test_release_keeps_only_attachments_that_the_text_shows() -> None:
    png = {"image/png": "AAAA"}
    shown = cell("![](attachment:a.png) ![](attachment:b%20c.png)", "markdown")
    shown["attachments"] = {"a.png": png, "b c.png": png, "old.png": png}
    tagged = {**cell("![](attachment:a.png)", "markdown", {"grader": {"exercise": "f"}}), "attachments": {"a.png": png}}
    answer = cell("![](attachment:a.png)\n# BEGIN SOLUTION\nIt is so.\n# END SOLUTION", "markdown")
    answer["attachments"] = {"a.png": png}
    released = release_notebook(notebook(shown, tagged, answer))
    assert [sorted(item.get("attachments", {})) for item in released["cells"]] == [["a.png", "b c.png"], [], []]
    assert sources(released)[2] == "![](attachment:a.png)\n*Your answer here.*"


def test_release_cell_ids_are_kept_or_derived() -> None:
    cells = [cell("a", id="kept"), cell("b"), cell("b"), cell("c", id="kept"), cell("d", id="not valid!")]
    first, second = (release_notebook(notebook(*cells)) for _ in range(2))
    ids = [item["id"] for item in first["cells"]]
    assert ids[0] == "kept"
    assert len(set(ids)) == 5
    assert ids == [item["id"] for item in second["cells"]]


@pytest.mark.parametrize("kind", ["code", "markdown"])
@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("fibonacci(n)", True),
        ("### BEGIN SOLUTION\nfibonacci(n)\n### END SOLUTION", False),
        ("raise NotImplementedError", False),
        ("", False),
    ],
)
def test_release_refuses_an_answer_that_nbgrader_would_empty(source: str, refused: bool, kind: str) -> None:
    by_hand = cell(source, kind, metadata={"nbgrader": {"solution": True, "grade": True, "locked": False}})
    with pytest.raises(ReleaseError, match="cell 0: is one that nbgrader empties") if refused else nullcontext():
        assert "fibonacci" not in json.dumps(release_notebook(notebook(by_hand)))


LEAKS = {
    "markdown": (cell(f"Remember: `{ANSWER}`.", "markdown"), r"cell 1 \(Markdown\), line 1"),
    "other_layout": (cell("w . g=inp.t()@out.g"), r"cell 1 \(code\), line 1"),
    "comment": (cell(f"x = 1\n# {ANSWER}"), r"cell 1 \(code\), line 2"),
    "longer_line": (cell(f"if x: {ANSWER}  # so"), r"cell 1 \(code\), line 1"),
    "over_two_lines": (cell("w.g = (\n", "raw"), None),
    "cell_metadata": (cell("x", metadata={"grader": {"note": ANSWER}}), r"cell 1 \(code\), metadata"),
    "cell_tags": (cell("x", metadata={"tags": [ANSWER]}), r"cell 1 \(code\), metadata"),
    "attachment": (
        {
            **cell("![](attachment:a.txt)", "markdown"),
            "attachments": {"a.txt": {"text/plain": base64.b64encode(f"so: {ANSWER}".encode()).decode()}},
        },
        r"cell 1 \(Markdown\), attachments",
    ),
    "broken_across_lines": (cell("w.g = inp.t() \\\n    @ out.g"), r"cell 1 \(code\)"),
    "output": (cell("x", outputs=[{"output_type": "stream", "name": "stdout", "text": ANSWER}]), None),
    "dropped_metadata": (cell("x", metadata={"nbgrader": {"solution": ANSWER}}), None),
}


@pytest.mark.parametrize("name", LEAKS)
def test_release_refuses_a_solution_left_elsewhere(name: str) -> None:
    other, place = LEAKS[name]
    if place is None:
        assert ANSWER not in json.dumps(release_notebook(notebook(cell(SOLUTION), other)))
        return
    with pytest.raises(ReleaseError, match=place) as raised:
        release_notebook(notebook(cell(SOLUTION), other), name="nb")
    assert "nb, cell 0: its solution's line" in str(raised.value)
    assert raised.value.remedy


def test_release_refuses_a_solution_in_its_own_docstring_and_in_notebook_metadata() -> None:
    quoted = SOLUTION.replace("    ###", f'    """Sets {ANSWER}."""\n    ###', 1)
    with pytest.raises(ReleaseError, match=r"cell 0 \(code\), line 2"):
        release_notebook(notebook(cell(quoted)))
    with pytest.raises(ReleaseError, match="the notebook's metadata"):
        release_notebook(notebook(cell(SOLUTION), metadata={"grader": {"note": ANSWER}}))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("return inp.t() @ out.g + weight", "Compute `inp.t() @ out.g + weight`."),
        ("# the sum over all rows, for b stands in each", "It is the sum over all rows, for b stands in each."),
    ],
    ids=["returned", "remark"],
)
def test_release_refuses_what_a_line_returns_and_a_remark_told_elsewhere(line: str, told: str) -> None:
    solution = f"def f():\n    # BEGIN SOLUTION\n    {line}\n    pass\n    # END SOLUTION"
    with pytest.raises(ReleaseError, match=r"cell 1 \(Markdown\), line 1"):
        release_notebook(notebook(cell(solution), cell(told, "markdown")))


@pytest.mark.parametrize("line", ["x.g = out.g * w", "x.g = out.g", "w.g = x.T @ d"])
def test_release_lets_no_short_gradient_stand(line: str) -> None:
    solution = f"def f(x, out, w):\n    # {line}\n    # BEGIN SOLUTION\n    {line}\n    # END SOLUTION"
    with pytest.raises(ReleaseError, match=r"cell 0 \(code\), line 2"):
        release_notebook(notebook(cell(solution)))


@pytest.mark.parametrize(
    "line",
    [
        "for p in params:",
        "with torch.no_grad():",
        "return loss_of_all",
        "self.params = params",
        "w.g = None",
        "w.g = w_g",
    ],
)
def test_release_lets_lines_stand_that_say_nothing(line: str) -> None:
    body = f"{line}\n        pass" if line.endswith(":") else line
    solution = f"def f(params):\n    # BEGIN SOLUTION\n    {body}\n    # END SOLUTION"
    released = release_notebook(notebook(cell(solution), cell(f"Write `{line}`", "markdown")))
    assert sources(released) == ["def f(params):\n    raise NotImplementedError", f"Write `{line}`"]


def test_release_lets_lines_stand_that_were_shown_before_but_no_gradient() -> None:
    line = "hidden = lin(x, w1, b1)"
    solution = cell(f"def f():\n    # BEGIN SOLUTION\n    {line}\n    # END SOLUTION")
    text = cell(f"Write `{line}`", "markdown")
    assert sources(release_notebook(notebook(cell(line), solution, text)))[::2] == [line, f"Write `{line}`"]
    with pytest.raises(ReleaseError):
        release_notebook(notebook(solution, text))
    with pytest.raises(ReleaseError, match="cell 0"):
        release_notebook(notebook(cell(ANSWER), cell(SOLUTION)))


@pytest.mark.parametrize("above", ["", "%%time\n", "files = !ls\n"], ids=["plain", "cell magic", "shell"])
def test_release_refuses_a_stub_that_is_no_python(above: str) -> None:
    with pytest.raises(ReleaseError, match="no valid Python without its solution"):
        release_notebook(notebook(cell(f"{above}for i in x:  # SOLUTION\n    print(i)")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"nbformat": 3},
        *[{"cells": {}}, {"cells": ["x"]}, {"cells": [{"cell_type": "heading"}]}],
        *({"cells": [{"cell_type": "code", "source": source}]} for source in (None, 3, [None])),
    ],
)
def test_release_of_no_notebook_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError) as raised:
        release_notebook({"cells": [], "nbformat": 4, **wrong})
    assert "Jupyter" in raised.value.remedy


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    solutions, exercises = tmp_path / "solutions", tmp_path / "exercises"
    (solutions / "data").mkdir(parents=True)
    (solutions / "01.ipynb").write_text(json.dumps(notebook(cell(SOLUTION))))
    (solutions / "02.ipynb").write_text(json.dumps(notebook(cell("x é")), indent=4))
    (solutions / "data" / "x.csv").write_bytes(b"a,b\r\n")
    for private in ("notes.txt", "answers.py"):
        (solutions / private).write_text("private")
    (solutions / ".ipynb_checkpoints").mkdir()
    (solutions / ".ipynb_checkpoints" / "01.ipynb").write_text("{")
    return solutions, exercises


def test_release_is_not_up_to_date_where_something_stands_that_no_solution_gives() -> None:
    assert ReleaseOutcome(unchanged=("01.ipynb",)).up_to_date
    assert not ReleaseOutcome(stale=("01.ipynb",)).up_to_date
    assert not ReleaseOutcome(differing=("01.ipynb",)).up_to_date


def test_release_writes_then_finds_nothing_to_do(folders: tuple[Path, Path]) -> None:
    solutions, exercises = folders
    names = ("01.ipynb", "02.ipynb", "data/x.csv")
    assert release(solutions, exercises, check=True) == ReleaseOutcome(differing=names)
    assert not exercises.exists()
    assert release(solutions, exercises) == ReleaseOutcome(written=names)
    assert release(solutions, exercises) == release(solutions, exercises, check=True) == ReleaseOutcome(unchanged=names)
    assert (exercises / "data/x.csv").read_bytes() == b"a,b\r\n"
    assert sorted(path.name for path in exercises.iterdir()) == ["01.ipynb", "02.ipynb", "data"]
    assert (
        (exercises / "02.ipynb")
        .read_bytes()
        .endswith('é"\n   ]\n  }\n ],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n'.encode())
    )


def test_release_check_finds_edited_and_stale_exercises(folders: tuple[Path, Path]) -> None:
    solutions, exercises = folders
    release(solutions, exercises)
    (exercises / "01.ipynb").write_text("edited")
    (exercises / "old.ipynb").write_text("{}")
    (exercises / "README.md").write_text("may stand here")
    outcome = release(solutions, exercises, check=True)
    assert (outcome.differing, outcome.stale, outcome.up_to_date) == (("01.ipynb",), ("old.ipynb",), False)
    assert (exercises / "01.ipynb").read_text() == "edited"
    assert release(solutions, exercises).stale == ("old.ipynb",)
    assert (exercises / "old.ipynb").exists()


def test_release_keeps_the_answer_that_somebody_wrote_among_the_exercises(folders: tuple[Path, Path]) -> None:
    solutions, exercises = folders
    release(solutions, exercises)
    stubs = {path: path.read_text() for path in exercises.rglob("*.ipynb")}
    path, text = next((path, text) for path, text in stubs.items() if "raise NotImplementedError" in text)
    path.write_text(text.replace("raise NotImplementedError", "return 7"))
    with pytest.raises(ReleaseError, match="has an answer in the cell") as caught:
        release(solutions, exercises)
    assert "another folder" in caught.value.remedy
    assert "return 7" in path.read_text()
    assert release(solutions, exercises, check=True).differing == (path.relative_to(exercises).as_posix(),)
    path.write_text(
        text.replace('"outputs": []', '"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]')
    )
    assert release(solutions, exercises).written
    path.write_text("{")
    assert release(solutions, exercises).written


def test_release_writes_nothing_if_one_notebook_is_wrong(folders: tuple[Path, Path]) -> None:
    solutions, exercises = folders
    (solutions / "02.ipynb").write_text("{")
    with pytest.raises(ReleaseError, match=r"02\.ipynb: not a notebook"):
        release(solutions, exercises)
    assert not exercises.exists()


def test_release_of_no_folder_or_no_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no such folder"):
        release(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReleaseError, match="no notebook in"):
        release(tmp_path / "empty", tmp_path / "out")


CELLS = st.builds(
    cell,
    st.lists(
        st.sampled_from(["x = 1", "", "é", "    y", "# BEGIN SOLUTION\nz = 1\n# END SOLUTION", "a # SOLUTION"])
    ).map("\n".join),
    st.sampled_from(["code", "markdown", "raw"]),
    id=st.sampled_from(["a", "b", "?"]),
)


@given(st.lists(CELLS))
@settings(max_examples=60)
def test_release_is_deterministic_and_idempotent(cells: list[dict[str, Any]]) -> None:
    first = release_notebook(notebook(*cells))
    assert notebook_bytes(first) == notebook_bytes(release_notebook(notebook(*cells)))
    assert notebook_bytes(first) == notebook_bytes(release_notebook(first))
    nbformat.validate(first)


@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_release_of_the_course_leaves_no_solution(path: Path) -> None:
    released = release_notebook(nbformat.read(path, as_version=4), name=path.name)
    nbformat.validate(released)
    text = notebook_bytes(released).decode()
    assert "SOLUTION" not in text
    assert "raise NotImplementedError" in text
    ids = [item["id"] for item in json.loads(path.read_text())["cells"]]
    assert [item["id"] for item in released["cells"]] == ids


@pytest.mark.parametrize("text", ["### BEGIN SOLUTIONS\nmine\n### END SOLUTIONS", "# BEGIN-SOLUTION\nmine"])
def test_cut_refuses_a_misspelt_marker_in_text_too(text: str) -> None:
    with pytest.raises(MarkerProblem, match="looks like a solution marker"):
        cut(text, code=False)


@pytest.mark.parametrize("places", [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "a/../a")])
def test_release_into_the_solutions_is_refused_and_changes_nothing(tmp_path: Path, places: tuple[str, str]) -> None:
    text = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    source, target = (tmp_path / place for place in places)
    source.mkdir(parents=True)
    (source / "n.ipynb").write_bytes(notebook_bytes(notebook(cell(text))))
    before = (source / "n.ipynb").read_bytes()

    with pytest.raises(ReleaseError, match="would be overwritten"):
        release(source, target)

    assert [path.read_bytes() for path in tmp_path.rglob("*.ipynb")] == [before]


def test_answer_whose_markers_were_forgotten_is_not_released() -> None:
    tagged = {**cell(ANSWER), "metadata": {"grader": {"exercise": "double"}}}
    with pytest.raises(ReleaseError, match="tagged as the answer to 'double'") as caught:
        release_notebook(notebook(tagged), name="part.ipynb")
    assert "BEGIN SOLUTION" in caught.value.remedy
    whole = "class Base:\n    def f(self):\n        return 2\n    def g(self):\n        raise NotImplementedError"
    with pytest.raises(ReleaseError, match="would be released whole"):
        release_notebook(notebook({**cell(whole), "metadata": tagged["metadata"]}))
    stub = {**cell("def double(x):\n    raise NotImplementedError"), "metadata": tagged["metadata"]}
    assert release_notebook(notebook(stub))["cells"][0]["source"] == stub["source"]
