"""The folder of a local cloud, the file in it that says what runs, and what outlives the cloud there.

After `down` the folder keeps the certificates' bundle, the link to Node and the ports: a shell that still has
the variables of `up` goes on working, and the next `up` is found at the same addresses.
"""

import getpass
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from hosted_model_local import processes

STATE_VARIABLE = "HOSTED_MODEL_LOCAL_STATE"
BUNDLE, TOOLS = "ca-bundle.pem", "bin"
_FILE, _PORTS = "state.json", "ports.json"
_KEPT = (BUNDLE, TOOLS, _PORTS)


@dataclass(frozen=True)
class CloudRun:
    """What `up` leaves for `status`, `down` and the next `up`; the first region is the default one."""

    ministack_url: str
    simulator_url: str
    regions: tuple[str, ...]
    requests_per_second: float
    bootstrap: bool
    servers: tuple[processes.Process, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether every server of this cloud runs."""
        return bool(self.servers) and len(processes.alive(self.servers)) == len(self.servers)


def default_folder() -> Path:
    """HOSTED_MODEL_LOCAL_STATE, or a folder of this user below the system's temporary one."""
    given = os.environ.get(STATE_VARIABLE)
    return Path(given) if given else Path(tempfile.gettempdir()) / f"hosted-model-local-{getpass.getuser()}"


def claim(folder: Path) -> None:
    """Make ``folder``, readable by this user alone; what a cloud before left for shells may be there.

    Raises
    ------
    FileExistsError
        It holds something else: it may be somebody's, and the end of a cloud empties its folder.
    PermissionError
        It belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    if any(one.name not in _KEPT for one in folder.iterdir()):
        raise FileExistsError(
            f"{folder} is not empty: end that local cloud with `down`, or name another folder"
        )
    folder.chmod(0o700)
    (folder / "tmp").mkdir()
    (folder / _FILE).touch(mode=0o600, exist_ok=False)


def release(folder: Path, *, keep: bool = False) -> None:
    """Remove ``folder`` if it is a cloud's, with ``keep`` all but what shells need; leave any other alone."""
    if not (folder / _FILE).exists():
        return
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for one in folder.iterdir():
        if one.is_dir() and one.name not in _KEPT:
            shutil.rmtree(one, ignore_errors=True)
        elif one.name not in _KEPT:
            one.unlink(missing_ok=True)


def end(folder: Path) -> list[processes.Process]:
    """End the cloud of this folder, whoever started it; the folder keeps what shells need.

    Returns
    -------
    list
        The processes that survived; empty when all went well, and when there was nothing to end.
    """
    found = load(folder)
    left = processes.end(found.servers) if found else []
    release(folder, keep=True)
    return left


def save(folder: Path, run: CloudRun) -> None:
    """Write ``run``, whole or not at all."""
    draft = folder / f"{_FILE}.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(run), indent=1))
    draft.replace(folder / _FILE)


def load(folder: Path) -> CloudRun | None:
    """What `save` wrote, or None if there is none that can be read."""
    try:
        given = json.loads((folder / _FILE).read_text())
        return CloudRun(
            ministack_url=given["ministack_url"],
            simulator_url=given["simulator_url"],
            regions=tuple(given["regions"]),
            requests_per_second=float(given.get("requests_per_second", 5)),
            bootstrap=bool(given.get("bootstrap", True)),
            servers=_processes(given["servers"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def choose_ports(folder: Path, count: int) -> list[int]:
    """Loopback ports that are free: those of the cloud before in this folder where they are, else any."""
    try:
        before = [int(port) for port in json.loads((folder / _PORTS).read_text())]
    except (OSError, ValueError, TypeError):
        before = []
    wanted = [*before, *[0] * count][:count]
    with ExitStack() as stack:
        sockets = [stack.enter_context(_listener(port)) for port in wanted]
        ports = [int(one.getsockname()[1]) for one in sockets]
    (folder / _PORTS).write_text(json.dumps(ports))
    return ports


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError):
        return socket.create_server(("127.0.0.1", 0))


def _processes(given: Iterable[dict[str, str | int]]) -> tuple[processes.Process, ...]:
    return tuple(processes.Process(int(one["pid"]), str(one["started"])) for one in given)
