"""Events that this function's stack did not send: refused before any call, and nothing of them is told.

Each is a good event of the stack, turned into what a stranger may hand the function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hosted_model_runtime.cloudformation.origin import RefusedError, check
from hosted_model_runtime.contract import Env
from support.cases import CASES
from support.cloudformation import ANSWERS, SECRET, Stack, play, stack_id
from support.models import model, seed
from support.world import World

CASE = CASES["rekognition"]
MINE, OTHER = stack_id("Stack"), stack_id("Other")
URL = f"{ANSWERS}/Stack/Model/0?X-Amz-Date=20261125T000000Z&X-Amz-Signature={SECRET}"
Event = dict[str, Any]


def request(**more: Any) -> Event:
    return {
        "RequestType": "Create",
        "RequestId": "5f1b8a3c-0000-4000-8000-000000000001",
        "StackId": MINE,
        "LogicalResourceId": "Model",
        "ResponseURL": URL,
        "ResourceProperties": CASE.properties("1"),
        **more,
    }


def due(**more: Any) -> Event:
    """A schedule's event."""
    return {
        "HostedModel": "Stop",
        "ScheduledTime": "2026-11-25T18:00:00Z",
        "StackId": MINE,
        "LogicalResourceId": "Model",
        "ResourceProperties": CASE.properties("1"),
        **more,
    }


def nested(depth: int = 5000) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def to(host: str) -> Event:
    return request(ResponseURL=f"https://{host}/x?X-Amz-Signature={SECRET}")


BUCKET = "cloudformation-custom-resource-response"
TICK = {"CrHelperPoll": True, "HostedModelIssuedAt": 1_795_000_000}
FORGED: dict[str, Any] = {
    "no object": [request()],
    "nothing": None,
    "a text": "Create",
    "an empty object": {},
    # --- another stack
    "another stack's Create": request(StackId=OTHER),
    "another stack's Delete": request(RequestType="Delete", StackId=OTHER, PhysicalResourceId="x"),
    "another stack's tick": request(StackId=OTHER, **TICK),
    "another stack's schedule": due(StackId=OTHER),
    "a stack of the same name": request(StackId=stack_id("Stack", "again")),
    "a stack ID with a blank": request(StackId=f"{MINE} "),
    "a stack ID of another type": request(StackId=[MINE]),
    "no stack": {name: value for name, value in request().items() if name != "StackId"},
    # --- an answer to somebody else
    "a host of their own": to("evil.example"),
    "a bucket of their own": to(f"{BUCKET}-evil.s3.amazonaws.com"),
    "a bucket that ends well": to(f"evil-{BUCKET}-useast1.s3.amazonaws.com"),
    "the bucket of another region": to(f"{BUCKET}-euwest1.s3.eu-west-1.amazonaws.com"),
    "the bucket of another region at the global endpoint": to(f"{BUCKET}-euwest1.s3.amazonaws.com"),
    "a host that begins well": to(f"{BUCKET}-useast1.s3.amazonaws.com.evil.example"),
    "a host as the user": to(f"{BUCKET}-useast1.s3.amazonaws.com@evil.example"),
    "a host as a user with a password": to(f"{BUCKET}-useast1.s3.amazonaws.com:443@evil.example"),
    "another port": to(f"{BUCKET}-useast1.s3.amazonaws.com:8443"),
    "a wrong port": to(f"{BUCKET}-useast1.s3.amazonaws.com:x"),
    "the local cloud": to("localhost:4566"),
    "this machine": to("127.0.0.1"),
    "the metadata of a machine": to("169.254.169.254"),
    "HTTP": request(ResponseURL=URL.replace("https", "http")),
    "a file": request(ResponseURL="file:///etc/passwd"),
    "a line break": request(ResponseURL=URL.replace("/Stack", "\r\nHost: evil.example\r\n/Stack")),
    "a tab in the host": to(f"{BUCKET}-useast1.s3\t.amazonaws.com"),
    "a backslash": to(f"evil.example\\@{BUCKET}-useast1.s3.amazonaws.com"),
    "no URL": request(ResponseURL=""),
    "a URL of another type": request(ResponseURL={"https": URL}),
    "a bad address": request(ResponseURL="https://[::1"),
    "a schedule's tick that would be answered": request(RequestType="Stop", **TICK),
    # --- what else a stranger may write
    "an unknown request": request(RequestType="Destroy"),
    "no request type": request(RequestType=None),
    "an unknown goal": due(HostedModel="Delete"),
    "a goal of another type": due(HostedModel=["Stop"]),
    "no time": due(ScheduledTime=None),
    "a time with a path": due(ScheduledTime="../../x"),
    "a RequestId that names another rule": request(RequestId="x/../other"),
    "a RequestId that is too long": request(RequestId="a" * 37),
    "no RequestId": request(RequestId=""),
    "properties of another type": request(ResourceProperties="x"),
    "old properties of another type": request(RequestType="Update", OldResourceProperties=["x"]),
    "a physical ID of another type": request(RequestType="Delete", PhysicalResourceId={"x": 1}),
    "a mark of another type": request(CrHelperPoll="yes"),
    "an age of another type": request(CrHelperPoll=True, HostedModelIssuedAt="yesterday"),
    "an age beyond all time": request(CrHelperPoll=True, HostedModelIssuedAt=10**30),
    # --- oversized, nested, not UTF-8
    "an oversized URL": request(ResponseURL=URL + "x" * 250_000),
    "an oversized logical ID": request(LogicalResourceId="M" * 250_000),
    "an oversized physical ID": request(RequestType="Delete", PhysicalResourceId="x" * 250_000),
    "an oversized stack ID": request(StackId=MINE + "x" * 250_000),
    "a nested stack ID": request(StackId=nested()),
    "nested properties": request(ResourceProperties=nested()),
    "half a surrogate pair in the logical ID": request(LogicalResourceId="Model\ud800"),
    "half a surrogate pair in the URL": request(ResponseURL=f"{URL}\udfff"),
    "half a surrogate pair in the RequestId": request(RequestId="\ud800"),
    "bytes that are no text": request(LogicalResourceId="\x00\x7f"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_event_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match=r"^Refused: ") as raised:
        check(FORGED[name], {Env.STACK_ID: MINE})
    said = str(raised.value)
    # Nothing of the event: a line of the log is no place for a stranger's text, or for a signature.
    assert len(said) < 120
    assert not any(part in said for part in (SECRET, "evil", "\ud800", "amazonaws"))


@pytest.mark.parametrize(
    "name",
    ["another stack's Delete", "a host of their own", "another stack's tick", "another stack's schedule"],
)
def test_the_function_calls_nobody_for_it(name: str, virtual_time: None, no_logs: None) -> None:
    world = World(latency=0.0)
    seed(world, CASE)
    stack = Stack(world, CASE)
    play(world, stack.create(CASE.properties("1")))
    calls, answers = len(world.calls), len(world.answers)
    world.invoke(stack.id, FORGED[name])
    world.run()
    assert (len(world.calls), len(world.answers)) == (calls, answers)
    assert model(world, CASE)["status"] == CASE.running
    forged = world.invocations[1:]
    # It fails, so that metrics and alarms show it: Lambda tries it twice more.
    assert [one.ended.split(":")[0] for one in forged] == ["RefusedError"] * 3


@pytest.mark.parametrize(
    "event",
    [
        request(),
        request(RequestType="Delete", PhysicalResourceId="Stack-Model-1A2B3C4D5E6F"),
        request(RequestType="Update", OldResourceProperties=CASE.properties("2"), PhysicalResourceId="x"),
        request(**TICK),
        request(RequestType="Start", ResponseURL="", **TICK),
        due(),
        due(HostedModel="Start", ScheduledTime="2026-11-25T18:00:00.123+00:00"),
    ],
    ids=lambda event: str(event.get("RequestType") or event.get("HostedModel")),
)
def test_what_the_stack_sends_is_let_in(event: Event) -> None:
    check(event, {Env.STACK_ID: MINE})


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "us-east-1", "useast1.s3.amazonaws.com"),
        ("aws", "us-east-1", "useast1.s3.us-east-1.amazonaws.com"),
        ("aws", "eu-west-1", "euwest1.s3-eu-west-1.amazonaws.com"),
        ("aws", "eu-south-1", "eusouth1.s3.eu-south-1.amazonaws.com"),
        ("aws-us-gov", "us-gov-west-1", "usgovwest1.s3-us-gov-west-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", "cnnorth1.s3.cn-north-1.amazonaws.com.cn"),
        ("aws-eusc", "eusc-de-east-1", "euscdeeast1.s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_the_buckets_of_every_partition(partition: str, region: str, host: str) -> None:
    own = MINE.replace("arn:aws:", f"arn:{partition}:").replace("us-east-1", region)
    check({**to(f"{BUCKET}-{host}"), "StackId": own}, {Env.STACK_ID: own})


def test_a_partition_that_is_not_known_has_no_bucket() -> None:
    own = MINE.replace("arn:aws:", "arn:aws-moon:")
    with pytest.raises(RefusedError):
        check({**to(f"{BUCKET}-useast1.s3.None"), "StackId": own}, {Env.STACK_ID: own})


@pytest.mark.parametrize("make", [request, due])
def test_without_its_stack_the_function_refuses_everything(make: Callable[[], Event]) -> None:
    """Between the two calls with which CloudFormation brings new code and its settings."""
    with pytest.raises(RefusedError, match="has no environment variable HOSTED_MODEL_STACK_ID"):
        check(make(), {})


def test_the_local_cloud_is_let_in_by_its_own_setting_alone() -> None:
    settings = {Env.STACK_ID: MINE, Env.LOCAL_RESPONSE_HOST: "localhost:4566"}
    check(to("localhost:4566"), settings)
    for host in ("localhost:4567", "evil.example", "localhost:4566@evil.example"):
        with pytest.raises(RefusedError):
            check(to(host), settings)
