#!/bin/sh
# The pinned cdk command on this checkout, with its Python and a Node that can run it; no cloud needed to synth.
set -eu
cd "$(dirname "$0")/.."
PATH=$(.venv/bin/python - <<'PYTHON'
import os
from pathlib import Path
from hosted_model_local.environment import search_path
print(search_path(os.environ["PATH"], Path(".work/bin").resolve()))
PYTHON
)
export PATH CDK_DISABLE_CLI_TELEMETRY=true CDK_NOTICES=false CDK_DISABLE_VERSION_CHECK=true
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=true
exec cdk "$@"
