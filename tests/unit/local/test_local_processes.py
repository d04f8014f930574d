"""What is started is ended, with all that it started."""

import subprocess
import sys
from pathlib import Path

from hosted_model_local import processes

# Ignores SIGTERM, starts a child that does so too, says that both are ready.
STUBBORN = """
import signal, subprocess, sys, time
# A child inherits that it ignores the signal.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"])
time.sleep(60)
"""


def stubborn() -> "subprocess.Popen[bytes]":
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.stdout.close()
    return child


def test_a_process_that_ignores_sigterm_is_killed_with_its_children() -> None:
    child = stubborn()
    root = processes.identify(child.pid)
    assert root is not None
    family = processes.with_descendants([root])
    assert len(family) == 2
    assert processes.end([root], grace=0) == []
    child.wait(10)
    assert processes.alive(family) == []


def test_children_whose_parent_is_gone_are_ended_by_their_session() -> None:
    child = stubborn()
    root = processes.identify(child.pid)
    assert root is not None
    family = processes.with_descendants([root])
    child.kill()
    child.wait(10)
    assert processes.identify(child.pid) is None
    assert len(processes.alive(family)) == 1
    assert processes.end([root], grace=0) == []
    assert processes.alive(family) == []


def test_another_process_with_the_same_id_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        impostor = processes.Process(child.pid, "at another time")
        assert processes.alive([impostor]) == []
        assert processes.end([impostor], grace=0) == []
        assert child.poll() is None


def test_the_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    child = processes.start(
        [sys.executable, "-c", "import os; print(os.environ['WORD'], os.getsid(0) == os.getpid())"],
        environment={"WORD": "hello"},
        cwd=tmp_path,
        log=log,
    )
    assert child.wait(20) == 0
    assert log.read_text() == "hello True\n"
