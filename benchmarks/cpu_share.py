"""What the function's share of a core costs in seconds: Lambda gives 1,769 MiB one core, and less its part.

The function runs in a process of its own, in a control group of the operating system whose CPU quota is that
share; the simulator, EventBridge's answers and CloudFormation's are outside of it. Timed are

* the first look: from the interpreter being up to the first Describe at the service,
* the handover: the same for a tick of the relay, to the removal of its rule, which tells the predecessor,
* the answer: from the Describe that shows the model running to the answer at CloudFormation.

Python itself is up before: Lambda starts that whatever the code is. Needs Linux, and the right to make a
control group (root, or one that was given away); elsewhere there are no rows, and the page says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trustme

from benchmarks.cold_start import ENVIRONMENT, environment, stage
from benchmarks.work import default_memory
from hosted_model_local.simulator import Request, Simulator
from hosted_model_local.simulator.server import ThreadedServer
from support.cases import CASES

RUNS, QUICK_RUNS = 3, 1
#: Mebibytes, and those of a whole core ("Configure Lambda function memory", AWS Lambda Developer Guide).
MEMORY, CORE = (128, 160, 192, 256, 384, 512, 1024, 1769), 1769
QUICK_MEMORY = (512, 1769)
PERIOD_MICROSECONDS = 20_000
START_SECONDS = 2.0
PATIENCE_SECONDS = 120.0
SERVICE = "rekognition"
_GROUPS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
_STACK_ID = ENVIRONMENT["HOSTED_MODEL_STACK_ID"]
_FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:HostedModels"

_PROGRAM = """
import sys, time
print(time.monotonic(), flush=True)
sys.path.insert(0, sys.argv[1])
import json
from hosted_model_runtime import index
class Context:
    function_name, log_stream_name, aws_request_id = "HostedModels", "stream", "invocation-1"
    invoked_function_arn = sys.argv[3]
    def get_remaining_time_in_millis(self): return 900_000
index.handler(json.loads(sys.argv[2]), Context())
"""

Progress = Callable[[str], None]


@contextlib.contextmanager
def quota(share: float) -> Iterator[Callable[[], None] | None]:
    """Make a control group with this share of a core; yields what a child calls to join it, or None."""
    base = next((one for one in _GROUPS if os.access(one, os.W_OK)), None)
    group = base / f"hosted-model-{os.getpid()}" if base else None
    try:
        if group is None:
            raise OSError("no control groups")
        group.mkdir()
        microseconds = max(1000, round(PERIOD_MICROSECONDS * share))
        if (group / "cpu.cfs_quota_us").exists():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(microseconds))
        else:
            (group / "cpu.max").write_text(f"{microseconds} {PERIOD_MICROSECONDS}")
        made = True
    except OSError:
        made = False

    def join() -> None:
        if group:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    try:
        yield join if made else None
    finally:
        if group is not None:
            with contextlib.suppress(OSError):
                group.rmdir()


@dataclass
class Outside:
    """The service, EventBridge and CloudFormation, with the time at which each was first asked."""

    simulator: Simulator = field(default_factory=lambda: Simulator(requests_per_second=None))
    times: dict[str, float] = field(default_factory=dict)

    def note(self, what: str) -> None:
        self.times.setdefault(what, time.monotonic())

    @contextlib.contextmanager
    def listening(self, folder: Path) -> Iterator[dict[str, str]]:
        """Yield the environment variables that lead the function here."""
        handle, note = self.simulator.handle, self.note
        running = CASES[SERVICE].running

        def timed(request: Request) -> Any:
            answer = handle(request)
            if "Describe" in request.headers.get("x-amz-target", ""):
                note("look")
                if f'"Status":"{running}"'.encode() in answer.body:
                    note("seen")
            return answer

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                removes = "RemoveTargets" in self.headers.get("X-Amz-Target", "")
                note("answer" if self.command == "PUT" else "removal" if removes else "events")
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_PUT = do_POST = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None: ...

        self.simulator.handle = timed  # type: ignore[method-assign]
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        answers, events = (ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2))
        answers.socket = context.wrap_socket(answers.socket, server_side=True)
        for server in (answers, events):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            with ThreadedServer(self.simulator) as service:
                yield {
                    "AWS_ENDPOINT_URL_REKOGNITION": service.url,
                    "AWS_ENDPOINT_URL_EVENTBRIDGE": f"http://127.0.0.1:{events.server_address[1]}",
                    "HOSTED_MODEL_LOCAL_RESPONSE_HOST": f"localhost:{answers.server_address[1]}",
                    "SSL_CERT_FILE": str(folder / "ca.pem"),
                }
        finally:
            for server in (answers, events):
                server.shutdown()
                server.server_close()


def event(host: str, tick: bool) -> dict[str, Any]:
    """Return a Create, or the tick that continues it."""
    found = {
        "RequestType": "Create",
        "ResponseURL": f"https://{host}/answer",
        "StackId": _STACK_ID,
        "RequestId": "7d2f3a8e-0001-4002-8003-000000000001",
        "LogicalResourceId": "Model",
        "ResourceType": "Custom::HostedModel",
        "ResourceProperties": CASES[SERVICE].properties("1"),
    }
    return {**found, "CrHelperPoll": True, "HostedModelIssuedAt": int(time.time())} if tick else found


def run(share: float, task: Path, folder: Path, tick: bool = False) -> dict[str, float]:
    """Return the seconds of one process: ``first look`` and ``answer``, or of a tick the ``handover``."""
    outside = Outside()
    with outside.listening(folder) as leads_here, quota(share) as joins:
        if joins is None:
            raise OSError("no control group can be made here")
        _seed(outside.simulator)
        host = leads_here["HOSTED_MODEL_LOCAL_RESPONSE_HOST"]
        child = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(task), json.dumps(event(host, tick)), _FUNCTION],
            cwd=folder,
            env={**environment(os.environ), **leads_here, "NO_PROXY": "127.0.0.1,localhost"},
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=joins,
        )
        try:
            assert child.stdout
            began = float(child.stdout.readline())
            wanted = "removal" if tick else "answer"
            until = time.monotonic() + PATIENCE_SECONDS
            while wanted not in outside.times and time.monotonic() < until:
                time.sleep(0.005)
        finally:
            child.kill()
            child.communicate()
    times = outside.times
    if tick:
        return {"handover": times["removal"] - began}
    return {"first look": times["look"] - began, "answer": times["answer"] - times["seen"]}


def _seed(simulator: Simulator) -> None:
    body = {"service": SERVICE, "start_seconds": START_SECONDS, "stop_seconds": 0}
    seed = Request("PUT", "/_simulator/models/boards/1", "", {}, json.dumps(body).encode())
    answer = simulator.handle(seed)
    if answer.status != 200:
        raise RuntimeError(f"the simulator said {answer.status}: {answer.body!r}")


def measure(quick: bool, progress: Progress) -> list[dict[str, Any]]:
    """Return a row for each memory size; none where no quota can be set."""
    sizes = sorted({*(QUICK_MEMORY if quick else MEMORY), default_memory()})
    rows = []
    with TemporaryDirectory(prefix="cpu-share-") as name:
        task = stage(Path(name))
        with quota(1.0) as joins:
            if joins is None:
                progress("cpu-share: no control group can be made here")
                return []
        # One that warms the system's file cache and is not counted.
        run(1.0, task, Path(name))
        for size in sizes:
            taken: dict[str, list[float]] = {}
            for _ in range(QUICK_RUNS if quick else RUNS):
                for tick in (False, True):
                    for what, seconds in run(size / CORE, task, Path(name), tick).items():
                        taken.setdefault(what, []).append(round(seconds, 3))
            progress(f"cpu-share: {size} MiB")
            medians = {what: round(statistics.median(values), 3) for what, values in taken.items()}
            rows.append(
                {
                    "measure": "cpu-share",
                    "design": "hosted-model",
                    "memory": size,
                    "share": round(size / CORE, 3),
                    "default": size == default_memory(),
                    "seconds": taken,
                    **medians,
                }
            )
    return rows


if __name__ == "__main__":
    for row in measure("--quick" in sys.argv, lambda line: print(line, file=sys.stderr, flush=True)):
        print(json.dumps(row))
