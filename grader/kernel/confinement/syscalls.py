"""The system calls that a filter of student code names (``seccomp``), by their numbers on each machine.

From the kernel's ``asm/unistd_64.h`` and ``asm-generic/unistd.h``; a test compares them where these are installed.
"""

from __future__ import annotations

#: Name → (number on x86_64, number on aarch64 or None where it has no such call).
NUMBERS: dict[str, tuple[int, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281), "socket": (41, 198), "socketpair": (53, 199),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274), "setpriority": (141, 140), "ioprio_set": (251, 30),
    # what two jobs could meet at, or reach others by
    "connect": (42, 203), "flock": (73, 32), "fcntl": (72, 25), "ioctl": (16, 29), "setsockopt": (54, 208),
    "inotify_init": (253, None), "inotify_init1": (294, 26),
    # SysV IPC, POSIX message queues
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "statmount": (457, 457), "listmount": (458, 458), "open_tree_attr": (467, 467),
    # keyrings
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # kernel interfaces: large, and no business of a notebook's
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "lookup_dcookie": (212, 18),
    # memory that no file limit counts, nor the watchdog: what is shared and in no process's page table
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mmap": (9, 222),
    # the same: pipes and sockets that hold a page, or a huge one, for each byte
    "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77), "sendfile": (40, 71),
    "landlock_add_rule": (445, 445),
    # descriptors in flight: files that no folder has and no process holds open
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # which pages of a file are in memory: whoever may read it can have them thrown out, and see which one another read
    "fadvise64": (221, 223), "readahead": (187, 213), "preadv2": (327, 286), "madvise": (28, 233),
    "mincore": (27, 232), "cachestat": (451, 451),
    # what is counted for the whole machine, or for all that its user runs: the grader too
    "io_setup": (206, 0), "epoll_create": (213, None), "epoll_create1": (291, 20),
    # attributes of files, which Landlock lets an owner change anywhere
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "file_setattr": (469, 469),
    # the machine
    "syslog": (103, 116), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
}  # fmt: skip
#: Machine → column of ``NUMBERS``, audit architecture.
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def numbers_on(machine: str) -> dict[str, int]:
    """The calls above that ``machine`` has, and their numbers there."""
    column = MACHINES[machine][0]
    return {name: found for name, numbers in NUMBERS.items() if (found := numbers[column]) is not None}
