"""The grader's side of running notebooks: it drives kernels and checks, and believes nothing that comes back.

``pool`` runs jobs, each a ``jobrun`` in the ``workplace``. A job's kernel gets its ``assets``; its cells are run by
``client`` (nbclient, over the sockets of ``listeners``), its ``checks`` in the order of ``schedule``, sent as
``checkorders`` with the ``programfiles`` of a run; the ``resultreader`` reads what comes back. ``sandbox`` says what
confines a run and how it starts, ``zygote_process`` starts it, ``initlink`` is the line to a job's init. ``doctor``
tells what of that works on this machine.
"""
