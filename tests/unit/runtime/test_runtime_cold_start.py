"""A cold start loads what every request needs, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import hosted_model_runtime
from hosted_model_runtime.services import ADAPTERS

#: What the handler loads, then what a service's first call adds, then how much the collector passes over.
PROGRAM = """
import gc, json, sys
from hosted_model_runtime import index
own = lambda: {name for name in sys.modules if name.startswith("hosted_model_runtime.")}
first = own()
index.connect("rekognition")
print(json.dumps([sorted(first), sorted(own() - first), gc.get_freeze_count(), gc.isenabled()]))
"""


def test_what_a_cold_start_loads() -> None:
    lambda_folder = Path(hosted_model_runtime.__file__).parents[1]
    environment = os.environ | {
        "PYTHONPATH": str(lambda_folder),
        "AWS_DEFAULT_REGION": "us-east-1",
        "HOSTED_MODEL_RULE_PREFIX": "HostedModel-01234567-",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    first, added, frozen, collects = json.loads(done.stdout)
    package = "hosted_model_runtime"
    later = {f"{package}.services.{name}" for name in ADAPTERS}
    later |= {f"{package}.invocation.{name}" for name in ("emf", "metrics")}
    assert later.isdisjoint(first)
    assert added == [f"{package}.services.rekognition"]
    assert frozen > 10_000
    assert collects
