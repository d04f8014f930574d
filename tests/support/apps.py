"""A CDK app of the tests, as a value, and its templates: synthesised once a shape, then filled in.

A shape is what a template is like, apart from names and numbers. Synthesising takes a quarter of a second;
filling in is a replacement of texts. ``fresh`` synthesises an app as it is: a test holds the two together.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

from hosted_model_runtime.contract import OnRunning
from support.cases import CASES
from support.intrinsics import ACCOUNT, REGION

Template = dict[str, Any]
Path = tuple[str, ...]
#: Most hosted models that a stack of the app histories has.
MOST = 3
TIMEOUT_MINUTES = 25
IMPLICIT = ("HostedModelProvider",)
#: Where an app may make its provider: nowhere (a model makes it), or itself, or under another ID or scope.
PROVIDERS: Mapping[str, Path] = {
    "implicit": IMPLICIT,
    "explicit": IMPLICIT,
    "renamed": ("Renamed",),
    "moved": ("Operations", "HostedModelProvider"),
}
MEMORY = 160


@dataclass(frozen=True, order=True)
class Declared:
    """One hosted model of an app: what its construct is given."""

    service: str
    hours: bool
    version: str
    units: int = 1
    retain: bool = False
    adopts: bool = False

    @property
    def kind(self) -> tuple[str, bool]:
        """What of it makes a difference to a template's shape."""
        return self.service, self.hours

    @property
    def model(self) -> dict[str, str]:
        return CASES[self.service].model(self.version)


@dataclass(frozen=True)
class StackOfApp:
    """One stack of an app; ``models`` by the path of their constructs in the stack."""

    models: Mapping[Path, Declared] = field(default_factory=dict)
    provider: str = "implicit"
    memory: int = MEMORY
    neighbour: int = 1

    @property
    def in_order(self) -> list[tuple[Path, Declared]]:
        """Return the models in the order in which the app makes them."""
        return sorted(self.models.items(), key=lambda item: (item[1].kind, item[0]))

    @property
    def has_provider(self) -> bool:
        return bool(self.models) or self.provider != "implicit"

    @property
    def shape(self) -> Shape:
        return Shape(tuple(declared.kind for _, declared in self.in_order), self.has_provider)


@dataclass(frozen=True)
class Shape:
    """What a template is like, apart from names and numbers."""

    kinds: tuple[tuple[str, bool], ...]
    has_provider: bool

    @property
    def stand_in(self) -> StackOfApp:
        """Return an app of this shape whose names are found again in its template."""
        models = {
            (f"Slot{number}",): Declared(service, hours, str(9_000_001 + number), units=700_001 + number)
            for number, (service, hours) in enumerate(self.kinds)
        }
        # Elsewhere than where a model makes it: so logical IDs that follow its path are told from others.
        return StackOfApp(models, "moved" if self.has_provider else "implicit", 1_601, 800_001)


def shapes() -> Iterator[Shape]:
    """Yield every shape that a stack of the app histories can have."""
    kinds = sorted((service, hours) for service in CASES for hours in (False, True))
    yield Shape((), False)
    for count in range(MOST + 1):
        for chosen in combinations_with_replacement(kinds, count):
            yield Shape(chosen, True)


_SYNTHESISED: dict[Shape, Template] = {}


def prepare(wanted: Iterable[Shape] | None = None) -> None:
    """Synthesise shapes, all of them unless it is said which; before a fork: the CDK does not survive it."""
    missing = [shape for shape in dict.fromkeys(wanted or shapes()) if shape not in _SYNTHESISED]
    if missing:
        _SYNTHESISED.update(zip(missing, _synth([shape.stand_in for shape in missing]), strict=True))


def filled(stack: StackOfApp) -> Template:
    """Return the template of a stack, filled into the one of its shape."""
    shape = stack.shape
    prepare([shape])
    stand_in = shape.stand_in
    found = _SYNTHESISED[shape]
    names = _logical_ids(found, _paths(stand_in, stack))
    for (_, old), (_, new) in zip(stand_in.in_order, stack.in_order, strict=True):
        names |= {old.version: new.version, str(old.units): str(new.units)}
    names |= {str(stand_in.memory): str(stack.memory), str(stand_in.neighbour): str(stack.neighbour)}
    words = re.compile(r"\b(" + "|".join(sorted(map(re.escape, names), key=len, reverse=True)) + r")\b")
    template: Template = json.loads(words.sub(lambda word: names[word[1]], json.dumps(found)))
    for path, declared in stack.in_order:
        name = names.get(_of(path), _of(path))
        if declared.adopts:
            _adopt(template["Resources"], name)
        if declared.retain:
            resource = template["Resources"][name]
            resource["DeletionPolicy"] = resource["UpdateReplacePolicy"] = "Retain"
    return _without_metadata(template)


def _adopt(resources: dict[str, Any], name: str) -> None:
    """Let a model be adopted; its schedules, which depend on it, carry its properties as text."""
    resources[name]["Properties"]["OnRunning"] = OnRunning.ADOPT
    for other, resource in resources.items():
        if name in resource.get("DependsOn", ()):
            text = json.dumps(resource).replace(r"OnRunning\":\"FAIL", r"OnRunning\":\"ADOPT")
            resources[other] = json.loads(text)


def fresh(stack: StackOfApp) -> Template:
    """Return the template of a stack as the CDK synthesises it."""
    return _without_metadata(_synth([stack])[0])


def normal(value: Any) -> Any:
    """Return a part of a template without the order of its lists of texts, which means nothing."""
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [normal(item) for item in value]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return value


def _of(path: Path) -> str:
    return logical_id((*path, "Resource", "Default"))


def _paths(old: StackOfApp, new: StackOfApp) -> dict[Path, Path]:
    """Return which construct of the one is which of the other."""
    models = zip(old.in_order, new.in_order, strict=True)
    return {PROVIDERS[old.provider]: PROVIDERS[new.provider]} | {one[0]: other[0] for one, other in models}


def _logical_ids(template: Template, paths: Mapping[Path, Path]) -> dict[str, str]:
    """Return the logical IDs that change when constructs have other paths.

    Those that do not follow from a path, because the construct sets them, stay as they are.
    """
    changed: dict[str, str] = {}
    for name, resource in template["Resources"].items():
        path = tuple(resource["Metadata"]["aws:cdk:path"].split("/")[1:])
        if logical_id(path) != name:
            continue
        for old, new in paths.items():
            if path[: len(old)] == old:
                changed[name] = logical_id((*new, *path[len(old) :]))
    return changed


@cache
def logical_id(path: Path) -> str:
    """Return the logical ID that the CDK gives to a path in a stack (``makeUniqueId`` in aws-cdk-lib)."""
    parts = [part for part in path if part != "Default"]
    if len(parts) == 1:
        return re.sub(r"[^A-Za-z0-9]", "", parts[0])
    digest = hashlib.md5("/".join(parts).encode(), usedforsecurity=False).hexdigest()[:8].upper()
    kept: list[str] = []
    for part in parts:
        if not kept or not kept[-1].endswith(part):
            kept.append(part)
    human = "".join(re.sub(r"[^A-Za-z0-9]", "", part) for part in kept if part != "Resource")
    return human[:240] + digest


def _without_metadata(template: Template) -> Template:
    resources = copy.deepcopy(template["Resources"])
    for resource in resources.values():
        resource.pop("Metadata", None)
    return {"Resources": resources}


def _synth(stacks: list[StackOfApp]) -> list[Template]:
    from aws_cdk import App

    app = App(context={"aws:cdk:enable-path-metadata": True}, analytics_reporting=False)
    for number, stack in enumerate(stacks):
        # Of one app no two stacks declare one model: they are in different accounts.
        _declare(app, f"Stack{number}", f"{number:012}", stack)
    assembly = app.synth()
    made = [assembly.get_stack_by_name(f"Stack{number}").template for number in range(len(stacks))]
    return [
        json.loads(json.dumps(template).replace(f"{number:012}", ACCOUNT))
        for number, template in enumerate(made)
    ]


def _declare(app: Any, name: str, account: str, declared: StackOfApp) -> None:
    from aws_cdk import CfnResource, Environment, Stack

    from hosted_model import HostedModelProvider

    stack = Stack(app, name, env=Environment(account=account, region=REGION))
    CfnResource(
        stack,
        "Neighbour",
        type="AWS::SSM::Parameter",
        properties={"Type": "String", "Value": str(declared.neighbour)},
    )
    if declared.provider != "implicit":
        path = PROVIDERS[declared.provider]
        HostedModelProvider(_scope(stack, path), path[-1], memory_size=declared.memory)
    for path, model in declared.in_order:
        _declare_model(_scope(stack, path), path[-1], account, model)


def _scope(stack: Any, path: Path) -> Any:
    from constructs import Construct

    scope = stack
    for part in path[:-1]:
        scope = scope.node.try_find_child(part) or Construct(scope, part)
    return scope


def _declare_model(scope: Any, construct_id: str, account: str, model: Declared) -> None:
    from aws_cdk import Duration, RemovalPolicy
    from aws_cdk import aws_scheduler as scheduler

    from hosted_model import HostingHours, OnRunning

    window = HostingHours(
        start=scheduler.ScheduleExpression.cron(hour="7", minute="0"),
        stop=scheduler.ScheduleExpression.cron(hour="19", minute="0"),
    )
    given: dict[str, Any] = {
        "min_inference_units": model.units,
        "hosting_timeout": Duration.minutes(TIMEOUT_MINUTES),
        "hosting_hours": window if model.hours else None,
        "on_running": OnRunning.ADOPT if model.adopts else OnRunning.FAIL,
        "removal_policy": RemovalPolicy.RETAIN if model.retain else RemovalPolicy.DESTROY,
    }
    members = {name: value.replace(ACCOUNT, account) for name, value in model.model.items()}
    CASES[model.service].declare(scope, construct_id, members, **given)
