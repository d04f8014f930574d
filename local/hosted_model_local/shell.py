"""What `up` and `down` print for a shell to evaluate: POSIX sh, one command a line.

`up` remembers in the shell itself what it covers, so that `down` gives it back, a company's certificates or a
profile for one. No value of the caller's environment is ever printed: the shell copies it.
"""

import os
import shlex
from collections.abc import Mapping

from hosted_model_local.environment import REMOVED, endpoint_variable
from hosted_model_local.simulator.registry import SERVICES

_PREFIX = "HOSTED_MODEL_LOCAL_"
#: The variables that `up` set in this shell, what it added to PATH, and what the variables were before.
_SET, _ADDED, _BEFORE = f"{_PREFIX}SET", f"{_PREFIX}PATH", f"{_PREFIX}BEFORE_"
_ENDPOINT = "AWS_ENDPOINT_URL"
#: Where a shell points after an `up` that failed; RFC 2606 keeps the name from ever being found.
NOWHERE = "https://hosted-model-local-up-failed.invalid"


def is_pointed(base: Mapping[str, str]) -> bool:
    """Whether the shell of this environment has evaluated an `up`, and no `down` since."""
    return _SET in base


def before(base: Mapping[str, str]) -> dict[str, str]:
    """The environment as it was before `up`."""
    if not is_pointed(base):
        return dict(base)
    gone = {_SET, _ADDED, *base[_SET].split()}
    kept = {name: value for name, value in base.items() if name not in gone and not name.startswith(_BEFORE)}
    return {**kept, **_covered(base), "PATH": _path_before(base)}


def point(settings: Mapping[str, str], base: Mapping[str, str]) -> str:
    """Set ``settings``, and unset what would win over them."""
    mine = set(base.get(_SET, "").split())
    removed = [name for name in base if _would_win(name) and name not in settings]
    lines = [
        f'export {_BEFORE}{name}="${name}"'
        for name in (*settings, *removed)
        if name in base and name not in mine
    ]
    lines += [f"unset {name}" for name in removed]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    if "PATH" in settings:
        old = set(_path_before(base).split(os.pathsep))
        added = [entry for entry in settings["PATH"].split(os.pathsep) if entry not in old]
        lines.append(f"export {_ADDED}={shlex.quote(os.pathsep.join(added))}")
    names = sorted({*settings, *mine})
    return "\n".join([*lines, f"export {_SET}={shlex.quote(' '.join(names))}"])


def refuse(base: Mapping[str, str]) -> str:
    """Point the shell nowhere, and fail: the next `cdk deploy` must not meet a real account instead."""
    endpoints = [_ENDPOINT, *(endpoint_variable(name) for one in SERVICES for name in one.endpoint_ids)]
    settings = {
        **dict.fromkeys(endpoints, NOWHERE),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return f"{point(settings, base)}\nfalse"


def restore(base: Mapping[str, str]) -> str:
    """Give back what `up` covered, and unset the rest of what it set; nothing where there was no `up`."""
    if not is_pointed(base):
        return ""
    covered = [name for name in _covered(base) if name != "PATH"]
    lines = [f'export {name}="${_BEFORE}{name}"' for name in covered]
    gone = [name for name in base[_SET].split() if name not in (*covered, "PATH")]
    gone += [f"{_BEFORE}{name}" for name in _covered(base)]
    lines += [f"unset {name}" for name in (*gone, _SET, _ADDED)]
    return "\n".join([*lines, f"export PATH={shlex.quote(_path_before(base))}"])


def _would_win(name: str) -> bool:
    return name in REMOVED or name.startswith(f"{_ENDPOINT}_")


def _covered(base: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_BEFORE): value for name, value in base.items() if name.startswith(_BEFORE)}


def _path_before(base: Mapping[str, str]) -> str:
    """PATH without what `up` added; as it was, to the letter, if nobody else changed it since."""
    added = set(base.get(_ADDED, "").split(os.pathsep)) - {""}
    left = [entry for entry in base.get("PATH", os.defpath).split(os.pathsep) if entry not in added]
    was = base.get(f"{_BEFORE}PATH", "")
    return was if set(was.split(os.pathsep)) == set(left) else os.pathsep.join(left)
