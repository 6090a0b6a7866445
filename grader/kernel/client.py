"""nbclient on a kernel of the job's init: it runs cells over two unix sockets that the grader itself put up."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient
from nbformat import NotebookNode

#: Largest message of a kernel in bytes; one that sends a larger one is cut off.
_MESSAGE = 16 * 1024**2
#: Messages of a kernel that may wait to be read.
_WAITING = 100


class Client(AsyncKernelClient):  # type: ignore[misc]
    """A kernel client whose sockets take no message that is too large."""

    def start(self) -> None:
        """Connect shell and iopub; the other channels do not exist."""
        self.start_channels(shell=True, iopub=True, stdin=False, hb=False, control=False)


class Listeners:
    """The two sockets (shell, iopub) that a kernel inherits, bound below a folder that is the grader's alone."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.sockets = [_listening(f"{prefix}-{port}") for port in (1, 2)]

    def fds(self) -> list[int]:
        """Their descriptors."""
        return [sock.fileno() for sock in self.sockets]

    def close(self) -> None:
        """Close this process's copies."""
        for sock in self.sockets:
            sock.close()

    def unlink(self) -> None:
        """Remove them from the folder."""
        for port in (1, 2):
            os.unlink(f"{self.prefix}-{port}")


def _listening(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(path)
    sock.listen(8)
    return sock


def connect(context: zmq.asyncio.Context, prefix: str) -> Client:
    """A client of the kernel that serves the sockets under ``prefix``."""
    client = Client(context=context, transport="ipc", ip=prefix, shell_port=1, iopub_port=2)
    client.session.key = b""  # the sockets are private; a signature would prove nothing more
    client.allow_stdin = False
    client.start()
    return client


class CellRunner(NotebookClient):  # type: ignore[misc]
    """nbclient, one cell at a time, on a client made elsewhere. ``reply`` is the last cell's execute reply."""

    def __init__(self, client: Client) -> None:
        super().__init__(NotebookNode(cells=[], metadata={}), km=None, allow_errors=True, timeout=None)
        self.kc = client
        self.reply: dict[str, Any] = {}
        self._waiting: asyncio.Task[Any] | None = None

    async def run(self, source: str) -> NotebookNode:
        """Run one cell to its end, whatever that is; its outputs are in the node returned."""
        cell = NotebookNode(cell_type="code", source=source, metadata={}, outputs=[], execution_count=None)
        self.nb.cells = [cell]
        self.reset_execution_trackers()
        try:
            await self.async_execute_cell(cell, 0, store_history=True)
        finally:
            if self._waiting is not None:
                self._waiting.cancel()
        return cell

    async def _async_poll_kernel_alive(self) -> None:
        """The job's init tells when a kernel dies; wait for nothing until nbclient cancels this."""
        self._waiting = asyncio.current_task()
        await asyncio.get_running_loop().create_future()

    async def _check_raise_for_error(self, cell: NotebookNode, cell_index: int, exec_reply: Any) -> None:
        self.reply = exec_reply or {}
