#!/bin/sh
# The constructs' tests on the oldest aws-cdk-lib and constructs that pyproject.toml admits, in .venvs/oldest-cdk.
# The newest ones are those of constraints.txt, which every other test runs on.
# Usage: scripts/oldest_cdk.sh [PYTHON]   (the Python to make the environment with)
set -eu
cd "$(dirname "$0")/.."
folder=.venvs/oldest-cdk
python=$folder/bin/python
mkdir -p .venvs
oldest=$("${1:-python3}" - <<'PYTHON'
import re
import tomllib
from pathlib import Path

needs = tomllib.loads(Path("pyproject.toml").read_text())["project"]["dependencies"]
for need in needs:
    # boto3 is the function's own, which no construct imports: as in constraints.txt.
    print(re.sub(r">=([\d.]+).*", r"==\1", need) if re.match("aws-cdk-lib|constructs", need) else need)
PYTHON
)
wanted="$oldest
$(cat constraints.txt)"
if [ "$(cat "$folder/ready" 2>/dev/null)" != "$wanted" ]; then
    "${1:-python3}" -m venv --clear "$folder"
    # Those three come with a release of aws-cdk-lib; the rest is as everywhere.
    grep -v -E '^(aws-cdk|constructs=|jsii=)' constraints.txt > "$folder/constraints.txt"
    # One requirement a line, none with a space: the shell may split them.
    # shellcheck disable=SC2086
    "$python" -m pip install --quiet --disable-pip-version-check --no-compile \
        -c "$folder/constraints.txt" $oldest pytest
    printf '%s\n' "$wanted" > "$folder/ready"
fi
"$python" -m pip list --disable-pip-version-check 2>/dev/null | grep -E '^(aws-cdk-lib|constructs|jsii) '
# Left out is what looks from outside: by the local cloud's policy evaluator, and by cdk-nag, which needs a later
# aws-cdk-lib. What is acknowledged to it needs aws_cdk.Validations, which is not there: constructs do without.
export PYTHONPATH=constructs:lambda JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=true
exec env -u PYTHONDONTWRITEBYTECODE "$python" -m pytest -q -p no:cacheprovider \
    tests/unit/constructs \
    --ignore tests/unit/constructs/test_constructs_findings.py \
    --ignore tests/unit/constructs/test_constructs_fence.py \
    --ignore tests/unit/constructs/test_constructs_regulated.py
