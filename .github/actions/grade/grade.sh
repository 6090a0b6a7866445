#!/usr/bin/env bash
# Grades, then writes the step's outputs, whatever became of the grading.
# Environment: the inputs of action.yml in capitals, and the runner's GITHUB_WORKSPACE, GITHUB_OUTPUT, RUNNER_TEMP.
set -uo pipefail

action=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$RUNNER_TEMP/grader-venv/bin/python
work=$(mktemp -d "$RUNNER_TEMP/grader-XXXXXX")

# Nothing is run in the submission's folder, and -I keeps it off Python's path.
cd "$work" || exit 1
submission=${SUBMISSION:-.}
[ "${submission#/}" != "$submission" ] || submission=$GITHUB_WORKSPACE/$submission

# A course given as a path lies in another checkout than the student's, who could give themselves full marks by it.
course=${COURSE:-autograd}
case $course in
    */* | *.py)
        [ "${course#/}" != "$course" ] || course=$GITHUB_WORKSPACE/$course
        course=$(realpath -m "$course")
        case $course/ in
            "$(realpath -m "$submission")"/*)
                echo "the course lies in the submission: check it out beside it, and give the submission's own path"
                course=
                ;;
        esac
        ;;
esac

arguments=(--github --out "$work/grades" --hints "${HINTS:-nudge}" --course "$course")
option() { [ -z "$2" ] || arguments+=("$1" "$2"); }
option --fail-under "${FAIL_UNDER:-}"
option --cell-seconds "${CELL_SECONDS:-}"
option --check-seconds "${CHECK_SECONDS:-}"
option --submission-seconds "${SUBMISSION_SECONDS:-}"
option --memory "${MEMORY:-}"
while IFS= read -r line; do option --assigned "$line"; done <<<"${ASSIGNED:-}"
while IFS= read -r line; do [ -z "$line" ] || arguments+=("$line"); done <<<"${ARGUMENTS:-}"

: >"$work/outputs"
status=2
if [ -n "$course" ]; then
    GITHUB_OUTPUT=$work/outputs "$python" -I -m grader score "${arguments[@]}" -- "$submission"
    status=$?
fi

reader=$python
[ -x "$reader" ] || reader=python3
"$reader" -I "$action/outputs.py" "$work" "${POINTS:-}" "${UPLOAD:-feedback}" >>"$GITHUB_OUTPUT"
[ "${EXIT_ZERO:-false}" != true ] || exit 0
exit "$status"
