"""Imports run one way: cli → batch → pipeline → wings → model → errors. What students install holds no answer."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.samples import ROOT

PACKAGE = ROOT / "grader"
BASE = {f"grader.{name}" for name in ("_version", "atomic", "errors", "lazy", "machine", "model", "recent")}
#: What each wing may import of the package beyond itself and ``BASE``.
ALLOWED: dict[str, set[str]] = {
    "grader.model": set(),
    "grader.errors": set(),
    "grader.submission": set(),
    "grader.kernel": set(),
    "grader.judge": set(),
    "grader.report": set(),
    "grader.gradebook": {"grader.report"},
    "grader.bench": {"grader.judge", "grader.submission"},
    "grader.pipeline": {"grader.bench", "grader.judge", "grader.kernel", "grader.submission"},
}
#: Modules of the course wing that compose others: proving a course runs and judges it.
COMPOSING = ("grader.course.valid", "grader.course.proof", "grader.course.stage")


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "grader"}
    return {name for name in names if name.startswith("grader.")}


def modules_of(wing: str) -> list[Path]:
    path = ROOT / Path(*wing.split("."))
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def under(name: str, wings: set[str]) -> bool:
    return any(name == wing or name.startswith(f"{wing}.") for wing in wings)


@pytest.mark.parametrize("wing", ALLOWED)
def test_wing_imports_only_what_stands_below_it(wing: str) -> None:
    allowed = {wing, *BASE, *ALLOWED[wing]}
    for module in modules_of(wing):
        strays = {name for name in imports_of(module) if not under(name, allowed)}
        assert not strays, f"{module.relative_to(ROOT)} imports {strays}"


def test_course_declarations_import_neither_kernel_nor_judge() -> None:
    for module in modules_of("grader.course"):
        dotted = ".".join(module.relative_to(ROOT).with_suffix("").parts)
        if not dotted.startswith(COMPOSING):
            strays = {name for name in imports_of(module) if not under(name, {"grader.course", *BASE})}
            assert not strays, f"{dotted} imports {strays}"


@pytest.mark.parametrize("module", ["grader", "grader.cli", "grader.batch", "grader.kernel", "grader.report"])
def test_import_of_light_modules_leaves_torch_alone(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_package_holds_no_solution_marker() -> None:
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix in {".ipynb", ".toml", ".j2"}:
            assert b"BEGIN SOLUTION" not in path.read_bytes(), path
