"""The filter of system calls: its numbers, and what a process under it can still do."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from grader.kernel.confinement import confine, landlock, seccomp, syscalls
from grader.kernel.supervisor import traps

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), 0),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), 1),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_those_of_the_headers(machine: str) -> None:
    header, column = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    defined = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    known = {name: int(number) for name, number in defined}
    assert len(syscalls.NUMBERS.keys() & known) > 90
    for name, numbers in syscalls.NUMBERS.items():
        if name in known:  # the newest calls are missing from older headers
            assert numbers[column] == known[name], name
    assert (seccomp._SECCOMP[machine], traps._EXIT_GROUP[machine]) == (known["seccomp"], known["exit_group"])
    everywhere = (confine._CLONE3, landlock._CREATE_RULESET, landlock._ADD_RULE, landlock._RESTRICT_SELF)
    assert everywhere == tuple(
        known[name] for name in ("clone3", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
    )


def test_filter_knows_the_calls_that_reach_the_system_itself() -> None:
    """Written out: what is refused is looked up in ``NUMBERS`` elsewhere, from which a name might be lost."""
    assert syscalls.NUMBERS.keys() >= {
        *("add_key", "bpf", "cachestat", "fanotify_init", "finit_module", "init_module", "io_uring_setup"),
        *("ioprio_set", "kexec_load", "keyctl", "memfd_secret", "mincore", "mount", "mount_setattr"),
        *("name_to_handle_at", "open_by_handle_at", "perf_event_open", "pidfd_getfd", "process_madvise"),
        *("process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "request_key", "setns", "syslog"),
        *("umount2", "unshare", "userfaultfd"),
    }


def verdict(
    machine: str, gate: seccomp.Gate, call: str | int, *arguments: int, apart: bool = True, audit: int = 0
) -> int:
    """What the filter of ``machine`` returns for a call: the instructions that it uses, carried out one by one."""
    number = call if isinstance(call, int) else syscalls.NUMBERS[call][syscalls.MACHINES[machine][0]]
    assert number is not None, f"{machine} has no {call}"
    words = {0: number, 4: audit or syscalls.MACHINES[machine][1]}
    words |= {16 + 8 * place: argument for place, argument in enumerate((*arguments, *[0] * 6)[:6])}
    steps = list(struct.iter_unpack("HBBI", seccomp.program(machine, gate, apart=apart)))
    at = loaded = 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        if code == 0x06:
            return int(value)
        if code in (0x20, 0x54):
            loaded = words[value] if code == 0x20 else loaded & value
        else:
            passes = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[code]
            at += then if passes else otherwise


ALLOW, ASK, KILL, NOTHING = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x50000
REFUSE, NO_CALL, NO_FAMILY = (NOTHING | number for number in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))
NOT_SUPPORTED, AT_LIMIT = NOTHING | errno.EOPNOTSUPP, NOTHING | errno.EAGAIN
STREAM, DATAGRAM, RAW, CLOEXEC = 1, 2, 3, 0o2000000


@pytest.mark.parametrize("machine", syscalls.MACHINES)
@pytest.mark.parametrize("gate", get_args(seccomp.Gate))
def test_filter_refuses_each_call_by_its_number_on_each_machine(gate: seccomp.Gate, machine: str) -> None:
    known = syscalls.numbers_on(machine)
    assert {verdict(machine, gate, call) for call in known if call not in seccomp._SPECIAL} == {REFUSE}
    assert {verdict(machine, gate, call) for call in seccomp._ATTRIBUTES if call in known} == {NOTHING}
    forks = {verdict(machine, gate, call) for call in ("fork", "vfork", "clone") if call in known}
    assert forks == {ASK if gate == "asked" else AT_LIMIT}
    assert verdict(machine, gate, 2000) == ALLOW
    assert verdict(machine, gate, 2000, audit=0x40000003) == KILL  # the calls of 32 bits
    assert verdict(machine, gate, 2000 | 0x40000000) == REFUSE


@pytest.mark.parametrize("machine", syscalls.MACHINES)
@pytest.mark.parametrize(
    ("call", "arguments", "asked", "refused"),
    [
        ("clone", (17,), ASK, AT_LIMIT),
        ("clone", (0x10F00,), ASK, ALLOW),  # a thread, which the kernel's own filter asks for
        *(("clone", (0x10000 | flag,), REFUSE, REFUSE) for flag in (0x8000, 0x20000, *(1 << n for n in range(25, 31)))),
        ("clone3", (), NO_CALL, NO_CALL),
        ("execve", (), ALLOW, REFUSE),
        ("execveat", (), ALLOW, REFUSE),
        ("flock", (), NOTHING, REFUSE),
        ("prlimit64", (0,), ALLOW, ALLOW),
        ("prlimit64", (1,), REFUSE, REFUSE),
        ("sched_setaffinity", (7,), REFUSE, REFUSE),
        ("fcntl", (3, 1), ALLOW, ALLOW),
        *(("fcntl", (3, lock), NOTHING, REFUSE) for lock in (6, 7, 37, 38)),
        *(("fcntl", (3, asks), ALLOW, REFUSE) for asks in (5, 36)),
        *(("fcntl", (3, lease), REFUSE, REFUSE) for lease in (1024, 1025, 1026)),
        ("fcntl", (3, 1031), REFUSE, REFUSE),
        ("fcntl", (3, 1032), ALLOW, ALLOW),
        ("ioctl", (3, 0x5401), ALLOW, ALLOW),
        ("ioctl", (3, 0x40086602), REFUSE, REFUSE),
        ("setsockopt", (3, 1, 2), ALLOW, ALLOW),
        *(("setsockopt", (3, 1, option), NOTHING, NOTHING) for option in (7, 8, 32, 33)),
        *((advice, (), NOTHING, NOTHING) for advice in ("fadvise64", "readahead")),
        *(("madvise", (0, 0, kind), REFUSE, REFUSE) for kind in (20, 21)),
        *(("madvise", (0, 0, kind), ALLOW, REFUSE) for kind in (4, 8, 9, 24)),
        ("madvise", (0, 0, 14), ALLOW, ALLOW),
        ("preadv2", (3, 0, 1, 0, 0, 0x10), ALLOW, ALLOW),
        ("preadv2", (3, 0, 1, 0, 0, 0x18), NOT_SUPPORTED, NOT_SUPPORTED),
        ("mmap", (0, 0, 0, 0x22), ALLOW, ALLOW),
        ("mmap", (0, 0, 0, 0x01), ALLOW, ALLOW),
        ("mmap", (0, 0, 0, 0x21), REFUSE, REFUSE),
        ("mmap", (0, 0, 0, 0x40021), REFUSE, REFUSE),
        ("sendmsg", (), ALLOW, ALLOW),
        *(
            (call, (family, kind | CLOEXEC), answer, answer)
            for call in ("socket", "socketpair")
            for family, kind, answer in (
                (socket.AF_UNIX, STREAM, ALLOW),
                (socket.AF_UNIX, DATAGRAM, REFUSE),
                (socket.AF_UNIX, RAW, REFUSE),
                (socket.AF_INET, STREAM, NO_FAMILY),
            )
        ),
    ],
)
def test_filter_looks_at_what_a_call_is_for(
    call: str, arguments: tuple[int, ...], asked: int, refused: int, machine: str
) -> None:
    assert verdict(machine, "asked", call, *arguments) == asked
    assert verdict(machine, "refused", call, *arguments) == refused


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_filter_refuses_what_reaches_others_sockets_where_files_are_the_machines_own(machine: str) -> None:
    for call, arguments in (("socket", (socket.AF_UNIX, STREAM)), ("connect", ())):
        assert verdict(machine, "asked", call, *arguments) == ALLOW
        assert verdict(machine, "asked", call, *arguments, apart=False) == REFUSE
    assert verdict(machine, "asked", "socketpair", socket.AF_UNIX, STREAM, apart=False) == ALLOW


@pytest.mark.parametrize(
    ("answers", "flags", "result"),
    [
        ([7], [40], 7),
        ([-errno.EINVAL, 7], [40, 8], 7),  # before Linux 5.19
        ([-errno.EINVAL, -errno.EINVAL], [40, 8], None),
        ([-errno.EPERM], [40], None),
    ],
)
def test_filter_that_the_system_refuses_is_an_error(
    answers: list[int], flags: list[int], result: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    class System:
        def syscall(self, number: int, operation: int, flag: int, program: object) -> int:
            tried.append(flag)
            return max(answers[len(tried) - 1], -1)

    monkeypatch.setattr(seccomp, "libc", System())
    monkeypatch.setattr(ctypes, "get_errno", lambda: -answers[len(tried) - 1])
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    if result is None:
        with pytest.raises(OSError, match="seccomp"):
            seccomp.install("asked")
    else:
        assert seccomp.install("asked") == result
    assert tried == flags


_PROGRAM = """
import ctypes, fcntl, os, resource, socket, sys, tempfile, threading
from grader.kernel.confinement import confine, seccomp
confine.drop_privileges()
file = tempfile.TemporaryFile()
gate = seccomp.install({processes!r}, apart={apart})
if gate is not None:
    socket.send_fds(socket.socket(fileno={fd}), [b"gate"], [gate])
def ok(do):
    try:
        do()
        return "ok"
    except OSError as error:
        return str(error.errno)
def fork():
    if os.fork() == 0:
        os._exit(0)
    os.wait()
def thread():
    t = threading.Thread(target=int); t.start(); t.join()
def limit(pid):
    resource.prlimit(pid, resource.RLIMIT_NOFILE)
def reach():
    socket.socket(socket.AF_UNIX).connect("/nowhere")
print(ok(fork), ok(thread), ok(lambda: os.posix_spawn("/bin/true", ["true"], {{}})),
      ok(lambda: socket.socketpair()), ok(lambda: socket.socket()), ok(lambda: os.memfd_create("x")),
      ok(lambda: limit(0)), ok(lambda: limit(os.getppid())), ok(lambda: os.sched_setaffinity(os.getppid(), [0])),
      ok(lambda: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1)), ok(lambda: fcntl.flock(file, fcntl.LOCK_SH)),
      ok(lambda: fcntl.fcntl(file, fcntl.F_GETFD)), ok(reach),
      ok(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)),
      ok(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)), ok(lambda: socket.socket(socket.AF_UNIX, 2)))
libc = ctypes.CDLL(None, use_errno=True)
def inotify():
    if libc.inotify_init1(0) < 0:
        raise OSError(ctypes.get_errno(), "")
def buffer():
    with socket.socketpair()[0] as sock:
        before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * before)
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == before
def mode():
    before = os.fstat(file.fileno())
    os.fchmod(file.fileno(), 0o777)
    os.utime(file.fileno(), (0, 0))
    return os.fstat(file.fileno()) == before
print(ok(lambda: os.setpriority(os.PRIO_PROCESS, 0, 0)), ok(inotify),
      ok(lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)),
      ok(lambda: fcntl.ioctl(file, 0x40086602, bytes(8))), buffer(), mode())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
@pytest.mark.parametrize(
    ("processes", "apart", "expected"),
    [
        ("asked", True, "ok ok ok ok 97 1  ok 1 1 ok ok ok 2 1 1 1"),
        ("refused", True, "11 ok 11 ok 97 1  ok 1 1 1 1 ok 2 1 1 1"),
        ("asked", False, "ok ok ok ok 1 1  ok 1 1 ok ok ok 1 1 1 1"),
    ],
)
def test_filter_refuses_what_it_names_and_lets_through_what_is_answered(
    processes: str, apart: bool, expected: str
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        code = _PROGRAM.format(processes=processes, apart=apart, fd=theirs.fileno())
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        if processes == "asked":
            (gate,) = socket.recv_fds(ours, 4, 1)[1]
            while child.poll() is None:
                if select.select([gate], [], [], 0.05)[0]:
                    _let_next_through(gate)
            os.close(gate)
        printed, _ = child.communicate(timeout=240)
    assert printed.split() == [*expected.split(), *["1", "1", "1", "1", "True", "True"]]


def _let_next_through(gate: int) -> None:
    asking = seccomp.asked(gate)
    if asking is not None:
        seccomp.let_through(gate, asking)


_INTERRUPTED = """
import os, signal, socket
from grader.kernel.confinement import confine, seccomp
confine.drop_privileges()
signal.signal(signal.SIGUSR1, lambda *_: None)  # which interrupts a system call and has it fail, as in dash
socket.send_fds(socket.socket(fileno={fd}), [b"gate"], [seccomp.install("asked")])
child = os.fork()
if child == 0:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
@pytest.mark.skipif(
    tuple(map(int, re.findall(r"\d+", platform.release())[:2])) < (5, 19), reason="signals interrupt who asks"
)
def test_a_signal_does_not_keep_from_forking_who_has_asked() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", _INTERRUPTED.format(fd=theirs.fileno())]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[theirs.fileno()])
        theirs.close()
        (gate,) = socket.recv_fds(ours, 4, 1)[1]
        asking = seccomp.asked(gate)
        assert asking is not None
        assert not asking.thread
        child.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        seccomp.let_through(gate, asking)
        while child.poll() is None:  # a fork that finds a signal begins again, and asks again
            if select.select([gate], [], [], 0.05)[0]:
                _let_next_through(gate)
        os.close(gate)
        printed, _ = child.communicate(timeout=240)
    assert printed == "7\n"


@pytest.mark.skipif(platform.machine() not in syscalls.MACHINES, reason="a machine whose numbers are unknown")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_who_keeps_descriptors_sends_words_alone() -> None:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            confine.drop_privileges()
            seccomp.keep_descriptors()
            theirs.send(b"word")
            try:
                socket.send_fds(theirs, [b"descriptor"], [0])
            except PermissionError:
                os._exit(0)
        finally:
            os._exit(1)
    with ours, theirs:
        assert os.waitpid(pid, 0)[1] == 0
        assert ours.recv(100) == b"word"
