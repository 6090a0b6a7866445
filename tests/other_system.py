"""A system that lacks what Linux has, as the grader sees it: put on the path as ``sitecustomize``, for every process.

Its own imports alone are answered so, for libraries ask as well, and would do what only works on the other system.
"""

import builtins
import os
import sys
from types import ModuleType

#: System → what its Python has not: modules, and names of modules. From the pages of the standard library.
LACKS: dict[str, dict[str, tuple[str, ...]]] = {
    "darwin": {"": ("sandlock",)},
    "win32": {"": ("sandlock", "fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")},
}
_LINUX_ALONE = {
    "os": "memfd_create eventfd pidfd_open unshare setns sched_getaffinity sched_setaffinity splice O_PATH O_TMPFILE "
    "MFD_CLOEXEC MFD_ALLOW_SEALING CLONE_NEWPID posix_fallocate posix_fadvise copy_file_range getxattr setxattr pipe2",
    "socket": "AF_NETLINK SO_PASSCRED SCM_CREDENTIALS SOCK_CLOEXEC SOCK_NONBLOCK MSG_CMSG_CLOEXEC",
    "select": "epoll EPOLLIN",
    "signal": "sigtimedwait sigwaitinfo SIGRTMIN SIGRTMAX pidfd_send_signal",
}
_UNIX_ALONE = {
    "os": "fork forkpty register_at_fork O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_NOCTTY O_DIRECTORY O_SYNC getuid geteuid "
    "getgid getegid setuid setgid getpgid setpgid getpgrp setsid killpg wait waitid wait3 wait4 WNOHANG WIFEXITED "
    "WEXITSTATUS WIFSIGNALED WTERMSIG pread pwrite preadv pwritev sendfile mkfifo mknod uname statvfs fstatvfs chown "
    "fchown lchown chroot nice getpriority setpriority getloadavg confstr sysconf openpty fchdir fdatasync lockf",
    "socket": "AF_UNIX CMSG_SPACE CMSG_LEN SCM_RIGHTS recv_fds send_fds",
    "select": "poll POLLIN POLLOUT",
    "signal": "SIGKILL SIGSTOP SIGCONT SIGALRM SIGHUP SIGUSR1 SIGUSR2 SIGPIPE SIGCHLD SIGQUIT setitimer getitimer "
    "ITIMER_REAL alarm pause pthread_sigmask pthread_kill sigwait siginterrupt SIG_BLOCK SIG_UNBLOCK SIG_SETMASK",
    "time": "clock_gettime clock_settime CLOCK_MONOTONIC tzset",
}
for name, names in _LINUX_ALONE.items():
    LACKS["darwin"][name] = LACKS["win32"][name] = tuple(names.split())
for name, names in _UNIX_ALONE.items():
    LACKS["win32"][name] = (*LACKS["win32"].get(name, ()), *names.split())


class View(ModuleType):
    """A module without some of its names, and with others in their place."""

    _module: ModuleType
    _lacks: tuple[str, ...]

    def __init__(self, module: ModuleType, lacks: tuple[str, ...], instead: dict[str, str]) -> None:
        super().__init__(module.__name__)
        # What is in ``sys`` changes; of others some ask by ``vars``.
        here = {} if module is sys else {name: value for name, value in vars(module).items() if name not in lacks}
        vars(self).update(here, _module=module, _lacks=lacks, **instead)

    def __getattr__(self, name: str) -> object:
        if name in self._lacks:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: object) -> None:
        if self._module is not sys:
            vars(self)[name] = value
        setattr(self._module, name, value)


def put_up(system: str) -> None:
    """Have the grader's imports answered as ``system`` would, from now on."""
    lacks, whole = LACKS[system], builtins.__import__
    views: dict[str, View] = {}
    instead = {"sys": {"platform": system}, "os": {"name": "nt" if system == "win32" else "posix"}}

    def answer(name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002
        if level == 0 and str((globals or {}).get("__name__")).split(".")[0] == "grader":
            if name in lacks[""]:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in lacks or name in instead:
                if name not in views:
                    views[name] = View(whole(name), lacks.get(name, ()), instead.get(name, {}))
                return views[name]
        return whole(name, globals, locals, fromlist, level)

    builtins.__import__ = answer


if "GRADER_TEST_SYSTEM" in os.environ:
    put_up(os.environ["GRADER_TEST_SYSTEM"])
