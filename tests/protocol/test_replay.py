"""A history replays alone: a job is the same, call by call, whatever its process did before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from chaos.jobs import ALL, APPS, EVENTS, Job, play

TESTS = Path(__file__).resolve().parent.parent
SEED, SIZE = 1832500007, 8
OTHER = Job(EVENTS, "lookoutvision", 5, examples=3, shrink=False)
#: A module of the project: what stands in it must not be drawn from.
LATER = "support.aws_wire"


@pytest.mark.parametrize("text", [f"{EVENTS}:rekognition:{SEED}", f"{APPS}:{ALL}:{SEED}"])
def test_a_job_is_the_same_after_other_jobs_twice_and_in_a_fresh_process(text: str) -> None:
    job = Job.parse(text, SIZE, shrink=False)
    first = play(job)
    play(OTHER)
    sys.modules.pop(LATER, None)
    __import__(LATER)
    assert play(job) == first
    assert len(set(first.traces)) > 5
    assert _alone(text) == sha256("".join(first.traces).encode()).hexdigest()


def _alone(text: str) -> str:
    command = [sys.executable, "-m", "chaos", "--no-shrink", "--job-size", str(SIZE), "--replay", text]
    # Hashes differ from process to process, and with them the order of sets.
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run(
        command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return str(json.loads(run.stdout.splitlines()[-1])["digest"])


@pytest.mark.parametrize(
    "text", ["", "events", "events:all:1", "apps:rekognition:1", "apps:all:x", "apps:all:1:2"]
)
def test_what_is_no_job_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"REPLAY must be one of events:lookoutvision:SEED"):
        Job.parse(text)
