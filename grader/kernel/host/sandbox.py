"""What confines a run: bubblewrap, Landlock, or nothing; which works here, and how the zygote starts in each."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import re
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import grader
from grader.errors import SandboxUnavailable
from grader.kernel.confinement import landlock
from grader.machine import pip_install, remedy_of_shortage
from grader.model import Sandbox

#: Every sandbox, best first.
SANDBOXES: tuple[str, ...] = get_args(Sandbox)
#: The first Linux that lets a process enter the namespaces of another by its descriptor (see ``confine.fork_into``).
_ENTERS = (5, 8)
#: Seconds for bubblewrap to start a program, which takes it a hundredth of one.
_PROBE_S = 20.0
#: Where the C library reads whether it may ask for huge pages.
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage"
#: What a virtual environment is made of, and where in other prefixes somebody's own files may be.
_OF_A_VENV = ("bin", "etc", "include", "lib", "lib64", "pyvenv.cfg", "share")
_OWN = ("src", "local/src")
#: The remedy that is left where no sandbox works.
_UNCONFINED = "--sandbox none, for code that you trust"

#: What runs in the sandbox: the grader's package is found by its folder, which does not stay on the path.
_BOOT = """
import sys
home = sys.argv[1]
known = home in sys.path
sys.path.insert(0, home)
from grader.kernel.supervisor import jobserver
if not known: sys.path.remove(home)
sys.path += [folder for folder in sys.argv[2].split(":") if folder not in sys.path]
jobserver.main()
"""


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """Whether a sandbox works on this machine; ``reason`` why not, ``remedy`` the command that mends it.

    ``passing`` is a reason of the moment: the next run may find that it works.
    """

    name: Sandbox
    works: bool
    reason: str = ""
    remedy: str = ""
    passing: bool = False


def choose_sandbox(asked: str | None = None) -> Sandbox:
    """The sandbox to use: the one asked for, else the best that works; never ``none`` unless asked.

    No weaker one takes the place of one that only now does not work, or a class would be graded in either by chance.

    Raises ``SandboxUnavailable``, with what mends it, when the one asked for (or every one) does not work.
    """
    if asked == "none":
        return "none"
    statuses = available_sandboxes()
    for status in statuses:
        if status.works and status.name == (asked or status.name) and status.name != "none":
            return status.name
        if status.passing and asked is None:
            break
    refused = [status for status in statuses if status.name == (asked or status.name) and not status.works]
    if not refused:
        raise SandboxUnavailable(f"there is no sandbox {asked!r}", remedy=f"choose one of {', '.join(SANDBOXES)}")
    remedies = [status.remedy for status in refused if status.remedy]
    other = next((status.name for status in statuses if status.works), "none")
    weaker = ", the weaker one" if other == "landlock" else ""
    remedies.append(_UNCONFINED if other == "none" else f"--sandbox {other}{weaker}, which works here")
    raise SandboxUnavailable(
        "; ".join(f"{status.name} does not work here: {status.reason}" for status in refused),
        remedy="\n  or: ".join(remedies),
    )


@functools.cache
def available_sandboxes() -> tuple[SandboxStatus, ...]:
    """Every sandbox with whether it works here, best first. Tries each for real, once a process."""
    return (_bwrap_status(), _landlock_status(), SandboxStatus("none", works=True))


def _bwrap_status() -> SandboxStatus:
    if not sys.platform.startswith("linux"):
        return SandboxStatus("bwrap", False, "bubblewrap needs Linux", "grade in a Linux container or virtual machine")
    if shutil.which("bwrap") is None:
        return SandboxStatus("bwrap", False, "bubblewrap is not installed", "sudo apt-get install bubblewrap")
    release = platform.release()
    if tuple(map(int, re.findall(r"\d+", release)[:2])) < _ENTERS:
        return SandboxStatus("bwrap", False, f"Linux {release} is too old", "boot Linux 5.8 or newer")
    probe = [*bwrap_command(), "--", "/bin/sh", "-c", "exit 0"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=_PROBE_S, check=False)
    except subprocess.TimeoutExpired:
        reason, remedy = f"it did not start within {_PROBE_S:g} s", "run the same command again on a less busy machine"
        return SandboxStatus("bwrap", False, reason, remedy, passing=True)
    except OSError as error:
        shortage = remedy_of_shortage(error)
        remedy = shortage or "reinstall bubblewrap"
        return SandboxStatus("bwrap", False, error.strerror or str(error), remedy, passing=bool(shortage))
    if done.returncode == 0:
        return SandboxStatus("bwrap", True)
    message = (done.stderr.strip().splitlines() or ["it failed without a message"])[-1]
    return SandboxStatus("bwrap", False, message, _bwrap_remedy(message))


def _bwrap_remedy(message: str) -> str:
    if "disable-userns" in message or "Unknown option" in message:
        return "install bubblewrap 0.8 or newer (Debian 12, Ubuntu 23.04)"
    if _is_restricted():
        return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0  (Ubuntu 24.04 and its hosted runners)"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "start the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    return "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000"


def _is_restricted() -> bool:
    """Whether AppArmor lets nobody but root make user namespaces."""
    try:
        return Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").read_text().strip() == "1"
    except OSError:
        return False


def _landlock_status() -> SandboxStatus:
    if not sys.platform.startswith("linux"):
        return SandboxStatus("landlock", False, "Landlock needs Linux", "")
    if importlib.util.find_spec("sandlock") is None:
        return SandboxStatus("landlock", False, "the package sandlock is not installed", pip_install("sandlock"))
    if not os.path.exists("/proc/self/fd"):  # by which a job's processes are counted, and files handed over
        return SandboxStatus("landlock", False, "there is no /proc", "sudo mount -t proc proc /proc")
    abi = landlock.abi()
    if abi >= landlock.SCOPES:
        return SandboxStatus("landlock", True)
    reason = f"the kernel has Landlock ABI {abi}, signals need 6 (Linux 6.12)" if abi else "the kernel has no Landlock"
    return SandboxStatus("landlock", False, reason, "boot Linux 6.12 or newer with lsm=landlock,… in its command line")


# -------------------------------------------------------------------------------------------- starting


def package_home() -> str:
    """The folder that holds the package ``grader``."""
    return str(Path(grader.__file__).resolve().parent.parent)


def interpreter() -> str:
    """The path of this interpreter without the ``..`` of ``../venv/bin/python``, whose way a sandbox does not have."""
    return os.path.normpath(sys.executable)


def package_folders() -> tuple[str, ...]:
    """Where packages are installed for this interpreter, by itself or for it.

    Includes the per-user folder (``pip install --user``), which Python ignores in the sandbox, and the parent of a
    layered environment (``uv run --with``).
    """
    named = (place for place in sys.path if os.path.basename(place) in ("site-packages", "dist-packages"))
    return tuple(dict.fromkeys(os.path.normpath(place) for place in (*site.getsitepackages(), *named)))


def readable() -> tuple[str, ...]:
    """What a kernel may read: the interpreter, its packages, the grader's package, system libraries and programs.

    Of a prefix only what is installed there: submissions, grades and solutions may lie beside it, where a course's
    folder was made a virtual environment, or stands in ``/usr/src``.
    """
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, "/usr/local", "/usr"]
    places = [os.path.normpath(place) for prefix in prefixes for place in _installed(prefix)]
    places += [os.path.normpath(place) for place in (*package_folders(), os.path.dirname(os.__file__))]
    places += [str(Path(grader.__file__).resolve().parent), interpreter(), str(Path(sys.executable).resolve())]
    places += ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"]
    below = tuple(f"{place}/" for place in places)
    return tuple(dict.fromkeys(p for p in places if os.path.exists(p) and not p.startswith(below)))


def _installed(prefix: str) -> list[str]:
    if os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
        return [os.path.join(prefix, name) for name in _OF_A_VENV]
    if not any(_listed(os.path.join(prefix, name)) for name in _OWN):
        return [prefix]  # for each place has its price, in every kernel
    return [os.path.join(prefix, name) for name in _listed(prefix) if name not in ("src", "local")]


def _listed(folder: str) -> list[str]:
    """The names in a folder; none where it cannot be read, as then a kernel cannot either."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def bwrap_command() -> list[str]:
    """The ``bwrap`` command line up to the program to run."""
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--uid", "1000", "--gid", "1000", "--hostname", "grader"]
    # What starts jobs keeps three capabilities, inside its own user namespace: to give each job namespaces of its own,
    # to fork kernels into them, and to set traps in checks. A kernel gives them up before student code runs.
    command += ["--cap-drop", "ALL"]
    for kept in ("CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE"):
        command += ["--cap-add", kept]
    command += ["--disable-userns"]
    command += ["--new-session", "--die-with-parent", "--clearenv"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/job"]
    command += ["--ro-bind-try", _HUGE_PAGES, _HUGE_PAGES]
    for place in readable():
        linked = os.path.islink(place) and os.path.isdir(place)
        command += ["--symlink", os.readlink(place), place] if linked else ["--ro-bind", place, place]
    # Without Landlock nothing else keeps a kernel from writing there, uncounted, what the next one finds.
    command += ["--remount-ro", "/", "--remount-ro", "/dev"]
    for name, value in zygote_environment().items():
        command += ["--setenv", name, value]
    return [*command, "--chdir", "/"]


def zygote_environment() -> dict[str, str]:
    """The environment of the zygote: nothing of the grader's."""
    # With it most of the heap lies in huge pages from the first (``hugepages``). Not for kernels: each small program
    # that a notebook starts would take 2 MB.
    return {**_environment(), "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def kernel_environment() -> dict[str, str]:
    """The environment of a kernel, but for ``HOME`` and ``TMPDIR``, which are its job folder's."""
    return {
        **_environment(),
        "MPLBACKEND": "Agg",
        "PYTHONBREAKPOINT": "0",  # as in a stock kernel, where debugpy lets it pass while no debugger is attached
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def _environment() -> dict[str, str]:
    return {
        "PATH": f"{Path(interpreter()).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GRADER_SCORING": "1",
    }


def zygote_command(sandbox: Sandbox, fd: int) -> list[str]:
    """The command line of a zygote in ``sandbox`` that speaks over descriptor ``fd`` (``supervisor.jobserver``)."""
    python = [interpreter(), "-s", "-P", "-c", _BOOT, package_home(), ":".join(package_folders()), sandbox, str(fd)]
    return [*bwrap_command(), "--", *python] if sandbox == "bwrap" else python
