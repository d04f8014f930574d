"""The relay's rule: put, seen gone, removed; and what EventBridge may do meanwhile."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from hosted_model_runtime.invocation.relay import LEFT, RuleRelay

ARN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
SECRET = "X-Amz-Signature=0123456789abcdef"
MESSAGE = {"RequestType": "Create", "ResponseURL": f"https://answers.example/?{SECRET}", "CrHelperPoll": True}


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "injected"}}, "Operation")


ABSENT = error("ResourceNotFoundException")
FAULTS = [
    error("InternalException"),
    error("ConcurrentModificationException"),
    error("AccessDeniedException"),
    EndpointConnectionError(endpoint_url="https://events"),
]


class Events:
    """EventBridge, as far as one rule needs it."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.failed_entries = 0

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if self.faults.get(operation):
            raise self.faults[operation].pop(0)

    def put_rule(self, **given: Any) -> dict[str, Any]:
        self._called("put_rule")
        self.rules.setdefault(given["Name"], {"targets": {}}).update(given)
        return {"RuleArn": given["Name"]}

    def put_targets(self, **given: Any) -> dict[str, Any]:
        self._called("put_targets")
        if not self.failed_entries:
            self.rules[given["Rule"]]["targets"] = {target["Id"]: target for target in given["Targets"]}
        return {"FailedEntryCount": self.failed_entries, "FailedEntries": []}

    def describe_rule(self, **given: Any) -> dict[str, Any]:
        self._called("describe_rule")
        return self._known(given["Name"])

    def remove_targets(self, **given: Any) -> dict[str, Any]:
        self._called("remove_targets")
        for target in given["Ids"]:
            self._known(given["Rule"])["targets"].pop(target, None)
        return {"FailedEntryCount": 0}

    def delete_rule(self, **given: Any) -> None:
        self._called("delete_rule")
        if self.rules.get(given["Name"], {}).get("targets"):
            raise error("ValidationException")
        self.rules.pop(given["Name"], None)

    def _known(self, name: str) -> dict[str, Any]:
        if name not in self.rules:
            raise ABSENT
        return self.rules[name]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def relay(events: Events) -> RuleRelay:
    return RuleRelay(lambda: events, "hosted-request-1", ARN, MESSAGE)


def test_nothing_is_called_before_it_is_needed() -> None:
    def never() -> Any:
        raise AssertionError("no client is needed yet")

    assert not RuleRelay(never, "name", ARN, MESSAGE).was_put


def test_put(events: Events, relay: RuleRelay) -> None:
    relay.put()
    rule = events.rules["hosted-request-1"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    [target] = rule["targets"].values()
    assert target["Arn"] == ARN
    assert json.loads(target["Input"]) == MESSAGE
    assert relay.was_put


def test_put_twice_is_one_rule_with_one_target(events: Events, relay: RuleRelay) -> None:
    relay.put()
    relay.put()
    assert len(events.rules) == 1
    assert len(events.rules["hosted-request-1"]["targets"]) == 1


@pytest.mark.parametrize("operation", ["put_rule", "put_targets"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_while_putting_passes_through_and_putting_again_mends_it(
    events: Events, relay: RuleRelay, operation: str, fault: Exception
) -> None:
    events.faults[operation] = [fault]
    with pytest.raises(type(fault)):
        relay.put()
    # The rule may be there all the same: whoever ends the request must remove it.
    assert relay.was_put
    relay.put()
    assert len(events.rules["hosted-request-1"]["targets"]) == 1


def test_an_entry_that_failed_is_a_failure(events: Events, relay: RuleRelay) -> None:
    events.failed_entries = 1
    with pytest.raises(RuntimeError, match="took no target"):
        relay.put()


def test_taken_over_when_the_rule_is_gone(events: Events, relay: RuleRelay) -> None:
    relay.put()
    assert not relay.taken_over()
    RuleRelay(lambda: events, "hosted-request-1", ARN, MESSAGE).remove()
    assert relay.taken_over()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_not_knowing_is_not_taken_over(events: Events, relay: RuleRelay, fault: Exception) -> None:
    events.faults["describe_rule"] = [fault]
    assert not relay.taken_over()


def test_a_tick_that_leaves_says_so_in_the_rule(events: Events, relay: RuleRelay) -> None:
    relay.put()
    tick = RuleRelay(lambda: events, "hosted-request-1", ARN, MESSAGE, ticked=True)
    assert tick.leave()
    assert events.rules["hosted-request-1"]["Description"] == LEFT
    assert len(events.rules["hosted-request-1"]["targets"]) == 1
    # Who waited for it may leave; the next tick finds it said already.
    assert relay.taken_over()
    events.calls.clear()
    assert tick.leave()
    assert events.calls == ["describe_rule"]


def test_whoever_puts_it_anew_waits_again(events: Events, relay: RuleRelay) -> None:
    relay.put()
    relay.leave()
    relay.put()
    assert not relay.taken_over()


@pytest.mark.parametrize("operation", ["describe_rule", "put_rule", "put_targets"])
@pytest.mark.parametrize("fault", [*FAULTS, ABSENT], ids=lambda fault: type(fault).__name__)
def test_a_rule_that_is_not_known_to_stand_is_not_left(
    events: Events, relay: RuleRelay, operation: str, fault: Exception
) -> None:
    relay.put()
    events.faults[operation] = [fault]
    assert not relay.leave()


def test_the_rule_of_a_superseded_request_is_removed_and_once_more_in_the_end(events: Events) -> None:
    message = {**MESSAGE, "RequestId": "request-1"}
    before = RuleRelay(lambda: events, "hosted-request-0", ARN, MESSAGE)
    relay = RuleRelay(lambda: events, "hosted-request-1", ARN, message)
    before.put()
    relay.supersede("request-0")
    assert events.rules == {}
    before.put()
    relay.put()
    assert relay.remove()
    assert events.rules == {}


def test_remove(events: Events, relay: RuleRelay) -> None:
    relay.put()
    assert relay.remove()
    assert events.rules == {}
    assert events.calls[-2:] == ["remove_targets", "delete_rule"]


def test_removing_what_is_not_there_is_no_failure(events: Events, relay: RuleRelay) -> None:
    assert relay.remove()
    assert relay.remove()


@pytest.mark.parametrize("operation", ["remove_targets", "delete_rule"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_passing_fault_while_removing_is_overcome(
    events: Events, relay: RuleRelay, operation: str, fault: Exception
) -> None:
    relay.put()
    events.faults[operation] = [fault, fault]
    assert relay.remove()
    assert events.rules == {}


@pytest.mark.parametrize("operation", ["remove_targets", "delete_rule"])
def test_a_lasting_fault_while_removing_is_told_not_raised(
    events: Events, relay: RuleRelay, operation: str
) -> None:
    relay.put()
    events.faults[operation] = [FAULTS[0]] * 50
    assert not relay.remove()
    assert events.calls.count(operation) == 3


def test_nothing_of_the_message_is_logged(
    events: Events, relay: RuleRelay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events.faults["remove_targets"] = [error(SECRET)] * 5
    relay.put()
    relay.remove()
    assert caplog.records
    assert SECRET not in caplog.text


def test_a_successor_that_needs_a_rule_itself_has_taken_over() -> None:
    """It may put its own at once, under the same name: the rule is there all the time."""
    events = Events()
    first, second = (
        RuleRelay(lambda: events, "hosted-request-1", ARN, MESSAGE, invocation=name) for name in "12"
    )
    first.put()
    assert not first.taken_over()
    second.remove()
    second.put()
    assert first.taken_over()
    assert not second.taken_over()
