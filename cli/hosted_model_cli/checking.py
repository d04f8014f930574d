"""``hosted-model check``: every difference between what stacks declare and what is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import differing, exits, models, output, stacks
from .asking import Where, ask, tell
from .aws import Cloud, ServiceError
from .models import Depth, Model, Target
from .owners import ownership
from .stacks import Resource, Stack, Stacks
from .survey import Entry, Problem, Survey

JSON_VERSION = 1


@dataclass(frozen=True)
class Difference:
    """A model that is otherwise than declared; the stack is empty where none is concerned."""

    model: Model
    stack_id: str
    logical_id: str
    said: str

    @property
    def owner(self) -> str:
        """Stack and resource, as in a path."""
        return f"{self.stack_id.split('/')[1]}/{self.logical_id}" if "/" in self.stack_id else "nobody"

    def member(self) -> dict[str, Any]:
        """Itself, in the JSON document."""
        return {
            **self.model.names(),
            "status": self.model.seen.status,
            "stack_id": self.stack_id or None,
            "logical_id": self.logical_id or None,
            "difference": self.said,
        }


@dataclass
class Result:
    """What was compared, and what was found."""

    found: Survey
    now: datetime
    models: int = 0
    stacks: int = 0
    differences: list[Difference] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    #: Names of stacks of which some region could not be asked.
    unasked: set[str] = field(default_factory=set)


def check(cloud: Cloud, where: Where, names: Sequence[str] = (), *, as_json: bool = False) -> int:
    """Compare, print each difference, and return the exit code: 1 if there is one.

    Parameters
    ----------
    names
        Names or ARNs of stacks; none for every stack of the regions.
    """
    result = Result(ask(cloud, where, depth=Depth.RUNNING), output.now())
    known, wanted = Stacks(cloud), set[str]()
    for region in result.found.regions:
        for stack_id in _stacks(cloud, region, names, result):
            wanted.add(stack_id)
            _compare(cloud, region, stack_id, known, where, result)
    found = {one for one in names if any(_is_of(one, each) for each in wanted)}
    result.missing = [one for one in names if one not in found | result.unasked]
    declared = {one.model.arn for one in result.differences}
    for entry in result.found.entries:
        if entry.model.arn not in declared and (not names or entry.model.lease.stack_id in wanted):
            _undeclared(entry, result)
    _print(result, as_json=as_json)
    code = tell(result.found)
    return exits.FAILED if result.differences or result.missing else code


def _is_of(name: str, stack_id: str) -> bool:
    return name in (stack_id, stack_id.split("/")[1])


def _stacks(cloud: Cloud, region: str, names: Sequence[str], result: Result) -> Iterator[str]:
    try:
        if not names:
            yield from stacks.listed(cloud, region)
    except ServiceError as error:
        result.found.problems.append(Problem("cloudformation", region, str(error)))
    for name in names:
        if _is_in(name, region) and (stack_id := _find(cloud, region, name, result)):
            yield stack_id


def _find(cloud: Cloud, region: str, name: str, result: Result) -> str:
    try:
        return stacks.find(cloud, region, name)
    except ServiceError as error:
        result.unasked.add(name)
        result.found.problems.append(Problem("cloudformation", region, str(error)))
        return ""


def _is_in(name: str, region: str) -> bool:
    return not name.startswith("arn:") or name.split(":")[3] == region


def _compare(cloud: Cloud, region: str, stack_id: str, known: Stacks, where: Where, result: Result) -> None:
    service = "cloudformation"
    try:
        stack = known.read(stack_id, region)
        if stack.status.startswith("DELETE_"):
            # It declares nothing any more; what it left running is found by what runs.
            return
        result.stacks += any(True for _ in stack.hosted)
        for resource, target in _declared(stack, stack_id, region):
            if where.services and target.service not in where.services:
                continue
            service, result.models = target.service, result.models + 1
            model = models.look(cloud, target)[1]
            if said := _of_resource(stack_id, stack, resource, model, result.now):
                result.differences.append(Difference(model, stack_id, resource.logical_id, said))
    except ServiceError as error:
        result.found.problems.append(Problem(service, region, str(error)))


def _declared(stack: Stack, stack_id: str, region: str) -> Iterator[tuple[Resource, Target]]:
    """The models that the stack's resources stand for; one that is being made stands for none yet."""
    for resource in stack.hosted:
        target = models.of_physical_id(resource.physical_id, stack_id, region)
        if target and resource.there:
            yield resource, target


def _of_resource(stack_id: str, stack: Stack, resource: Resource, model: Model, now: datetime) -> str:
    lease = model.lease
    if lease.stack_id == stack_id:
        return differing.difference(model, ownership(lease, stack), now)
    if stack.moving or resource.moving:
        return ""
    if lease.owned:
        return f"declared, and commanded by {lease.logical_id} of stack {lease.stack_name}"
    return differing.of_declared(model) or "runs without the lease of the stack that declares it"


def _undeclared(entry: Entry, result: Result) -> None:
    """What runs and no stack declares; what a stack declares has been compared with its resource."""
    model, lease = entry.model, entry.model.lease
    if said := differing.difference(model, entry.ownership, result.now):
        result.differences.append(Difference(model, lease.stack_id, lease.logical_id, said))


def _print(result: Result, *, as_json: bool) -> None:
    out = output.console()
    if as_json:
        document = {
            "version": JSON_VERSION,
            "asked_at": result.now.isoformat(timespec="seconds"),
            "stacks": result.stacks,
            "models": result.models,
            "missing_stacks": result.missing,
            "differences": [one.member() for one in result.differences],
            **result.found.unasked(),
        }
        print(json.dumps(document, indent=2))
        return
    for name in result.missing:
        output.line(out, f"! {name}: there is no such stack")
    for one in result.differences:
        model = one.model
        output.line(out, f"! {model.name}  {one.owner}  {model.region}  {model.arn}  {one.said}")
    if result.found.answered and not result.differences and not result.missing:
        output.line(
            out, f"As declared: {_count(result.models, 'model')} of {_count(result.stacks, 'stack')}."
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
