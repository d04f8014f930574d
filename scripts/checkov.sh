#!/bin/sh
# checkov on the example for security teams. In .venvs/checkov, because its pins do not go with ours.
# Usage: scripts/checkov.sh PYTHON   (the Python of this project's environment)
set -eu
cd "$(dirname "$0")/.."
folder=.venvs/checkov
version=3.3.30
mkdir -p .venvs
if [ "$(cat "$folder/ready" 2>/dev/null)" != "$version" ]; then
    "$1" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "checkov==$version"
    printf '%s\n' "$version" > "$folder/ready"
fi
exec "$1" -m pytest -q tests/unit/constructs/test_constructs_regulated.py
