"""The action's outputs, from those of ``grader score``: ``python -I outputs.py WORK POINTS UPLOAD >>$GITHUB_OUTPUT``.

Only the standard library is used: a valid result is written also where the grader could not be run at all.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path


def main(work: Path, points: str, upload: str) -> None:
    """Print a ``name=value`` line for each output of the action."""
    found = read_outputs(work / "outputs")
    own = {name: found.pop(f"total_{name}", "") for name in ("score", "possible", "percentage")}
    result = found.pop("result", "")
    if not result:
        result = encoded(failure("the grader could not be run; the log of this step says why"))
        summarize_failure()
    scaled = scale(own["score"], own["possible"], points)
    reports = work / "grades"
    outputs = {
        "result": result,
        "exercises": json.dumps(found, separators=(",", ":")),
        "score": scaled[0],
        "possible": scaled[1],
        "percentage": own["percentage"],
        "reports": str(reports),
        "upload": str(reports if upload == "reports" else reports / "students"),
    }
    for name, value in outputs.items():
        sys.stdout.write(f"{name}={value}\n")


def read_outputs(path: Path) -> dict[str, str]:
    """The outputs that the grader wrote; each is one line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


def scale(score: str, possible: str, points: str) -> tuple[str, str]:
    """Both numbers as if everything were worth ``points``; as they are where that is empty or no number."""
    try:
        factor = float(points) / float(possible)
    except (ValueError, ZeroDivisionError):
        return score, possible
    return (f"{round(float(score) * factor, 2):g}" if score else "", f"{float(points):g}")


def failure(message: str) -> dict[str, object]:
    """A result of the reporter's contract that blames no student."""
    test = {"name": "grader", "status": "error", "score": 0, "message": message, "test_code": "", "filename": ""}
    return {"version": 1, "status": "error", "max_score": 0, "tests": [{**test, "line_no": 0, "duration": 0}]}


def encoded(result: dict[str, object]) -> str:
    """JSON in base64, one line."""
    return base64.b64encode(json.dumps(result).encode("ascii")).decode("ascii")


def summarize_failure() -> None:
    """Say in the job's summary that nothing was graded."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write("## Not graded\n\nThe grader could not be run; this is no zero. The log says why.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
