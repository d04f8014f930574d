"""`cdk synth` of the sample app: no network, no AWS, no finding of cfn-lint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support_stage import CHECKOUT

from hosted_model_local.environment import search_path

pytestmark = pytest.mark.e2e

#: Nobody listens on the discard port: whatever asks the network fails at once.
NOWHERE = "http://127.0.0.1:9"
CONTEXTS = {
    "lookoutvision": {"service": "lookoutvision", "project": "circuit-boards", "version": "3"},
    "rekognition": {
        "service": "rekognition",
        "model_arn": "arn:aws:rekognition:us-east-1:123456789012:project/boards/version/v1/1600000000001",
    },
}


@pytest.mark.parametrize("service", CONTEXTS)
def test_synth_needs_no_network_and_cfn_lint_finds_nothing(service: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    environment = {
        **{name: value for name, value in kept.items() if name.upper() != "NO_PROXY"},
        **proxies,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": search_path(os.environ["PATH"], tmp_path / "bin"),
    }
    context = [part for name, value in CONTEXTS[service].items() for part in ("-c", f"{name}={value}")]
    command = ["cdk", "synth", "--quiet", "--output", str(tmp_path / "cdk.out"), *context]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

    template = tmp_path / "cdk.out" / "HostedModels.template.json"
    lint = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), str(template)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (lint.returncode, lint.stdout) == (0, "")
