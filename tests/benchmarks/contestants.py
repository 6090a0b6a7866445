"""What is measured, each a process of its own from cold.

``python -m tests.benchmarks.contestants NAME FOLDER JOBS PLACE``: ``watched`` is the command ``grader score``, which
writes its grades and what it used to ``PLACE``; ``plain`` a loop around nbclient that starts a kernel a notebook and
runs its cells; ``floor`` a process that has imported torch and forks for each notebook to ``exec`` cells and checks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.model import RunReport, SubmissionReport


def watched(folder: Path, jobs: int, place: Path) -> None:
    """``grader score`` on ``folder``; writes the time and memory at each submission finished to ``told.json``."""
    from grader import batch, cli

    score_class = batch.score_class
    marks: list[tuple[float, float]] = []
    seconds: list[float] = []
    began = time.perf_counter()

    def noted(options: batch.ScoreOptions, observer: batch.Observer) -> RunReport:
        def finished(report: SubmissionReport, taken_over: bool) -> None:
            marks.append((time.perf_counter() - began, resident()))
            observer.finished(report, taken_over)

        def ended() -> None:
            seconds.append(tree_seconds(os.getpid()))
            observer.ended()

        run = score_class(options, replace(observer, finished=finished, ended=ended))
        assert all(one.status == "graded" for one in run.submissions), [one.status for one in run.submissions]
        told = {"marks": marks, "cpu": seconds[0]}
        (place / "told.json").write_text(json.dumps(told), encoding="utf-8")
        return run

    batch.score_class = noted  # type: ignore[assignment] # the command gives both arguments
    sys.argv = ["grader", *score_arguments(folder, jobs, place / "grades")]
    cli.main()


def score_arguments(folder: Path, jobs: int, out: Path) -> list[str]:
    """What follows ``grader`` on the command line; ``$SANDBOX`` names another sandbox than the best."""
    arguments = ["score", str(folder), "--out", str(out), "--seed", "1", "--jobs", str(jobs)]
    return arguments + (["--sandbox", os.environ["SANDBOX"]] if "SANDBOX" in os.environ else [])


def resident() -> float:
    """This process's resident memory in MB."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def tree_of(root: int) -> dict[int, float]:
    """A process and all below it, with the processor seconds of each and of its children that have ended."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents.setdefault(int(fields[1]), []).append(pid)
            spent[pid] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    todo, found = [root], dict[int, float]()
    while todo:
        pid = todo.pop()
        found[pid] = spent.get(pid, 0.0)
        todo += parents.get(pid, [])
    return found


def tree_seconds(root: int) -> float:
    """Processor seconds of a process and all below it, those that have ended included."""
    return sum(tree_of(root).values())


def plain(folder: Path, jobs: int, _: Path) -> None:
    """Run the cells of each notebook in a kernel of its own."""
    import nbclient
    import nbformat

    async def run() -> None:
        waiting = iter(sorted(folder.glob("*/*.ipynb")))

        async def work() -> None:
            for path in waiting:
                notebook = nbformat.read(path, as_version=4)
                client = nbclient.NotebookClient(notebook, allow_errors=True, kernel_name="python3")
                await client.async_execute()

        await asyncio.gather(*(work() for _ in range(jobs)))

    asyncio.run(run())


def floor(folder: Path, jobs: int, _: Path) -> None:
    """Fork for each notebook; in the fork, run its cells and each program of its checks."""
    import torch

    from grader.course.loading import load_course
    from grader.judge.cases import prepare

    torch.set_num_threads(1)
    course = load_course("autograd")
    running: set[int] = set()
    programs: dict[str, list[tuple[Any, Any]]] = {}
    for path in sorted(folder.glob("*/*.ipynb")):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        for cell in cells:
            name = cell["metadata"].get("grader", {}).get("exercise")
            if name is not None and name not in programs:
                made = [one.case.program for one in prepare(course.exercises[name], 1)]
                programs[name] = [(one, compile(one.call, "<check>", "exec")) for one in made]
        if len(running) == jobs:
            running.remove(os.wait()[0])
        child = os.fork()
        if child == 0:
            _run_all(cells, programs)
            os._exit(0)
        running.add(child)
    while running:
        running.remove(os.wait()[0])


def _run_all(cells: list[dict[str, Any]], programs: dict[str, list[tuple[Any, Any]]]) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the life of the process
    for cell in cells:
        with contextlib.suppress(Exception):  # a student's
            exec(compile("".join(cell["source"]), "<cell>", "exec"), space)
        for program, code in programs.get(cell["metadata"].get("grader", {}).get("exercise"), ()):
            _check(program, code, dict(space))


def _check(program: Any, code: Any, space: dict[str, Any]) -> None:
    for path, tensor in program.tensors.items():
        owner, _, attribute = path.rpartition(".")
        if owner:
            setattr(space[owner], attribute, tensor.clone())
        else:
            space[path] = tensor.clone()
    space.update(program.constants)
    with contextlib.suppress(Exception):
        exec(code, space)


def main() -> None:
    """Run one contestant."""
    name, folder, jobs, place = sys.argv[1:]
    {"watched": watched, "plain": plain, "floor": floor}[name](Path(folder), int(jobs), Path(place))


if __name__ == "__main__":
    main()
