"""CloudFormation's side of a custom resource, as the user guide tells it, for ministack to use.

Follows "Custom resources" and "Custom resource response objects", AWS CloudFormation User Guide, and
"Asynchronous invocation", AWS Lambda Developer Guide.
"""

import asyncio
import secrets
import string
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

DEFAULT_SERVICE_TIMEOUT_SECONDS = 3600
RESPONSE_URL_SECONDS = 7200
_ABANDON_SECONDS = 30
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Create:
    """A Create that is running, or that failed and is owed a Delete."""

    stack_id: str
    stack_name: str
    logical_id: str
    resource_type: str
    properties: dict[str, Any]
    token: str
    physical_id: str = ""


_lock = threading.Lock()
_running: dict[str, Create] = {}
_failed: dict[tuple[str, str], Create] = {}
_deleting: set[str] = set()
_rolled_back: set[str] = set()


def invoke(
    request_type: str,
    logical_id: str,
    props: dict[str, Any],
    stack_name: str,
    stack_id: str,
    resource_type: str,
    physical_id: str | None = None,
    old_props: dict[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Send one request to the function of a custom resource and wait for the answer at the ResponseURL.

    Blocks, so it runs in a worker thread, as ministack calls it. Whether the invocation succeeds is not
    asked: only the answer counts.

    Returns
    -------
    tuple
        The physical ID and the data of the answer.

    Raises
    ------
    ValueError
        There is no such function.
    TimeoutError
        No answer within ServiceTimeout, in seconds (1 to 3600, default 3600).
    RuntimeError
        The answer is FAILED, or the stack is deleted while this create runs.
    """
    from ministack.core.responses import new_uuid
    from ministack.services.cloudformation import custom_resource

    if request_type == "Create" and deletion_requested(stack_id):
        raise RuntimeError("Resource creation cancelled")
    token, request_id = new_uuid(), new_uuid()
    event: dict[str, Any] = {
        "RequestType": request_type,
        "RequestId": request_id,
        "StackId": stack_id,
        "ResponseURL": _presigned(custom_resource._response_url(token), stack_id),
        "ServiceToken": props.get("ServiceToken", ""),
        "ResourceType": resource_type,
        "LogicalResourceId": logical_id,
        "ResourceProperties": custom_resource._normalise_resource_properties(props),
    }
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    if old_props is not None:
        event["OldResourceProperties"] = custom_resource._normalise_resource_properties(old_props)

    create = Create(stack_id, stack_name, logical_id, resource_type, props, token)
    try:
        answer = _exchange(
            event, token, create if request_type == "Create" else None, _service_timeout(props)
        )
    except TimeoutError:
        if request_type == "Create":
            _remember(create, invented_physical_id(stack_name, logical_id))
        raise
    if answer.get("Status") != "SUCCESS":
        answered_id = str(answer.get("PhysicalResourceId") or "")
        if request_type == "Create":
            _remember(create, answered_id or invented_physical_id(stack_name, logical_id))
        raise RuntimeError(
            f"Received response status [{answer.get('Status')}] from custom resource. "
            f"Message returned: {answer.get('Reason')} (RequestId: {request_id})"
        )
    return str(answer.get("PhysicalResourceId") or physical_id or request_id), answer.get("Data") or {}


def _exchange(event: dict[str, Any], token: str, create: Create | None, timeout: int) -> dict[str, Any]:
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import custom_resource

    service_token = event["ServiceToken"]
    record, config, _ = lambda_svc._get_func_record_for_ref(service_token)
    if record is None or config is None:
        raise ValueError(f"Custom resource ServiceToken {service_token!r}: no such function")
    answered: threading.Event = custom_resource.register_token(token)
    if create:
        with _lock:
            _running[token] = create
    try:
        function = lambda_svc._execution_record_for_config(record, config)
        lambda_svc.invoke_async_with_retry(function, event)
        answered.wait(timeout)
    finally:
        with _lock:
            _running.pop(token, None)
        with custom_resource._lock:
            entry = custom_resource._pending.pop(token, None)
    if not entry or entry["result"] is None:
        raise TimeoutError(
            "CloudFormation did not receive a response from your Custom Resource. "
            f"Please check your logs for requestId [{event['RequestId']}]."
        )
    result: dict[str, Any] = entry["result"]
    return result


def _service_timeout(props: dict[str, Any]) -> int:
    try:
        return int(props.get("ServiceTimeout", DEFAULT_SERVICE_TIMEOUT_SECONDS))
    except (TypeError, ValueError):
        return DEFAULT_SERVICE_TIMEOUT_SECONDS


def _presigned(url: str, stack_id: str) -> str:
    """The query of S3's presigned URL: functions may read its date, and must not log its signature."""
    now = datetime.now(UTC)
    region = stack_id.split(":")[3] if stack_id.count(":") > 3 else "us-east-1"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Date": now.strftime("%Y%m%dT%H%M%SZ"),
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Expires": str(RESPONSE_URL_SECONDS),
        "X-Amz-Credential": f"CLOUDFORMATION/{now:%Y%m%d}/{region}/s3/aws4_request",
        "X-Amz-Signature": secrets.token_hex(32),
    }
    return f"{url}?{urlencode(query)}"


def invented_physical_id(stack_name: str, logical_id: str) -> str:
    """The physical ID that CloudFormation makes up when a Create has not answered."""
    alphabet = string.ascii_uppercase + string.digits
    return f"{stack_name}-{logical_id}-{''.join(secrets.choice(alphabet) for _ in range(12))}"


def _remember(create: Create, physical_id: str) -> None:
    key = (create.stack_id, create.logical_id)
    with _lock:
        # A create abandoned by DeleteStack has its invented ID already.
        _failed.setdefault(key, replace(create, physical_id=physical_id))


def add_failed_create(stack_id: str, stack: dict[str, Any], operation: dict[str, Any]) -> None:
    """Let a rollback delete the custom resource whose Create failed in this operation."""
    for logical_id in adopt_failed_creates(stack_id, stack):
        operation["created"].append(logical_id)


def adopt_failed_creates(stack_id: str, stack: dict[str, Any]) -> list[str]:
    """Move failed creates of this stack to its resources, for a delete to reach; their logical IDs."""
    with _lock:
        owed = [_failed.pop(key) for key in list(_failed) if key[0] == stack_id]
    resources = stack.setdefault("_resources", {})
    for create in owed:
        resources[create.logical_id] = {
            "PhysicalResourceId": create.physical_id,
            "ResourceType": create.resource_type,
            "ResourceStatus": "CREATE_FAILED",
            "LogicalResourceId": create.logical_id,
            "Properties": create.properties,
            "Attributes": {},
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return [create.logical_id for create in owed]


def deletion_requested(stack_id: str) -> bool:
    """Whether DeleteStack came while the stack was being created."""
    with _lock:
        return stack_id in _deleting


def creation_ended(stack_id: str) -> None:
    """The create that a DeleteStack abandoned has come to its end."""
    with _lock:
        _rolled_back.add(stack_id)


@asynccontextmanager
async def creation_abandoned(stack_name: str, stack_id: str) -> AsyncIterator[None]:
    """End the create of this stack if it runs; within the block, what it left behind can be deleted."""
    from ministack.services.cloudformation import _stacks

    stack = _stacks.get(stack_name)
    if stack is None:
        yield
        return
    try:
        if stack.get("StackStatus") == "CREATE_IN_PROGRESS":
            await _abandon(stack_id, stack)
        adopt_failed_creates(stack_id, stack)
        yield
    finally:
        with _lock:
            _deleting.discard(stack_id)
            _rolled_back.discard(stack_id)


async def _abandon(stack_id: str, stack: dict[str, Any]) -> None:
    from ministack.services.cloudformation import custom_resource

    with _lock:
        _deleting.add(stack_id)
        unanswered = [create for create in _running.values() if create.stack_id == stack_id]
    for create in unanswered:
        _remember(create, invented_physical_id(create.stack_name, create.logical_id))
        custom_resource.deliver_response(
            create.token, {"Status": "FAILED", "Reason": "Resource creation cancelled"}
        )
    for _ in range(int(_ABANDON_SECONDS / _POLL_SECONDS)):
        if stack_id in _rolled_back or stack.get("StackStatus") != "CREATE_IN_PROGRESS":
            return
        await asyncio.sleep(_POLL_SECONDS)
