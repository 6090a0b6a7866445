"""The process that forks the inits of jobs, by itself."""

from __future__ import annotations

import errno
from typing import cast

import pytest

from grader.kernel.protocol import wire
from grader.kernel.protocol.messages import JobSpec
from grader.kernel.supervisor import jobinit
from grader.kernel.supervisor.jobserver import JobServer


def test_a_job_that_the_system_has_no_room_for_is_lost_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(job: JobSpec) -> int:
        raise OSError(errno.EAGAIN, "no room")

    monkeypatch.setattr(jobinit, "fork", refused)
    pool, ours = wire.pair()
    grader, init = wire.pair()
    with pool, ours, grader:
        server = JobServer(pool)
        server.fork(cast("JobSpec", {}), [init.detach()])  # which nobody comes to read
        assert server.jobs == set()
        with pytest.raises(wire.Closed):
            wire.receive(grader)
