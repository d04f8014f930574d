"""A history replays alone: a job is the same, call by call, whatever its process did before."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from chaos.jobs import ALL, APPS, EVENTS, Job, play

TESTS = Path(__file__).resolve().parent.parent
SEED, SIZE = 1832500007, 4
OTHER = Job(EVENTS, "lookoutvision", 5, examples=2, shrink=False)
#: What a module of the project may hold: Hypothesis, left alone, draws from it once it is loaded.
NUMBERS = [*range(101, 60_000, 97), *(number + 0.37 for number in range(90))]


@pytest.mark.parametrize("text", [f"{EVENTS}:rekognition:{SEED}", f"{APPS}:{ALL}:{SEED}"])
def test_a_job_is_the_same_after_other_jobs_twice_and_in_a_fresh_process(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.parse(text, SIZE, shrink=False)
    first = play(job)
    play(OTHER)
    (tmp_path / "loaded_later.py").write_text(f"NUMBERS = {NUMBERS}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("loaded_later")
    assert play(job) == first
    assert len(set(first.traces)) > 2
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
