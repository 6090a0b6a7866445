"""Two submissions that come one after the other, or at the same time, never meet."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections import Counter
from pathlib import Path

import psutil
import pytest

from grader.kernel.host.pool import KernelPool
from grader.model import Execution
from tests.kernel.conftest import CONFINED, WORKING, Secret
from tests.kernel.laboratory import LIMITS, Laboratory, linear_job, verdicts, while_it_runs

_LEAVE = """
import ctypes, fcntl, os, socket, sys, tempfile, time, builtins, torch
for place in {places}:
    try:
        open(os.path.join(place, 'mark'), 'w').write('left')
    except OSError:
        pass
try:
    abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0grader-mark'); abstract.listen()
    named = socket.socket(socket.AF_UNIX)
    named.bind('mark.sock'); named.listen()
except PermissionError:
    pass  # no sockets but pairs, where names are the machine's
os.symlink('left', 'mark.link')
library = open(os.__file__)
fcntl.flock(library, fcntl.LOCK_EX)
fcntl.lockf(library, fcntl.LOCK_SH)
builtins.mark = torch.mark = os.environ['MARK'] = 'left'
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
print('left')
{wait}
"""
_FIND = """
import builtins, fcntl, os, socket, sqlite3, struct, sys, torch
def found(name, do):
    try:
        got = do()
    except (OSError, AttributeError, KeyError):
        return
    print('FOUND', name, got)
for place in {places}:
    found(place, lambda: open(os.path.join(place, 'mark')).read())
    found(place, lambda: [name for name in os.listdir(place) if 'mark' in name] or [][0:0] or os.environ['none'])
found('abstract', lambda: socket.socket(socket.AF_UNIX).connect('\\0grader-mark'))
found('builtins', lambda: builtins.mark)
found('torch', lambda: torch.mark)
found('environment', lambda: os.environ['MARK'])
def lock(kind):
    try:
        kind(open(os.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 'locked'
    raise OSError
def locked():
    asked = fcntl.fcntl(open(os.__file__), fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
    if struct.unpack_from('h', asked)[0] == fcntl.F_UNLCK:
        raise OSError
    return 'locked'
def remembered():
    try:
        return os.preadv(os.open(os.__file__, os.O_RDONLY), [bytearray(1)], 0, os.RWF_NOWAIT)
    except BlockingIOError as error:
        return error
found('pages', remembered)
found('flock', lambda: lock(fcntl.flock))
found('lockf', locked)
for mode in ('delete', 'wal'):  # which lock their own files
    with sqlite3.connect(mode) as data:
        data.execute('pragma journal_mode = ' + mode)
        data.execute('create table told (x)')
        data.execute('insert into told values (1)')
    assert sqlite3.connect(mode).execute('select x from told').fetchall() == [(1,)]
for number in range(100):
    found('link', lambda: os.readlink('../job-%d/mark.link' % number))
found('siblings', lambda: [name for name in os.listdir('..') if name != os.path.basename(os.getcwd())])
print('looked')
"""
_PLACES = "[os.getcwd(), tempfile.gettempdir(), '/tmp', '/dev/shm', '/var/tmp', '/job', '/job/tmp']"


@pytest.mark.parametrize("sandbox", CONFINED)
def test_consecutive_submissions_do_not_meet(laboratory: Laboratory, sandbox: str) -> None:
    leave = linear_job("leaves", _LEAVE.format(places=_PLACES, wait=""))
    find = linear_job("finds", "import os, tempfile\n" + _FIND.format(places=_PLACES))
    for job, printed in ((leave, "left\n"), (find, "looked\n")):
        (execution,) = laboratory.run(sandbox, job)
        assert execution.outputs == {0: printed}, execution.failures
        assert verdicts(execution) == ("exact", "exact")


@pytest.mark.parametrize("sandbox", CONFINED)
def test_concurrent_submissions_do_not_meet(laboratory: Laboratory, sandbox: str) -> None:
    leave = linear_job("leaves", _LEAVE.format(places=_PLACES, wait="time.sleep(2)"))
    find = linear_job("finds", "import os, tempfile, time\ntime.sleep(1)\n" + _FIND.format(places=_PLACES))
    left, looked = laboratory.run(sandbox, leave, find)

    assert left.outputs == {0: "left\n"}, left.failures
    assert looked.outputs == {0: "looked\n"}, looked.failures


_REACH = """
import os, resource, socket
def tried(do):
    try:
        do()
        return 'done'
    except OSError as error:
        return type(error).__name__
def connect():
    socket.socket(socket.AF_UNIX).connect({place!r})
print(tried(connect), tried(lambda: resource.prlimit(os.getppid() or 1, resource.RLIMIT_NOFILE, (0, 0))))
"""


_HELD = """
import os, stat
def kind(fd):
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return 'none'
    if stat.S_ISREG(mode):  # libffi keeps one of itself open, for its closures
        return 'none' if '/libffi.so.' in os.readlink('/proc/self/fd/%d' % fd) else 'other'
    return 'socket' if stat.S_ISSOCK(mode) else 'null' if stat.S_ISCHR(mode) else 'other'
print(*(kind(fd) for fd in range(1024) if kind(fd) != 'none'))
"""


@pytest.mark.parametrize("sandbox", CONFINED)
def test_a_kernel_holds_no_descriptor_but_its_own(laboratory: Laboratory, sandbox: str) -> None:
    neighbour = linear_job("neighbour", "import time\ntime.sleep(1)")
    looks = linear_job("looks", "import time\ntime.sleep(0.3)\n" + _HELD)
    _, looked = laboratory.run(sandbox, neighbour, looks)

    # Sockets: the init's orders, the shell, the output, and two by which asyncio wakes its own loop.
    assert Counter(looked.outputs[0].split()) == {"null": 3, "socket": 5}


_LOOKS = """
import ctypes, random, resource, struct
libc, capabilities = ctypes.CDLL(None), ctypes.create_string_buffer(b"x" * 24, 24)
libc.capget(struct.pack("Ii", 0x20080522, 0), capabilities)
print(random.random(), resource.getrlimit(resource.RLIMIT_CORE), any(capabilities.raw), libc.prctl(39, 0, 0, 0, 0))
"""


@pytest.mark.parametrize("sandbox", CONFINED)
def test_a_submission_starts_like_any_other_without_core_dumps_and_capabilities(
    laboratory: Laboratory, sandbox: str
) -> None:
    (execution,) = laboratory.run(sandbox, linear_job("looks", _LOOKS))
    assert execution.outputs == {0: "0.8444218515250481 (0, 0) False 1\n"}


def test_a_zygote_is_given_nothing_of_the_graders_environment(
    laboratory: Laboratory, sandbox: str, secret: Secret
) -> None:
    laboratory.run(sandbox, linear_job("first"))
    environment = Path(f"/proc/{laboratory.pool(sandbox).zygote.process.pid}/environ").read_bytes()
    assert b"GRADER_SCORING=1" in environment
    assert secret.text.encode() not in environment


@pytest.mark.parametrize("sandbox", CONFINED)
def test_neither_sockets_of_the_machine_nor_limits_of_others_are_in_reach(laboratory: Laboratory, sandbox: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        place = str(Path(folder, "s"))
        listener.bind(place)
        listener.listen()
        Path(folder).chmod(0o755)
        Path(place).chmod(0o777)
        (execution,) = laboratory.run(sandbox, linear_job("reaches", _REACH.format(place=place)))

    assert execution.outputs[0].split()[0] in {"FileNotFoundError", "PermissionError"}
    assert execution.outputs[0].split()[1] == "PermissionError"
    assert verdicts(execution) == ("exact", "exact")


def _first_of_namespaces(pool: KernelPool) -> set[int]:
    """The processes of a sandbox that are process 1 of a PID namespace below its own, and have no handler any more.

    The inits of jobs that are up are among them.
    """
    found = set()
    for process in psutil.Process(pool.zygote.process.pid).children(recursive=True):
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        if len(status["NSpid"]) > 2 and status["NSpid"][-1] == "1" and int(status["SigCgt"][0], 16) == 0:
            found.add(process.pid)
    return found


@pytest.mark.skipif("bwrap" not in WORKING, reason="bwrap does not work here")
def test_no_signal_that_a_kernel_could_send_ends_its_init(laboratory: Laboratory) -> None:
    """Landlock keeps them all from it, but not before Linux 6.12."""
    signals = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}  # which process 1 gets only from outside

    async def run() -> tuple[Execution, bool]:
        async with KernelPool("bwrap", LIMITS, jobs=1) as pool:
            await pool.ready()
            zygote, others = pool.zygote, _first_of_namespaces(pool)
            running = asyncio.ensure_future(pool.run(linear_job("goes on", "import time\ntime.sleep(2)\nprint('on')")))
            inits = await while_it_runs(running, lambda: _first_of_namespaces(pool) - others)
            for number in signals:
                os.kill(min(inits), number)
            return await running, pool.zygote is zygote

    execution, same = asyncio.run(run())
    assert execution.outputs == {0: "on\n"}
    assert verdicts(execution) == ("exact", "exact")
    assert same  # else the job was lost, and run again in another
