"""The trusted processes inside the sandbox: they fork kernels, keep their limits, and leave nothing of them behind.

``jobserver`` forks a ``jobinit`` for each job, which puts up its ``mounts``, keeps its ``jobclock``, stops and kills
its ``processes``, counts their ``usage`` (by ``procfs`` and ``backlog``) and drives each ``checkrun`` with its
``traps``. The ``zygote`` has imported everything, in ``hugepages``, and forks the kernels.
"""
