"""Runs untrusted notebooks: warm kernels in a sandbox, checks in forks of them, tensors back.

What runs where, and on whose side it is:

``host``
    The grader's process: it drives the run and judges what comes back. It imports none of the next three.
``supervisor``
    Trusted processes inside the sandbox: the zygote, and above each kernel an init that keeps its limits.
``guest``
    The student's process: the kernel, and forks of it for checks.
``check``
    One check in whatever process it runs.
``confinement``
    What a process gives up before student code runs in it.
``protocol``
    What all of these say to one another.

For more than one side there are ``clock``, the time that a limit counts; ``deaths``, how a job or a call ends early;
``removal`` of folders that student code filled; ``warmth``, what a zygote imports ahead for the notebooks that need it.
Without a sandbox, ``local`` runs checks in the caller's own process or a fork of it, ``cold`` in a stock kernel.
"""
