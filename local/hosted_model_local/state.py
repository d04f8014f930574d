"""The folder of a local cloud and the file in it that says what runs."""

import getpass
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from hosted_model_local import processes

STATE_VARIABLE = "HOSTED_MODEL_LOCAL_STATE"
_FILE = "state.json"


@dataclass(frozen=True)
class State:
    """What `up` leaves for `status` and `down`."""

    ministack_url: str
    simulator_url: str
    regions: tuple[str, ...]
    environment: dict[str, str]
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
    """Make ``folder``, readable by this user alone.

    Raises
    ------
    FileExistsError
        It exists and is not empty: it may be somebody's, and the end of a cloud removes its folder.
    PermissionError
        It belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    if any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} is not empty: end that local cloud with `down`, or name another folder"
        )
    folder.chmod(0o700)
    (folder / "tmp").mkdir()
    (folder / _FILE).touch(mode=0o600, exist_ok=False)


def release(folder: Path) -> None:
    """Remove ``folder`` if it is a cloud's; leave any other alone."""
    if (folder / _FILE).exists():
        shutil.rmtree(folder, ignore_errors=True)


def save(folder: Path, state: State) -> None:
    """Write ``state``, whole or not at all."""
    draft = folder / f"{_FILE}.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(state), indent=1))
    draft.replace(folder / _FILE)


def load(folder: Path) -> State | None:
    """What `save` wrote, or None if there is none that can be read."""
    try:
        given = json.loads((folder / _FILE).read_text())
    except (OSError, ValueError):
        return None
    return State(
        ministack_url=given["ministack_url"],
        simulator_url=given["simulator_url"],
        regions=tuple(given["regions"]),
        environment=given["environment"],
        servers=_processes(given["servers"]),
    )


def _processes(given: Iterable[dict[str, str | int]]) -> tuple[processes.Process, ...]:
    return tuple(processes.Process(int(one["pid"]), str(one["started"])) for one in given)
