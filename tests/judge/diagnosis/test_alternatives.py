from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from grader.judge.cases import Prepared, prepare
from grader.judge.diagnosis import alternatives
from grader.judge.diagnosis.alternatives import Alternatives, alternatives_of
from grader.judge.diagnosis.table import diagnose
from grader.judge.evidence import Evidence, gather
from grader.judge.reference import reference_for
from grader.recent import Recent
from tests.judge.builders import SEED, cases, changed_runs, codes, evidence_of, linear


def _of_ones(one: Prepared, right: Tensor) -> Tensor:
    assert one.case.upstream is not None
    upstream = torch.ones_like(one.case.upstream)
    return reference_for(linear, one.case.inputs, one.case.constants, upstream)["w.g"]


def _wrong(change) -> Evidence:
    return evidence_of(linear, changed_runs(linear, {"w.g": change}))


def test_two_wrong_answers_share_what_follows_from_the_cases(monkeypatch):
    calls = []

    def noted(*args):
        calls.append(args)
        return reference_for(*args)

    monkeypatch.setattr(alternatives, "reference_for", noted)
    monkeypatch.setattr(alternatives, "_known", Recent(2))

    first = diagnose(_wrong(lambda _, right: right.abs() + 3))
    made = len(calls)
    second = diagnose(_wrong(lambda _, right: right.abs() + 4))

    assert made > 0
    assert len(calls) == made
    assert codes(first) == codes(second) == {"w.g": "wrong_value"}


def test_what_one_answer_was_called_says_nothing_of_the_next():
    assert codes(diagnose(_wrong(_of_ones))) == {"w.g": "upstream_ignored"}
    assert codes(diagnose(_wrong(lambda _, right: -right))) == {"w.g": "sign_flipped"}
    assert codes(diagnose(_wrong(_of_ones))) == {"w.g": "upstream_ignored"}


def test_other_cases_and_another_exercise_have_alternatives_of_their_own():
    evidence = _wrong(_of_ones)
    known = alternatives_of(evidence)
    assert alternatives_of(_wrong(lambda _, right: -right)) is known

    other_cases = prepare(linear, SEED + 1)
    assert alternatives_of(replace(evidence, prepared=other_cases)) is not known
    allowed = replace(linear, autograd=True)
    assert alternatives_of(gather(allowed, cases(linear), evidence.runs)) is not known


def test_what_cannot_be_made_is_tried_once():
    known = Alternatives(linear, cases(linear))
    case = cases(linear)[0].case
    wrong = {"w": torch.zeros(1, 1, 1)}
    assert known.reference("too many axes", case, inputs=wrong) is None
    assert known.reference("too many axes", case) is None  # by its key alone
    assert known.once("key", lambda: 1) == known.once("key", lambda: 2) == 1
