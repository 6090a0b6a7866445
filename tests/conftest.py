"""Fixtures that cost something, made once a session: a real class, graded by the real pipeline."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import Any

# Before torch is imported here or in a process of a test: the tensors are small, tests run beside one another, and
# threads of two processes that wait for each other's cores cost a multiple.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest

from grader.batch import ScoreOptions, score_class
from grader.model import RunReport
from tests.answers import PATCHES, RIGHT, WRONG, Answer
from tests.samples import answered, hand_in

SEED = 20261125

# A script has Ctrl-C ignored in what it runs in the background, and so would all that the tests start have it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Where another environment is activated than the one whose pytest this is, IPython warns in every test of ``check()``;
# what is printed is as wide and as colourful as the others say.
for name in ("VIRTUAL_ENV", "COLUMNS", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(name, None)

# How long an example takes tells of the machine, and whoever runs the tests need not own the checkout.
hypothesis.settings.register_profile(
    "grader", deadline=None, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("grader")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n`` a file's tests go to one worker, so that what they share is made once; ``--dist`` overrides it."""
    if config.getvalue("dist") != "load":
        return None
    from tests.scheduling import ByFile

    return ByFile(config, log)


def pytest_collectstart() -> None:
    """Look for no garbage while the tests are made: nearly all of it stays. (With ``-n``, the workers make them.)"""
    gc.disable()


def pytest_collection_finish() -> None:
    """What stays to the end, thousands of tests and torch among it, is not to be walked in each search for garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, what takes longest comes first: no worker is to be left alone with it."""
    if hasattr(config, "workerinput"):
        from tests.scheduling import turn

        items.sort(key=lambda item: turn(item.nodeid))


def grade_folder(folder: Path, out: Path, **options: Any) -> RunReport:
    """Grade a folder with a fixed seed in the best sandbox that works here."""
    settings: dict[str, Any] = {"seed": SEED, "jobs": 2, **options}
    return score_class(ScoreOptions(paths=(folder,), out=out, **settings))


def _student(kind: str, answer: Answer) -> str:
    return f"{kind}-{answer.id}"


@pytest.fixture(scope="session")
def graded_answers(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """Every row of ``answers.toml``, and the patched notebooks, as one class."""
    from grader.model import Limits

    folder = tmp_path_factory.mktemp("answers")
    for kind, answers in (("right", RIGHT), ("wrong", WRONG)):
        for answer in answers:
            text = answered(answer.cells, answer.notebook, before=answer.before)
            hand_in(folder, {_student(kind, answer): text}, answer.notebook)
    wrong = {"lin_grad": "def lin_grad(inp, out, w, b):\n    inp.g, w.g, b.g = inp * 0, w * 0, b * 0\n"}
    hand_in(folder, {f"patch-{name}": answered(wrong, before=cell) for name, cell in PATCHES.items()})
    return grade_folder(folder, tmp_path_factory.mktemp("grades"), limits=Limits(check_s=2))
