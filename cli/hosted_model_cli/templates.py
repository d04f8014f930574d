"""The hosted models that CloudFormation templates declare, with their hours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hosted_model_runtime.contract import RESOURCE_TYPE, Property, Scheduled

from .schedules import RESOURCE_TYPE as SCHEDULE
from .services import REGISTRY

_NESTED = ".nested.template.json"
#: Stands in a JSON text for what CloudFormation puts there: it is right within quotes and without.
_UNRESOLVED = "0"


class UnreadableError(ValueError):
    """There is no app, or no template, where somebody said that there is one."""


@dataclass(frozen=True)
class Timed:
    """A schedule of a model: what it does, and when."""

    goal: str
    expression: str
    zone: str


@dataclass(frozen=True)
class Template:
    """A stack's template, and where the stack is; the region is empty where the app does not say."""

    stack: str
    region: str
    resources: Mapping[str, Any]


@dataclass(frozen=True)
class DeclaredModel:
    """A model of a template; None is what only CloudFormation can tell."""

    stack: str
    region: str
    logical_id: str
    service: str
    project: str | None
    version: str | None
    min_units: int | None
    max_units: int | None
    hours: tuple[Timed, ...]


def of_app(folder: Path) -> Iterator[Template]:
    """Yield the templates of a synthesised app, those of its stages and nested stacks included.

    Follows the manifest of a cloud assembly, `cdk.out/manifest.json`; raises UnreadableError.
    """
    for artifact in _read(folder / "manifest.json", "run `cdk synth` first").get("artifacts", {}).values():
        given = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from of_app(folder / given["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            region = artifact["environment"].rpartition("/")[2]
            name = given.get("stackName") or artifact.get("displayName", "")
            known = "" if region == "unknown-region" else region
            for file in (given["templateFile"], *_nested(folder, given["templateFile"])):
                resources = _read(folder / file, "run `cdk synth` again").get("Resources", {})
                yield Template(name, known, resources)


def _nested(folder: Path, file: str) -> Iterator[str]:
    """The templates of a stack's nested stacks, of whatever depth: they are among its assets."""
    assets = folder / file.replace(".template.json", ".assets.json")
    if not assets.exists():
        return
    for asset in _read(assets, "run `cdk synth` again").get("files", {}).values():
        path = str(asset.get("source", {}).get("path", ""))
        if path.endswith(_NESTED):
            yield path


def _read(path: Path, advice: str) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}: {advice}") from None
    except ValueError:
        raise UnreadableError(f"{path} is no JSON document: {advice}") from None


def declared(template: Template) -> Iterator[DeclaredModel]:
    """Yield the models of a template."""
    hours: dict[str, list[Timed]] = {}
    for resource in template.resources.values():
        if resource["Type"] == SCHEDULE:
            for logical_id, timed in _timed(resource["Properties"]):
                hours.setdefault(logical_id, []).append(timed)
    for logical_id, resource in template.resources.items():
        if resource["Type"] == RESOURCE_TYPE:
            yield _model(template, logical_id, resource["Properties"], tuple(hours.get(logical_id, ())))


def _model(
    template: Template, logical_id: str, given: Mapping[str, Any], hours: tuple[Timed, ...]
) -> DeclaredModel:
    model, row = given[Property.MODEL], REGISTRY.get(given[Property.SERVICE])
    literal = all(isinstance(value, str) for value in model.values())
    project, version = row.names(model) if row and literal else (None, None)
    low = _whole(given.get(Property.MIN_INFERENCE_UNITS))
    high = _whole(given.get(Property.MAX_INFERENCE_UNITS, low))
    service = str(given[Property.SERVICE])
    return DeclaredModel(
        template.stack, template.region, logical_id, service, project, version, low, high, hours
    )


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


def _timed(given: Mapping[str, Any]) -> Iterator[tuple[str, Timed]]:
    """The resource that a schedule is for, and its time; nothing where it is for something else."""
    try:
        said = json.loads(_flat(given["Target"].get("Input", "")))
    except ValueError:
        return
    if isinstance(said, dict) and said.get(Scheduled.GOAL) in Scheduled.GOALS and _is_enabled(given):
        zone = str(given.get("ScheduleExpressionTimezone") or "UTC")
        timed = Timed(said[Scheduled.GOAL], _flat(given["ScheduleExpression"]), zone)
        yield str(said["LogicalResourceId"]), timed


def _is_enabled(given: Mapping[str, Any]) -> bool:
    return str(given.get("State", "ENABLED")) == "ENABLED"


def _flat(value: object) -> str:
    """A text without what CloudFormation puts into it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return str(between).join(map(_flat, parts))
    return _UNRESOLVED
