"""The whole life of a hosted model, by the real cdk command on a local cloud; each step is checked."""

import importlib.util
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.text import Text

from hosted_model_local import clients, processes
from hosted_model_local.cloud import LocalCloud
from hosted_model_local.demo_services import SERVICES, ServiceScript
from hosted_model_local.progress import Progress, StackEvents
from hosted_model_local.progress import units as in_words
from hosted_model_local.status import NOBODY, console, owner, table

STACK = "HostedModels"
STOP_SECONDS = 4.0
STEP_SECONDS = 300
_LOOK_SECONDS = 0.5
_LOG_LINES = 40
#: Two columns less than a terminal, for they stand indented.
_COMMAND_WIDTH = 78


def run(service: str = next(iter(SERVICES)), *, app: Path | None = None, start_seconds: float = 15.0) -> int:
    """Run the demo on a cloud of its own; 0 if every expectation was met, else 1.

    Parameters
    ----------
    service
        A key of `demo_services.SERVICES`.
    app
        The folder of the CDK app; None means the sample app of this checkout.
    start_seconds
        How long the simulated models take to start.
    """
    folder = app or Path(__file__).resolve().parents[2]
    out = console()
    if not (folder / "cdk.json").is_file():
        out.print(f"error: {folder} has no cdk.json: run the demo in a checkout, or name the app with --app")
        return 1
    begun = time.monotonic()
    script = SERVICES[service]
    out.print(f"{script.title}: a hosted model's life by `cdk`, on a local cloud", style="bold")
    cloud = LocalCloud(say=lambda line: out.print(f"  {line}", soft_wrap=True))
    demo: Demo | None = None
    try:
        cloud.start()
        demo = Demo(script, cloud, folder, start_seconds)
        demo.play()
    finally:
        met = _end(cloud, demo)
        out.print(f"{time.monotonic() - begun:.0f} s in all")
    return 0 if met else 1


def _end(cloud: LocalCloud, demo: "Demo | None") -> bool:
    """End the cloud and check that nothing of it is left; whether all expectations of the demo were met."""
    checks = demo or _Checks()
    # A second Ctrl-C must not leave half of it behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running, urls = cloud.running(), (cloud.ministack_url, cloud.simulator_url)
    cloud.stop()
    checks.check("processes left: 0", not processes.alive(running))
    checks.check("listening ports left: 0", not any(url and _listens(url) for url in urls))
    checks.check("files left: 0", not cloud.state_dir.exists())
    return demo is not None and demo.complete and not checks.missed


def _listens(url: str) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0


class _Checks:
    """Says of each expectation whether it was met, and remembers those that were not."""

    def __init__(self) -> None:
        self.out = console()
        self.missed: list[str] = []
        # A pipe may not carry anything but ASCII.
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self._tick, self._cross = ("✔", "✘") if utf8 else ("ok", "FAILED")

    def check(self, expectation: str, met: bool, seen: object = "") -> None:
        """Show one expectation; ``seen`` is said when it was not met."""
        if met:
            self.out.print(Text(f"  {self._tick} {expectation}", style="green"), soft_wrap=True)
            return
        self.missed.append(expectation)
        said = f" (seen: {seen})" if seen != "" else ""
        self.out.print(Text(f"  {self._cross} {expectation}{said}", style="bold red"), soft_wrap=True)


class Demo(_Checks):
    """The steps, on a cloud that runs."""

    def __init__(self, script: ServiceScript, cloud: LocalCloud, app: Path, start_seconds: float) -> None:
        super().__init__()
        self.complete = False
        self._script = script
        self._cloud = cloud
        self._app = app
        self._simulator = clients.Simulator(cloud.simulator_url)
        self._events = StackEvents(self._client("cloudformation"), STACK)
        self._log = cloud.state_dir / "cdk.log"
        self._step = 0
        for version in script.versions:
            outcome = script.failed if version == script.versions[2] else script.running
            self._simulator.seed(
                script.project,
                version,
                service=script.service,
                status=script.trained,
                start_seconds=start_seconds,
                stop_seconds=STOP_SECONDS,
                start_outcome=outcome,
            )

    def play(self) -> None:
        """All steps, in order. A step that misses an expectation does not keep the next from running.

        Only without the first deploy there is nothing to go on with: then the app is not one for the demo.
        """
        if not self._deploy_first():
            return
        self._infer()
        self._resize()
        self._swap()
        self._deploy_failing()
        self._list()
        self._destroy()
        self.complete = True
        self._summary()

    def _summary(self) -> None:
        """A table of what it would have cost, and what is left in the cloud."""
        rows = [
            (one.name, one.status, one.starts, f"{one.billed_unit_seconds:.0f}") for one in self._models()
        ]
        self.out.print()
        self.out.print(table("Summary", ("Model", "Status", "Starts", "Billed unit-s"), rows, numbers=2))
        rules = [one["Name"] for one in self._client("events").list_rules()["Rules"]]
        self.check("rules left: 0", not rules, rules)
        functions = [one["FunctionName"] for one in self._client("lambda").list_functions()["Functions"]]
        self.check("functions left: 0", not functions, functions)

    # --- steps -------------------------------------------------------------------------------------------

    def _deploy_first(self) -> bool:
        """Whether there is a model to go on with."""
        first = self._script.versions[0]
        with self._stage(f"Deploy {self._name(first)} with 1 unit"):
            code = self._deploy(first, units=1)
            self._cdk_succeeds(code)
            hosted = self._model(first).status == self._script.running
            if code == 0:
                self._expect(first, self._script.running, units=1, starts=1)
                self._expect_stack("CREATE_COMPLETE")
        if code != 0 or not hosted:
            self.out.print(
                f"  The demo ends here: no stack {STACK} of {self._app} hosts the model of the context.",
                soft_wrap=True,
            )
        return code == 0 and hosted

    def _infer(self) -> None:
        model, script = self._model(self._script.versions[0]), self._script
        with self._stage(f"Ask {model.name} for one {script.operation}"):
            try:
                said = script.infer(model, self._cloud.simulator_url, self._cloud.region)
            except (OSError, RuntimeError, KeyError, ValueError) as error:
                self.check(f"{script.operation} is answered", False, error)
            else:
                self.check(f"{script.operation} is answered: {said}", True)

    def _resize(self) -> None:
        first = self._script.versions[0]
        with self._stage(f"Update {self._name(first)} from 1 to 2 units"), self._asked(first):
            self._cdk_succeeds(self._deploy(first, units=2))
            self._expect(first, self._script.running, units=2, starts=self._starts_of_first)

    @contextmanager
    def _asked(self, version: str) -> Iterator[None]:
        """Ask a model all the time, where a change of units leaves it serving; each must be answered."""
        if not self._script.in_place:
            yield
            return
        answers: list[bool] = []
        over = threading.Event()
        model = self._model(version)

        def ask() -> None:
            while not over.wait(_LOOK_SECONDS):
                try:
                    self._script.infer(model, self._cloud.simulator_url, self._cloud.region)
                except (OSError, RuntimeError, KeyError, ValueError):
                    answers.append(False)
                else:
                    answers.append(True)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()
        answered = f"{sum(answers)} of {len(answers)}"
        self.check(
            f"meanwhile {self._script.operation} was answered: {answered}", bool(answers) and all(answers)
        )

    def _swap(self) -> None:
        first, second, _ = self._script.versions
        with self._stage(f"Swap {self._name(first)} for {self._name(second)}"):
            self._cdk_succeeds(self._deploy(second, units=2))
            self._expect(second, self._script.running, units=2, starts=1)
            self._expect(first, self._script.stopped, starts=self._starts_of_first)
            answered = _first(self._model(second), self._script.running)
            left = _last_end(self._model(first), self._script.running)
            self.check(
                f"{self._name(second)} was {self._script.running} before {self._name(first)} stopped",
                answered is not None and left is not None and answered <= left,
                (answered, left),
            )

    def _deploy_failing(self) -> None:
        _, second, third = self._script.versions
        before = self._model(second)
        with self._stage(f"Deploy {self._name(third)}, which fails to start, and roll back"):
            code = self._deploy(third, units=2)
            self.check("cdk deploy fails", code not in (0, None), f"exit code {code}")
            self._expect_stack("UPDATE_ROLLBACK_COMPLETE")
            self._expect(second, self._script.running, units=before.units, starts=before.starts)
            self.check(f"{before.name} answered all the time", self._model(second).history == before.history)
            failed = self._model(third)
            self.check(
                f"{failed.name} was started and failed", _first(failed, self._script.failed) is not None
            )
            idle = (self._script.trained, self._script.stopped)
            self.check(f"{failed.name} is stopped again", failed.status in idle, failed.status)

    def _list(self) -> None:
        _, second, _ = self._script.versions
        with self._stage("See what runs, whose it is, what it costs"):
            said = self._hosted_model("ls", "--table")
            if said is not None:
                self.check(f"it shows {self._name(second)}", self._name(second) in said)
                self.check("a stack declares all that runs", "Otherwise than declared" not in said)

    def _destroy(self) -> None:
        _, second, _ = self._script.versions
        with self._stage("Destroy the stack"):
            self._cdk_succeeds(self._cdk(["destroy", STACK, "--force", *self._context(second, 2)]))
            self._expect(second, self._script.stopped, starts=1)
            running = [one.name for one in self._models() if one.status == self._script.running]
            self.check("no model is billed any more", not running, running)
            owned = [one.name for one in self._models() if owner(one.tags) != NOBODY]
            self.check("no model has an owner", not owned, owned)
            said = self._hosted_model("ls")
            if said is not None:
                self.check("it shows no model", said == "No model runs.\n", said)

    @property
    def _starts_of_first(self) -> int:
        """How often the first model was started by the time that its units are changed."""
        return 1 if self._script.in_place else 2

    # --- parts of a step ---------------------------------------------------------------------------------

    @contextmanager
    def _stage(self, title: str) -> Iterator[None]:
        self._step += 1
        missed, begun = len(self.missed), time.monotonic()
        self.out.print()
        self.out.print(Text(f"{self._step}. {title}", style="bold"), soft_wrap=True)
        yield
        self.out.print(Text(f"  {time.monotonic() - begun:.0f} s", style="dim"))
        if len(self.missed) > missed and self._log.exists():
            self.out.print("  the end of the cdk command's output:")
            for line in self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]:
                self.out.print(Text(f"  | {line}"), soft_wrap=True)

    def _deploy(self, version: str, *, units: int) -> int | None:
        return self._cdk(["deploy", STACK, "--require-approval", "never", *self._context(version, units)])

    def _context(self, version: str, units: int) -> list[str]:
        context = {**self._script.context(self._model(version)), "min_units": str(units)}
        return [part for key, value in context.items() for part in ("-c", f"{key}={value}")]

    def _cdk(self, arguments: Sequence[str]) -> int | None:
        """Run the cdk command and show what happens; its exit code, None if it was ended for its time."""
        shown = " ".join(["cdk", *arguments])
        self.out.print(Text(f"  $ {shown}", style="cyan"), soft_wrap=True)
        self._log.unlink(missing_ok=True)
        self._events.restart(STACK)
        child = processes.start(
            ["cdk", *arguments, "--ci", "--output", str(self._cloud.state_dir / "cdk.out")],
            environment=self._cloud.process_environment(),
            cwd=self._app,
            log=self._log,
        )
        identity = processes.identify(child.pid)
        try:
            with Progress(self.out, arguments[0], models=self._models, events=self._events) as progress:
                while child.poll() is None and progress.elapsed < STEP_SECONDS:
                    time.sleep(_LOOK_SECONDS)
                    progress.look()
                progress.look()
        finally:
            processes.end([identity] if identity else [])
            code = child.poll()
        return code if code is None or code >= 0 else None

    def _hosted_model(self, *arguments: str) -> str | None:
        """Run the package's command hosted-model; what it says, None where it is not installed."""
        self.out.print(Text(f"  $ {' '.join(['hosted-model', *arguments])}", style="cyan"))
        if importlib.util.find_spec("typer") is None:
            self.out.print("  not shown: it needs the extra [cli]")
            return None
        done = subprocess.run(
            [sys.executable, "-m", "hosted_model_cli", *arguments],
            env=self._cloud.process_environment() | {"COLUMNS": str(_COMMAND_WIDTH)},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        for line in (done.stdout + done.stderr).splitlines():
            self.out.print(Text(f"  {line}"), soft_wrap=True)
        self.check("hosted-model succeeds", done.returncode == 0, f"exit code {done.returncode}")
        return done.stdout

    def _cdk_succeeds(self, code: int | None) -> None:
        self.check("cdk succeeds", code == 0, f"exit code {code}")

    def _expect(self, version: str, status: str, *, units: int | None = None, starts: int) -> None:
        model = self._model(version)
        wanted = (
            f"{model.name} is {status}"
            + (f" with {in_words(units)}" if units else "")
            + f", starts: {starts}"
        )
        met = model.status == status and model.starts == starts and (units is None or model.units == units)
        self.check(wanted, met, f"{model.status}, {in_words(model.units)}, starts: {model.starts}")

    def _expect_stack(self, status: str) -> None:
        stacks = self._client("cloudformation").describe_stacks()["Stacks"]
        seen = next((one["StackStatus"] for one in stacks if one["StackName"] == STACK), "no stack")
        self.check(f"the stack is {status}", seen == status, seen)

    def _name(self, version: str) -> str:
        return f"{self._script.project}/{version}"

    def _models(self) -> list[clients.ModelView]:
        return [one for one in self._simulator.models() if one.service == self._script.service]

    def _model(self, version: str) -> clients.ModelView:
        return next(one for one in self._models() if one.version == version)

    def _client(self, service: str) -> Any:
        return clients.aws(
            service,
            endpoint=self._cloud.ministack_url,
            bundle=self._cloud.environment["SSL_CERT_FILE"],
            region=self._cloud.region,
        )


def _first(model: clients.ModelView, status: str) -> float | None:
    """When ``model`` first had ``status``."""
    return next((at for at, said in model.history if said == status), None)


def _last_end(model: clients.ModelView, status: str) -> float | None:
    """When ``model`` last left ``status``."""
    pairs = zip(model.history, model.history[1:], strict=False)
    return next((end for (_, said), (end, _) in reversed(list(pairs)) if said == status), None)
