"""CloudFormation's side of a custom resource, with a stand-in for the function."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hosted_model_local import custom_resources

STACK_ID = "arn:aws:cloudformation:eu-west-1:000000000000:stack/Boards/0f0e"
PROPS: dict[str, Any] = {"ServiceToken": "arn:aws:lambda:x", "Units": 2, "On": True, "ServiceTimeout": "1"}
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


class Function:
    """Stands for the function: keeps the events, answers what a test says; None answers nothing."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.invoked = threading.Event()
        self.answer: Answer = lambda event: {"Status": "SUCCESS", "PhysicalResourceId": "p-1"}

    def invoke(self, function: object, event: dict[str, Any]) -> None:
        from ministack.services.cloudformation import custom_resource

        self.events.append(event)
        answer = self.answer(event)
        if answer is not None:
            token = urlsplit(event["ResponseURL"]).path.rpartition("/")[2]
            assert custom_resource.deliver_response(token, answer)
        self.invoked.set()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    from ministack.services import lambda_svc

    made = Function()
    monkeypatch.setattr(lambda_svc, "_get_func_record_for_ref", lambda ref: ({}, {}, "f"))
    monkeypatch.setattr(lambda_svc, "invoke_async_with_retry", made.invoke)
    yield made
    for store in (custom_resources._failed, custom_resources._running):
        store.clear()
    custom_resources._deleting.clear()


def request(kind: str = "Create", **more: Any) -> tuple[str, dict[str, Any]]:
    return custom_resources.invoke(kind, "Model", PROPS, "Boards", STACK_ID, "Custom::M", **more)


def owed() -> dict[str, str]:
    """Logical and physical IDs that the next rollback deletes."""
    operation: dict[str, Any] = {"created": []}
    stack: dict[str, Any] = {}
    custom_resources.add_failed_create(STACK_ID, stack, operation)
    assert operation["created"] == list(stack["_resources"])
    return {name: one["PhysicalResourceId"] for name, one in stack["_resources"].items()}


def test_an_answer_ends_the_request(function: Function) -> None:
    function.answer = lambda event: {"Status": "SUCCESS", "PhysicalResourceId": "p-1", "Data": {"A": "1"}}
    assert request() == ("p-1", {"A": "1"})
    assert owed() == {}


def test_the_event_has_what_cloudformation_sends(function: Function) -> None:
    request("Update", physical_id="p-0", old_props={"Units": 1})
    event = function.events[0]
    assert event["ResourceProperties"]["Units"] == "2"
    assert event["ResourceProperties"]["On"] == "true"
    assert event["OldResourceProperties"] == {"Units": "1"}
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Update", "p-0")
    assert event["ServiceToken"] == PROPS["ServiceToken"]


def test_the_response_url_is_dated_and_signed(function: Function) -> None:
    request()
    query = parse_qs(urlsplit(function.events[0]["ResponseURL"]).query)
    dated = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - dated).total_seconds()) < 60
    assert query["X-Amz-Expires"] == ["7200"]
    assert "/eu-west-1/s3/" in query["X-Amz-Credential"][0]


@pytest.mark.parametrize(("answered", "wanted"), [("p-9", "p-9"), ("", "Boards-Model-")])
def test_a_failed_create_is_owed_a_delete(function: Function, answered: str, wanted: str) -> None:
    function.answer = lambda event: {"Status": "FAILED", "Reason": "no", "PhysicalResourceId": answered}
    with pytest.raises(RuntimeError, match=r"\[FAILED\] from custom resource. Message returned: no "):
        request()
    assert owed()["Model"].startswith(wanted)
    assert owed() == {}, "one Delete is enough"


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_other_failures_are_owed_none(function: Function, kind: str) -> None:
    function.answer = lambda event: {"Status": "FAILED", "Reason": "no", "PhysicalResourceId": "p-9"}
    with pytest.raises(RuntimeError):
        request(kind, physical_id="p-9")
    assert owed() == {}


def test_no_answer_in_time_is_owed_a_delete(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    function.answer = lambda event: None
    monkeypatch.setattr(custom_resources, "_service_timeout", lambda props: 0)
    with pytest.raises(TimeoutError, match="did not receive a response"):
        request()
    assert owed()["Model"].startswith("Boards-Model-")


def test_a_missing_function_is_named(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import lambda_svc

    monkeypatch.setattr(lambda_svc, "_get_func_record_for_ref", lambda ref: (None, None, ""))
    with pytest.raises(ValueError, match="arn:aws:lambda:x"):
        request()
    assert owed() == {}


def test_deleting_the_stack_ends_an_unanswered_create(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ministack.services import cloudformation

    stack: dict[str, Any] = {"StackStatus": "CREATE_IN_PROGRESS", "_resources": {}}
    monkeypatch.setattr(cloudformation, "_stacks", {"Boards": stack})
    function.answer = lambda event: None
    failures: list[str] = []

    def create() -> None:
        try:
            custom_resources.invoke(
                "Create", "Model", {**PROPS, "ServiceTimeout": 30}, "Boards", STACK_ID, "Custom::M"
            )
        except RuntimeError as error:
            failures.append(str(error))
            custom_resources.creation_ended(STACK_ID)

    thread = threading.Thread(target=create)
    thread.start()
    assert function.invoked.wait(10)

    async def delete() -> dict[str, Any]:
        async with custom_resources.creation_abandoned("Boards", STACK_ID):
            with pytest.raises(RuntimeError, match="cancelled"):
                request()
            return dict(stack["_resources"])

    resources = asyncio.run(delete())
    thread.join(10)
    assert "cancelled" in failures[0]
    assert resources["Model"]["PhysicalResourceId"].startswith("Boards-Model-")
    assert not custom_resources.deletion_requested(STACK_ID)
