"""A zygote with its job server, from the grader's side: started in the sandbox, spoken to, ended with all below it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING

from grader.errors import KernelError
from grader.kernel.deaths import REMEDY
from grader.kernel.host import sandbox as sandboxes
from grader.kernel.protocol import wire

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import JobSpec
    from grader.model import Sandbox

#: Seconds to import torch, which a busy machine may take long for; that it died is seen at once.
_READY_S = 600.0
#: Bytes of what it said that are kept where it did not come up.
_TOLD = 10_000
#: What to do where it lacks a library that the grader has: ``sandbox.package_folders`` are all that it finds any in.
_PACKAGES = (
    "install it for this Python, in a new virtual environment: of what PYTHONPATH names, a kernel finds only folders "
    "called site-packages or dist-packages"
)


class Zygote:
    """A zygote, and the job server that is spoken to in its place (``grader.kernel.supervisor.jobserver``)."""

    def __init__(self, sandbox: Sandbox, folder: str) -> None:
        ours, theirs = wire.pair()
        with theirs:
            command = sandboxes.zygote_command(sandbox, theirs.fileno())
            self.log = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - as long as the process
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
                env={**sandboxes.zygote_environment(), "PATH": os.environ.get("PATH", os.defpath), "HOME": folder},
                cwd="/",
                start_new_session=True,
            )
        ours.setblocking(False)
        self.sock: socket.socket = ours
        self._warm = False
        self.jobs = 0  # that run in it now

    async def wait(self) -> None:
        """Wait until it is warm. Raises ``KernelError`` when it does not come up."""
        if self._warm:
            return
        loop = asyncio.get_running_loop()
        try:
            data = await asyncio.wait_for(loop.sock_recv(self.sock, wire.LARGEST), _READY_S)
            wire.parse(data)
            self._warm = True
        except (wire.Closed, OSError, TimeoutError):
            words = self.last_words()
            last = words.splitlines()[-1] if words else "it said nothing"
            remedy = _PACKAGES if last.startswith("ModuleNotFoundError") else REMEDY
            failed = KernelError(f"the zygote did not come up: {last}", remedy=remedy)
            failed.add_note(words or last)  # for the log of the run
            raise failed from None

    def last_words(self) -> str:
        """The end of what it said; its processes may write on meanwhile."""
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), _TOLD, max(0, size - _TOLD)).decode("utf-8", "replace").strip()

    def spawn(self, message: JobSpec, fd: int) -> None:
        """Have a job forked that speaks over ``fd``; raises ``wire.Closed`` when the zygote is gone."""
        wire.send(self.sock, message, [fd])

    def close(self) -> None:
        """End it and everything below it."""
        self.sock.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
