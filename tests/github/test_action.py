"""The composite action: its declaration, and its steps run here with the variables that GitHub sets."""

from __future__ import annotations

import base64
import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.github.hostile import commands_in, hostile_checkout
from tests.github.runner import Job, run_action
from tests.samples import ROOT

ACTION = ROOT / ".github" / "actions" / "grade"
DECLARED = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
STEPS = DECLARED["runs"]["steps"]
TEST_KEYS = {"name", "status", "score", "message", "test_code", "filename", "line_no", "duration"}


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def clean_job(tmp_path: Path, python: str = sys.executable) -> tuple[Path, Job]:
    """A copy of the action, an empty workspace, and an environment in place of the one that it would install."""
    action = Path(shutil.copytree(ACTION, tmp_path / "action"))
    job = Job(tmp_path / "workspace", tmp_path / "temp")
    job.workspace.mkdir()
    for name in ("python", "grader"):
        script(job.temp / "grader-venv" / "bin" / name, f'#!/bin/sh\nexec {python} "$@"\n')
    return action, job


def decoded(text: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(base64.b64decode(text, validate=True))
    assert set(result) == {"version", "status", "max_score", "tests"}
    assert all(set(test) == TEST_KEYS for test in result["tests"])
    return result


# ------------------------------------------------------------------------------------------ declaration


def test_action_takes_inputs_by_environment_never_in_shell_text() -> None:
    runs = [step["run"] for step in STEPS if "run" in step]

    assert runs
    assert not [text for text in runs if "${{" in text]


def test_action_runs_each_step_in_bash_and_each_script_is_there() -> None:
    for step in STEPS:
        if "run" in step:
            assert step["shell"] == "bash"
            (name,) = re.findall(r"\$ACTION/([\w.]+)", step["run"])
            assert (ACTION / name).is_file()
        else:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_action_outputs_come_from_steps_that_exist() -> None:
    ids = {step["id"] for step in STEPS if "id" in step}

    for output in DECLARED["outputs"].values():
        assert re.findall(r"steps\.([\w-]+)\.", output["value"])[0] in ids


def test_action_installs_the_torch_of_the_constraints() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")

    assert f"torch=={DECLARED['inputs']['torch']['default']}" in constraints


@pytest.mark.parametrize("path", sorted(ACTION.glob("*.sh")), ids=lambda path: path.name)
def test_script_is_sound_shell(path: Path) -> None:
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
    shellcheck = shutil.which("shellcheck")
    if shellcheck:
        assert subprocess.run([shellcheck, str(path)], check=False).returncode == 0


# ------------------------------------------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Path]:
    """The action run for real on a repository that tries everything."""
    folder = tmp_path_factory.mktemp("hostile")
    action, job = clean_job(folder)
    checkout = hostile_checkout(job.workspace / "submission" / "ada", folder / "marks")
    inputs = {
        "path": str(checkout.relative_to(job.workspace)),
        "assigned": "03_backprop\n",
        "points": "100",
        "seed": "5",
        "check-seconds": "5",
        "arguments": "--jobs\n1\n",
    }
    return run_action(action, job, inputs, given={"python": {"python-path": sys.executable}}), folder / "marks"


def test_action_on_a_students_repository_writes_the_documented_outputs(hostile: tuple[Job, Path]) -> None:
    job, _ = hostile

    assert job.statuses == {"Install the grader": 0, "Make the sandbox ready": 0, "Grade": 0}, job.printed
    result = decoded(job.outputs["result"])
    assert result["status"] == "pass"
    assert result["max_score"] == sum(test["score"] for test in result["tests"]) == 14
    assert (job.outputs["score"], job.outputs["possible"], job.outputs["percentage"]) == ("100", "100", "100")
    exercises = json.loads(job.outputs["exercises"])
    assert list(exercises) == ["lin_grad", "relu_grad", "mse_grad", "forward_and_backward"]
    assert [decoded(one)["max_score"] for one in exercises.values()] == [4, 2, 2, 6]
    reports = Path(job.outputs["reports"])
    assert (reports / "report.json").is_file()
    assert job.summary.startswith("## 14 / 14")


def test_action_on_a_hostile_repository_runs_nothing_of_it_outside_the_sandbox(hostile: tuple[Job, Path]) -> None:
    _, marks = hostile

    assert not sorted(marks.iterdir())


def test_action_on_a_hostile_repository_prints_no_command_but_its_own(hostile: tuple[Job, Path]) -> None:
    job, _ = hostile

    commands = commands_in(job.lines)
    assert 0 < len(commands) <= 10
    assert all(command.startswith("::error file=") for command in commands), commands
    assert not [line for line in job.summary.splitlines() if line.lstrip().startswith(("::", "##["))]


def test_action_keeps_the_seed_out_of_what_it_uploads(hostile: tuple[Job, Path]) -> None:
    job, _ = hostile
    upload = next(step for step in STEPS if step["name"] == "Keep the reports")

    assert upload["with"]["path"] == "${{ steps.grade.outputs.upload }}"
    students = Path(job.outputs["reports"]) / "students"
    assert {path.suffix for path in students.iterdir()} == {".html"}


@pytest.mark.parametrize(
    ("inputs", "status"),
    [({}, 7), ({"exit-zero": "true"}, 0), ({"points": "ten"}, 7)],
    ids=["exit zero", "own status", "bad points"],
)
def test_action_where_the_grader_dies_still_writes_a_valid_result(
    tmp_path: Path, inputs: dict[str, str], status: int
) -> None:
    action, job = clean_job(tmp_path)
    fake = '#!/bin/sh\ncase "$*" in *outputs.py*) exec python3 "$@";; esac\nexit 7\n'
    script(job.temp / "grader-venv" / "bin" / "python", fake)

    run_action(action, job, inputs, skip=("Make the sandbox ready",))

    assert job.statuses["Grade"] == status
    result = decoded(job.outputs["result"])
    assert (result["status"], result["max_score"], len(result["tests"])) == ("error", 0, 1)
    assert (job.outputs["score"], job.outputs["exercises"]) == ("", "{}")
    assert "Not graded" in job.summary


def test_action_with_nothing_installed_still_writes_a_valid_result(tmp_path: Path) -> None:
    action, job = clean_job(tmp_path)
    shutil.rmtree(job.temp / "grader-venv")

    run_action(action, job, {}, skip=("Install the grader", "Make the sandbox ready"))

    assert decoded(job.outputs["result"])["status"] == "error"


def test_action_refuses_a_course_that_lies_in_the_submission(tmp_path: Path) -> None:
    action, job = clean_job(tmp_path)
    script(job.temp / "grader-venv" / "bin" / "python", '#!/bin/sh\nexec python3 "$@"\n')
    mine = job.workspace / "submission" / "mine.py"
    script(mine, "raise SystemExit('imported')\n")

    for course in ("submission/mine.py", "other/../submission/mine.py", str(mine)):
        run_action(
            action,
            job,
            {"path": "submission", "course": course, "exit-zero": "false"},
            skip=("Install the grader", "Make the sandbox ready"),
        )
        assert job.statuses["Grade"] == 2
        assert "the course lies in the submission" in job.printed
        assert decoded(job.outputs["result"])["status"] == "error"


@pytest.mark.parametrize("version", ["1.2.3", ""], ids=["of the index", "of the action"])
def test_install_takes_torch_from_its_index_and_all_else_pinned(version: str, tmp_path: Path) -> None:
    action, job = clean_job(tmp_path)
    action = Path(shutil.copytree(action, tmp_path / "repository" / ".github" / "actions" / "grade"))
    shutil.rmtree(job.temp / "grader-venv")
    log = tmp_path / "log"
    python = script(
        tmp_path / "python",
        f'#!/bin/sh\necho "$*" >>"{log}"\n'
        'case "$*" in *"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python";; esac\n',
    )

    run_action(
        action,
        job,
        {"requirements": "my-course==2.0\n", "version": version, "torch": "9.9.9"},
        given={"python": {"python-path": str(python)}},
        skip=("Make the sandbox ready", "Grade"),
    )

    assert job.statuses == {"Install the grader": 0}, job.printed
    venv, torch, rest, shown = log.read_text().splitlines()
    assert venv.startswith("-I -m venv ")
    assert torch.endswith("torch==9.9.9 --index-url https://download.pytorch.org/whl/cpu")
    grader = "autograd-grader==1.2.3" if version else str(tmp_path / "repository")
    assert rest.endswith(f"torch==9.9.9 {grader} my-course==2.0")
    assert all(line.startswith("-I ") for line in (torch, rest, shown))


@pytest.mark.parametrize("mended_by", ["apt-get", "apparmor_parser", "sysctl", "nothing"])
def test_sandbox_script_mends_what_it_can_and_never_fails(tmp_path: Path, mended_by: str) -> None:
    flag, log, tools = tmp_path / "mended", tmp_path / "log", tmp_path / "bin"
    for name in ("apt-get", "apparmor_parser", "sysctl", "tee"):
        touch = f'touch "{flag}"' if name == mended_by else ":"
        script(
            tools / name, f'#!/bin/sh\necho "{name} $*" >>"{log}"\n{touch}\ncat >/dev/null 2>&1 </dev/null\nexit 1\n'
        )
    script(tools / "sudo", '#!/bin/sh\nshift\nexec "$@"\n')
    script(tools / "bwrap", f'#!/bin/sh\n[ -e "{flag}" ]\n')
    if mended_by == "apt-get":
        (tools / "bwrap").unlink()
        script(
            tools / "apt-get",
            f'#!/bin/sh\ntouch "{flag}"\nprintf "#!/bin/sh\\n" >"{tools}/bwrap"\nchmod +x "{tools}/bwrap"\n',
        )
    for name in ("bash", "sh", "id", "env", "cat", "touch", "chmod"):
        (tools / name).symlink_to(shutil.which(name) or name)

    ran = subprocess.run(
        [str(tools / "bash"), "-e", str(ACTION / "sandbox.sh")],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists()
    works = mended_by in {"apt-get", "apparmor_parser"} or (mended_by == "sysctl" and restricted)
    assert ("does not work here" not in ran.stdout) == works
