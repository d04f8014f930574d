"""The promises, checked after every history."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hosted_model_runtime.contract import Scheduled, Tag
from hosted_model_runtime.decisions import lease_hours
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from support.cases import CASES, ServiceCase
from support.cloudformation import SECRET, CustomResource, Sent, Stack
from support.world import RETRY_SECONDS, Effect, World

#: Seconds before ServiceTimeout by which an answer must be there.
IN_TIME = 5
#: What a call that is under way takes at most: the SDK's connect and read time-outs, and a margin.
CALL_SECONDS = 15.0
GONE = ("DELETED", "ROLLBACK_COMPLETE", "NONE")
STARTS = frozenset(case.start for case in CASES.values())
STOPS = frozenset(case.stop for case in CASES.values())
RUNNING = frozenset(
    {
        one
        for case in CASES.values()
        for one in (case.running, case.starting, case.updating, case.pending)
        if one
    }
)
STABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


class Logs(logging.Handler):
    """Keeps every log line, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
        self.lines.append(text)


def may_sleep(model: dict[str, Any]) -> bool:
    """Say whether a model with hours is stopped as they want it, or a schedule could not do its work."""
    hours = lease_hours.hours_of(model["tags"])
    if hours and hours.state is State.FAILED:
        return True
    return lease_hours.is_asleep(model["tags"]) and model["status"] not in RUNNING


def version_of(properties: dict[str, Any]) -> str:
    """Return the version of the model that these properties name."""
    case, versions = CASES[properties["Service"]], (*"123456789", "latest")
    return next(version for version in versions if case.model(version) == properties["Model"])


#: A look, and the call that goes by it, take no longer than this.
SECOND = 1.0


class Requests:
    """The promises about single requests, for any number of hosted models of any service."""

    def __init__(self, world: World, resources: Iterable[CustomResource], logs: Logs | None = None) -> None:
        self.world, self.logs = world, logs
        self.resources = list(resources)
        #: Versions of models that somebody stopped, deleted or started by hand.
        self.disturbed: set[str] = set()
        #: When somebody last started a version by hand.
        self.by_hand: dict[str, float] = {}
        #: How often a claim was written over another stack's, where nothing fences a model.
        self.crossed = 0

    def broken_requests(self) -> list[str]:
        """Return what is broken; nothing is good."""
        return [
            *self._one_answer(),
            *self._no_double_start(),
            *self._no_rule(),
            *self._no_theft(),
            *self._superseded_is_silent(),
            *self._schedules_give_way(),
            *self._nothing_secret(),
        ]

    @property
    def _in_flight(self) -> float:
        """Seconds after which a request has no call under way that began before it could see a later one."""
        return CALL_SECONDS + self.world.lateness.tags

    def _sent(self) -> list[tuple[CustomResource, Sent]]:
        return [(one, sent) for one in self.resources for sent in one.requests]

    def _one_answer(self) -> Iterable[str]:
        for stack, sent in self._sent():
            name = f"{stack.name}.{stack.logical_id} {sent.event['RequestType']} {stack.requests.index(sent)}"
            # Once CloudFormation has gone on to another request, nobody listens to this one any more.
            until = min([sent.over, sent.expiry, *(other.issued for other in self._later(stack, sent))])
            told = {self._told(answer.body) for answer in sent.answers if answer.time <= until}
            # Of a model that somebody stops or deletes by hand, two deliveries may see one this and one that.
            # And where statuses are late, one whose call is refused does not see the other's start.
            excused = self.world.lateness.status and self.world.struck[sent.event["RequestId"]]
            disturbed = version_of(sent.event["ResourceProperties"]) in self.disturbed
            if len(told) > 1 and not disturbed and not excused:
                yield f"1: {name} got answers that differ: {told}"
            expected = self._identity(sent)
            for answer in sent.answers:
                if answer.body["PhysicalResourceId"] != expected:
                    yield f"1: {name} got physical ID {answer.body['PhysicalResourceId']!r}, not {expected!r}"
            if sent.abandoned or self._superseded(stack, sent) or self._lambda_gave_up(sent):
                continue
            if not sent.answers:
                yield f"1: {name} got no answer"
            elif sent.answers[0].time > sent.expiry - IN_TIME:
                yield f"1: {name} was answered {sent.expiry - sent.answers[0].time:.1f} s before its timeout"

    @staticmethod
    def _told(body: dict[str, Any]) -> str:
        data = {key: value for key, value in body["Data"].items() if key != "HostedAt"}
        return json.dumps([body["Status"], body["PhysicalResourceId"], data], sort_keys=True)

    @staticmethod
    def _identity(sent: Sent) -> str:
        if sent.event["RequestType"] == "Delete":
            return str(sent.event["PhysicalResourceId"])
        properties = sent.event["ResourceProperties"]
        return CASES[properties["Service"]].physical_id(version_of(properties))

    @staticmethod
    def _later(stack: CustomResource, sent: Sent) -> list[Sent]:
        return stack.requests[stack.requests.index(sent) + 1 :]

    def _superseded(self, stack: CustomResource, sent: Sent) -> bool:
        return any(other.issued < sent.expiry for other in self._later(stack, sent)) and not sent.answers

    def _lambda_gave_up(self, sent: Sent) -> bool:
        """Say whether nobody is left who could answer in time: killed three times over, or in the end."""
        came = [
            one.began
            for one in self.world.invocations
            if one.event.get("RequestId") == sent.event["RequestId"]
        ]
        if min(came, default=float("inf")) > sent.expiry - CALL_SECONDS - IN_TIME:
            # Lambda had nobody to run it, or brought it late.
            return True
        return any(
            invocation.ended != "ok"
            and (
                invocation.attempt == len(RETRY_SECONDS)
                or invocation.ended_at + RETRY_SECONDS[invocation.attempt] >= sent.expiry - IN_TIME
            )
            for invocation in self.world.invocations
            if invocation.event.get("RequestId") == sent.event["RequestId"]
        )

    def _no_double_start(self) -> Iterable[str]:
        starts = Counter(
            (effect.request_id, effect.arn) for effect in self.world.effects if effect.operation in STARTS
        )
        fail = {
            effect.request_id
            for effect in self.world.effects
            if effect.before.get("start_outcome") not in (None, CASES[effect.arn.split(":")[2]].running)
        }
        deletes = {
            sent.event["RequestId"] for _, sent in self._sent() if sent.event["RequestType"] == "Delete"
        }
        for (request_id, arn), count in starts.items():
            # Without ClientTokens, a start that was killed before it was noted and then stopped by hand
            # cannot be told from one that never was.
            tokens = CASES[arn.split(":")[2]].takes_tokens
            by_hand = not tokens and not self.disturbed.isdisjoint(arn.split("/"))
            scheduled = any(request_id in stack.scheduled for stack in self.resources)
            allowed = Scheduled.ATTEMPTS if scheduled else 1
            if scheduled and not tokens:
                # Without ClientTokens, a try that failed and was killed before that was noted is made again.
                allowed += self.world.killed
            deliveries = sum(request_id in str(one.event) for one in self.world.invocations)
            if not tokens and request_id in fail:
                # Nor can one that failed at once, if its answer was lost, or if it is another delivery's of a
                # Delete that gives a model back: that one announces no start.
                allowed += self.world.struck[request_id] + (deliveries - 1 if request_id in deletes else 0)
            if not tokens and self.world.lateness.tags:
                # So is one that another delivery does not see noted, if a Delete has stopped the model since.
                allowed += deliveries if scheduled else deliveries - 1
            if count > allowed and not by_hand:
                yield f"2: request {request_id} started {arn} {count} times"

    def _no_rule(self) -> Iterable[str]:
        for name in self.world.rules:
            yield f"3: rule {name} is left"

    @staticmethod
    def runs(status: str) -> bool:
        return status in RUNNING

    def _no_theft(self) -> Iterable[str]:
        adopting = {
            sent.event["RequestId"]
            for _, sent in self._sent()
            if sent.event["ResourceProperties"].get("OnRunning") == "ADOPT"
        }
        for effect in self.world.effects:
            owner = effect.before.get("tags", {}).get(Tag.STACK)
            if effect.operation == "UntagResource" and effect.after.get("tags", {}).get(Tag.STACK) == owner:
                # Its own closing tag, which another stack's claim has come before.
                continue
            if owner is not None and owner != effect.stack_id and self._claims_crossed(effect, owner):
                self.crossed += 1
            elif owner is not None and owner != effect.stack_id:
                yield f"4: {effect.operation} on {effect.arn}, which {owner} owns"
            unowned = owner is None and self.runs(effect.before.get("status", ""))
            if self._started_just_now(effect):
                continue
            if unowned and effect.request_id not in adopting and not self._had_it(effect):
                yield f"4: {effect.operation} on {effect.arn}, which runs without an owner"

    def _started_just_now(self, effect: Effect) -> bool:
        """Say whether somebody started the model after the look that this call goes by, or it was late."""
        began = self.by_hand.get(effect.before.get("version", ""), float("-inf"))
        return effect.time - began < self.world.lateness.status + SECOND

    def _had_it(self, effect: Effect) -> bool:
        """Say whether the request had the model, and its own stack has removed the tags since.

        A second delivery of an earlier Delete does, if it reads the tags as they were before the first ended.
        """
        before = [one for one in self.world.effects if one.arn == effect.arn and one.time < effect.time]
        theirs = [number for number, one in enumerate(before) if one.request_id == effect.request_id]
        return bool(theirs) and all(one.stack_id == effect.stack_id for one in before[theirs[-1] :])

    def _claims_crossed(self, effect: Effect, owner: str) -> bool:
        """Say whether two stacks claimed a model in one moment, where no fence keeps them apart: it may lag.

        The later claim holds. The earlier one may have a start under way at most, and its request fails. If
        that one is undone, its Delete may remove a later claim unseen, which is made again, or fails.
        """
        service = effect.arn.split(":")[2]
        fenced = service in self.world.simulator.world.telling and not self.world.lateness.tags
        if effect.operation not in ("TagResource", "UntagResource", *STARTS) or fenced:
            return False
        theirs = [
            one
            for one in self.world.effects
            if (one.arn, one.stack_id) == (effect.arn, owner)
            and one.time < effect.time
            # Their start may have been under way, too.
            and one.operation not in STARTS
        ]
        last = max(theirs, key=lambda one: one.time)
        return last.operation == "TagResource" and effect.time - last.time < self._in_flight

    def _superseded_is_silent(self) -> Iterable[str]:
        order = {
            sent.event["RequestId"]: ((stack.id, stack.logical_id), number)
            for stack in self.resources
            for number, sent in enumerate(stack.requests)
        }
        taken: dict[tuple[tuple[str, str], str], tuple[int, float]] = {}
        #: Where what is superseded wrote over the later mark before it could see it: who reads sees its own.
        covered: set[tuple[tuple[str, str], str]] = set()
        #: Until when a request's mark was on a model: for the lag of reads after that, it still shows.
        marked: dict[tuple[str, str], float] = {}
        for effect in self.world.effects:
            mark = Mark.parse(effect.before.get("tags", {}).get(Tag.REQUEST))
            if mark:
                marked[mark.request_id, effect.arn] = effect.time
            closing = Closing.parse(effect.before.get("tags", {}).get(Tag.CLOSED))
            still = Closing.parse(effect.after.get("tags", {}).get(Tag.CLOSED))
            if closing and closing.request_id in order and still != closing:
                # Another stack may take this closing tag for its own, which it had read before, or write over
                # it before it could see it. Nobody can see any more that the model was closed by this one.
                covered.add((order[closing.request_id][0], effect.arn))
            if effect.request_id not in order:
                continue
            resource, number = order[effect.request_id]
            key = (resource, effect.arn)
            latest, since = taken.get(key, (-1, 0.0))
            shows = marked.get((effect.request_id, effect.arn), 0.0) + self._in_flight
            takes_back = effect.time <= shows
            if effect.operation == "UntagResource" and takes_back and number < latest:
                # It wrote its mark after it was superseded, and takes it off again.
                continue
            again = number == latest and key in covered
            if (number > latest or again) and effect.operation != "UntagResource":
                # Removing an old closing tag shows nobody who has the model now.
                taken[key] = (number, effect.time)
                covered.discard(key)
            elif number < latest and effect.time <= since + self._in_flight:
                if effect.operation == "TagResource":
                    covered.add(key)
            elif number < latest and key not in covered:
                yield f"6: request {number} did {effect.operation} after request {latest} had taken over"

    def _schedules_give_way(self) -> Iterable[str]:
        """A schedule does nothing while a request is at work, and nothing after a Delete."""
        began: dict[tuple[str, str], float] = {}
        ended: dict[tuple[str, str], float] = {}
        for effect in self.world.effects:
            began.setdefault((effect.request_id, effect.arn), effect.time)
            ended[effect.request_id, effect.arn] = effect.time
        for effect in self.world.effects:
            stack = next((one for one in self.resources if effect.request_id in one.scheduled), None)
            if stack is None or effect.operation not in (*STARTS, *STOPS):
                continue
            for sent in stack.requests:
                on_model = (sent.event["RequestId"], effect.arn)
                since = began.get(on_model, float("inf"))
                # What a rollback or another request came after is no longer at work.
                until = min((one.issued for one in self._later(stack, sent)), default=float("inf"))
                if sent.event["RequestType"] != "Delete":
                    # A rollback that is done with this model may still be stopping the one that it undoes.
                    until = min(until, ended.get(on_model, float("inf")))
                # Where what is superseded wrote over its mark, no reader can tell that it is at work.
                shown = sent.event["RequestId"] in effect.before.get("tags", {}).get(Tag.REQUEST, "")
                if shown and since + self._in_flight < effect.time < until:
                    number = stack.requests.index(sent)
                    yield f"6: a schedule did {effect.operation} while request {number} was at work"

    def _nothing_secret(self) -> Iterable[str]:
        for line in [*(self.logs.lines if self.logs else ()), *self.world.metrics]:
            if (
                SECRET in line
                or "X-Amz-Signature" in line
                or "cloudformation-custom-resource-response" in line
            ):
                yield f"7: a log line has the ResponseURL: {line[:80]}"


class Promises(Requests):
    """Checks one world of one service after its history is over; every broken promise is one line of text."""

    def __init__(
        self, world: World, case: ServiceCase, stacks: Iterable[Stack], logs: Logs | None = None
    ) -> None:
        self.case, self.stacks = case, list(stacks)
        super().__init__(world, self.stacks, logs)

    def broken(self) -> list[str]:
        """Return what is broken; nothing is good."""
        self.resources = list(self.stacks)
        models = [m for m in self.world.control("GET", "models") if m["service"] == self.case.name]
        return [*self.broken_requests(), *self._no_leak(models), *self._what_is_declared_runs(models)]

    def _no_leak(self, models: list[dict[str, Any]]) -> Iterable[str]:
        gone = {stack.id: stack for stack in self.stacks if stack.status in GONE}
        for model in models:
            owner = model["tags"].get(Tag.STACK)
            runs = self.runs(model["status"])
            if owner in gone and model["status"] != self.case.deleting:
                yield f"3: {model['version']} ({model['status']}) is owned by {gone[owner].name}: gone"
            if runs and owner is None and model["version"] not in self.by_hand:
                yield f"3: {model['version']} is {model['status']} and nobody declares it"
            for stack in self.stacks:
                if owner == stack.id and runs and stack.status in STABLE:
                    declared = stack.properties["Model"] if stack.properties else None
                    if declared not in (self.case.model(model["version"]), self.case.model("latest")):
                        yield f"3: {model['version']} is {model['status']}, {stack.name} declares {declared}"

    def _what_is_declared_runs(self, models: list[dict[str, Any]]) -> Iterable[str]:
        for stack in self.stacks:
            if stack.status not in STABLE or stack.properties is None:
                continue
            for model in models:
                if self.case.model(model["version"]) != stack.properties["Model"]:
                    continue
                if model["version"] in self.disturbed:
                    continue
                wanted = int(stack.properties["MinInferenceUnits"])
                if self._may_sleep(stack, model):
                    continue
                if model["status"] != self.case.running or model["min_inference_units"] != wanted:
                    yield (
                        f"5: {stack.name} ({stack.status}) declares {model['version']} with {wanted} units, "
                        f"but it is {model['status']} with {model['min_inference_units']}"
                    )

    def _may_sleep(self, stack: Stack, model: dict[str, Any]) -> bool:
        """Say whether the model is stopped as its hours want it, or a schedule could not do its work."""
        return "HostingHours" in (stack.properties or {}) and may_sleep(model)
