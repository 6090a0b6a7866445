"""Realistic run reports for the report tests: a small class with every outcome, and one of 500 × 40."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

from grader.model import (
    CellFailure,
    CheckScore,
    Diagnosis,
    ExerciseScore,
    ExerciseStatus,
    RunReport,
    Sample,
    SubmissionReport,
    SubmissionStatus,
)

TITLES = {
    "lin_grad": "Backward pass of a linear layer",
    "relu_grad": "Backward pass of a ReLU",
    "mse_grad": "Gradient of the mean squared error",
    "forward_and_backward": "The whole network, forward and backward",
}
CHECKS = {
    "lin_grad": (("inp.g", 1.0), ("w.g", 2.0), ("b.g", 1.0)),
    "relu_grad": (("inp.g", 2.0),),
    "mse_grad": (("inp.g", 2.0),),
    "forward_and_backward": (("result", 1.0), ("inp.g", 1.0), ("w1.g", 2.0)),
}
POSSIBLE = sum(points for checks in CHECKS.values() for _, points in checks)

MISTAKES = {
    "transposed": Diagnosis(
        "transposed",
        "w.g has shape (3, 5), the transpose of the expected (5, 3), with the right values.",
        "Which of inp and out.g has to be transposed so that the shapes fit w?",
    ),
    "not_summed_over_batch": Diagnosis(
        "not_summed_over_batch",
        "b.g has shape (7, 3): one row a sample, where b has one row (3,) for all of them.",
        "b is used once for every row of the batch. What happens to a gradient that arrives several times?",
    ),
    "missing_mean": Diagnosis(
        "missing_mean",
        "inp.g is exactly 7 times the expected gradient, and the batch has 7 rows.",
        "The loss is a mean. Where does its 1/n go?",
    ),
    "mask_missing": Diagnosis(
        "mask_missing", "inp.g equals out.g everywhere, also where inp is negative.", "Where is the slope of ReLU 0?"
    ),
    "sign_flipped": Diagnosis(
        "sign_flipped", "inp.g is the expected gradient times −1.", "Which way round is out − targ?"
    ),
    "not_written": Diagnosis("not_written", "b.g was not written: it still holds what was there before the call.", ""),
}


def check(name: str = "w.g", possible: float = 2.0, code: str | None = None, **fields: Any) -> CheckScore:
    if code is None:
        return CheckScore(name, "passed", possible, possible, **fields)
    rng = random.Random(f"{name} {code}")
    expected = tuple(tuple(rng.gauss(0, 1) for _ in range(3)) for _ in range(7))
    actual = tuple(tuple(-value if i != 4 else 3 * value for value in row) for i, row in enumerate(expected))
    defaults: dict[str, Any] = {
        "case": "plain: n=7, i=5, o=3",
        "diagnosis": MISTAKES.get(code) or Diagnosis(code, f"{name} is wrong: {code}.", "Look again."),
        "expected_shape": (7, 3),
        "actual_shape": (7, 3),
        "max_abs_error": 4.2,
        "worst": (4, 1),
        "worst_actual": actual[4][1],
        "worst_expected": expected[4][1],
        "sample": Sample(expected, actual, (4, 1), False),
    }
    return CheckScore(name, "failed", 0.0, possible, **(defaults | fields))


def exercise(id_: str = "lin_grad", wrong: dict[str, str] | None = None, **fields: Any) -> ExerciseScore:
    """An exercise of ``CHECKS`` in which the checks in ``wrong`` (name → code) failed."""
    wrong = wrong or {}
    checks = tuple(check(name, possible, wrong.get(name)) for name, possible in CHECKS[id_])
    score = sum(one.score for one in checks)
    possible = sum(one.possible for one in checks)
    status: ExerciseStatus = "passed" if score == possible else "partial" if score else "failed"
    made = ExerciseScore(id_, TITLES[id_], status, score, possible, checks, cell=5, line=3)
    return replace(made, **fields)


def untouched(id_: str, status: ExerciseStatus = "not_implemented") -> ExerciseScore:
    diagnosis = Diagnosis(status if status == "not_implemented" else "not_defined", f"{id_} is still the stub.", "")
    checks = tuple(CheckScore(n, "failed", 0.0, p, diagnosis=diagnosis) for n, p in CHECKS[id_])
    return ExerciseScore(id_, TITLES[id_], status, 0.0, sum(p for _, p in CHECKS[id_]), checks)


def submission(student: str = "ada", *exercises: ExerciseScore, **fields: Any) -> SubmissionReport:
    """A graded notebook; without exercises given, one with full marks."""
    done = exercises or tuple(exercise(id_) for id_ in CHECKS)
    made = SubmissionReport(
        student=student,
        notebook="03_backprop.ipynb",
        path=f"{student}/03_backprop.ipynb",
        sha256=hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest(),
        status="graded",
        score=sum(one.score for one in done),
        possible=sum(one.possible for one in done),
        seconds=0.21,
        total_cells=14,
        exercises=done,
    )
    return replace(made, **fields)


def ungraded(student: str, status: SubmissionStatus, reason: str, **fields: Any) -> SubmissionReport:
    return replace(
        submission(student),
        **{"exercises": (), "score": None, "possible": POSSIBLE, "status": status, "reason": reason} | fields,
    )


def run(*submissions: SubmissionReport, **fields: Any) -> RunReport:
    made = RunReport("0.1.0", "autograd", 8430125519, "2.9.1+cpu", "bwrap", submissions)
    return replace(made, **fields)


def small_class() -> RunReport:
    """Fourteen students, every status, long and foreign names."""
    full = list(CHECKS)
    forward = exercise("forward_and_backward", {"w1.g": "transposed"}, follows_from=("lin_grad",))
    return run(
        submission("ada"),
        submission("Grace Hopper"),
        submission("alan", exercise("lin_grad", {"w.g": "transposed"}), *(exercise(i) for i in full[1:3]), forward),
        submission(
            "barbara",
            exercise("lin_grad", {"w.g": "transposed", "b.g": "not_summed_over_batch"}),
            *(exercise(i) for i in full[1:]),
        ),
        submission(
            "edsger",
            *(exercise(i) for i in full[:2]),
            exercise("mse_grad", {"inp.g": "missing_mean"}),
            exercise(full[3]),
        ),
        submission(
            "Johanna Maria van der Wijngaarden-Oppenheimer",
            exercise("lin_grad", {"b.g": "not_summed_over_batch"}, printed="shape of w: (5, 3)\nok\n"),
            exercise("relu_grad", {"inp.g": "mask_missing"}),
            exercise("mse_grad", {"inp.g": "sign_flipped"}),
            untouched(full[3]),
        ),
        submission(
            "李小龍",
            exercise("lin_grad"),
            exercise("relu_grad", {"inp.g": "mask_missing"}),
            exercise("mse_grad"),
            exercise(full[3]),
        ),
        submission(
            "Zoë Ångström",
            exercise("lin_grad", flags=("defined 3 times",)),
            exercise("relu_grad"),
            exercise("mse_grad", {"inp.g": "missing_mean"}),
            exercise(full[3]),
        ),
        submission("margaret", *(untouched(i) for i in full)),
        submission(
            "ken",
            exercise("lin_grad"),
            untouched("relu_grad", "missing"),
            exercise("mse_grad"),
            untouched(full[3]),
            failed_cells=(
                CellFailure(5, "NameError: name 'x' is not defined"),
                CellFailure(9, "30 s were up", "timed_out"),
            ),
        ),
        submission(
            "dennis",
            exercise("lin_grad"),
            exercise("relu_grad"),
            untouched("mse_grad", "missing"),
            untouched(full[3], "missing"),
            status="crashed",
            reason="the kernel died three times in cell 9",
        ),
        ungraded("linus", "unreadable", "not JSON: it ends in the middle of a string"),
        ungraded("radia", "grader_error", "KernelError: the zygote did not answer"),
        submission(
            "tim",
            exercise("lin_grad"),
            exercise("relu_grad"),
            untouched("mse_grad", "grader_error"),
            exercise(full[3]),
            flags=("two notebooks of one kind",),
        ),
    )


def large_class(students: int = 500, exercises: int = 40) -> RunReport:
    """A class of the size that index.html has to carry."""
    rng = random.Random(5)
    codes = [*MISTAKES, "zeros", "wrong_value", "averaged_instead_of_summed", "upstream_ignored"]

    def one(position: int) -> ExerciseScore:
        draw = rng.random()
        id_ = f"exercise_number_{position:02}"
        if draw < 0.5:
            return ExerciseScore(id_, f"Exercise {position}", "passed", 4.0, 4.0, (check("w.g", 4.0),))
        if draw < 0.6:
            return ExerciseScore(id_, f"Exercise {position}", "not_implemented", 0.0, 4.0)
        wrong = check("w.g", 2.0, rng.choice(codes), sample=None)
        return ExerciseScore(id_, f"Exercise {position}", "partial", 2.0, 4.0, (check("b.g", 2.0), wrong))

    people = [
        f"student-{index:03}-{rng.choice(['Miller', 'Öztürk', 'Nguyễn', 'Fernández'])}" for index in range(students)
    ]
    return run(*(submission(name, *(one(position) for position in range(exercises))) for name in people))
