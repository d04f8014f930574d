"""Starting processes so that they can be ended with all that they started.

A process ID alone is not enough to end something later: the system hands it out again. So a process is known
by its ID and its start time.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TERM_GRACE_SECONDS = 3.0
_KILL_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """A process of the system: its ID, and when it started in the system's own words."""

    pid: int
    started: str


@dataclass(frozen=True)
class _Row:
    pid: int
    parent: int
    session: int
    started: str


def start(
    command: list[str], *, environment: Mapping[str, str], cwd: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, its output appended to ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def identify(pid: int) -> Process | None:
    """The process with this ID, or None if there is none (a zombie counts as none)."""
    return next((Process(row.pid, row.started) for row in _table() if row.pid == pid), None)


def alive(processes: Iterable[Process]) -> list[Process]:
    """Those of ``processes`` that still run."""
    running = {Process(row.pid, row.started) for row in _table()}
    return [process for process in processes if process in running]


def with_descendants(processes: Iterable[Process]) -> list[Process]:
    """Those of ``processes`` that run, their sessions, and everything that they started."""
    rows = _table()
    roots = set(processes)
    found = {row.pid: row for row in rows if Process(row.pid, row.started) in roots}
    sessions = {process.pid for process in roots}
    grown = True
    while grown:
        members = [
            row for row in rows if row.pid not in found and (row.parent in found or row.session in sessions)
        ]
        found.update((row.pid, row) for row in members)
        grown = bool(members)
    return [Process(row.pid, row.started) for row in found.values() if row.pid != os.getpid()]


def end(
    processes: Iterable[Process],
    *,
    grace: float = TERM_GRACE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Process]:
    """End these processes and all their descendants: SIGTERM, after ``grace`` seconds SIGKILL.

    Returns
    -------
    list
        What still runs after both; empty when all went well.
    """
    roots = list(processes)
    doomed = set(with_descendants(roots))
    for name, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, _KILL_GRACE_SECONDS)):
        # A worker can be started between the two looks.
        doomed |= set(with_descendants(doomed))
        for process in alive(doomed):
            _signal(process.pid, name)
        deadline = clock() + seconds
        while alive(doomed) and clock() < deadline:
            sleep(_POLL_SECONDS)
    return alive(doomed)


def _signal(pid: int, name: signal.Signals) -> None:
    try:
        os.kill(pid, name)
    except (ProcessLookupError, PermissionError):
        return


def _table() -> list[_Row]:
    return _from_proc() if sys.platform == "linux" else _from_ps()


def _from_proc() -> list[_Row]:
    rows = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(errors="replace")
        except OSError:
            continue
        # The name is in brackets and may hold spaces: state, ppid, pgrp, session, …, start time (proc(5)).
        fields = stat.rpartition(")")[2].split()
        if fields[0] not in "ZX":
            rows.append(_Row(int(entry.name), int(fields[1]), int(fields[3]), fields[19]))
    return rows


def _from_ps() -> list[_Row]:
    # macOS prints no session ID; start() makes the process group the same as the session.
    command = ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,lstart="]
    rows = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        pid, parent, group, state, started = line.split(None, 4)
        if not state.startswith("Z"):
            rows.append(_Row(int(pid), int(parent), int(group), started))
    return rows
