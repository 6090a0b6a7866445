"""What a process gives up for good, by the system's own means, before student code runs in it.

``confine`` takes away capabilities, limits, and by ``landlock`` and ``seccomp`` (of ``syscalls``) files, signals and
system calls; all by way of ``libc``.
"""
