"""CloudFormation as it applies a template: in dependency order, with a clean-up, or a rollback, after it.

Follows "Update behaviors of stack resources" and "Stack failure options", AWS CloudFormation User Guide, and
what is known beyond them. An update brings everything that is new or changed into force first, policies
included, and deletes what is gone last, under the new policies. A rollback brings everything back that was
there, the old policies included, and deletes what was created last; what was to be removed never learns of
any of it. A Delete that fails while a deploy cleans up is tried three times and then given up: the stack is
complete, and the resource is in its history as DELETE_FAILED.

Custom resources run side by side where the template lets them; every other resource is there at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ministack.core.iam_evaluator import parse_policy_document

from hosted_model_runtime.contract import RESOURCE_TYPE, Env, Scheduled
from support.apps import Template
from support.cloudformation import CustomResource, Script, Sent, stack_id
from support.intrinsics import ACCOUNT, REGION, references, resolve
from support.world import Function, World

FUNCTION, ROLE, SCHEDULE = "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Scheduler::Schedule"
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
NEIGHBOUR = "Neighbour"
#: "CloudFormation tries three times" to delete while it cleans up, and goes on.
CLEANUP_TRIES = 3
#: What CloudFormation takes between two steps of an operation, in seconds.
PAUSE = 1.0
#: What it takes to delete a function, in seconds: an invocation that runs may still end in order.
FUNCTION_PAUSE = 10.0
TOKEN_CHANGED = "Modifying service token is not allowed."


class FailedError(Exception):
    """A resource failed; the text is its status reason."""


@dataclass(frozen=True)
class Resource:
    """A resource as CloudFormation has it on its books."""

    logical_id: str
    declared: Mapping[str, Any]
    properties: Mapping[str, Any]
    physical_id: str

    @property
    def type(self) -> str:
        return str(self.declared["Type"])

    @property
    def is_hosted_model(self) -> bool:
        return self.type == RESOURCE_TYPE

    def stays(self, policy: str) -> bool:
        """Say whether DeletionPolicy or UpdateReplacePolicy keeps it when it is gone from its stack."""
        return self.declared.get(policy) == "Retain"


@dataclass
class Fate:
    """What befalls one deploy.

    Attributes
    ----------
    neighbour_fails
        Seconds after which the neighbour fails, or None.
    cancelled
        Seconds after which somebody cancels it, or None.
    learns_failed_id
        Whether CloudFormation keeps the physical ID of a FAILED answer to an Update.
    deliveries
        How often Lambda delivers each request.
    rollback_fails
        Whether the neighbour cannot be rolled back, until somebody goes on with the rollback.
    """

    neighbour_fails: float | None = None
    cancelled: float | None = None
    learns_failed_id: bool = False
    deliveries: int = 1
    rollback_fails: bool = False


@dataclass
class Change:
    """What a deploy did to one resource, for its rollback; ``before`` is None where it created it."""

    before: Resource | None
    after: Resource
    sent: Sent | None = None


@dataclass
class Failure:
    """A request of CloudFormation that ended badly."""

    logical_id: str
    reason: str
    sent: Sent | None
    #: Whether it was a Delete that CloudFormation gave up.
    is_delete: bool = False
    resource: Resource | None = None


@dataclass
class Ended:
    """How work ended: what failed, why, and what was still under way."""

    failed: dict[Any, str] = field(default_factory=dict)
    running: set[Any] = field(default_factory=set)


class TemplateStack:
    """One stack, whose operations are scripts that yield what they wait for."""

    def __init__(self, world: World, name: str, generation: str = "") -> None:
        self.world, self.name, self.id = world, f"{name}{generation}", stack_id(name, generation)
        self.status = "NONE"
        self.resources: dict[str, Resource] = {}
        #: Every hosted model that the stack ever had, by logical ID.
        self.hosted: dict[str, CustomResource] = {}
        self.failures: list[Failure] = []
        #: Hosted models that the stack let go of without stopping them.
        self.retained: list[Resource] = []
        #: What a rollback that failed, or a Delete, has left on the books beside ``resources``.
        self.left_over: list[Resource] = []
        #: By logical ID, the changes that a rollback has still to undo; and what it deletes after that.
        self._not_back: dict[str, Change] = {}
        self._to_clean_up: list[Resource] = []
        self.fate = Fate()
        self._changes: dict[str, Change] = {}
        self._policies: dict[str, list[Any]] = {}
        #: By role, what it had, and since when.
        self._were: dict[str, list[tuple[float, list[Any]]]] = {}

    # --- operations -------------------------------------------------------------------------------------

    def deploy(self, template: Template, fate: Fate | None = None) -> Script:
        """CreateStack or UpdateStack."""
        self.fate = fate or Fate()
        creating = self.status == "NONE"
        before, self._changes = dict(self.resources), {}
        self.status = "CREATE_IN_PROGRESS" if creating else "UPDATE_IN_PROGRESS"
        wanted = template["Resources"]
        work = {name: self._bring(name, wanted[name]) for name in wanted}
        waits = {name: _needs(wanted[name]) & wanted.keys() for name in wanted}
        ended = yield from self._side_by_side(work, waits, halts=True, until=self._cancelled())
        yield from self._pause()
        if ended.failed:
            if creating:
                yield from self._delete_all("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
            else:
                yield from self._roll_back(before)
            return
        gone = [before[name] for name in before if name not in wanted]
        replaced = [
            change.before
            for change in self._changes.values()
            if change.before and change.before.physical_id != change.after.physical_id
        ]
        yield from self._clean_up(gone, "DeletionPolicy")
        yield from self._clean_up(replaced, "UpdateReplacePolicy")
        self.status = "CREATE_COMPLETE" if creating else "UPDATE_COMPLETE"

    def destroy(self) -> Script:
        """DeleteStack; once more after it failed."""
        self.fate = Fate(deliveries=self.fate.deliveries)
        self.status, self._not_back = "DELETE_IN_PROGRESS", {}
        yield from self._delete_all("DELETED", "DELETE_FAILED")

    def fire(self, schedule: Resource, deliveries: int, due: float) -> None:
        """A schedule that was due comes: it invokes the function that it names with what it carries."""
        when = datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        target = schedule.properties["Target"]
        event = json.loads(target["Input"].replace(Scheduled.TIME_ATTRIBUTE, when))
        self.scheduled(schedule).asked_by_schedule(event, deliveries, target["Arn"])

    def scheduled(self, schedule: Resource) -> CustomResource:
        """Return the hosted model that a schedule is for."""
        return self._custom(json.loads(schedule.properties["Target"]["Input"])["LogicalResourceId"])

    @property
    def schedules(self) -> list[Resource]:
        return [one for one in self.resources.values() if one.type == SCHEDULE]

    @property
    def brings_back(self) -> list[Resource]:
        """Return what a rollback has still to bring back; one that failed, once somebody goes on with it."""
        return [change.before for change in self._not_back.values() if change.before is not None]

    @property
    def declared(self) -> list[Resource]:
        """Return the hosted models that are in the stack."""
        return [one for one in self.resources.values() if one.is_hosted_model]

    # --- bringing into force ----------------------------------------------------------------------------

    def _bring(self, name: str, declared: Mapping[str, Any]) -> Script:
        """Create or update one resource, unless it is as the template wants it."""
        before = self.resources.get(name)
        properties = self._resolved(declared.get("Properties", {}), custom=_is_hosted_model(declared))
        unchanged = before is not None and before.properties == properties
        if name == NEIGHBOUR and self.fate.neighbour_fails is not None and not unchanged:
            yield self._until(self.world.now + self.fate.neighbour_fails)
            raise FailedError("the neighbour failed")
        if unchanged and before is not None:
            self._enter(Resource(name, declared, properties, before.physical_id))
            return
        if _is_hosted_model(declared):
            yield from self._bring_model(name, declared, properties, before)
            return
        made = Resource(name, declared, properties, before.physical_id if before else self._physical_id(name))
        self._changes[name] = Change(before, made)
        self._enter(made)

    def _bring_model(
        self, name: str, declared: Mapping[str, Any], properties: Mapping[str, Any], before: Resource | None
    ) -> Script:
        if before is not None and before.properties["ServiceToken"] != properties["ServiceToken"]:
            self._fails(name, TOKEN_CHANGED, None)
        made = Resource(name, declared, properties, before.physical_id if before else self._invented(name))
        change = self._changes[name] = Change(before, made)
        # From now on it is on the books: a rollback has to undo it, whatever becomes of the request.
        if before is None:
            self._enter(made)
        sent = change.sent = self._send("Update" if before else "Create", made, before)
        yield self._custom(name).settled(sent)
        if not sent.ok:
            if sent.answers and (before is None or self.fate.learns_failed_id):
                self._learn(name, change, sent)
            self._fails(name, _reason(sent), sent)
        self._learn(name, change, sent)

    def _learn(self, name: str, change: Change, sent: Sent) -> None:
        """Take the physical ID of an answer."""
        answered = sent.answers[0].body["PhysicalResourceId"]
        change.after = Resource(name, change.after.declared, change.after.properties, answered)
        if sent.ok or change.before is None:
            self._enter(change.after)

    def _fails(self, name: str, reason: str, sent: Sent | None) -> None:
        self.failures.append(Failure(name, reason, sent))
        raise FailedError(reason)

    # --- going back -------------------------------------------------------------------------------------

    def _roll_back(self, before: Mapping[str, Resource]) -> Script:
        changes, self._changes = self._changes, {}
        # What the deploy did not come to change has its old declaration again, deletion policies included.
        for name, resource in before.items():
            if name not in changes:
                self._enter(resource)
        self._not_back = {name: change for name, change in changes.items() if change.before is not None}
        created = [change.after for change in changes.values() if change.before is None]
        instead = [
            change.after
            for change in self._not_back.values()
            if change.before is not None and change.after.physical_id != change.before.physical_id
        ]
        self._to_clean_up = [*created, *instead]
        self.left_over += instead
        yield from self.go_back()

    def go_back(self) -> Script:
        """Roll an update back; once more, it is ContinueUpdateRollback, which ``cdk rollback`` asks for."""
        self.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        changed = self._not_back
        work = {name: self._bring_back(change) for name, change in changed.items()}
        waits = {one.logical_id: _needs(one.declared) & changed.keys() for one in self.brings_back}
        ended = yield from self._side_by_side(work, waits)
        yield from self._pause()
        self._not_back = {name: changed[name] for name in ended.failed}
        fails, self.fate.rollback_fails = self.fate.rollback_fails, False
        if ended.failed or fails:
            self.status = "UPDATE_ROLLBACK_FAILED"
            return
        yield from self._clean_up(self._to_clean_up, "")
        self.status = "UPDATE_ROLLBACK_COMPLETE"

    def _bring_back(self, change: Change) -> Script:
        """Undo the change of one resource."""
        old, new = change.before, change.after
        assert old is not None
        if not old.is_hosted_model or change.sent is None:
            self._enter(old)
            return
        known = Resource(new.logical_id, old.declared, old.properties, new.physical_id)
        sent = self._send("Update", known, new)
        yield self._custom(old.logical_id).settled(sent)
        if not sent.ok:
            self._fails(old.logical_id, _reason(sent), sent)
        self._enter(old)

    # --- deleting ---------------------------------------------------------------------------------------

    def _clean_up(self, resources: Iterable[Resource], policy: str) -> Script:
        """Delete what is gone; a failure is given up, and the stack is none the worse for it.

        ``policy`` is what may keep a resource; a rollback keeps nothing that it created.
        """
        chosen = list(resources)
        yield from self._side_by_side(*self._deletions(chosen, policy, CLEANUP_TRIES))
        for one in chosen:
            # What could not be deleted is forgotten.
            self._leave(one)

    def _delete_all(self, ok: str, failed: str) -> Script:
        chosen = [*self.resources.values(), *self.left_over]
        policy = "DeletionPolicy" if self.status == "DELETE_IN_PROGRESS" else ""
        ended = yield from self._side_by_side(*self._deletions(chosen, policy, 1), needed=True)
        self.left_over = [one for one in self.left_over if _key(one) in ended.failed]
        self.status = failed if ended.failed else ok

    def _deletions(
        self, resources: list[Resource], policy: str, tries: int
    ) -> tuple[dict[Any, Script], dict[Any, set[Any]]]:
        """Return the work of deleting, and what each has to wait for: whatever refers to it."""
        work = {_key(one): self._delete(one, policy, tries) for one in resources}
        waits: dict[Any, set[Any]] = {key: set() for key in work}
        for one in resources:
            for needed in _needs(one.declared):
                for key in work:
                    if key[0] == needed:
                        waits[key].add(_key(one))
        return work, waits

    def _delete(self, resource: Resource, policy: str, tries: int) -> Script:
        if policy and resource.stays(policy):
            if resource.is_hosted_model:
                self.retained.append(resource)
            self._leave(resource)
            return
        if resource.is_hosted_model:
            for left in reversed(range(tries)):
                sent = self._send("Delete", resource, None)
                yield self._custom(resource.logical_id).settled(sent)
                if sent.ok:
                    break
                if not left:
                    failure = Failure(resource.logical_id, _reason(sent), sent, True, resource)
                    self.failures.append(failure)
                    raise FailedError(failure.reason)
                yield from self._pause()
        if resource.type == FUNCTION:
            yield self._until(self.world.now + FUNCTION_PAUSE)
        self._leave(resource)

    # --- several at once --------------------------------------------------------------------------------

    def _side_by_side(
        self,
        work: Mapping[Any, Script],
        waits: Mapping[Any, Collection[Any]],
        *,
        halts: bool = False,
        needed: bool = False,
        until: Callable[[], bool] = lambda: False,
    ) -> Generator[Callable[[], bool], None, Ended]:
        """Do work, each piece once those that it waits for are over.

        ``halts``: the first failure ends it all. ``needed``: what waits for something that failed is not
        begun, and has failed, too. ``until`` ends it all.
        """
        left, ended = dict(work), Ended()
        conditions: dict[Any, Callable[[], bool]] = {}
        while left and not (halts and ended.failed):
            if until():
                ended.failed["operation"] = "cancelled"
                break
            moved = False
            for key, script in list(left.items()):
                if key not in conditions:
                    if any(other in left for other in waits[key]):
                        continue
                    if needed and any(other in ended.failed for other in waits[key]):
                        ended.failed[key] = "not begun"
                        del left[key]
                        moved = True
                        continue
                elif not conditions[key]():
                    continue
                moved = True
                try:
                    conditions[key] = next(script)
                except StopIteration:
                    del left[key]
                except FailedError as error:
                    del left[key]
                    ended.failed[key] = str(error)
                    if halts:
                        break
            if not moved and left:
                asked = [conditions[key] for key in left if key in conditions]
                yield lambda asked=asked: until() or any(one() for one in asked)  # type: ignore[misc]
        ended.running = set(left) & set(conditions)
        for key in ended.running:
            change = self._changes.get(key)
            if change is not None and change.sent is not None:
                change.sent.cancel(self.world.now)
        return ended

    def _cancelled(self) -> Callable[[], bool]:
        if self.fate.cancelled is None:
            return lambda: False
        return self._until(self.world.now + self.fate.cancelled)

    def _until(self, end: float) -> Callable[[], bool]:
        self.world.at(end, lambda: None)
        return lambda: self.world.now >= end

    def _pause(self) -> Script:
        yield self._until(self.world.now + PAUSE)

    # --- requests ---------------------------------------------------------------------------------------

    def _custom(self, logical_id: str) -> CustomResource:
        if logical_id not in self.hosted:
            self.hosted[logical_id] = CustomResource(self.world, self.name, self.id, logical_id)
        return self.hosted[logical_id]

    def _send(self, kind: str, resource: Resource, old: Resource | None) -> Sent:
        return self._custom(resource.logical_id).send(
            kind,
            resource.properties,
            physical_id=None if kind == "Create" else resource.physical_id,
            old=old.properties if old else None,
            deliveries=self.fate.deliveries,
            function_arn=resource.properties["ServiceToken"],
        )

    # --- what is in force -------------------------------------------------------------------------------

    def _enter(self, resource: Resource) -> None:
        """Put a resource on the books; what it permits or runs is in force from now on."""
        self.resources[resource.logical_id] = resource
        self._policies_changed()
        if resource.type == FUNCTION:
            self._deploy_function(resource)

    def _leave(self, resource: Resource) -> None:
        if self.resources.get(resource.logical_id) == resource:
            if resource.type == FUNCTION:
                if function := self.world.functions.pop(self._arn(resource.logical_id), None):
                    function.deleted_at = self.world.now
                self._nobody_listens()
            del self.resources[resource.logical_id]
            self._policies_changed()
        self.left_over = [one for one in self.left_over if one != resource]

    def _nobody_listens(self) -> None:
        for sent in (sent for one in self.hosted.values() for sent in one.requests):
            sent.over = min(sent.over, self.world.now)

    def _deploy_function(self, resource: Resource) -> None:
        arn = self._arn(resource.logical_id)
        prefix = resource.properties["Environment"]["Variables"][Env.RULE_PREFIX]
        role = str(resource.properties["Role"]).rsplit("/", 1)[-1]
        if arn in self.world.functions:
            # New code or another size: its execution environments are made anew.
            self.world.functions[arn].warm.clear()
        else:
            self.world.functions[arn] = Function(arn, prefix, lambda: self._in_force(role))

    def _policies_changed(self) -> None:
        self._policies.clear()
        if not self.world.lateness.policies:
            return
        for role in (one.physical_id for one in self.resources.values() if one.type == ROLE):
            were, now = self._were.setdefault(role, []), self._granted(role)
            if not were or were[-1][1] != now:
                were.append((self.world.now, now))

    def _in_force(self, role: str) -> list[Any]:
        """Return the policies of a role that are in force at this moment."""
        if not self.world.lateness.policies:
            return self._granted(role)
        since = self.world.now - self.world.lateness.policies
        return next((had for when, had in reversed(self._were.get(role, [])) if when <= since), [])

    def _granted(self, role: str) -> list[Any]:
        """Return the policies that a role was given, wherever the template writes them."""
        if role not in self._policies:
            self._policies[role] = [_parsed(json.dumps(one)) for one in self._documents(role)]
        return self._policies[role]

    def _documents(self, role: str) -> Iterable[Any]:
        for one in self.resources.values():
            if one.type == ROLE and one.physical_id == role:
                yield from (policy["PolicyDocument"] for policy in one.properties.get("Policies", []))
            elif one.type in POLICIES and role in one.properties.get("Roles", []):
                yield one.properties["PolicyDocument"]

    def _resolved(self, value: Any, custom: bool = False) -> Any:
        found = resolve(value, self.id, self._lookup)
        return _texts(found) if custom else found

    def _lookup(self, name: str, attribute: str | None) -> str:
        if attribute is None:
            return self.resources[name].physical_id
        if attribute == "Arn":
            return self._arn(name)
        return f"{name}.{attribute}"

    def _arn(self, name: str) -> str:
        kind = self.resources[name].type
        physical_id = self.resources[name].physical_id
        if kind == FUNCTION:
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{physical_id}"
        if kind == ROLE:
            return f"arn:aws:iam::{ACCOUNT}:role/{physical_id}"
        return f"arn:aws:unknown:{REGION}:{ACCOUNT}:{physical_id}"

    def _physical_id(self, name: str) -> str:
        return f"{self.name}-{name}-{self.id[-6:]}"

    def _invented(self, name: str) -> str:
        """Return the physical ID that CloudFormation gives a resource that never answered."""
        return f"{self.name}-{name}-1A2B3C4D5E6F"


def _needs(declared: Mapping[str, Any]) -> set[str]:
    depends = declared.get("DependsOn", [])
    return {
        *([depends] if isinstance(depends, str) else depends),
        *references(declared.get("Properties", {})),
    }


def _is_hosted_model(declared: Mapping[str, Any]) -> bool:
    return bool(declared["Type"] == RESOURCE_TYPE)


def _key(resource: Resource) -> tuple[str, str]:
    return resource.logical_id, resource.physical_id


def _reason(sent: Sent) -> str:
    return str(sent.answers[0].body["Reason"]) if sent.answers else "no answer in time"


@lru_cache(maxsize=512)
def _parsed(document: str) -> Any:
    return parse_policy_document(document)


def _texts(value: Any) -> Any:
    """Return properties as a custom resource gets them: numbers and booleans as texts."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
