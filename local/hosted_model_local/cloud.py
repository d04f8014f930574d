"""A cloud on this machine: ministack, the model services' simulator, and CDK's bootstrap stack."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from hosted_model_local import cdk_command, certificates, environment, processes, run_folder
from hosted_model_local.gateway import ACTIONS_PATH, AUTHORIZE_PATH

READY_SECONDS = 60
BOOTSTRAP_SECONDS = 180
_LOG_TAIL_LINES = 40
# AWS waits 1 and 2 minutes before it repeats a failed asynchronous invocation.
_RETRY_BASE_SECONDS = 2


class LocalCloudError(RuntimeError):
    """The local cloud did not start; the message holds the end of its logs."""


class LocalCloud:
    """Starts and ends a local cloud; a context manager.

    Parameters
    ----------
    state_dir
        Its folder, new or empty; None makes one in the system's temporary folder. `stop` removes it.
    keep
        Whether `stop` leaves in that folder what shells need that point at it: see `run_folder`.
    region
        The default region of the environment.
    regions
        The regions to bootstrap; None means ``(region,)``.
    bootstrap
        Whether to run ``cdk bootstrap``.
    requests_per_second
        The simulator's quota for each API ("Quotas in Amazon Lookout for Vision": 5).
    lambda_retry_seconds
        The delay before Lambda repeats a failed asynchronous invocation (AWS: 60); the second is twice that.
    extra_environment
        More variables for ministack, and so for the functions that it runs.
    base
        The environment that everything starts from; None means that of this process.
    say
        Takes one line of progress.

    Attributes
    ----------
    environment : dict
        The variables that ``cdk``, ``aws`` and boto3 need, with this interpreter first on PATH.
    ministack_url, simulator_url : str
        Where the two servers answer.
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        region: str = "us-east-1",
        regions: Sequence[str] | None = None,
        bootstrap: bool = True,
        requests_per_second: float = 5,
        lambda_retry_seconds: float = _RETRY_BASE_SECONDS,
        extra_environment: Mapping[str, str] | None = None,
        keep: bool = False,
        base: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.state_dir = (
            state_dir or Path(tempfile.gettempdir()) / f"hosted-model-local-{os.urandom(6).hex()}"
        )
        self.region = region
        self.regions = tuple(regions or (region,))
        self.environment: dict[str, str] = {}
        self.ministack_url = ""
        self.simulator_url = ""
        self._bootstrap = bootstrap
        self._requests_per_second = requests_per_second
        self._lambda_retry_seconds = lambda_retry_seconds
        self._extra_environment = dict(extra_environment or {})
        self._keep = keep
        self._base = dict(os.environ if base is None else base)
        self._say = say
        self._children: list[subprocess.Popen[bytes]] = []
        self._processes: list[processes.Process] = []

    def __enter__(self) -> "LocalCloud":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process IDs of the servers."""
        return tuple(process.pid for process in self._processes)

    def process_environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a process that is to use this cloud."""
        return environment.complete(self._base if base is None else base, self.environment)

    def start(self) -> None:
        """Start everything; return when it can be used.

        Raises
        ------
        LocalCloudError
            A server or the bootstrap failed. Everything is ended; the message holds the end of the logs.
        FileExistsError
            The state folder is not empty.
        """
        run_folder.claim(self.state_dir)
        try:
            self._start()
        except BaseException as error:
            tail = self.log_tail()
            self.stop()
            if isinstance(error, (OSError, RuntimeError, subprocess.SubprocessError)):
                raise LocalCloudError(f"the local cloud did not start: {error}\n{tail}".rstrip()) from error
            raise

    def stop(self) -> list[processes.Process]:
        """End the servers and all that they started, by process ID, and remove the folder.

        Returns
        -------
        list
            The processes that survived; empty when all went well.
        """
        left = processes.end(self._processes)
        for child in self._children:
            # Takes the exit status, so that no zombie is left.
            child.poll()
        self._children, self._processes = [], []
        run_folder.release(self.state_dir, keep=self._keep)
        return left

    def running(self) -> list[processes.Process]:
        """The servers and all that they started: functions' workers, for one."""
        return processes.with_descendants(self._processes)

    def used_actions(self) -> dict[str, set[str]]:
        """The actions that IAM policies allowed so far, by the ARN of the principal; root's are not in it."""
        with self._opener().open(self.ministack_url + ACTIONS_PATH, timeout=10) as answer:
            found: dict[str, set[str]] = {}
            for one in json.load(answer)["actions"]:
                found.setdefault(one["principal"], set()).add(one["action"])
            return found

    def log_tail(self, lines: int = _LOG_TAIL_LINES) -> str:
        """The last lines of each log of this cloud."""
        parts = []
        for log in sorted(self.state_dir.glob("*.log")):
            tail = log.read_text(errors="replace").splitlines()[-lines:]
            parts.append("\n".join([f"--- {log.name}", *tail]))
        return "\n".join(parts)

    def _start(self) -> None:
        path = self._search_path()
        ministack_port, simulator_port = run_folder.choose_ports(self.state_dir, 2)
        self.ministack_url = f"https://127.0.0.1:{ministack_port}"
        self.simulator_url = f"http://127.0.0.1:{simulator_port}"
        certs = certificates.make(self.state_dir, self._base)
        self.environment = environment.variables(
            self._base,
            endpoint=self.ministack_url,
            simulator=self.simulator_url,
            region=self.region,
            bundle=certs.bundle,
            path=path,
        )
        self._say("starting ministack")
        self._run_ministack(ministack_port, certs)
        self._wait_for(f"{self.ministack_url}/_ministack/health", "ministack")
        self._say("starting the model services' simulator")
        self._run_simulator(simulator_port, certs)
        self._wait_for(f"{self.simulator_url}/_simulator/models", "the simulator")
        self._save()
        if self._bootstrap:
            self._say(f"bootstrapping CDK in {', '.join(self.regions)}")
            self._run_bootstrap()

    def _search_path(self) -> str:
        """PATH with a cdk command, fetched if there is none: before any server runs."""
        given, tools = self._base.get("PATH", os.defpath), self.state_dir / run_folder.TOOLS
        path = environment.search_path(given, tools)
        if not self._bootstrap or shutil.which("cdk", path=path):
            return path
        npm = environment.npm_command(path)
        cdk_command.fetch({**self._base, "PATH": path}, npm, self._say)
        return environment.search_path(given, tools)

    def _run_ministack(self, port: int, certs: certificates.Certificates) -> None:
        folder = self.state_dir / "tmp"
        extra = {
            "TMPDIR": str(folder),
            "STATE_DIR": str(folder / "ministack"),
            "S3_DATA_DIR": str(folder / "s3"),
            "MINISTACK_REGION": self.region,
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(self._lambda_retry_seconds),
            # No daemon: ministack would look for containers to remove.
            "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
            **self._extra_environment,
        }
        module = "hosted_model_local.ministack_server"
        files = ["--certfile", str(certs.certfile), "--keyfile", str(certs.keyfile)]
        self._spawn("ministack", [module, "--port", str(port), *files], extra)

    def _run_simulator(self, port: int, certs: certificates.Certificates) -> None:
        self._spawn(
            "simulator",
            [
                "hosted_model_local.simulator",
                *("--port", str(port)),
                *("--authorize-url", f"{self.ministack_url}{AUTHORIZE_PATH}"),
                *("--ca-bundle", str(certs.bundle)),
                *("--requests-per-second", f"{self._requests_per_second:g}"),
            ],
            {},
        )

    def _spawn(self, name: str, module: list[str], extra: Mapping[str, str]) -> None:
        child = processes.start(
            [sys.executable, "-m", *module],
            environment=self.process_environment() | dict(extra) | {"PYTHONUNBUFFERED": "1"},
            cwd=self.state_dir,
            log=self.state_dir / f"{name}.log",
        )
        self._children.append(child)
        identity = processes.identify(child.pid)
        if identity:
            self._processes.append(identity)
        self._save()

    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=self.environment["SSL_CERT_FILE"])
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def _wait_for(self, url: str, name: str) -> None:
        opener = self._opener()
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._children[-1].poll() is not None:
                raise LocalCloudError(f"{name} ended with exit code {self._children[-1].returncode}")
            try:
                with opener.open(url, timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise LocalCloudError(f"{name} did not answer within {READY_SECONDS} s")

    def _run_bootstrap(self) -> None:
        targets = [f"aws://{environment.ACCOUNT}/{region}" for region in self.regions]
        log = self.state_dir / "bootstrap.log"
        child = processes.start(
            ["cdk", "bootstrap", "--ci", "--progress", "events", *targets],
            environment=self.process_environment(),
            cwd=self.state_dir / "tmp",
            log=log,
        )
        identity = processes.identify(child.pid)
        try:
            code = child.wait(timeout=BOOTSTRAP_SECONDS)
        except BaseException:
            processes.end([identity] if identity else [])
            child.poll()
            raise
        if code:
            raise LocalCloudError(f"cdk bootstrap ended with exit code {code}")

    def _save(self) -> None:
        current = run_folder.CloudRun(
            ministack_url=self.ministack_url,
            simulator_url=self.simulator_url,
            regions=self.regions,
            requests_per_second=self._requests_per_second,
            bootstrap=self._bootstrap,
            servers=tuple(self._processes),
        )
        run_folder.save(self.state_dir, current)
