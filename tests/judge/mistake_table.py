"""Prints, by code of the diagnosis, how the catalogue and the written mistakes fare.

Run it with ``python -m tests.judge.mistake_table``. A mutant is a mistake put into one check, or a written wrong
answer. It is *right* if a failing check has its code, *general* if all have general codes, *wrong* otherwise.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator

import torch

from grader.course.proving.answers import answers_to
from grader.course.proving.mistakes import MISTAKES
from grader.course.proving.rehearsal import Rehearsal
from grader.course.proving.trial import Trial
from grader.judge.diagnosis.table import diagnose
from grader.model import Exercise
from tests.course.proving.test_mistakes import EXERCISES, applies
from tests.judge.builders import GENERAL, ROOT, SEED, by_mistakes, cases, codes, course, diagnosed


def catalogued(exercise: Exercise) -> Iterator[tuple[str, set[str], str]]:
    for mistake in MISTAKES:
        for check in exercise.checks:
            if check not in exercise.raises and applies(mistake, exercise, check):
                found = codes(diagnosed(exercise, {check: by_mistakes(check, mistake)}))
                yield mistake.code, {found.get(check, "none")}, f"{exercise.id} {check} {mistake.id}"


def written(exercise: Exercise) -> Iterator[tuple[str, set[str], str]]:
    prepared = cases(exercise, SEED)
    trial = Trial(Rehearsal(exercise, prepared), answers_to(exercise, ROOT / "solutions", course()))
    for specimen in trial.answers.mistakes:
        found = codes(diagnose(trial.specimen(specimen)))
        yield specimen.code or "", set(found.values()), f"{exercise.id} {specimen.name}"


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for exercise in EXERCISES:
        for code, found, name in (*catalogued(exercise), *written(exercise)):
            verdict = "right" if code in found else "general" if found <= GENERAL else "wrong"
            rows[code].append((verdict, exercise.id))
            if verdict != "right":
                print(f"  {verdict}: {name} is called {', '.join(sorted(found)) or 'nothing'}, not {code}")
    print(f"{'code':28}{'mutants':>8}{'exercises':>10}{'right':>7}{'general':>8}{'wrong':>7}")
    for code, seen in sorted(rows.items()):
        verdicts = [verdict for verdict, _ in seen]
        counts = (
            len(seen),
            len({name for _, name in seen}),
            *(verdicts.count(v) for v in ("right", "general", "wrong")),
        )
        print(f"{code:28}{counts[0]:>8}{counts[1]:>10}{counts[2]:>7}{counts[3]:>8}{counts[4]:>7}")


if __name__ == "__main__":
    main()
