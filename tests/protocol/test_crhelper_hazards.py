"""Each hazard of crhelper 2.0.12's polling path, run against plain crhelper and against our resource.

A scenario says once which property it looks at. Plain crhelper must break it (else the hazard is no hazard,
and its override can go), and ours must keep it. ``docs/crhelper-hazards.md`` is made from this run.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from crhelper import CfnResource

from hosted_model_runtime.cloudformation.crhelper_resource import HostedModelResource
from hosted_model_runtime.contract import Attribute
from hosted_model_runtime.services.lookoutvision import LookoutVisionService
from support.cases import LOOKOUTVISION
from support.cloudformation import SECRET, Stack, play
from support.hazards import IDENTITY, OURS, PLAIN, Finding, Side, masked, side, told
from support.world import START

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Hazard:
    """A hazard, where it is in crhelper, the promise that it breaks, and the override that closes it."""

    title: str
    where: str
    promise: str
    closed_by: str
    scenario: Callable[[Side], Finding]
    world: dict[str, Any]


HAZARDS: dict[str, Hazard] = {}


def hazard(*, title: str, where: str, promise: str, closed_by: str, **world: Any) -> Any:
    """Register a scenario."""

    def register(scenario: Callable[[Side], Finding]) -> Callable[[Side], Finding]:
        HAZARDS[scenario.__name__] = Hazard(title, where, promise, closed_by, scenario, world)
        return scenario

    return register


# --- the physical ID ----------------------------------------------------------------------------------------


@hazard(
    title="A failing poll of a Create answers with a random physical ID",
    where="`_cfn_response`, `generate_physical_id`",
    promise="The physical ID of a failed create is the one that its success would have had",
    closed_by="`_handle`",
)
def failed_poll(side: Side) -> Finding:
    side.seed(start_outcome="HOSTING_FAILED", status_message="no capacity")
    sent = side.create()
    return Finding({a.body["PhysicalResourceId"] for a in sent.answers} == {IDENTITY}, told(sent))


@hazard(
    title="A poll that returns True gives a random ID; on Update CloudFormation takes that for a replacement",
    where="`_cfn_response`, `generate_physical_id`",
    promise="An Update that changes no name keeps the physical ID",
    closed_by="`_handle`",
    returns_true=True,
)
def poll_returns_true(side: Side) -> Finding:
    side.seed()
    side.create()
    before = side.stack.requests[0].answers[0].body["PhysicalResourceId"]
    side.stack.physical_id = before
    sent = side.again("Update")
    return Finding(sent.answers[0].body["PhysicalResourceId"] == IDENTITY, told(sent))


@hazard(
    title="The timer, half a second before the time-out, answers FAILED with an empty physical ID",
    where="`_timeout`, `_set_timeout`",
    promise="An invocation that runs out of time while the model starts fails nothing",
    closed_by="`__call__`",
    function_seconds=60,
)
def timer(side: Side) -> Finding:
    side.seed(start_seconds=150)
    side.world.stall_after = START + 100
    sent = side.create()
    return Finding(
        bool(sent.answers) and all(a.body["Status"] == "SUCCESS" for a in sent.answers), told(sent)
    )


@hazard(
    title="The timer leaves the rule: the model is stopped after that FAILED, and the rule ticks on",
    where="`_timeout`",
    promise="No rule is left two hours after an invocation that ran out of time",
    closed_by="`__call__`",
    function_seconds=60,
)
def timer_leaves_the_rule(side: Side) -> Finding:
    side.seed(start_seconds=150)
    side.world.stall_after = START + 100
    play(side.world, side.stack.create(LOOKOUTVISION.properties("1")))
    side.world.run(seconds=7200)
    return _left(side)


# --- set-up and tear-down -----------------------------------------------------------------------------------


def _refused_setup(side: Side) -> Any:
    side.seed(start_seconds=1000)
    side.world.refused["PutTargets"] = ["LimitExceededException"]
    return side.create()


@hazard(
    title="Set-up that fails half-way leaves rule and permission behind",
    where="`_setup_polling`",
    promise="Neither a rule nor a permission is left when PutTargets was refused once",
    closed_by="`__call__`, `_relay`",
)
def setup_fails(side: Side) -> Finding:
    _refused_setup(side)
    return _left(side)


@hazard(
    title="Tear-down that fails answers FAILED though the model is hosted",
    where="`_remove_polling`, `__call__`",
    promise="A hosted model is answered with SUCCESS, whatever the removal of the rule meets",
    closed_by="`__call__`",
)
def teardown_fails(side: Side) -> Finding:
    side.seed(start_seconds=1000)
    side.world.refused["RemoveTargets"] = ["ConcurrentModificationException"]
    sent = side.create()
    return Finding(
        bool(sent.answers) and all(a.body["Status"] == "SUCCESS" for a in sent.answers), told(sent)
    )


@hazard(
    title="A duplicate tick after tear-down answers FAILED after SUCCESS",
    where="`__call__`",
    promise="All answers to one request are the same",
    closed_by="`__call__`",
)
def duplicate_tick(side: Side) -> Finding:
    side.seed(start_seconds=1000)
    side.world.tick_plan = lambda rule: [0.0, 5.0]
    sent = side.create()
    return Finding(len({str(a.body) for a in sent.answers}) == 1, told(sent))


@hazard(
    title="No deadline: polling goes on after CloudFormation gave up, and the rule outlives the function",
    where="nowhere in crhelper",
    promise="Each request is answered before its ServiceTimeout, and afterwards nobody asks the service",
    closed_by="`__call__`",
)
def no_deadline(side: Side) -> Finding:
    side.seed(start_seconds=1e6)
    sent = side.create(timeout=600, hours=1)
    late = [call for call in side.world.simulator.calls if call.time > sent.expiry]
    left = _left(side)
    in_time = bool(sent.answers) and sent.answers[0].time < sent.expiry
    return Finding(
        in_time and not late and left.held,
        f"{told(sent)}; {len(late)} calls in the 50 minutes after CloudFormation gave up; {left.observed}",
    )


# --- names and permissions ----------------------------------------------------------------------------------


@hazard(
    title="A random rule name: a retried event makes a second rule",
    where="`_put_rule`",
    promise="One request has one rule, however often Lambda delivers it",
    closed_by="`_relay`",
)
def retried_event(side: Side) -> Finding:
    side.seed(start_seconds=1000)
    side.create(deliveries=2)
    names = side.world.rule_names
    return Finding(len(names) == 1, f"{_count(len(names), 'rule')} put")


@hazard(
    title="Logical ID and 8 characters can pass EventBridge's 64",
    where="`_put_rule`",
    promise="A logical ID of 60 characters can be created",
    closed_by="`_relay`",
)
def long_logical_id(side: Side) -> Finding:
    side.seed(start_seconds=1000)
    side.stack.logical_id = "Inspector" * 6 + "Station"[:6]
    sent = side.create()
    fit = all(len(name) <= 64 for name in side.world.rule_names)
    return Finding(sent.ok and fit, told(sent))


@hazard(
    title="One AddPermission a resource fills the function's policy (20 KB)",
    where="`_add_permission`",
    promise="60 models can start at the same time with one function",
    closed_by="`_relay`; one static permission in the construct",
    function_seconds=20,
    requests_per_second=None,
)
def sixty_models(side: Side) -> Finding:
    requests = []
    for number in range(1, 61):
        side.seed(str(number), start_seconds=50)
        logical_id = f"InspectionLine{number:02d}ModelCustomResource"
        stack = Stack(side.world, LOOKOUTVISION, f"Line{number:02d}", logical_id)
        requests.append(stack.send("Create", LOOKOUTVISION.properties(str(number))))
    side.world.run(seconds=1800)
    failed = [sent for sent in requests if not sent.ok]
    first = f"; the first: {told(failed[0])}" if failed else ""
    return Finding(not failed, f"{len(failed)} of 60 creates failed{first}")


@hazard(
    title="The function needs rights over its own policy",
    where="`_add_permission`, `_remove_permission`",
    promise="A function that may not change its own policy can create",
    closed_by="`_relay`; one static permission in the construct",
)
def no_right_over_the_policy(side: Side) -> Finding:
    side.seed(start_seconds=1000)
    side.world.refused["AddPermission"] = ["AccessDeniedException"] * 1000
    sent = side.create()
    return Finding(sent.ok and not side.world.policy_calls, told(sent))


# --- the answer ---------------------------------------------------------------------------------------------


@hazard(
    title="The HTTP status of the answer is ignored: 503 counts as sent",
    where="`utils._send_response`",
    promise="An answer that the endpoint took with 503 is sent again until it arrives",
    closed_by="`_tell`, `answer.put`",
)
def answer_503(side: Side) -> Finding:
    side.seed()
    side.world.answer_faults = [503]
    sent = side.create()
    return Finding(sent.ok, told(sent))


@hazard(
    title="The HTTP status of the answer is ignored: 403 counts as sent",
    where="`utils._send_response`",
    promise="An invocation whose answer was refused with 403 does not end as if all were well",
    closed_by="`_tell`, `answer.put`",
)
def answer_403(side: Side) -> Finding:
    side.seed()
    side.world.answer_faults = [403] * 100
    side.create()
    last = side.world.invocations[-1].ended
    return Finding(last != "ok", f"{told(side.stack.requests[0])}; the invocation ended with {last!r}")


@hazard(
    title="No socket timeout: an endpoint that hangs holds the function to its end",
    where="`utils._send_response`",
    promise="An answer whose first connection hangs arrives within two minutes, and is the right one",
    closed_by="`_tell`, `answer.put`",
)
def answer_hangs(side: Side) -> Finding:
    side.seed()
    side.world.hanging = 1
    sent = side.create()
    hosted = side.model()["since"]
    waited = sent.answers[0].time - hosted if sent.answers else float("inf")
    return Finding(sent.ok and waited < 120, f"{told(sent)}, {waited:.0f} s after the model was hosted")


@hazard(
    title="Retries for ever: an endpoint out of reach holds the function to its end",
    where="`utils._send_response`",
    promise="An invocation that cannot answer ends within a minute of the model being up",
    closed_by="`_tell`, `answer.put`",
)
def answer_unreachable(side: Side) -> Finding:
    side.seed(start_seconds=1)
    side.world.unreachable = True
    side.create(hours=0.1)
    busy = [i for i in side.world.invocations if not i.ended]
    tries = sum("Answer not sent" in line or "Retrying in" in line for line in side.log)
    return Finding(not busy, f"{tries} attempts in 6 minutes, {_count(len(busy), 'invocation')} still at it")


def _long_failure(side: Side) -> Any:
    side.seed(start_outcome="HOSTING_FAILED", status_message="ü" * 6000)
    return side.create()


@hazard(
    title="No guard of the answer's 4096 bytes",
    where="`_send`",
    promise="No answer has more than 4096 bytes, whatever the service says",
    closed_by="`_tell`, `answer.body`",
)
def answer_size(side: Side) -> Finding:
    _long_failure(side)
    largest = max(side.world.answer_bytes)
    return Finding(largest <= 4096, f"an answer of {largest} bytes")


@hazard(
    title="Reason keeps only its last 240 characters",
    where="`_send`",
    promise="A long Reason still names the model",
    closed_by="`_tell`, `answer.body`",
)
def reason_begins(side: Side) -> Finding:
    reason = _long_failure(side).answers[0].body["Reason"]
    return Finding("boards/1" in reason, f"“{reason[:60]}…”")


@hazard(
    title="Internals leak into Data",
    where="`_send`, `_polling_init`",
    promise="Data has the attributes of the resource and nothing else",
    closed_by="`_tell`",
)
def data_leaks(side: Side) -> Finding:
    data = _refused_setup(side).answers[0].body["Data"]
    ours = {value for key, value in vars(Attribute).items() if key.isupper()}
    return Finding(set(data) <= ours, f"Data has {', '.join(sorted(data))}")


# --- secrets, waiting, memory -------------------------------------------------------------------------------


@hazard(
    title="The default level DEBUG logs the event, with the presigned ResponseURL",
    where="`__init__`, `__call__`",
    promise="No log line has any part of the ResponseURL's query",
    closed_by="`__init__`, `_log_setup`",
)
def log_has_the_url(side: Side) -> Finding:
    side.seed()
    side.create()
    lines = [line for line in side.log if SECRET in line or "X-Amz" in line]
    return Finding(bool(side.log) and not lines, f"{_count(len(lines), 'log line')} with it")


@hazard(
    title="A Delete sleeps for 120 s by default",
    where="`_wait_for_cwlogs`",
    promise="A Delete is answered within 10 s of the last look at the model",
    closed_by="`__init__`, `__call__`",
)
def delete_sleeps(side: Side) -> Finding:
    side.seed()
    sent = side.again("Delete")
    waited = sent.answers[0].time - side.world.simulator.calls[-1].time
    return Finding(sent.ok and waited < 10, f"{told(sent)}, {waited:.0f} s after the last look")


@hazard(
    title="NoEcho sticks to the next request in a warm function",
    where="`_crhelper_init`",
    promise="A request starts without the NoEcho of the one before",
    closed_by="`__call__`, `_tell`",
)
def no_echo_sticks(side: Side) -> Finding:
    side.seed()
    side.create()
    side.warm().helper.NoEcho = True
    sent = side.again("Update")
    assert sent.answer is not None
    return Finding(sent.answer["NoEcho"] is False, f"NoEcho {sent.answer['NoEcho']} in the next answer")


@hazard(
    title="A failed initialisation sticks to every later request in a warm function",
    where="`_crhelper_init`",
    promise="A failure while the function was initialised does not fail the second request",
    closed_by="`__call__`",
)
def failed_init_sticks(side: Side) -> Finding:
    side.seed()
    side.cold_start.append(lambda module: module.helper.init_failure(RuntimeError("no route for once")))
    side.create()
    sent = side.again("Update")
    return Finding(sent.ok, told(sent))


@hazard(
    title="CrHelperData is frozen when polling is set up: what a poll writes is not there in the next",
    where="`_setup_polling`",
    promise="A model that is stopped by hand while it starts, and was seen starting, fails the create",
    closed_by="none: the lease on the model carries it",
    function_seconds=60,
)
def frozen_data(side: Side) -> Finding:
    side.seed(start_seconds=1e6)

    def stop_by_hand() -> None:
        side.world.control("PUT", "models/boards/1", {"status": "TRAINED"})

    side.world.after(200, stop_by_hand)
    sent = side.create()
    reason = sent.answer["Reason"] if sent.answer else ""
    return Finding("stopped by somebody else" in reason, told(sent))


def _left(side: Side) -> Finding:
    rules, permissions = len(side.world.rules), len(side.world.permissions)
    return Finding(
        not rules and not permissions, f"{_count(rules, 'rule')}, {_count(permissions, 'permission')} left"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


# --- the tests ----------------------------------------------------------------------------------------------


@cache
def finding(name: str, who: str) -> Finding:
    found = HAZARDS[name]
    given = dict(found.world)
    with side(who, **given) as made:
        return found.scenario(made)


@pytest.mark.parametrize("who", [PLAIN, OURS])
@pytest.mark.parametrize("name", HAZARDS)
def test_hazard(name: str, who: str, record_property: Callable[[str, object], None]) -> None:
    found, seen = HAZARDS[name], finding(name, who)
    for key, value in _properties(name, who).items():
        record_property(key, value)
    record_property("observed", masked(seen.observed))
    if who == PLAIN:
        assert not seen.held, f"plain crhelper keeps this promise, so it is no hazard: {seen.observed}"
    else:
        assert seen.held, f"{found.promise}: {seen.observed}"


# --- beside the table ---------------------------------------------------------------------------------------


def test_what_is_used_of_crhelper_needs_nothing_that_is_not_set() -> None:
    """``HostedModelResource`` does not call ``super().__init__``: it would make three clients.

    Of crhelper it uses the registration of functions and the search for the one that answers an event.
    """

    def func(event: Any, invocation: Any) -> Any:
        raise AssertionError("nothing is called here")

    ours = HostedModelResource(lambda event: "")
    ours.every_request(func)
    for kind in ("Create", "Update", "Delete", "Start", "Stop"):
        for tick in ({}, {"CrHelperPoll": True}):
            ours._event = {"RequestType": kind, **tick}
            assert ours._get_func() is func


def test_no_timer_runs_beside_the_work() -> None:
    with side(OURS) as made:
        made.seed()
        assert made.create(hours=0.1).ok
        assert made.world.timers == 0


def test_no_rule_is_left_when_the_answer_goes_out() -> None:
    """CloudFormation may delete the function as soon as it has the answer: nobody else would remove it."""
    with side(OURS) as made:
        made.seed(start_seconds=830)
        left: list[int] = []
        made.world.on_answer.append(lambda _: left.append(len(made.world.rules)))
        assert made.create(hours=1).ok
        assert made.world.rule_names
        assert left == [0]


def test_every_override_is_named_by_a_hazard() -> None:
    overridden = {
        name
        for name in vars(HostedModelResource)
        if callable(getattr(CfnResource, name, None)) and name != "__doc__"
    }
    named = " ".join(found.closed_by for found in HAZARDS.values())
    assert {name for name in overridden if f"`{name}`" not in named} == set()


def test_the_version_is_the_one_that_the_table_speaks_of() -> None:
    assert version("crhelper") == "2.0.12"


def test_the_page_is_what_this_run_makes() -> None:
    spec = importlib.util.spec_from_file_location("crhelper_hazards", ROOT / "scripts/crhelper_hazards.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    rows = [
        {**_properties(name, who), "observed": masked(finding(name, who).observed)}
        for name in HAZARDS
        for who in (PLAIN, OURS)
    ]
    page = (ROOT / "docs/crhelper-hazards.md").read_text(encoding="utf-8")
    assert page == script.render(rows), "make it anew: make hazards"


def _properties(name: str, who: str) -> dict[str, str]:
    found = HAZARDS[name]
    return {
        "hazard": name,
        "who": who,
        "title": found.title,
        "where": found.where,
        "promise": found.promise,
        "closed_by": found.closed_by,
    }


def test_an_error_in_the_work_does_not_let_a_delete_succeed() -> None:
    """The model runs on: SUCCESS would leave it billing, with nobody to stop it."""
    with side(OURS) as made, pytest.MonkeyPatch.context() as patched:
        made.seed()
        made.create(hours=0.1)
        patched.setattr(LookoutVisionService, "stop", _a_value_error)
        sent = made.again("Delete", hours=0.1)
        assert made.model()["status"] == "HOSTED"
        assert not sent.ok


def _a_value_error(*_: object) -> None:
    # As botocore raises it where a header is not what the service model says.
    raise ValueError("invalid literal for int() with base 10: 'Wed, 21 Oct 2026 07:28:00 GMT'")
