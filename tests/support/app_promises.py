"""The promises about an app: what its stacks declare, and nothing else, runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions.marks import Mark
from support.cases import CASES
from support.cloudformation import Sent
from support.invariants import GONE, RETRY_SECONDS, STABLE, Logs, Requests, may_sleep, version_of
from support.template_stack import TOKEN_CHANGED, Failure, Resource, TemplateStack
from support.world import Invocation, World

#: How a refusal reads that is right: the model is another stack's, or runs and is nobody's.
FOREIGN = "is not this stack's to command"
STRIPPED = "tags were removed while this request commanded it"
OTHER_UNITS = "are wanted: stop it, or declare what runs"
REPEATED = "this request was reported as failed before"


#: What a late event waits for before it acts, and then its steps.
LATE_STEPS_SECONDS = 150.0


class AppPromises(Requests):
    """Checks the stacks of an app; every broken promise is one line of text."""

    def __init__(self, world: World, logs: Logs | None = None) -> None:
        super().__init__(world, [], logs)
        self.stacks: list[TemplateStack] = []
        #: Versions of models whose starts were made to fail.
        self.failing: set[str] = set()

    def broken(self) -> list[str]:
        """Return what is broken once nothing is on its way any more; nothing is good."""
        self.resources = [one for stack in self.stacks for one in stack.hosted.values()]
        return [
            *self.broken_requests(),
            *self._what_is_declared_runs(),
            *self._no_leak(),
            *self._no_failure(),
        ]

    def _no_rule(self) -> Iterable[str]:
        """Yield the rules that are left, but for those that nobody could remove, because the stack is gone.

        The function was killed, or it is a second delivery that went on after its role was deleted.
        """
        could_not = {
            invocation.event.get("RequestId")
            for invocation in self.world.invocations
            if invocation.ended != "ok" or invocation.ended_at > invocation.function.deleted_at
        }
        excused = {
            sent.event["RequestId"]
            for stack in self.stacks
            if stack.status in GONE
            for resource in stack.hosted.values()
            for sent in resource.requests
            if sent.event["RequestId"] in could_not
        }
        for name in self.world.rules:
            if not any(name.endswith(request_id) for request_id in excused):
                yield f"3: rule {name} is left"

    # --- 3: no leak -------------------------------------------------------------------------------------

    def _no_leak(self) -> Iterable[str]:
        for model in self._models():
            owner, runs = model["tags"].get(Tag.STACK), self.runs(model["status"])
            if model["version"] in self.disturbed or self._is_retained(model) or self._is_excused(model):
                continue
            if not runs and self._came_twice(model):
                continue
            declaring = [stack for stack in self.stacks if self._on_books(stack, model)]
            if runs and not declaring:
                yield f"3: {_name(model)} is {model['status']}, and nobody declares it"
            elif owner is not None and owner not in {stack.id for stack in declaring}:
                yield f"3: {_name(model)} ({model['status']}) is still owned by {owner}, which lacks it"

    def _models(self) -> list[dict[str, Any]]:
        return list(self.world.control("GET", "models"))

    @staticmethod
    def _on_books(stack: TemplateStack, model: dict[str, Any]) -> bool:
        resources = [*stack.declared, *stack.left_over, *stack.brings_back]
        return any(one.is_hosted_model and _hosts(one, model) for one in resources)

    def _is_retained(self, model: dict[str, Any]) -> bool:
        """Say whether a stack let go of the model and was told to let it run."""
        return any(_hosts(one, model) for stack in self.stacks for one in stack.retained)

    def _is_excused(self, model: dict[str, Any]) -> bool:
        """Say whether a Delete of the model was killed so often that nobody could do it."""
        return any(
            failure.resource is not None and _hosts(failure.resource, model) and self._has_cause(failure)
            for failure in self._deletes()
        )

    def _came_twice(self, model: dict[str, Any]) -> bool:
        """Say whether a second delivery of a request wrote the mark, on late tags, and its stack is gone."""
        mark, gone = (
            Mark.parse(model["tags"].get(Tag.REQUEST)),
            [s.id for s in self.stacks if s.status in GONE],
        )
        if mark is None or not self.world.lateness.tags or model["tags"].get(Tag.STACK) not in gone:
            return False
        return sum(one.event.get("RequestId") == mark.request_id for one in self.world.invocations) > 1

    # --- 5: what is declared runs -----------------------------------------------------------------------

    def _what_is_declared_runs(self) -> Iterable[str]:
        for stack in self.stacks:
            if stack.status not in STABLE:
                continue
            for resource in stack.declared:
                yield from self._runs_as_declared(stack, resource)

    def _runs_as_declared(self, stack: TemplateStack, resource: Resource) -> Iterable[str]:
        model = next(one for one in self._models() if _hosts(resource, one))
        wanted = int(resource.properties["MinInferenceUnits"])
        if model["version"] in self.disturbed:
            return
        if "HostingHours" in resource.properties and may_sleep(model):
            return
        running = CASES[model["service"]].running
        if model["status"] != running or model["min_inference_units"] != wanted:
            yield (
                f"5: {stack.name}.{resource.logical_id} ({stack.status}) declares {_name(model)} with "
                f"{wanted} units, but it is {model['status']} with {model['min_inference_units']}"
            )

    # --- 8: nothing fails that nobody made fail ---------------------------------------------------------

    def _deletes(self) -> Iterable[Failure]:
        return (failure for stack in self.stacks for failure in stack.failures if failure.is_delete)

    def _no_failure(self) -> Iterable[str]:
        for stack in self.stacks:
            for failure in stack.failures:
                what = "Delete" if failure.is_delete else "deploy"
                if not self._has_cause(failure) and not self._is_right(stack, failure):
                    yield f"8: a {what} of {stack.name}.{failure.logical_id} failed: {failure.reason}"

    def _has_cause(self, failure: Failure) -> bool:
        """Say whether something was put in the way of a request that could make it fail."""
        sent = failure.sent
        if sent is None:
            return False
        if self._was_killed_for_good(sent) or self._came_too_late(sent):
            return True
        if failure.is_delete:
            return _version(sent) in self.disturbed
        return bool(
            self.world.struck[sent.event["RequestId"]] or _versions(sent) & (self.disturbed | self.failing)
        )

    def _was_killed_for_good(self, sent: Sent) -> bool:
        """Say whether Lambda gave up, or delivered the event again too late."""
        return not sent.answers and any(
            invocation.ended != "ok"
            and (
                invocation.attempt == len(RETRY_SECONDS)
                or invocation.ended_at + RETRY_SECONDS[invocation.attempt] >= sent.expiry
            )
            for invocation in self._invocations(sent)
        )

    def _came_too_late(self, sent: Sent) -> bool:
        """Say whether Lambda's queue held the event until CloudFormation had all but given up."""
        latest = sent.expiry - LATE_STEPS_SECONDS
        return not any(invocation.began < latest for invocation in self._invocations(sent))

    def _invocations(self, sent: Sent) -> Iterable[Invocation]:
        wanted = sent.event["RequestId"]
        return (one for one in self.world.invocations if one.event.get("RequestId") == wanted)

    def _is_right(self, stack: TemplateStack, failure: Failure) -> bool:
        """Say whether a refusal is right: a model is not taken from another stack, nor from nobody."""
        if failure.is_delete or failure.reason == TOKEN_CHANGED:
            return False
        if STRIPPED in failure.reason and failure.sent:
            return self._was_stripped(stack, failure.sent)
        if OTHER_UNITS in failure.reason and failure.sent and stack.retained:
            # It was retained and is declared anew, with other units: nothing running is stopped for a Create.
            return any(one.logical_id == failure.logical_id for one in stack.retained)
        return FOREIGN in failure.reason and stack.id not in failure.reason

    def _was_stripped(self, stack: TemplateStack, sent: Sent) -> bool:
        """Say whether an earlier request removed the tags, because it had read older ones.

        That is a Delete that was delivered twice, or a cancelled update that takes back its mark.
        """
        request_id, effects = sent.event["RequestId"], self.world.effects
        took = min((one.time for one in effects if one.request_id == request_id), default=float("inf"))
        earlier = {
            other.event["RequestId"]
            for resource in stack.hosted.values()
            for other in resource.requests
            if other.event["RequestType"] != "Create" and other.issued < sent.issued
        }
        return any(
            one.operation == "UntagResource" and one.request_id in earlier and one.time > took
            for one in effects
        )


def _hosts(resource: Resource, model: dict[str, Any]) -> bool:
    case = CASES[model["service"]]
    return bool(
        resource.properties["Service"] == case.name
        and resource.properties["Model"] == case.model(model["version"])
    )


def _name(model: dict[str, Any]) -> str:
    return f"{model['service']} {model['version']}"


def _version(sent: Sent) -> str:
    return version_of(sent.event["ResourceProperties"])


def _versions(sent: Sent) -> set[str]:
    old = sent.event.get("OldResourceProperties")
    return {_version(sent), *([version_of(old)] if old else [])}
