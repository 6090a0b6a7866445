"""How fast, side by side: ``python -m tests.benchmarks.speed [--json] [--quick] [--submissions 20,200]``.

Every contestant is a process of its own from cold, two notebooks at a time (see ``contestants``), and all run in turn,
round after round, so that a busy machine slows all of them. Times are medians, and ratios the medians of the rounds'
own ratios. Processor seconds stand beside those of the clock, because they say the same on a busy machine too; those of
ours, with its pace and memory, are from runs of their own, by a process that looks on. For a large class the plain loop
is measured on a part of it and scaled, and says so. Ratios have targets, and one that is missed ends the command with
status 1.
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
from typing import IO, Any

from tests.benchmarks.classroom import NOTEBOOK, write_class
from tests.benchmarks.contestants import score_arguments, tree_of

JOBS = 2
#: On how many notebooks the plain loop is measured at the most; for more, its time is scaled.
SAMPLE = 20


@dataclass(frozen=True)
class Measure:
    """One contestant on one class: medians of wall and processor seconds; ``scaled`` where measured on a sample."""

    name: str
    submissions: int
    wall: float
    cpu: float
    runs: int
    scaled: bool = False


@dataclass(frozen=True)
class Ratio:
    """What is to be at least (or at most) ``target``, by the clock and by processor seconds; only told without one."""

    name: str
    wall: float
    cpu: float | None
    target: str = ""
    met: bool = True


def run_once(command: list[str], cwd: Path | None = None, out: IO[str] | None = None) -> tuple[float, float]:
    """Wall and processor seconds (children included); what it prints goes to ``out``, if anywhere."""
    before = os.times()
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, stdout=out or subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - began
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


class Contest:
    """Contestants on one class, each run once a round, so that what slows the machine for a while slows them all."""

    def __init__(self, folder: Path, sample: Path) -> None:
        self.folder = folder
        self.sample = sample
        self.spent: dict[str, list[tuple[float, float]]] = {"plain": [], "floor": [], "ours": []}
        self.told: dict[str, Any] = {}

    def round(self) -> None:
        """Run each contestant once, and ours again under the eyes of a process that notes what it uses."""
        self._run("plain", _contestant("plain", self.sample))
        self._run("floor", _contestant("floor", self.folder))
        with tempfile.TemporaryDirectory() as place:
            command = [sys.executable, "-P", "-m", "grader", *score_arguments(self.folder, JOBS, Path(place))]
            wall, _ = run_once(command)
        with tempfile.TemporaryDirectory() as place:
            run_once([*_contestant("watched", self.folder), place])
            self.told = json.loads(Path(place, "told.json").read_text(encoding="utf-8"))
        self.spent["ours"].append((wall, self.told["cpu"]))

    def _run(self, name: str, command: list[str]) -> None:
        with tempfile.TemporaryDirectory() as place:
            self.spent[name].append(run_once([*command, place]))

    def measured(self, name: str, submissions: int, factor: float = 1.0) -> Measure:
        """The medians of a contestant, times ``factor``."""
        wall, cpu = (factor * statistics.median(one[at] for one in self.spent[name]) for at in (0, 1))
        return Measure(name, submissions, wall, cpu, len(self.spent[name]), scaled=factor > 1)

    def ratio(self, slower: str, faster: str, factor: float = 1.0) -> tuple[float, float]:
        """The median over the rounds of how many times the time of ``faster`` the other took: wall and processor."""
        rounds = list(zip(self.spent[slower], self.spent[faster], strict=True))
        wall, cpu = (factor * statistics.median(one[at] / other[at] for one, other in rounds) for at in (0, 1))
        return wall, cpu


def _contestant(name: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.contestants", name, str(folder), str(JOBS)]


def compare(submissions: int, runs: int) -> tuple[list[Measure], list[Ratio]]:
    """All contestants on one class, and the ratios asked for."""
    factor = submissions / min(SAMPLE, submissions)
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as few:
        folder = write_class(Path(place), submissions)
        contest = Contest(folder, write_class(Path(few), SAMPLE) if factor > 1 else folder)
        for _ in range(runs):
            contest.round()
    measures = [contest.measured("plain", submissions, factor)]
    measures += [contest.measured(name, submissions) for name in ("floor", "ours")]
    least = 12.0 if submissions <= 20 else 20.0
    wall, cpu = contest.ratio("plain", "ours", factor)
    ratios = [Ratio(f"{submissions}: faster than a plain loop", wall, cpu, f"≥ {least:g}", wall >= least)]
    ratios.append(
        Ratio(f"{submissions}: the floor, faster than a plain loop", *contest.ratio("plain", "floor", factor))
    )
    if submissions > 20:
        wall, cpu = contest.ratio("ours", "floor")
        ratios.append(Ratio(f"{submissions}: times the floor", wall, cpu, "≤ 3", wall <= 3))
    if submissions >= 500:
        ratios += long_run(contest.told["marks"])
    return measures, ratios


def long_run(marks: list[tuple[float, float]]) -> list[Ratio]:
    """How a long run changes on its way: seconds per submission, and the grader's own memory."""
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
    from grader.kernel.host.pool import KernelPool
    from grader.kernel.host.sandbox import choose_sandbox
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
        mark = "" if not ratio.target else "met" if ratio.met else "NOT MET"
        lines.append(f"{ratio.name:<52}{ratio.wall:>8.2f}{cpu:>8}{ratio.target:>8}  {mark}".rstrip())
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
        print(
            json.dumps(
                {"measures": [asdict(one) for one in measures], "ratios": [asdict(one) for one in ratios]}, indent=1
            )
        )
    else:
        print(render(measures, ratios))
    return 0 if all(ratio.met for ratio in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
