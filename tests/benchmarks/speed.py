"""How fast, side by side: ``python -m tests.benchmarks.speed [--json] [--quick] [--submissions 20,200]``.

Every contestant is a process of its own from cold, two notebooks at a time (see ``contestants``), and all run in turn
in one go, so that a busy machine slows all of them. Wall-clock times are medians; processor seconds stand beside them,
because they say the same on a busy machine too; those of ours, with its pace and memory, are from runs of their own, by
a process that looks on. The plain loop is measured on a sample and scaled, and says so. Ratios have targets, and one
that is missed ends the command with status 1.
``--submissions 2000`` shows how time and memory go over a long run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.classroom import NOTEBOOK, write_class
from tests.benchmarks.contestants import score_arguments, tree_of

JOBS = 2
#: On how many notebooks the plain loop is measured, the rest is scaled.
SAMPLE = 8


@dataclass(frozen=True)
class Measure:
    """One contestant on one class: medians of wall and processor seconds; ``scaled`` where measured on a sample."""

    name: str
    submissions: int
    wall: float
    cpu: float
    runs: int
    scaled: bool = False
    told: dict[str, Any] | None = None


@dataclass(frozen=True)
class Ratio:
    """What is to be at least (or at most) ``target``, by the clock and by processor seconds."""

    name: str
    wall: float
    cpu: float | None
    target: str
    met: bool


def run_once(command: list[str]) -> tuple[float, float]:
    """Wall and processor seconds (children included)."""
    before = os.times()
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - began
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def measure(name: str, folder: Path, submissions: int, runs: int) -> Measure:
    """The median of ``runs`` of one contestant on ``folder``."""
    command = [sys.executable, "-m", "tests.benchmarks.contestants", name, str(folder), str(JOBS)]
    results: list[tuple[float, float]] = []
    told: dict[str, Any] = {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as place:
            wall, cpu = run_once([*command, place])
            if (file := Path(place, "told.json")).exists():
                told = json.loads(file.read_text(encoding="utf-8"))
            results.append((wall, max(cpu, told.get("cpu", 0.0))))
    wall, cpu = (statistics.median(result[at] for result in results) for at in (0, 1))
    return Measure(name, submissions, wall, cpu, runs, told=told)


def measure_ours(folder: Path, submissions: int, runs: int) -> Measure:
    """The command as it is typed; what its processes used is noted in as many runs more."""
    walls = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as place:
            command = [sys.executable, "-P", "-m", "grader", *score_arguments(folder, JOBS, Path(place))]
            walls.append(run_once(command)[0])
    watched = measure("watched", folder, submissions, runs)
    return Measure("ours", submissions, statistics.median(walls), watched.cpu, runs, told=watched.told)


def measure_plain(folder: Path, submissions: int, runs: int) -> Measure:
    """The plain loop on a sample, scaled to ``submissions``: it has nothing to share between notebooks."""
    size = min(SAMPLE, submissions)
    with tempfile.TemporaryDirectory() as sample:
        one = measure("plain", write_class(Path(sample), size), submissions, runs)
    factor = submissions / size
    return Measure("plain", submissions, one.wall * factor, one.cpu * factor, runs, scaled=factor > 1)


def compare(submissions: int, runs: int) -> tuple[list[Measure], list[Ratio]]:
    """All contestants on one class, and the ratios asked for."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_class(Path(place), submissions)
        plain = measure_plain(folder, submissions, runs)
        floor = measure("floor", folder, submissions, runs)
        ours = measure_ours(folder, submissions, runs)
    least = 12.0 if submissions <= 20 else 20.0
    ratios = [
        Ratio(
            f"{submissions}: faster than a plain loop",
            plain.wall / ours.wall,
            plain.cpu / ours.cpu,
            f"≥ {least:g}",
            plain.wall / ours.wall >= least,
        )
    ]
    if submissions > 20:
        slower = ours.wall / floor.wall
        ratios.append(Ratio(f"{submissions}: times the floor", slower, ours.cpu / floor.cpu, "≤ 3", slower <= 3))
    if submissions >= 500:
        ratios += long_run(ours)
    return [plain, floor, ours], ratios


def long_run(ours: Measure) -> list[Ratio]:
    """How a long run changes on its way: seconds per submission, and the grader's own memory."""
    assert ours.told is not None
    marks = ours.told["marks"]
    pace = [(marks[begin + 200][0] - marks[begin][0]) / 200 for begin in (50, len(marks) - 201)]
    grown = marks[-1][1] - marks[99][1]
    return [
        Ratio(
            "time per submission, last 200 against 50 to 250",
            pace[1] / pace[0],
            None,
            "≤ 1.1",
            pace[1] <= 1.1 * pace[0],
        ),
        Ratio("MB that the grader grew after 100", grown, None, "≤ 50", grown <= 50),
    ]


def check_once(runs: int) -> Ratio:
    """``grader check`` of one notebook against importing torch."""
    with tempfile.TemporaryDirectory() as place:
        notebook = write_class(Path(place), 1) / "student-0000" / NOTEBOOK
        torch = [run_once([sys.executable, "-c", "import torch"]) for _ in range(runs)]
        check = [run_once([sys.executable, "-P", "-m", "grader", "check", str(notebook)]) for _ in range(runs)]
    wall, cpu = (statistics.median(r[at] for r in check) / statistics.median(r[at] for r in torch) for at in (0, 1))
    return Ratio("`grader check` against `import torch`", wall, cpu, "≤ 2", wall <= 2)


async def memory(more: int = 4) -> Ratio:
    """MB of proportional memory that each further kernel costs while it runs a cell that has used torch."""
    from grader.kernel import KernelPool, choose_sandbox
    from grader.model import Cell, Job

    source = "import torch, time\nx = torch.ones(300, 300) @ torch.ones(300, 300)\nx.sum()\ntime.sleep(6)"
    sizes = []
    async with KernelPool(choose_sandbox(os.environ.get("SANDBOX")), jobs=1 + more) as pool:
        await pool.run(Job("first", (Cell(0, "pass"),), ()))
        await asyncio.sleep(2)  # until the zygote's memory is settled; what was forked before shares less of it
        for count in (1, 1 + more):
            jobs = [asyncio.create_task(pool.run(Job(f"{n}", (Cell(0, source),), ()))) for n in range(count)]
            await asyncio.sleep(4)
            sizes.append(sum(proportional(pid) for pid in tree_of(os.getpid())))
            await asyncio.gather(*jobs)
    each = (sizes[1] - sizes[0]) / more
    return Ratio("MB of PSS that a further kernel costs", each, None, "≤ 60", each <= 60)


def proportional(pid: int) -> float:
    """MB of a process, each shared page split among those that share it."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def render(measures: list[Measure], ratios: list[Ratio]) -> str:
    """The tables as text."""
    lines = [f"two at a time, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", ""]
    lines += [f"{'contestant':<12}{'notebooks':>10}{'wall s':>10}{'cpu s':>10}{'ms each':>10}"]
    for one in measures:
        each = 1000 * one.wall / one.submissions
        note = "  (scaled from a sample)" if one.scaled else ""
        lines.append(f"{one.name:<12}{one.submissions:>10}{one.wall:>10.1f}{one.cpu:>10.1f}{each:>10.0f}{note}")
    lines += ["", f"{'ratio':<52}{'wall':>8}{'cpu':>8}{'target':>8}"]
    for ratio in ratios:
        cpu = "" if ratio.cpu is None else f"{ratio.cpu:.2f}"
        mark = "met" if ratio.met else "NOT MET"
        lines.append(f"{ratio.name:<52}{ratio.wall:>8.2f}{cpu:>8}{ratio.target:>8}  {mark}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="each measured once, no memory")
    parser.add_argument("--submissions", default="20,200", help="sizes of the classes, for instance 20,200,2000")
    options = parser.parse_args()
    measures: list[Measure] = []
    ratios: list[Ratio] = []
    for size in map(int, options.submissions.split(",")):
        runs = 1 if options.quick or size > 200 else 3
        some, compared = compare(size, runs)
        measures += some
        ratios += compared
    ratios.append(check_once(1 if options.quick else 5))
    if not options.quick:
        ratios.append(asyncio.run(memory()))
    if options.json:
        shown = [{**asdict(one), "told": None} for one in measures]
        print(json.dumps({"measures": shown, "ratios": [asdict(one) for one in ratios]}, indent=1))
    else:
        print(render(measures, ratios))
    return 0 if all(ratio.met for ratio in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
