"""What a job in bwrap sees of files, put together by its init in a mount namespace of the job's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from grader.kernel.confinement import confine
from grader.kernel.supervisor.usage import MOST_FILES

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import JobSpec


#: Where the files lie that a job has in ``/tmp`` and ``/dev/shm``.
SHARED = ("/job/tmp", "/job/shm")


def put_private_files(message: JobSpec) -> None:
    """Mount one private file system for ``/job``, ``/tmp`` and ``/dev/shm`` together."""
    flags = confine.MS_NOSUID | confine.MS_NODEV
    written = max(message["limits"]["written"], 4096)
    confine.mount("tmpfs", "/job", "tmpfs", flags, f"size={written},mode=0755,nr_inodes={MOST_FILES}")
    for place, target in zip(SHARED, ("/tmp", "/dev/shm"), strict=True):
        os.mkdir(place, 0o700)
        if target in message["write"]:
            confine.mount(place, target, "", confine.MS_BIND)
        else:  # it holds what the kernel reads
            confine.mount("", target, "", flags | confine.MS_REMOUNT | confine.MS_BIND | confine.MS_RDONLY)


def cover(places: list[str]) -> None:
    """Put an empty folder, or an empty file, over each of ``places`` that is there."""
    for place in filter(os.path.exists, places):
        os.makedirs("/job/empty", 0o755, exist_ok=True)
        confine.mount("/job/empty" if os.path.isdir(place) else "/dev/null", place, "", confine.MS_BIND)


def hide_processes() -> None:
    """Put a folder of three harmless files over ``/proc``: of the init's view of it a descriptor is left."""
    os.mkdir("/job/proc", 0o755)
    confine.mount("tmpfs", "/job/proc", "tmpfs", confine.MS_NOSUID | confine.MS_NODEV | confine.MS_NOEXEC, "size=4k")
    for name in ("cpuinfo", "meminfo", "stat"):
        os.close(os.open(f"/job/proc/{name}", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))
        confine.mount(f"/proc/{name}", f"/job/proc/{name}", "", confine.MS_BIND)
    confine.mount("/job/proc", "/proc", "", confine.MS_BIND | confine.MS_REC)
