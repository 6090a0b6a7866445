"""The student's process: a kernel that has given up every right it does not need. Nothing in here is believed.

``guest`` is the kernel: ipykernel with a ``shell``, ``outputs`` and ``channel`` of ours. In it ``harness`` forks each
check, and ``surroundings`` are put back for the next one.
"""
