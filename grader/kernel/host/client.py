"""nbclient on a kernel of the job's init: it runs cells over two unix sockets that the grader itself put up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient
from nbclient.client import CellExecutionComplete
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from grader.kernel.deaths import ForgedMessage
from grader.kernel.protocol import zmtp
from grader.kernel.protocol.session import PlainSession
from grader.kernel.protocol.wire import OUTPUT_KEPT
from grader.kernel.protocol.zmtp import Connection


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a cell: the exception that ended it, if one did."""

    status: str = ""
    name: str = ""
    message: str = ""


class _Channel:
    """A channel of a kernel client, on a connection whose messages are capped."""

    def __init__(self, connection: Connection, session: PlainSession) -> None:
        self.connection = connection
        self.session = session

    def is_alive(self) -> bool:
        """Yes: that the kernel is dead, the job's init tells."""
        return True

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message of the Jupyter protocol."""
        self.connection.send(self.session.serialize(msg))

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message, however long that takes: the job keeps the time. Raises ``ForgedMessage``."""
        try:
            message = await self.connection.receive()
        except zmtp.ProtocolError as error:
            raise ForgedMessage(str(error)) from None
        except (EOFError, OSError):  # that the kernel is dead, and of what, the job's init tells
            await asyncio.get_running_loop().create_future()
            raise
        try:
            _, parts = self.session.feed_identities(message)
            return self.session.deserialize(parts)
        except (ValueError, LookupError, RecursionError) as error:
            raise ForgedMessage(f"{type(error).__name__}: {error}") from None

    def stop(self) -> None:
        """Close the connection."""
        self.connection.close()


class Client(AsyncKernelClient):  # type: ignore[misc]
    """A kernel client with the two channels (shell, iopub) that a graded notebook needs."""

    def __init__(self, shell: Connection, iopub: Connection) -> None:
        session = _session()
        super().__init__(session=session)
        self.allow_stdin = False
        self._shell_channel = _Channel(shell, session)
        self._iopub_channel = _Channel(iopub, session)

    def stop_channels(self) -> None:
        """Close both channels."""
        for channel in (self._shell_channel, self._iopub_channel):
            channel.stop()


@cache
def _session() -> PlainSession:
    """The session of all clients: nothing in it is a kernel's, and to make one takes a millisecond."""
    return PlainSession()


async def connect(prefix: str) -> Client:
    """A client of the kernel that serves the sockets under ``prefix``. Raises what ``zmtp.connect`` raises."""
    shell = await zmtp.connect(f"{prefix}-1", "DEALER")
    try:
        return Client(shell, await zmtp.connect(f"{prefix}-2", "SUB"))
    except BaseException:
        shell.close()
        raise


class CellRunner(NotebookClient):  # type: ignore[misc]
    """nbclient, one cell at a time, on a client made elsewhere. ``reply`` is that to the last cell.

    Of a cell's outputs only the printed text is kept, and of that the beginning. What goes on to nbclient is what an
    honest kernel could have sent, so whatever else than ``ForgedMessage`` is raised here is a fault of ours.
    """

    def __init__(self, client: Client) -> None:
        notebook = NotebookNode(cells=[], metadata={})
        super().__init__(notebook, km=None, allow_errors=True, timeout=None, record_timing=False)
        self.kc = client
        self._room = 0
        self.reply = Reply()
        self._waiting: asyncio.Task[Any] | None = None

    async def run(self, source: str) -> NotebookNode:
        """Run one cell to its end, whatever that is; its outputs are in the node returned. Raises ``ForgedMessage``."""
        cell = NotebookNode(cell_type="code", source=source, metadata={}, outputs=[], execution_count=None)
        self.nb.cells = [cell]
        self.reset_execution_trackers()
        self._room = OUTPUT_KEPT
        try:
            await self.async_execute_cell(cell, 0, store_history=True)
        except DeadKernelError:  # what nbclient takes each cancellation for
            raise asyncio.CancelledError from None
        finally:
            if self._waiting is not None:
                self._waiting.cancel()
        return cell

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> None:
        """Take one message about the cell; raises ``CellExecutionComplete`` at the last."""
        content = msg["content"]
        if msg["msg_type"] == "status" and content.get("execution_state") == "idle":
            raise CellExecutionComplete
        if msg["msg_type"] == "stream" and self._room > 0:
            text = _text(content, "text")[: self._room]
            self._room -= len(text)
            cell.outputs.append({"output_type": "stream", "text": text})

    async def _async_poll_kernel_alive(self) -> None:
        """The job's init tells when a kernel dies; wait for nothing until nbclient cancels this."""
        self._waiting = asyncio.current_task()
        await asyncio.get_running_loop().create_future()

    async def _check_raise_for_error(self, cell: NotebookNode, cell_index: int, exec_reply: Any) -> None:
        content = exec_reply["content"]
        self.reply = Reply(_text(content, "status"), _text(content, "ename"), _text(content, "evalue"))


def _text(content: Mapping[str, Any], name: str) -> str:
    """A text in a message's content, of Unicode alone, empty where there is none. Raises ``ForgedMessage``."""
    text = content.get(name, "")
    if not isinstance(text, str):
        raise ForgedMessage(f"{name} is no text")
    return text.encode("utf-8", "replace").decode()  # JSON has halves of surrogate pairs
