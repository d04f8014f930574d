"""The other services that `hosted-model` asks, on loopback: their wire protocols, and what a test puts there.

CloudFormation (Query, XML), EC2, CloudWatch Logs (JSON 1.1), Lambda and EventBridge Scheduler (REST). The
local cloud's answer in the end-to-end tests; here a test says what a stack is like.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

Answer = tuple[int, str, str]
XML, JSON = "text/xml", "application/json"


@dataclass
class Stack:
    """A stack: its resources are logical ID -> (type, physical ID, status); its events newest first."""

    stack_id: str
    status: str = "CREATE_COMPLETE"
    resources: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)

    template: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.stack_id.split("/")[1]

    @property
    def facts(self) -> dict[str, str]:
        facts = {"StackId": self.stack_id, "StackName": self.name, "StackStatus": self.status}
        return {**facts, "CreationTime": "2026-11-23T08:00:00Z"}


@dataclass
class Aws:
    """What the services know; `actions` are those that were asked for, `denied` those that are refused,
    of CloudFormation also by stack: `ACTION NAME`."""

    stacks: list[Stack] = field(default_factory=list)
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    regions: tuple[str, ...] = ("us-east-1", "eu-west-1")
    denied: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)
    #: What functions were invoked with; ``invoked`` plays the function.
    events: list[dict[str, Any]] = field(default_factory=list)
    invoked: Callable[[dict[str, Any]], Any] = lambda _: None
    url: str = ""

    def handle(self, method: str, path: str, headers: dict[str, str], body: str) -> Answer:
        """Answer one request."""
        if "x-amz-target" in headers:
            return self._logs(headers["x-amz-target"].split(".")[-1], json.loads(body))
        if path.startswith("/schedules/"):
            return self._rest("scheduler:GetSchedule", self.schedules, path.split("/")[2].split("?")[0])
        if path.endswith("/invocations"):
            return self._invoke(headers, body)
        if path.startswith("/2015-03-31/functions/"):
            return self._rest("lambda:GetFunctionConfiguration", self.functions, path.split("/")[3])
        form = {name: values[0] for name, values in parse_qs(body).items()}
        operation = form["Action"]
        service = "ec2" if operation == "DescribeRegions" else "cloudformation"
        action = f"{service}:{operation}"
        if self._is_denied(action) or f"{action} {form.get('StackName')}" in self.denied:
            return _xml_error(403, "AccessDenied", f"not authorized to perform {service}:{operation}")
        if service == "ec2":
            members = "".join(f"<item><regionName>{one}</regionName></item>" for one in self.regions)
            return 200, XML, f"<R><regionInfo>{members}</regionInfo></R>"
        return self._cloudformation(operation, form)

    def _is_denied(self, action: str) -> bool:
        self.actions.add(action)
        return action in self.denied

    def _invoke(self, headers: dict[str, str], body: str) -> Answer:
        if self._is_denied("lambda:InvokeFunction"):
            return 403, JSON, json.dumps({"__type": "AccessDeniedException", "Message": "no invoke"})
        assert headers["x-amz-invocation-type"] == "Event"
        self.events.append(json.loads(body))
        self.invoked(self.events[-1])
        return 202, JSON, ""

    def _cloudformation(self, operation: str, form: dict[str, str]) -> Answer:
        if operation == "ListStacks":
            members = "".join(f"<member>{_elements(one.facts)}</member>" for one in self.stacks)
            return _xml(operation, f"<StackSummaries>{members}</StackSummaries>")
        wanted = form["StackName"]
        stack = next((one for one in self.stacks if wanted in (one.stack_id, one.name)), None)
        if stack is None:
            return _xml_error(400, "ValidationError", f"Stack with id {wanted} does not exist")
        if operation == "ListStackResources":
            members = (f"<member>{_resource(one, *stack.resources[one])}</member>" for one in stack.resources)
            said = f"<StackResourceSummaries>{''.join(members)}</StackResourceSummaries>"
        elif operation == "DescribeStackEvents":
            members = (f"<member>{_elements(one)}</member>" for one in stack.events)
            said = f"<StackEvents>{''.join(members)}</StackEvents>"
        elif operation == "GetTemplate":
            said = f"<TemplateBody>{escape(json.dumps(stack.template))}</TemplateBody>"
        else:
            said = f"<Stacks><member>{_elements(stack.facts)}</member></Stacks>"
        return _xml(operation, said)

    def _rest(self, action: str, known: dict[str, dict[str, Any]], name: str) -> Answer:
        if self._is_denied(action):
            return 403, JSON, json.dumps({"__type": "AccessDeniedException", "Message": f"no {action}"})
        if name not in known:
            return 404, JSON, json.dumps({"__type": "ResourceNotFoundException", "Message": name})
        return 200, JSON, json.dumps(known[name])

    def _logs(self, operation: str, given: dict[str, Any]) -> Answer:
        if self._is_denied(f"logs:{operation}"):
            return 400, JSON, json.dumps({"__type": "AccessDeniedException", "message": "no logs"})
        if given["logGroupName"] not in self.logs:
            return 400, JSON, json.dumps({"__type": "ResourceNotFoundException", "message": "no group"})
        entries = [
            {"timestamp": at, "message": message}
            for at, message in self.logs[given["logGroupName"]]
            if at >= given["startTime"]
        ]
        return 200, JSON, json.dumps({"events": entries})

    @contextmanager
    def listening(self) -> Iterator[Aws]:
        """Answer on a free port of loopback."""
        aws = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length).decode()
                status, kind, text = aws.handle(self.command, self.path, headers, body)
                content = text.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _xml(operation: str, said: str) -> Answer:
    result = f"<{operation}Result>{said}</{operation}Result>"
    return 200, XML, f"<{operation}Response>{result}</{operation}Response>"


def _resource(logical_id: str, kind: str, physical_id: str, status: str) -> str:
    return _elements(
        {
            "LogicalResourceId": logical_id,
            "ResourceType": kind,
            "PhysicalResourceId": physical_id,
            "ResourceStatus": status,
            "LastUpdatedTimestamp": "2026-11-23T08:00:00Z",
        }
    )


def _elements(facts: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in facts.items())


def _xml_error(status: int, code: str, message: str) -> Answer:
    said = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return status, XML, f"<ErrorResponse>{said}</ErrorResponse>"
