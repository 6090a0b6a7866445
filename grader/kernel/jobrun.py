"""One submission, from the grader's side: its kernel, its cells, its checks, and what happens when one of them dies."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import dataclasses
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import KernelError
from grader.kernel import exchange, results, wire
from grader.kernel.client import CellRunner, Client, Listeners, connect
from grader.kernel.programs import close_all
from grader.model import CaseRun, Cell, CellFailure, Check, Execution, Job

if TYPE_CHECKING:
    from grader.kernel.pool import KernelPool

#: Seconds for a kernel to come up, for an interrupted cell to end, for a check's answer beyond its own time.
_START_S, _INTERRUPT_S, _SLACK_S = 60.0, 2.0, 15.0
_MOST_RESTARTS = 20
_OUTPUT_KEPT = 64 * 1024
_PROGRAMS_AT_ONCE = 200
_MOST_ASSETS, _DEEPEST_ASSET = 500, 8
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class JobLost(Exception):
    """The job's init or the zygote died: nothing that the submission is to blame for."""


class _Died(Exception):
    """The kernel died. ``limit`` names the limit that it was killed for, if one."""

    def __init__(self, how: str, limit: str | None) -> None:
        super().__init__(how)
        self.how = how
        self.limit = limit


class JobRun:
    """The run of one job in its own init. ``await run()`` once."""

    def __init__(self, pool: KernelPool, job: Job, number: int, deadline: float) -> None:
        self.pool = pool
        self.limits = pool.limits
        self.job = job
        self.number = number
        self.deadline = deadline
        self.sock: socket.socket
        self.died: asyncio.Future[dict[str, Any]]
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.client: Client | None = None
        self.runner: CellRunner | None = None
        self.requests: list[int] = []
        self.kernels = 0
        self.checks: dict[str, tuple[CaseRun, ...]] = {}
        self.failures: dict[int, CellFailure] = {}
        self.outputs: dict[int, str] = {}
        self.flags: list[str] = []
        self.at_end: list[Check] = []
        self.again: list[Check] = []

    async def run(self) -> Execution:
        """Run every cell and check. Raises ``JobLost`` when the machinery died under it."""
        began = time.monotonic()
        self._open()
        ended: Any = "finished"
        try:
            self._send_assets()
            await self._run_notebook()
        except TimeoutError:
            ended = "timed_out"
        except _Died:
            ended = "crashed"
        finally:
            self._close()
        return Execution(
            ended=ended,
            checks=self.checks,
            failures=tuple(self.failures[index] for index in sorted(self.failures)),
            outputs=self.outputs,
            flags=tuple(dict.fromkeys(self.flags)),
            seconds=time.monotonic() - began,
        )

    # ---------------------------------------------------------------------------------------- the init

    def _open(self) -> None:
        """Have the zygote fork the job's init and listen to it."""
        ours, theirs = wire.pair()
        with theirs:
            try:
                self.pool.zygote.spawn(self.pool.describe(self.number, self.job), theirs.fileno())
            except wire.Closed as error:
                ours.close()
                raise JobLost(str(error)) from None
        ours.setblocking(False)
        self.sock = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._hear)

    def _hear(self) -> None:
        """A message of the init."""
        try:
            message, fds, _ = wire.receive(self.sock)
        except wire.Closed:
            asyncio.get_running_loop().remove_reader(self.sock.fileno())
            if not self.lost.done():
                self.lost.set_result(None)
            return
        close_all(fds)
        if message.get("event") == "died":
            if not self.died.done():
                self.died.set_result(message)
        else:
            self.answers.put_nowait(message)

    def _order(self, do: str, fds: tuple[int, ...] | list[int] = (), **message: Any) -> None:
        try:
            wire.send(self.sock, {"do": do, **message}, list(fds))
        except wire.Closed as error:
            raise JobLost(str(error)) from None

    async def _answer(self, seconds: float) -> dict[str, Any]:
        """The init's next answer. Raises ``_Died``, ``JobLost``, ``TimeoutError``."""
        answer: dict[str, Any] = await self._first(self.answers.get(), seconds)
        return answer

    async def _first(self, work: Any, seconds: float) -> Any:
        """The result of ``work``, unless the kernel or the init dies or the time is up first."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self.died, self.lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            await asyncio.sleep(0)  # what came before the death may still be on its way
            if task.done():
                return task.result()
            if self.died.done():
                about = self.died.result()
                raise _Died(str(about.get("how", ""))[:100], about.get("limit"))
            if self.lost.done():
                raise JobLost("the job's init died")
            raise TimeoutError
        finally:
            if not task.done():
                await _ended(task)

    def _close(self) -> None:
        """Let go of everything; the init kills what is left when its socket closes."""
        self._drop_client()
        asyncio.get_running_loop().remove_reader(self.sock.fileno())
        self.sock.close()

    def _drop_client(self) -> None:
        if self.client is not None:
            self.client.stop_channels()
            self.client = self.runner = None

    def _send_assets(self) -> None:
        for path, fd, executable in _assets(self.job.assets, self.limits.written):
            try:
                self._order("file", [fd], path=path, executable=executable)
            finally:
                os.close(fd)

    # ---------------------------------------------------------------------------------------- the kernel

    def _left(self, seconds: float) -> float:
        """``seconds``, or what is left of the submission's time; raises ``TimeoutError`` when nothing is."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(seconds, left)

    async def _start_kernel(self) -> None:
        """A fresh kernel in the job, connected and ready."""
        self._drop_client()
        self.kernels += 1
        self.requests = []
        self.died = asyncio.get_running_loop().create_future()
        listeners = Listeners(os.path.join(self.pool.folder, f"{self.number}.{self.kernels}"))
        try:
            self._order("kernel", listeners.fds())
            listeners.close()
            assert self.pool.context is not None
            self.client = connect(self.pool.context, listeners.prefix)
            self.runner = CellRunner(self.client)
            answer = await self._answer(self._left(_START_S))
            if answer.get("event") != "ready":
                raise JobLost(f"a kernel did not come up: {answer.get('text')}")
            await self._first(self.client.iopub_channel.get_msg(), self._left(_START_S))
        except _Died as death:
            raise JobLost(f"a kernel died before it was ready ({death.how})") from None
        finally:
            listeners.close()
            listeners.unlink()

    async def _run_notebook(self) -> None:
        await self._start_kernel()
        last = max((cell.index for cell in self.job.cells), default=-1)
        skipped: set[int] = set()
        for position, cell in enumerate(self.job.cells):
            try:
                await self._run_cell(cell)
            except _Died as death:
                self.failures[cell.index] = _death(cell, death)
                skipped.add(cell.index)
                await self._restart(self.job.cells[:position], skipped)
            for check in self.job.checks:
                if check.cell == cell.index or (cell.index == last and check.cell > last):
                    await self._check(check, position == len(self.job.cells) - 1, skipped, position)
        for check in self.at_end:
            await self._check(check, True, skipped, len(self.job.cells) - 1)

    async def _restart(self, cells: tuple[Cell, ...], skipped: set[int]) -> None:
        """A new kernel that has run ``cells`` but those in ``skipped``, to which the ones that kill it are added."""
        while True:
            if self.kernels > _MOST_RESTARTS:
                raise _Died("the kernel died too often", None)
            await self._start_kernel()
            cell = None
            try:
                for cell in cells:
                    if cell.index not in skipped:
                        await self._run_cell(cell)
                return
            except _Died:
                if cell is not None:
                    skipped.add(cell.index)

    async def _run_cell(self, cell: Cell) -> None:
        """Run one cell and note its output and failure. Raises ``_Died``."""
        if not cell.source.strip():
            return
        assert self.runner is not None
        self.requests.append(cell.index)
        seconds = self._left(self.limits.cell_s)
        task = asyncio.ensure_future(self.runner.run(cell.source))
        try:
            node = await self._first(asyncio.shield(task), seconds)
        except TimeoutError:
            await self._interrupt(cell, task)
            return
        except (JobLost, _Died, asyncio.CancelledError):
            raise
        except Exception as error:
            self._order("kill", why="messages")
            await self._first(asyncio.get_running_loop().create_future(), _SLACK_S)
            raise AssertionError from error
        finally:
            await _ended(task)
        self._note(cell, node)

    async def _interrupt(self, cell: Cell, task: asyncio.Future[Any]) -> None:
        """Interrupt a cell whose time is up; kill the kernel when it goes on."""
        failure = CellFailure(cell.index, f"timed out after {self.limits.cell_s:g} s", "timed_out")
        self._order("interrupt")
        try:
            node = await self._first(asyncio.shield(task), _INTERRUPT_S)
        except TimeoutError:
            self._order("kill", why="seconds")
            await self._first(asyncio.get_running_loop().create_future(), _SLACK_S)
        else:
            self._note(cell, node)
            self.failures[cell.index] = failure

    def _note(self, cell: Cell, node: Any) -> None:
        text = "".join(str(output.get("text", "")) for output in node.outputs if output.get("output_type") == "stream")
        if text:
            self.outputs[cell.index] = text[:_OUTPUT_KEPT]
        reply = self.runner.reply.get("content", {}) if self.runner is not None else {}
        if reply.get("status") == "error":
            name = str(reply.get("ename", ""))
            ended: Any = {"OutputLimitExceeded": "output_exceeded", "MemoryError": "memory_exceeded"}.get(
                name, "raised"
            )
            message = _ANSI.sub("", str(reply.get("evalue", "")))
            if name == "RuntimeError" and "can't allocate memory" in message:
                ended = "memory_exceeded"
            self.failures[cell.index] = CellFailure(cell.index, " ".join(f"{name}: {message}".split())[:300], ended)

    # ---------------------------------------------------------------------------------------- checks

    async def _check(self, check: Check, final: bool, skipped: set[int], position: int) -> None:
        """Run a check after the cell at ``position``; put it off where a later cell may define what it needs."""
        try:
            runs, missed = await self._run_check(check)
        except _Died:
            runs, missed = [CaseRun(program.case, "crashed") for program in check.programs], set()
            self.checks[check.exercise] = tuple(runs)
            await self._restart(self.job.cells[: position + 1], skipped)
            return
        if not final and any(run.ended == "not_defined" for run in runs):
            self.at_end.append(check)
            return
        later = missed & _defined_in(self.job.cells[position + 1 :]) if missed and not final else set()
        if later:
            self.again.append(dataclasses.replace(check, cell=max(cell.index for cell in self.job.cells)))
            self.flags.append(f"{check.exercise}: checked again at the end: it uses {', '.join(sorted(later))}, "
                              "which a later cell defines")  # fmt: skip
        self.checks[check.exercise] = tuple(runs)

    async def _run_check(self, check: Check) -> tuple[list[CaseRun], set[str]]:
        """Every program's result, and the global names that a ``NameError`` missed."""
        runs: list[CaseRun] = []
        missed: set[str] = set()
        fds = self.pool.programs.open(check.programs)
        try:
            for start in range(0, len(fds), _PROGRAMS_AT_ONCE):
                some = slice(start, start + _PROGRAMS_AT_ONCE)
                for run, name in await self._run_programs(check, check.programs[some], fds[some]):
                    runs.append(run)
                    missed |= {name} if name else set()
        finally:
            close_all(fds)
        return runs, missed

    async def _run_programs(self, check: Check, programs: Any, fds: list[int]) -> list[tuple[CaseRun, str | None]]:
        seconds = self._left(check.time_limit or self.limits.check_s)
        slate = exchange.memory_slate(self.limits.result)
        source = exchange.memory_file((check.source or "").encode())
        try:
            self._order(
                "check",
                [slate, source, *fds],
                seconds=seconds,
                needs=list(check.needs),
                autograd=check.autograd,
                printed=self.limits.printed,
                cell=check.cell,
            )
            answer = await self._answer(seconds * 1.1 + _SLACK_S)
            runs = answer["runs"]
            done = [
                results.read(slate, run, program, lambda request: self._cell_of(request, check))
                for run, program in zip(runs, programs, strict=True)
            ]
            self._order("thaw")
            return done
        except TimeoutError:
            raise JobLost("the job's init does not answer") from None
        finally:
            close_all([slate, source])

    def _cell_of(self, request: int, check: Check) -> int | None:
        if request == 0:
            return check.cell
        return self.requests[request - 1] if 0 < request <= len(self.requests) else None


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancel ``task`` unless it is done, and take its exception, which says nothing new."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _death(cell: Cell, death: _Died) -> CellFailure:
    """How a report names the death of a kernel in a cell."""
    if death.limit == "seconds":
        return CellFailure(cell.index, "timed out, and went on when interrupted: the kernel was killed", "timed_out")
    if death.limit == "memory":
        return CellFailure(cell.index, "used more memory than the limit: the kernel was killed", "memory_exceeded")
    if death.limit == "messages":
        return CellFailure(cell.index, "sent messages that no kernel sends: the kernel was killed", "crashed")
    if death.limit is not None:
        return CellFailure(cell.index, f"over the limit of {death.limit}: the kernel was killed", "crashed")
    return CellFailure(cell.index, f"the kernel died ({death.how})", "crashed")


def _defined_in(cells: tuple[Cell, ...]) -> set[str]:
    """The global names that ``cells`` assign, import or define, as far as they parse."""
    names: set[str] = set()
    for cell in cells:
        lines = ("" if line.lstrip().startswith(("%", "!")) else line for line in cell.source.splitlines())
        with contextlib.suppress(SyntaxError, ValueError, RecursionError):
            for node in ast.walk(ast.parse("\n".join(lines))):
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    names.add(node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
                elif isinstance(node, ast.alias):
                    names.add((node.asname or node.name).partition(".")[0])
    return names


def _assets(folder: Path | None, most_bytes: int) -> Iterator[tuple[str, int, bool]]:
    """Path, open descriptor and executability of each regular file below ``folder``, links left out, within limits."""
    if folder is None:
        return
    count = total = 0
    for place, folders, files in os.walk(folder):
        relative = os.path.relpath(place, folder)
        if relative.count(os.sep) >= _DEEPEST_ASSET:
            folders.clear()
        folders.sort()
        for name in sorted(files):
            try:
                fd = os.open(os.path.join(place, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            about = os.fstat(fd)
            count, total = count + 1, total + about.st_size
            if not stat.S_ISREG(about.st_mode) or count > _MOST_ASSETS or total > most_bytes:
                os.close(fd)
                continue
            yield os.path.normpath(os.path.join(relative, name)), fd, bool(about.st_mode & 0o100)


__all__ = ["JobLost", "JobRun", "KernelError"]
