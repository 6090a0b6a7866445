"""A runner of composite actions, small enough to be read: its ``run`` steps, with the variables that GitHub sets.

``uses`` steps are not run (they need GitHub); their outputs are given. Expressions are look-ups only, which is all that
the action uses; anything else fails the test.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@dataclass
class Job:
    """What a job did: the outputs of the action, everything it printed, the exit statuses of its steps."""

    workspace: Path
    temp: Path
    outputs: dict[str, str] = field(default_factory=dict)
    printed: str = ""
    statuses: dict[str, int] = field(default_factory=dict)
    summary: str = ""

    @property
    def lines(self) -> list[str]:
        """What was printed, in lines as the runner ends them."""
        return re.split(r"[\r\n\u0085\u2028\u2029]", self.printed)


def run_action(
    action: Path,
    job: Job,
    inputs: Mapping[str, str],
    *,
    given: Mapping[str, Mapping[str, str]] | None = None,
    skip: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Job:
    """Run the steps of ``action/action.yml`` in ``job``; ``given`` are outputs of the steps that are not run here."""
    declared = yaml.safe_load((action / "action.yml").read_text(encoding="utf-8"))
    assert declared["runs"]["using"] == "composite"
    known = {name: str(one.get("default", "")) for name, one in declared["inputs"].items()}
    assert set(inputs) <= set(known)
    context: dict[str, Any] = {
        "inputs": {**known, **inputs},
        "github": {"action_path": str(action)},
        "runner": {"temp": str(job.temp), "os": "Linux"},
        "steps": {name: {"outputs": dict(outputs)} for name, outputs in (given or {}).items()},
    }
    for number, step in enumerate(declared["runs"]["steps"]):
        if "run" not in step or step["name"] in skip or (any(job.statuses.values()) and not _runs_always(step)):
            continue
        output, summary = job.temp / f"output-{number}", job.temp / f"summary-{number}"
        output.touch()
        summary.touch()
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", _expanded(step["run"], context)],
            cwd=_expanded(step["working-directory"], context),
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(job.temp),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(job.workspace),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "RUNNER_TEMP": str(job.temp),
                **(environment or {}),
                **{name: _expanded(value, context) for name, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
            check=False,
        )
        job.printed += ran.stdout.decode("utf-8", "surrogateescape")
        job.summary += summary.read_text(encoding="utf-8")
        job.statuses[step["name"]] = ran.returncode
        if "id" in step:
            context["steps"][step["id"]] = {"outputs": outputs_in(output)}
    job.outputs = {name: _expanded(one["value"], context) for name, one in declared["outputs"].items()}
    return job


def _runs_always(step: Mapping[str, Any]) -> bool:
    """Whether a step runs also where one before it failed."""
    return any(function in step.get("if", "") for function in ("always()", "!cancelled()"))


def outputs_in(path: Path) -> dict[str, str]:
    """The outputs in a step's file, which has to be ``name=value`` lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"[A-Za-z_][\w-]*=", line) for line in lines), lines
    return dict(line.split("=", 1) for line in lines)


def _expanded(text: str, context: Mapping[str, Any]) -> str:
    return _EXPRESSION.sub(lambda match: _looked_up(match.group(1), context), text)


def _looked_up(path: str, context: Mapping[str, Any]) -> str:
    value: Any = context
    for part in path.split("."):
        if part == "outputs" or part in value:
            value = value[part]
        else:
            return ""  # as on GitHub: what is not there is empty
    assert isinstance(value, str), path
    return value
