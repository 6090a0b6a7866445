#!/usr/bin/env bash
# Installs the pinned grader in an environment of its own, in the runner's temporary folder.
# Environment: PYTHON, VERSION, TORCH, REQUIREMENTS (one a line), ACTION (this folder).
set -euo pipefail

venv=$PWD/grader-venv
wanted=$(printf '%s\n' "${VERSION:-}" "$TORCH" "${REQUIREMENTS:-}" "${PYTHON:-}")
if [ -x "$venv/bin/grader" ]; then
    installed=$(cat "$venv/wanted" 2>/dev/null || echo "$wanted")
    [ "$installed" != "$wanted" ] || exit 0  # a second use in the same job
    rm -rf "$venv"
fi
# The runner fetched the grader's repository whole, at the reference that names the action.
grader=${VERSION:+autograd-grader==$VERSION}
requirements=("torch==$TORCH" "${grader:-$(realpath "$ACTION/../../..")}")
while IFS= read -r line; do
    [ -z "$line" ] || requirements+=("$line")
done <<<"${REQUIREMENTS:-}"

"${PYTHON:-python3}" -I -m venv "$venv"
pip=("$venv/bin/python" -I -m pip install -q --disable-pip-version-check)
# torch alone from PyTorch's index, all else from the package index: a name is never looked up in both.
"${pip[@]}" "torch==$TORCH" --index-url https://download.pytorch.org/whl/cpu
"${pip[@]}" "${requirements[@]}"
"$venv/bin/python" -I -m grader --version
printf '%s\n' "$wanted" >"$venv/wanted"
