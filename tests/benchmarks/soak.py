"""A long run with hostile submissions: ``python -m tests.benchmarks.soak [--submissions 300] [--hostile-every 10]``.

Every attack of ``tests.kernel.hostile`` takes its turn, before the stubs of an otherwise honest notebook. Printed are
the memory and the open files of the grader on the way; it fails when an entry is missing, an honest score is not
exactly that of the same notebook in a class of honest ones, the secret that was planted shows up anywhere in what the
run left, or a process or a folder stays behind.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from grader.batch import Observer, ScoreOptions, score_class
from grader.kernel.host.sandbox import choose_sandbox
from grader.model import RunReport
from tests.benchmarks.classroom import NOTEBOOK, cells_of
from tests.benchmarks.contestants import resident, tree_of
from tests.kernel.hostile import Hostile, filled, table
from tests.kernel.laboratory import SHORT
from tests.samples import code_cell, hand_in, notebook_of

#: Notebooks after which the answers of ``classroom`` repeat.
_PERIOD = 15
#: Submissions between two marks.
_STEP = 50


def notebook(student: int, attack: Hostile | None) -> str:
    """The notebook of one student; an attack goes before the first stub, and its own stub behind the last cell."""
    cells = list(cells_of(student))
    if attack is not None:
        cells.insert(3, (None, attack.cell))
        cells.append((None, attack.answer))
    return notebook_of(*(code_cell(f"cell-{at}", source, name) for at, (name, source) in enumerate(cells)))


def grade(folder: Path, out: Path) -> RunReport:
    """Grade ``folder`` in the best sandbox, and print every so often what the grader itself uses."""
    done = 0

    def finished(*_: object) -> None:
        nonlocal done
        done += 1
        if done % _STEP == 0:
            files = len(list(Path("/proc/self/fd").iterdir()))
            print(f"{done:>5}  {resident():7.1f} MB  {files:>4} open files", flush=True)

    sandbox = choose_sandbox(os.environ.get("SANDBOX"))
    return score_class(
        ScoreOptions((folder,), out, seed=1, jobs=os.cpu_count() or 1, sandbox=sandbox, limits=SHORT),
        Observer(finished=finished),
    )


def soak(place: Path, submissions: int, every: int) -> list[str]:
    """Run it below ``place``; what is wrong, line by line."""
    secret = place / "secret"
    secret.write_text(f"SECRET-{secrets.token_hex(16)}", encoding="ascii")
    victim = subprocess.Popen(["sleep", "36000"], start_new_session=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        attacks = [
            filled(row, secret, listener.getsockname()[1], victim.pid)
            for row in table(choose_sandbox(os.environ.get("SANDBOX")), True)
        ]
        hostile = {number: attacks[number // every % len(attacks)] for number in range(0, submissions, every)}
        texts = {f"s{number:04}": notebook(number, hostile.get(number)) for number in range(submissions)}
        honest = {f"s{number:04}": notebook(number, None) for number in range(_PERIOD)}
        alone = grade(hand_in(place / "honest", honest, NOTEBOOK), place / "alone")
        before = set(tree_of(os.getpid())) | {victim.pid}
        run = grade(hand_in(place / "class", texts, NOTEBOOK), place / "out")
        wrong = []
        listener.setblocking(False)
        try:
            listener.accept()
            wrong.append("somebody reached the port of the grader's machine")
        except BlockingIOError:
            pass
    if victim.poll() is not None:
        wrong.append("a process outside was killed")
    victim.kill()
    victim.wait()
    expected = [one.score for one in alone.submissions]
    found = {one.student: one for one in run.submissions}
    wrong += [f"{student} has no entry" for student in texts if student not in found]
    for number in range(submissions):
        one = found.get(f"s{number:04}")
        if (
            one is not None
            and number not in hostile
            and (one.status, one.score) != ("graded", expected[number % _PERIOD])
        ):
            wrong.append(f"{one.student}, honest: {one.status}, {one.score} instead of {expected[number % _PERIOD]}")
    text = secret.read_text(encoding="ascii")
    wrong += [f"the secret is in {path}" for path in (place / "out").rglob("*") if _holds(path, text)]
    wrong += [f"a process is left: {pid}" for pid in set(tree_of(os.getpid())) - before]
    print(f"hostile: {dict(Counter(found[f's{number:04}'].status for number in hostile))}")
    print(f"honest: {submissions - len(hostile)}, each to have the score it has in a class of honest ones")
    return wrong


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()


def main() -> int:
    """Run, print; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=300)
    parser.add_argument("--hostile-every", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        wrong = soak(Path(place), options.submissions, options.hostile_every)
    print("\n".join(wrong) if wrong else "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
