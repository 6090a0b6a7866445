"""``grader init``: what is written, that nothing is ever overwritten, and that it is what it says."""

from __future__ import annotations

import ast
import json
import resource
import shlex
import subprocess
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner

from grader._version import __version__
from grader.cli import app
from grader.course.loading import load_course
from grader.errors import UsageError
from grader.starter import start_repository
from grader.starter.pins import pins_of
from grader.starter.repository import _environment
from tests.course.courses import write_course
from tests.github.test_workflows import course_file
from tests.samples import EXERCISES

NAMES = ("autograd", "else")
TORCH = version("torch").partition("+")[0]
PLAIN = [
    ".github/workflows/grade.yml",
    ".gitignore",
    "README.md",
    "constraints.txt",
    *(f"exercises/{path.relative_to(EXERCISES).as_posix()}" for path in sorted(EXERCISES.rglob("*")) if path.is_file()),
    "requirements.txt",
]
AUTOGRADERS = ["autograder/run_autograder", "autograder/sandbox.sh", "autograder/setup.sh", "classroom50/autograder.py"]


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course") / "deep" / "repository"
    with pytest.MonkeyPatch.context() as patch:
        came_from(patch, None)
        list(start_repository(folder, "autograd", classroom50=True, gradescope=True))
    return folder


def came_from(patch: pytest.MonkeyPatch, noted: str | None) -> None:
    """Have the grader come from where pip has ``noted``; None stands for a package index."""
    patch.setattr("grader.starter.pins.distribution", lambda _: SimpleNamespace(read_text=lambda _: noted))


def test_init_writes_the_repository(tmp_path: Path) -> None:
    lines = list(start_repository(tmp_path / "new", "autograd"))

    assert listing(tmp_path / "new") == sorted(PLAIN)
    assert sum(line.startswith("  wrote  ") for line in lines) == len(PLAIN)
    assert lines[-1].startswith("Next, in ")
    assert "git init -b main && git add" in lines[-1]


def test_init_adds_the_autograders_that_are_asked_for(started: Path) -> None:
    assert listing(started) == sorted([*PLAIN, *AUTOGRADERS])
    for name in AUTOGRADERS:
        assert (started / name).stat().st_mode & 0o111, name


@pytest.mark.parametrize(
    ("noted", "grader", "doubted"),
    [("{}", "", True), (None, "", False), ("{}", "autograd-grader @ git+https://host/me/grader@v1", False)],
    ids=["a clone's", "an index'", "named"],
)
def test_init_doubts_that_an_index_has_a_grader_from_elsewhere(
    noted: str | None, grader: str, doubted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_from(monkeypatch, noted)
    lines = list(start_repository(tmp_path, "autograd", grader=grader))
    assert any(line.startswith(f"autograd-grader=={__version__} is what") for line in lines) == doubted


@pytest.mark.parametrize(
    ("url", "pinned"),
    [
        ("https://host/me/grader.git", "autograd-grader @ git+https://host/me/grader.git@abc"),
        ("ssh://git@host:2222/me/grader.git", "autograd-grader @ git+https://host/me/grader.git@abc"),
        ("ssh://me@host/home/me/grader.git", f"autograd-grader=={__version__}"),
        ("file:///home/me/grader", f"autograd-grader=={__version__}"),
    ],
    ids=["that others reach", "by a key of a forge", "by a key of a machine", "of this machine"],
)
def test_init_with_a_grader_from_a_repository_pins_its_commit(
    url: str, pinned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_from(monkeypatch, json.dumps({"url": url, "vcs_info": {"vcs": "git", "commit_id": "abc"}}))
    lines = list(start_repository(tmp_path, "autograd"))
    assert pinned in (tmp_path / "requirements.txt").read_text().splitlines()
    assert any("came by SSH" in line and "https://host" in line for line in lines) == ("git@" in url)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository on another machine, which has its first commit and not its second."""
    repository = tmp_path / "repository"
    clone = tmp_path / "clone of it"
    git(tmp_path, "init", "-q", "-b", "main", str(repository))
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    git(tmp_path, "clone", "-q", str(repository), str(clone))
    git(clone, "remote", "set-url", "origin", "https://me:secret@host/me/grader.git")
    git(clone, "commit", "-q", "--allow-empty", "-m", "second")
    return clone


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=me", "-c", "user.email=me@host"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize("origin", ["https://me:secret@host/me/grader.git", "git@host:me/grader.git"])
def test_init_from_a_clone_pins_the_commit_that_its_remote_has(
    origin: str, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(clone, "checkout", "-q", "HEAD~")
    git(clone, "remote", "set-url", "origin", origin)
    came_from(monkeypatch, json.dumps({"url": clone.as_uri(), "dir_info": {"editable": True}}))

    (requirement,) = pins_of(load_course("autograd"), "autograd").requirements

    assert requirement == f"autograd-grader @ git+https://host/me/grader.git@{git(clone, 'rev-parse', 'HEAD')}"


@pytest.mark.parametrize("below", ["", "below", "elsewhere"])
def test_init_from_no_pushed_commit_pins_the_release_and_doubts_it(
    below: str, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "below").mkdir()
    came_from(monkeypatch, json.dumps({"url": (clone / below).as_uri(), "dir_info": {}}))

    pins = pins_of(load_course("autograd"), "autograd")

    assert pins.requirements == (f"autograd-grader=={__version__}",)
    assert len(pins.remarks) == 1


COURSE_AT = {"url": "https://host/me/course", "vcs_info": {"vcs": "git", "commit_id": "abc"}}


@pytest.mark.parametrize(
    ("noted", "pinned", "told"),
    [
        (None, "logistic==0.1", False),
        (COURSE_AT, "logistic @ git+https://host/me/course@abc", False),
        ({**COURSE_AT, "subdirectory": "src"}, "logistic @ git+https://host/me/course@abc#subdirectory=src", False),
        ({"url": "file:///home/me/course", "dir_info": {"editable": True}}, "logistic==0.1", True),
    ],
    ids=["from an index", "from a repository", "from a folder of one", "from a folder here"],
)
def test_init_pins_an_installed_course_as_it_was_installed_or_doubts_that_an_index_has_it(
    noted: object, pinned: str, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = None if noted is None else json.dumps(noted)
    course = SimpleNamespace(name="logistic", version="0.1", read_text=lambda _: text)
    monkeypatch.setattr("grader.starter.pins.entry_points", lambda **_: [SimpleNamespace(dist=course)])

    pins = pins_of(load_course("autograd"), "logistic", SOURCE)

    assert pins.requirements == (SOURCE, pinned)
    assert [remark.startswith("logistic==0.1 is what students") for remark in pins.remarks] == [True] * told


def test_init_in_a_repository_starts_no_other(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert list(start_repository(tmp_path, "autograd"))[-1].startswith(f"Next, in {tmp_path}: git add")


def test_init_never_overwrites_and_names_what_it_kept(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises/01_tensors.ipynb").write_text("mine too")
    (tmp_path / "requirements.txt").symlink_to(tmp_path / "elsewhere.txt")

    lines = list(start_repository(tmp_path, "autograd"))
    again = list(start_repository(tmp_path, "autograd"))

    kept = {line.split()[1] for line in lines if line.startswith("   kept  ")}
    assert kept == {"README.md", "exercises/01_tensors.ipynb", "requirements.txt"}
    assert again[-1].startswith("Nothing is new in ")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "exercises/01_tensors.ipynb").read_text() == "mine too"
    assert not (tmp_path / "elsewhere.txt").exists()
    assert not [line for line in again if "wrote" in line]


def test_init_pins_the_grader_and_torch(started: Path) -> None:
    requirements = (started / "requirements.txt").read_text().splitlines()
    workflow = (started / ".github/workflows/grade.yml").read_text()

    assert requirements[:2] == ["-c constraints.txt", f"autograd-grader=={__version__}"]
    assert (started / "constraints.txt").read_text() == f"torch=={TORCH}\n"
    for text in (workflow, (started / "autograder/setup.sh").read_text()):
        assert f"pip install -q torch=={TORCH} autograd-grader=={__version__}\n" in text
        assert f"pip install -q torch=={TORCH} --index-url https://download.pytorch.org/whl/cpu\n" in text


def test_init_leaves_no_placeholder_and_no_solution(started: Path) -> None:
    for name in listing(started):
        text = (started / name).read_text(encoding="utf-8")
        assert "@@" not in text, name
        assert "@%" not in text, name
        assert "BEGIN SOLUTION" not in text, name


def test_workflow_of_a_new_repository_runs_isolated_and_outside_of_the_checkout(started: Path) -> None:
    workflow = yaml.safe_load((started / ".github/workflows/grade.yml").read_text())

    assert set(workflow[True]) == {"push", "workflow_dispatch"}
    steps = workflow["jobs"]["grade"]["steps"]
    for step in (step for step in steps if "run" in step):
        assert step["working-directory"] == "${{ runner.temp }}"
        assert "python -m" not in step["run"].replace("python -I -m", "")
    grade = next(step for step in steps if step["name"] == "Grade")
    assert grade["env"] == {"GRADER_SEED": "${{ secrets.GRADER_SEED }}"}
    assert grade["run"].endswith("--course autograd\n")
    assert [word for word in grade["run"].split() if word[:2].isdigit()] == list(load_course("autograd").notebooks)
    kept = next(step for step in steps if step["name"] == "Keep the feedback")
    assert kept["with"]["path"].endswith("/grades/students")


def test_scripts_of_a_new_repository_parse(started: Path) -> None:
    ast.parse((started / "classroom50/autograder.py").read_text())
    for step in yaml.safe_load((started / ".github/workflows/grade.yml").read_text())["jobs"]["grade"]["steps"]:
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"].encode(), check=True)
    for name in ("run_autograder", "setup.sh", "sandbox.sh"):
        assert subprocess.run(["bash", "-n", str(started / "autograder" / name)], check=False).returncode == 0


def test_init_of_a_course_in_a_file_takes_it_along_for_the_autograders_alone(tmp_path: Path) -> None:
    course = course_file(tmp_path)

    lines = list(start_repository(tmp_path / "the new", str(course), classroom50=True, gradescope=True))

    (tmp_path / "the new").rename(tmp_path / "new")
    assert any(f"Gradescope: cd '{tmp_path}/the new/autograder' && " in line for line in lines)
    written = listing(tmp_path / "new")
    assert [name for name in written if name.endswith("double.py")] == ["autograder/double.py", "classroom50/double.py"]
    assert [name for name in written if name.startswith("exercises/")] == ["exercises/double.ipynb"]
    assert any("GRADER_COURSE_REPOSITORY" in line for line in lines)
    assert any("`check` in their notebooks finds no exercise of it" in line for line in lines)
    assert "check your work" not in (tmp_path / "new/README.md").read_text()
    workflow = yaml.safe_load((tmp_path / "new/.github/workflows/grade.yml").read_text())
    fetched = [step["with"].get("path") for step in workflow["jobs"]["grade"]["steps"] if "checkout" in str(step)]
    assert "course" in fetched
    assert '--course "$GITHUB_WORKSPACE"/course/double.py' in str(workflow)
    assert '--course "$root"/source/double.py' in (tmp_path / "new/autograder/run_autograder").read_text()


@pytest.mark.parametrize(
    ("named", "status"), [("", 1), ("Students/Ada", 1), ("students/ada", 1), ("teachers/course", 0)]
)
def test_workflow_takes_no_course_from_the_submission(tmp_path: Path, named: str, status: int) -> None:
    list(start_repository(tmp_path / "new", str(course_file(tmp_path))))
    workflow = yaml.safe_load((tmp_path / "new/.github/workflows/grade.yml").read_text())
    names = [step["name"] for step in workflow["jobs"]["grade"]["steps"]]
    at = names.index("Refuse a course of the submission's own")
    assert at < names.index("Fetch the course")
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", workflow["jobs"]["grade"]["steps"][at]["run"]],
        env={"COURSE_REPOSITORY": named, "GITHUB_REPOSITORY": "students/Ada"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status
    assert ("GRADER_COURSE_REPOSITORY" in ran.stdout) == bool(status)


@pytest.mark.parametrize("notebook", ["week 1", "it's", "Lab 1, gates"])
def test_commands_of_a_new_repository_name_a_notebook_whatever_it_is_called(notebook: str, tmp_path: Path) -> None:
    course = course_file(tmp_path)
    course.write_text(f"COURSE, NOTEBOOK = 'own', {notebook!r}\n" + course.read_text())
    list(start_repository(tmp_path, str(course), gradescope=True))
    steps = yaml.safe_load((tmp_path / ".github/workflows/grade.yml").read_text())["jobs"]["grade"]["steps"]
    grade = next(step["run"] for step in steps if step["name"] == "Grade")
    readme = _environment().get_template("README.md.j2")
    loaded = load_course(str(course))

    for script in (grade, (tmp_path / "autograder/run_autograder").read_text()):
        command = script[script.index("-m grader score ") :].replace("\\\n", "").splitlines()[0]
        assert shlex.split(command)[shlex.split(command).index("--assigned") + 1] == notebook
    text = readme.render(pins=replace(pins_of(loaded, str(course)), file=None, course="own"), course=loaded)
    command = next(line for line in text.splitlines() if line.startswith("grader check "))
    assert shlex.split(command)[2] == f"exercises/{notebook}.ipynb"


def test_init_names_what_lies_there_and_is_not_the_students(tmp_path: Path) -> None:
    course = course_file(tmp_path)
    course.write_text("NOTEBOOK = 'double'\n" + course.read_text())
    solved = tmp_path / "mine/solutions/double.ipynb"
    notebooks = (solved, tmp_path / "mine/submissions/ada/ada_double.ipynb", tmp_path / "mine/notes/lecture.ipynb")
    for path in (*notebooks, tmp_path / "mine/grades-1/gradebook.db", tmp_path / "mine/grades/gradebook.db"):
        path.parent.mkdir(parents=True)
        path.write_text("{}")

    told = [line for line in start_repository(course.parent, str(course)) if line.startswith("Students get all")]

    assert [line.partition(" theirs: ")[2].partition(". ")[0] for line in told] == ["grades-1, submissions"]
    (course.parent / ".gitignore").write_text("*.pyc\n")  # one that was kept, without these folders
    (course.parent / "README.md").unlink()
    told = [line for line in start_repository(course.parent, str(course)) if line.startswith("Students get all")]
    assert "theirs: grades, grades-1, solutions, submissions. " in told[0]


@pytest.mark.parametrize(("there", "named"), [("gradebook.db", ["index.html"]), ("else.db", [])])
def test_init_into_a_gradebooks_folder_names_its_files(there: str, named: list[str], tmp_path: Path) -> None:
    for name in (there, "index.html"):
        (tmp_path / name).write_text("")

    told = [line for line in start_repository(tmp_path, "autograd") if line.startswith("Students get all")]

    assert [line.partition(" theirs: ")[2].partition(". ")[0] for line in told] == named


def test_init_of_a_course_without_released_notebooks_says_how_to_make_them(tmp_path: Path) -> None:
    course = course_file(tmp_path)
    (course.parent / "exercises/double.ipynb").unlink()
    (course.parent / "exercises").rmdir()

    with pytest.raises(UsageError, match="no released notebooks") as caught:
        list(start_repository(tmp_path / "new", str(course)))

    assert "grader release" in caught.value.remedy
    assert not (tmp_path / "new").exists()


SOURCE = "autograd-grader @ git+https://git.example/owner/grader@v1"


def test_init_writes_where_the_grader_comes_from(tmp_path: Path) -> None:
    list(start_repository(tmp_path / "new", "autograd", grader=SOURCE, gradescope=True, classroom50=True))

    for name in ("requirements.txt", ".github/workflows/grade.yml", *AUTOGRADERS[2:]):
        text = (tmp_path / "new" / name).read_text()
        assert SOURCE in text, name
        assert f"autograd-grader=={__version__}" not in text, name


def test_init_names_what_it_kept_with_another_grader_in_it(tmp_path: Path) -> None:
    list(start_repository(tmp_path, "autograd", grader=SOURCE))
    (tmp_path / "constraints.txt").unlink()

    assert not any("does not pin" in line for line in start_repository(tmp_path, "autograd", grader=SOURCE))
    other = SOURCE.replace("v1", "v2")
    told = [line for line in start_repository(tmp_path, "autograd", grader=other) if "does not pin" in line]
    assert told == [
        f"   kept  {name}  (does not pin {other})" for name in ("requirements.txt", ".github/workflows/grade.yml")
    ]


@pytest.mark.parametrize(
    "grader",
    [
        "autograd-grader",
        "--pre",
        "other==1",
        "autograd-grader==1\nother",
        "autograd-grader @ ./here",
        # As the documentation, the help and the refusal itself have it.
        "autograd-grader==VERSION",
        "autograd-grader @ git+https://HOST/OWNER/NAME@TAG",
        "autograd-grader @ git+https://HOST/OWNER/NAME@v1",
        "autograd-grader @ git+https://…@TAG",
        "autograd-grader @ git+https://git.example/owner/grader@TAG",
    ],
)
def test_init_refuses_a_grader_that_pins_nothing(tmp_path: Path, grader: str) -> None:
    with pytest.raises(UsageError, match="does not say which"):
        list(start_repository(tmp_path / "new", "autograd", grader=grader))


def test_init_into_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ran = CliRunner().invoke(app, ["init", str(tmp_path / "file")])

    assert ran.exit_code == 2
    assert f"{tmp_path / 'file'}: a file, where a folder is needed" in "".join(ran.output.splitlines())


def test_init_leaves_no_file_to_be_kept_that_was_not_written_to_its_end(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        ran = CliRunner().invoke(app, ["init", str(tmp_path / "new")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (ran.exit_code, "File too large" in ran.output) == (2, True)
    assert listing(tmp_path / "new") == []


def test_readme_names_the_course_where_it_is_no_default_and_promises_no_check_without_it(tmp_path: Path) -> None:
    write_course(tmp_path)
    (tmp_path / "exercises" / "doubling.ipynb").write_text("{}")
    list(start_repository(tmp_path / "file", str(tmp_path / "small.py")))
    assert "## Check" not in (tmp_path / "file" / "README.md").read_text()

    course = load_course("autograd")
    template = _environment().get_template("README.md.j2")
    texts = [template.render(pins=replace(pins_of(course, "autograd"), course=name), course=course) for name in NAMES]
    assert ["course=" in text for text in texts] == [False, True]
    assert [".ipynb --course else\n```" in text for text in texts] == [False, True]
