"""Imports run one way: cli → batch → pipeline → wings → model → errors. What students install holds no answer."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import grader.errors
from tests.samples import ROOT

PACKAGE = ROOT / "grader"
FILES = sorted(PACKAGE.rglob("*.py"))
_BASE = """
    _version atomic cell_code csv_table errors machine model names recent torch_import
"""
BASE = {f"grader.{name}" for name in _BASE.split()}
WINGS = {"grader.course", "grader.judge", "grader.kernel", "grader.report", "grader.submission"}
#: What each module and wing may import of the package beyond itself and ``BASE``.
ALLOWED: dict[str, set[str]] = {
    "grader.submission": set(),
    "grader.kernel": set(),
    "grader.judge": set(),
    "grader.report": set(),
    "grader.course": {"grader.judge", "grader.kernel"},  # the declarations import neither: see below
    "grader.gradebook": {"grader.report"},
    "grader.fingerprint": {"grader.gradebook", "grader.kernel"},
    "grader.seeded_course": {"grader.judge", "grader.submission"},
    "grader.pipeline": {"grader.seeded_course", "grader.judge", "grader.kernel", "grader.submission"},
    "grader.assignment": {"grader.report"},
    "grader.batch": {
        "grader.assignment",
        "grader.seeded_course",
        "grader.course",
        "grader.fingerprint",
        "grader.gradebook",
        "grader.judge",
        "grader.kernel",
        "grader.pipeline",
        "grader.submission",
    },
    "grader.own_run": {"grader.pipeline", "grader.seeded_course", *WINGS - {"grader.report"}},
    "grader.notebook": {"grader.seeded_course", *WINGS},
    "grader.console": {"grader.report"},
    "grader.platforms": {"grader.assignment", "grader.console", "grader.course", "grader.report"},
    "grader.starter": {"grader.course"},
    "grader.demo": set(),
    "grader.cli": {
        "grader.assignment",
        "grader.batch",
        "grader.console",
        "grader.demo",
        "grader.gradebook",
        "grader.own_run",
        "grader.platforms",
        "grader.starter",
        *WINGS - {"grader.judge"},
    },
    "grader.__init__": {"grader.notebook"},
    "grader.__main__": {"grader.cli"},
}
#: What each part of a package may import of the other parts that are named here. In the kernel, what the grader's own
#: process runs (``host``), and what is said between the sides, imports nothing of the student's.
PARTS: dict[str, dict[str, set[str]]] = {
    "grader.kernel": {
        "protocol": set(),
        "confinement": set(),
        "clock": set(),
        "deaths": set(),
        "removal": set(),
        "warmth": set(),
        "check": {"deaths", "protocol"},
        "guest": {"check", "confinement", "protocol"},
        "supervisor": {"check", "clock", "confinement", "deaths", "guest", "protocol", "removal", "warmth"},
        "__init__": set(),
        "host": {"clock", "cold", "confinement", "deaths", "protocol", "removal", "warmth"},
        "local": {"check", "clock", "confinement", "deaths", "protocol"},
        "cold": {"check", "host", "local", "protocol"},
    },
    "grader.judge.diagnosis": {
        "words": set(),
        "operations": set(),
        "calls": {"words"},
        "values": {"calls", "operations", "words"},
        "steps": {"calls", "values", "words"},
        "scalars": {"words"},
    },
    "grader.submission": {
        "entry": set(),
        "files": set(),
        "attribution": {"files"},
        "collecting": {"attribution", "entry", "files"},
        "reading": {"attribution", "entry", "files"},
    },
    "grader.report": {
        "words": set(),
        "counting": {"words"},
        "views": {"counting", "words"},
        "autograding": {"counting", "words"},
        "gradebooks": {"counting", "views", "words"},
        "document": {"counting", "words"},
    },
    "grader.course": {
        "declaration": set(),
        "exercise": {"declaration"},
        "samplers": set(),
        "specimens": set(),
        "privacy": set(),
        "loading": {"privacy"},
        "releasing": set(),
    },
}
#: Packages with a map of their modules.
PACKAGES = sorted(
    path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE
)


def imports_of(path: Path) -> set[str]:
    """The modules of the package that a file imports; a relative import, which hides them, fails."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}: a relative import"
            assert not node.level, f"{path}: a relative import of {node.module}"
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "grader"}
    return {name for name in names if name.startswith("grader.")}


def modules_of(wing: str) -> list[Path]:
    path = ROOT / Path(*wing.split("."))
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def under(name: str, wings: set[str]) -> bool:
    return any(name == wing or name.startswith(f"{wing}.") for wing in wings)


def test_every_module_has_its_place() -> None:
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert {f"grader.{name}" for name in names} == {*ALLOWED, *BASE}


@pytest.mark.parametrize("wing", [*ALLOWED, *sorted(BASE)])
def test_wing_imports_only_what_stands_below_it(wing: str) -> None:
    allowed = {wing, *BASE, *ALLOWED.get(wing, set())}
    for module in modules_of(wing):
        strays = {name for name in imports_of(module) if not under(name, allowed)}
        assert not strays, f"{module.relative_to(ROOT)} imports {strays}"


@pytest.mark.parametrize("package", PACKAGES)
def test_package_tells_what_each_of_its_modules_is_for(package: str) -> None:
    modules = {
        path.stem
        for path in (PACKAGE / package).iterdir()
        if path.suffix == ".py" or path.joinpath("__init__.py").exists()
    }
    modules -= {"__init__"}
    told = ast.get_docstring(ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert modules - set(re.findall(r"``(\w+)``", told)) == set()


def inner_imports(package: str, part: str) -> set[str]:
    """Which parts of a package one of them imports."""
    found = {name for module in modules_of(f"{package}.{part}") for name in inner_names(module, f"{package}.")}
    return found - {part}


def inner_names(module: Path, prefix: str) -> set[str]:
    tree = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
    froms = [node for node in tree if isinstance(node, ast.ImportFrom) and node.module]
    names = {f"{node.module}.{alias.name}" for node in froms for alias in node.names} | imports_of(module)
    return {name.removeprefix(prefix).split(".")[0] for name in names if name.startswith(prefix)}


@pytest.mark.parametrize(("package", "part"), [(package, part) for package, parts in PARTS.items() for part in parts])
def test_part_of_a_package_imports_only_what_it_may(package: str, part: str) -> None:
    assert inner_imports(package, part) & set(PARTS[package]) <= PARTS[package][part]


def test_every_part_of_the_kernel_package_is_on_a_side() -> None:
    parts = {path.stem for path in (PACKAGE / "kernel").iterdir() if path.name != "__pycache__"}
    assert parts == set(PARTS["grader.kernel"])


def test_no_two_modules_need_one_another() -> None:
    """Not even for their types: what both need belongs in a third, or one says in a protocol what it needs."""
    homes = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    needs: dict[str, set[str]] = {}
    for name, path in homes.items():
        named = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
        within = {f"{node.module}.{alias.name}" for node in named for alias in node.names} & set(homes)
        whole = {str(node.module) for node in named if homes.get(str(node.module), path).name != "__init__.py"}
        needs[name] = within | (whole & set(homes))

    TopologicalSorter(needs).prepare()  # raises CycleError, which names them


def test_course_declarations_import_neither_kernel_nor_judge() -> None:
    for module in modules_of("grader.course"):
        if module.parent.name != "proving":
            strays = {name for name in imports_of(module) if not under(name, {"grader.course", *BASE})}
            assert not strays, f"{module.relative_to(ROOT)} imports {strays}"


@pytest.mark.parametrize("module", ["grader", "grader.cli", "grader.batch", "grader.kernel", "grader.report"])
def test_import_of_light_modules_leaves_torch_alone(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_import_of_reports_loads_no_renderer() -> None:
    code = "import sys, grader.report; print([m for m in ('rich', 'jinja2', 'torch', 'json') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_runs_in_the_sandbox_comes_up_without_the_graders_side() -> None:
    code = "import sys, grader.kernel.supervisor.jobserver; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)

    assert {"grader.kernel.supervisor.jobserver", "grader.kernel.protocol.wire"} <= set(done.stdout.split())
    assert not {"grader.model", "grader.kernel.host.pool", "grader.kernel.host.sandbox"} & set(done.stdout.split())


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "README.md"])
def test_modules_that_a_guide_names_are_there(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+\.py)`", text)) - {"autograder.py"}  # which `grader init` writes
    files = [f"/{path.relative_to(ROOT).as_posix()}" for top in (PACKAGE, ROOT / "tests") for path in top.rglob("*.py")]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in files)] == []


def first_and_last_words(node: ast.expr) -> list[str]:
    """The literal parts that begin and end a text."""
    if isinstance(node, ast.BinOp):
        return [*first_and_last_words(node.left), *first_and_last_words(node.right)]
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def remedies_in(node: ast.AST) -> list[ast.expr]:
    """What a node says to do next: as an argument, under a name, or in what a rule for declarations yields."""
    match node:
        case ast.keyword(arg="remedy", value=value) | ast.Assign(targets=[ast.Name(id="remedy")], value=value):
            return [value]
        case ast.Yield(value=ast.Tuple(elts=[_, ast.Constant(), value])):  # the field is named
            return [value]
    return []


def test_remedies_are_clauses() -> None:
    """One style for what to do next, as errors.py has it: no capital first, no full stop last."""
    seen = 0
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            for words in filter(None, map(first_and_last_words, remedies_in(node))):
                seen += 1
                assert not words[0][:1].isupper(), f"{module}: {words[0]}"
                assert not words[-1].endswith("."), f"{module}: {words[-1]}"
    assert seen > 40


def test_every_error_says_what_to_do_next() -> None:
    errors = {name for name, kind in vars(grader.errors).items() if isinstance(kind, type)}
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors:
                assert any(keyword.arg == "remedy" for keyword in node.keywords), f"{module}, line {node.lineno}"


def test_what_students_install_holds_no_solution_marker() -> None:
    """The exercises go into the wheel beside the package."""
    files = [path for folder in (PACKAGE, ROOT / "exercises") for path in folder.rglob("*") if path.is_file()]
    notebooks = [path for path in files if path.suffix in {".ipynb", ".toml", ".j2"}]
    assert sum(path.suffix == ".ipynb" for path in notebooks) == 9
    for path in notebooks:
        assert not re.search(rb"#\s*(?:BEGIN|END)\s+SOLUTION", path.read_bytes(), re.IGNORECASE), path
