"""Checks that read what a call gives back: it returned nothing, or not as many values as are asked for."""

from __future__ import annotations

from grader.judge.diagnosis.naming import PLACE
from grader.judge.diagnosis.symptom import Symptom
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Finding
from grader.model import Diagnosis, Exercise


def asked_for(exercise: Exercise) -> int:
    """How many values the call has to return: the last place that a check reads, from 1."""
    paths = [exercise.path_of(check) for check in exercise.checks if check not in exercise.raises]
    return max((int(match[1]) + 1 for path in paths if (match := PLACE.fullmatch(path))), default=1)


def not_returned(symptom: Symptom, finding: Finding, call: str) -> Diagnosis:
    """The value of ``call`` is None, one of several is, or there are not as many."""
    exercise = symptom.exercise
    place = PLACE.fullmatch(exercise.path_of(symptom.check))
    if place is None:
        return wording.say("not_written.returned", call=call)
    fields = {"call": call, "count": asked_for(exercise)}
    if finding.actual.absence == "none":
        return wording.say("not_written.one_is_none", place=int(place[1]) + 1, **fields)
    if (single := finding.run.extras.get("result")) is not None:
        return wording.say("not_written.one_tensor", shape=wording.shape(tuple(single.shape)), **fields)
    return wording.say("not_written.too_few", **fields)
