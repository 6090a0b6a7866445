"""The trusted processes inside the sandbox: they fork kernels, keep their limits, and leave nothing of them behind.

``jobserver`` forks a ``jobinit`` for each job, which puts up its ``mounts`` and drives each ``checkrun``, in
``checkfork`` s with ``traps``. ``jobwatch`` keeps a job's ``jobclock``, stops and kills its ``processes`` and counts
their ``usage`` (by ``procfs`` and ``backlog``). The ``zygote`` has imported everything, in ``hugepages``, and forks the
kernels.
"""
