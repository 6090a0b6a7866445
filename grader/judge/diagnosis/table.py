"""PLACEHOLDER, to be replaced by the diagnosis wing."""

from __future__ import annotations

from grader.judge.evidence import Evidence
from grader.model import Diagnosis, Exercise, Stub


def diagnose(evidence: Evidence) -> dict[str, Diagnosis]:
    found = {}
    for check, findings in evidence.findings.items():
        bad = [f for f in findings if not f.passed]
        if evidence.autograd:
            found[check] = Diagnosis("uses_autograd", evidence.autograd)
        elif bad:
            f = bad[0]
            code = {"absent": "not_written", "different": "wrong_value"}.get(f.comparison.verdict, f.comparison.verdict)
            if f.comparison.verdict == "absent" and f.run.ended != "returned":
                code = f.run.ended
                if f.run.error and "NotImplementedError" in f.run.error.bases:
                    code = "not_implemented"
            found[check] = Diagnosis(code, str(f.run.error))
        elif any(check.startswith(name) for name in evidence.modified_inputs):
            found[check] = Diagnosis("input_modified", "")
    for check, ok in evidence.raising.items():
        if not ok or not any(c not in found for c in evidence.findings):
            found[check] = Diagnosis("not_raised", "")
    return found


def loops_flag(exercise: Exercise, stub: Stub | None) -> tuple[str, ...]:
    return ()
