"""A local cloud as a test sees it: the cdk command, the models, the stacks, and what to show of a failure."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from hosted_model_local import clients, processes
from hosted_model_local.cloud import LocalCloud
from hosted_model_local.demo_services import SERVICES

CHECKOUT = Path(__file__).parents[2]
#: Longer than any cdk command here takes on a busy machine, and shorter than a test run may hang.
CDK_SECONDS = 240
OUTPUT_LINES = 40
SERVICE_MODELS = CHECKOUT / "lambda" / "hosted_model_runtime" / "data"
#: The smallest PNG there is: one grey point.
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
LOG_LINES = 60


@dataclass
class Run:
    """One cdk command, running or ended."""

    arguments: tuple[str, ...]
    child: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> int:
        """Return the exit code; a command that does not end in time is ended, and that is a failure."""
        try:
            return self.child.wait(CDK_SECONDS)
        except BaseException:
            identity = processes.identify(self.child.pid)
            processes.end([identity] if identity else [])
            self.child.poll()
            raise

    @property
    def output(self) -> str:
        """What the command has said so far."""
        return self.log.read_text(errors="replace")

    def tail(self) -> str:
        """The command line and the end of its output."""
        lines = self.output.splitlines()[-OUTPUT_LINES:]
        return "\n".join([f"$ cdk {' '.join(self.arguments)}  -> {self.child.poll()}", *lines])


@dataclass
class Stage:
    """One local cloud; `runs` are the cdk commands of the test that uses it now."""

    cloud: LocalCloud
    folder: Path
    runs: list[Run] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.simulator = clients.Simulator(self.cloud.simulator_url)

    # --- the cdk command ---------------------------------------------------------------------------------

    def start(self, *arguments: str, cwd: Path | None = None) -> Run:
        """Start a cdk command, with the environment that `hosted-model-local up` would print."""
        self._count += 1
        log = self.folder / f"cdk-{self._count}.log"
        child = processes.start(
            ["cdk", *arguments, "--ci"],
            environment=self.cloud.process_environment(),
            cwd=cwd or self.folder,
            log=log,
        )
        run = Run(arguments, child, log)
        self.runs.append(run)
        return run

    def start_deploy(self, assembly: Path, *more: str) -> Run:
        """Start `cdk deploy` of every stack of an app that is synthesised already."""
        # One call to CloudFormation less than a change set, which is what the main job's first deploy uses.
        options = ("--all", "--require-approval", "never", "--method", "direct", "--progress", "events")
        return self.start("deploy", "--app", str(assembly), *options, *more)

    def deploy(self, assembly: Path, *more: str) -> int:
        """Run `cdk deploy` of every stack of an app; its exit code."""
        return self.start_deploy(assembly, *more).wait()

    def destroy(self, assembly: Path, *stacks: str) -> int:
        """Run `cdk destroy` of these stacks of an app, or of all; its exit code."""
        return self.start("destroy", "--app", str(assembly), "--force", *(stacks or ("--all",))).wait()

    # --- models ------------------------------------------------------------------------------------------

    def seed(
        self, project: str, version: str = "1", *, service: str = "lookoutvision", **members: Any
    ) -> None:
        """Make a trained model that starts and stops in a moment."""
        times = {"start_seconds": 1, "stop_seconds": 1}
        script = SERVICES[service]
        given = {"service": service, "status": script.trained, **times, **members}
        self.simulator.seed(project, version, **given)

    def model(self, project: str, version: str = "1", service: str = "lookoutvision") -> clients.ModelView:
        """The model as it is now."""
        wanted = (service, project, version)
        return next(
            one for one in self.simulator.models() if (one.service, one.project, one.version) == wanted
        )

    def infer(self, model: clients.ModelView) -> dict[str, Any]:
        """Send one image, or one question, to the model with root keys; the service's result."""
        session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
        # botocore has no client of Lookout for Vision any more: the runtime brings its description.
        session.get_component("data_loader").search_paths.append(str(SERVICE_MODELS))
        client = session.create_client(
            "personalize-runtime" if model.service == "personalize" else model.service,
            region_name=self.cloud.region,
            endpoint_url=self.cloud.simulator_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}),
        )
        if model.service == "rekognition":
            return dict(client.detect_custom_labels(ProjectVersionArn=model.arn, Image={"Bytes": IMAGE}))
        if model.service == "personalize":
            return dict(client.get_recommendations(recommenderArn=model.arn, userId="user-1"))
        found = client.detect_anomalies(
            ProjectName=model.project, ModelVersion=model.version, ContentType="image/png", Body=IMAGE
        )
        return dict(found["DetectAnomalyResult"])

    def assert_gone(
        self, project: str, version: str = "1", *, starts: int, service: str = "lookoutvision"
    ) -> None:
        """Check that the model is stopped, that nobody owns it, and how often it was started."""
        model = self.model(project, version, service)
        script = SERVICES[service]
        assert model.status in {script.stopped, *([script.trained] if not starts else [])}
        assert set(model.tags) <= {"hosted-model:closed"}
        assert model.starts == starts

    # --- stacks ------------------------------------------------------------------------------------------

    def client(self, service: str) -> Any:
        """A boto3 client with root keys."""
        cloud = self.cloud
        bundle = cloud.environment["SSL_CERT_FILE"]
        return clients.aws(service, endpoint=cloud.ministack_url, bundle=bundle, region=cloud.region)

    def stack(self, name: str) -> dict[str, Any] | None:
        """The stack of this name, if there is one that is not deleted."""
        try:
            found = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError:
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)

    def status(self, name: str) -> str:
        """The status of the stack of this name; empty without one."""
        return str((self.stack(name) or {}).get("StackStatus", ""))

    def outputs(self, name: str) -> dict[str, str]:
        """The outputs of the stack of this name."""
        found = (self.stack(name) or {}).get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    def reasons(self, name: str) -> str:
        """Why resources of the stack failed, newest first; by ID for a stack that is deleted."""
        events = self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        return "\n".join(
            str(one.get("ResourceStatusReason", ""))
            for one in events
            if str(one["ResourceStatus"]).endswith("_FAILED")
        )

    def function_name(self, stack: str) -> str:
        """The name of the stack's function."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return str(
            next(
                one["PhysicalResourceId"]
                for one in resources
                if one["ResourceType"] == "AWS::Lambda::Function"
            )
        )

    def role_name(self, stack: str) -> str:
        """The name of the function's role."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return str(
            next(one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::IAM::Role")
        )

    def workers(self, stack: str) -> list[int]:
        """The processes that run the stack's function now."""
        name = self.function_name(stack)
        return [one.pid for one in self.cloud.running() if f"-{name}-" in _command_line(one.pid)]

    def rules(self) -> list[str]:
        """The names of all EventBridge rules."""
        return [one["Name"] for one in self.client("events").list_rules()["Rules"]]

    def function_log(self, containing: str = "") -> str:
        """The lines of the functions' log groups, whose names contain this."""
        logs = self.client("logs")
        groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
        lines = []
        for group in groups:
            if containing in group:
                events = logs.filter_log_events(logGroupName=group)["events"]
                lines += [f"{line}" for one in events for line in str(one["message"]).splitlines()]
        return "\n".join(lines)

    # --- what a failure shows ----------------------------------------------------------------------------

    def evidence(self) -> list[tuple[str, str]]:
        """Titles and texts that explain a failure."""
        log = "\n".join(self.function_log().splitlines()[-LOG_LINES:])
        models = "\n".join(map(str, self.simulator.models()))
        return [
            *(("cdk's output", run.tail()) for run in self.runs),
            ("the functions' log", log),
            ("models", models),
            ("servers' logs", self.cloud.log_tail(20)),
        ]


def until(met: Callable[[], Any], *, seconds: float = 120, what: str = "") -> Any:
    """Wait until ``met`` returns something true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or met}"
        time.sleep(0.1)
    return found


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
