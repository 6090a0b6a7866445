"""What works on this machine and what does not, each with the command that mends it: ``grader doctor``.

It imports no torch, whose own package tells what it is; but a kernel's process does, which is started once to see
whether it comes up: what is installed may lie where the sandbox has nothing.
"""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import runpy
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from grader.errors import KernelError, SandboxUnavailable
from grader.kernel.confinement import landlock, syscalls
from grader.kernel.host.sandbox import SandboxStatus, available_sandboxes, choose_sandbox
from grader.machine import pip_install, remedy_of_shortage, usable_cores
from grader.model import Cell, Job, Limits, Sandbox
from grader.names.enumeration import count_of

_OLDEST_PYTHON = (3, 11)
_UNCONFINED = "`--sandbox none`, for code that you trust, runs each notebook with your rights: your files, your network"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination. ``remedy`` is what mends it, empty where nothing has to be."""

    level: Literal["ok", "warn", "fail"]
    text: str
    remedy: str = ""


def doctor() -> tuple[Finding, ...]:
    """Examine python, torch, the sandboxes, a kernel, Landlock, the limits, cores and memory. Never raises."""
    torch = _torch()
    kernel = [] if torch.level == "fail" else _kernel()  # which would not come up for that
    return (_python(), torch, *_sandboxes(), *kernel, *_landlock(), *_machine(), _limits())


def _python() -> Finding:
    text = f"Python {platform.python_version()} ({sys.executable})"
    if sys.version_info < _OLDEST_PYTHON:
        return Finding("fail", text, "install Python 3.11 or newer")
    return Finding("ok", text)


def _torch() -> Finding:
    """The version and the build of torch, from its files."""
    found = importlib.util.find_spec("torch")
    index = "--index-url https://download.pytorch.org/whl/cpu"
    if found is None or found.origin is None:
        return Finding("fail", "torch is not installed", pip_install(f"torch {index}"))
    try:
        about = runpy.run_path(str(Path(found.origin).with_name("version.py")))
        version, cuda = str(about["__version__"]), about.get("cuda")
    except Exception:
        return Finding("fail", f"torch in {found.origin} is broken", pip_install(f"torch {index} --force-reinstall"))
    if cuda is None:
        return Finding("ok", f"torch {version}, a CPU build")
    text = f"torch {version}, built for CUDA {cuda}: larger and slower to start than need be"
    # A version without its build is the one that pip finds installed, which it then leaves as it is.
    return Finding("warn", text, pip_install(f"torch=={version.partition('+')[0]}+cpu {index}"))


def _sandboxes() -> list[Finding]:
    """Each sandbox, and what it means where none confines."""
    confining = [status for status in available_sandboxes() if status.name != "none"]
    some = any(status.works for status in confining)
    findings = [_sandbox(status, some) for status in confining]
    if some:
        return findings
    if not sys.platform.startswith("linux"):
        text = f"no sandbox exists for {platform.system()}: `grader check` needs none, `grader score` does"
        return [Finding("warn", text, f"grade in a Linux virtual machine or container; {_UNCONFINED}")]
    remedy = f"on a hosted runner or in a container the remedies above apply there; {_UNCONFINED}"
    return [*findings, Finding("fail", "no sandbox works here: `grader score` refuses to run", remedy)]


def _sandbox(status: SandboxStatus, some: bool) -> Finding:
    what = {"bwrap": "bubblewrap", "landlock": "Landlock alone, the weaker fallback"}[status.name]
    if status.works:
        return Finding("ok", f"sandbox {status.name} works ({what})")
    return Finding("warn" if some else "fail", f"sandbox {status.name} ({what}): {status.reason}", status.remedy)


def _kernel() -> list[Finding]:
    """Whether kernels come up in the sandbox that a run would take, or in none, as for `grader check`."""
    try:
        sandbox = choose_sandbox()
    except SandboxUnavailable:
        sandbox = "none"
    where = f"in {sandbox}" if sandbox != "none" else "without a sandbox"
    try:
        asyncio.run(_come_up(sandbox))
    except Exception as error:  # whatever keeps them from it is what is asked for here
        why = (str(error).strip() or type(error).__name__).splitlines()[-1]
        remedy = remedy_of_shortage(error) or (
            "give it memory, processes and a temporary folder (TMPDIR) where one of them is short, else install the "
            "grader and all that notebooks import in a new virtual environment: python3 -m venv"
        )
        return [Finding("fail", f"no kernel comes up {where}: {why}", remedy)]
    return [Finding("ok", f"kernels come up {where}")]


async def _come_up(sandbox: Sandbox) -> None:
    from grader.kernel.host.pool import KernelPool

    async with KernelPool(sandbox=sandbox, jobs=1) as pool:
        execution = await pool.run(Job("doctor", (Cell(0, "import torch"),), ()))
    if execution.failures or execution.ended != "finished":
        raise KernelError(
            next((one.error for one in execution.failures), execution.ended), remedy="mend the installation of torch"
        )


def _landlock() -> list[Finding]:
    """The Landlock ABI and the filter of system calls; nothing outside Linux."""
    if not sys.platform.startswith("linux"):
        return []
    abi = landlock.abi()
    if abi >= landlock.SCOPES:
        findings = [Finding("ok", f"Landlock ABI {abi}: files, signals and abstract sockets")]
    elif abi:
        text = f"Landlock ABI {abi}: files only; in bwrap, namespaces do the rest"
        findings = [Finding("warn", text, "boot Linux 6.12 or newer for signals and abstract sockets")]
    else:
        text = "no Landlock: in bwrap, namespaces alone keep submissions apart"
        findings = [Finding("warn", text, "boot Linux 6.12 or newer with lsm=landlock,… in its command line")]
    if platform.machine() not in syscalls.MACHINES:
        text = f"no filter of system calls for {platform.machine()}; it is known for {', '.join(syscalls.MACHINES)}"
        findings.append(Finding("warn", text))
    return findings


def _machine() -> list[Finding]:
    """Cores that this process may use, and memory beside what the default limit allows one submission."""
    cores = usable_cores()
    findings = [Finding("ok", f"{count_of(cores, 'core')}: grades as many notebooks at a time (--jobs)")]
    available = _available_memory()
    if available is None:
        return findings
    text = f"{_size(available)} of memory available; a submission may use {_size(Limits().memory)}"
    if available < Limits().memory:
        return [*findings, Finding("warn", text, "lower it: grader score --memory 1G, or --jobs 1")]
    return [*findings, Finding("ok", text)]


def _available_memory() -> int | None:
    """Bytes that new processes can have: the system's estimate, or a cgroup's limit where that is lower."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        return min(available, int(limit)) if limit.isdigit() else available
    except OSError:
        return available


def _limits() -> Finding:
    """The default limits in one line."""
    limits = Limits()
    sizes = {"memory", "written", "printed", "result"}
    words = []
    for field in fields(limits):
        value = getattr(limits, field.name)
        shown = _size(value) if field.name in sizes else f"{value:g}"
        words.append(f"{field.name.removesuffix('_s').replace('_', ' ')} {shown}{' s' * field.name.endswith('_s')}")
    return Finding("ok", f"limits: {', '.join(words)}")


def _size(count: int) -> str:
    """``4294967296`` → ``"4 GB"``, in powers of 1024."""
    for unit, factor in (("GB", 1024**3), ("MB", 1024**2)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1024:.3g} kB"
