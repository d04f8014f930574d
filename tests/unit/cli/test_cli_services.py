"""The registry of services: a third one, from outside, is listed, shown, priced and stopped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hosted_model_cli.services import REGISTRY, Place, Price, ServiceRow
from hosted_model_cli.services.row import Pages
from hosted_model_runtime.decisions.model import Observed, Phase, Sighting
from unit.cli.conftest import REGION, Command, lease
from unit.docs.pages import ROOT

#: botocore has a client of this name; what the client can do is never used.
TOY = "polly"
ARN = f"arn:aws:{TOY}:{REGION}:000000000000:voice/alto/7"
PHASES = {"SINGING": Phase.RUNNING, "SILENT": Phase.STOPPED}


@dataclass
class ToyService:
    """An adapter whose service is in memory."""

    status: str = "SINGING"
    owner: dict[str, str] = field(default_factory=lambda: lease("polly/alto/7"))

    def describe(self, model: Mapping[str, str]) -> Sighting:
        seen = Observed(PHASES[self.status], "voice alto/7", self.status, min_units=2)
        return Sighting(seen, ARN, model["Take"], model)

    def stop(self, sighting: Sighting, token: str) -> None:
        self.status = "SILENT"

    def tags(self, arn: str) -> dict[str, str]:
        return dict(self.owner)

    def untag(self, arn: str, keys: Iterable[str]) -> None:
        for key in keys:
            del self.owner[key]

    def listed(self, pages: Pages) -> Iterable[tuple[str, Phase]]:
        yield ARN, PHASES[self.status]


def named(text: str, pattern: str) -> Mapping[str, str] | None:
    match = re.fullmatch(pattern, text)
    return {"Voice": match[1], "Take": match[2]} if match else None


@pytest.fixture
def toy(command: Command, monkeypatch: pytest.MonkeyPatch) -> ToyService:
    service = ToyService()
    row = ServiceRow(
        name=TOY,
        title="Toy",
        adapter=lambda client: service,  # type: ignore[arg-type, return-value]
        codes={},
        listed=service.listed,
        model=lambda arn: named(arn, rf"arn:aws:{TOY}:[^:]+:[^:]+:voice/(.+)/(.+)"),
        declared=lambda physical_id, _: named(physical_id, rf"{TOY}/(.+)/(.+)"),
        names=lambda model: (model["Voice"], model["Take"]),
        prices=(Price(REGION, 0.5, "A price list", "2026-11"),),
    )
    monkeypatch.setitem(REGISTRY, TOY, row)
    return service


def test_a_third_service_is_listed_and_shown(command: Command, toy: ToyService) -> None:
    command.stack(physical_id=f"{TOY}/alto/7")
    for options in ((), ("--service", TOY)):
        result = command("ls", *options)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "alto/7" in result.stdout
        assert "2 inference units in service, 1.00 USD an hour" in result.stdout
    result = command("show", ARN)
    assert result.exit_code == 0
    assert "Status    SINGING, 2 units" in result.stdout
    assert "(declares it)" in result.stdout


def test_a_third_service_is_stopped(command: Command, toy: ToyService) -> None:
    result = command("stop", "--yes", ARN)
    assert (result.exit_code, toy.status, toy.owner) == (0, "SILENT", {})


def test_the_names_of_a_service_stand_in_its_own_file_only() -> None:
    """Nothing else of the command may know one: it would be forgotten for the next service."""
    known = re.compile("|".join(REGISTRY), re.IGNORECASE)
    package = ROOT / "cli" / "hosted_model_cli"
    elsewhere = [path for path in package.rglob("*.py") if path.parent != package / "services"]
    assert [path.name for path in elsewhere if known.search(Path(path).read_text())] == []


PLACE = Place("aws-us-gov", "us-gov-west-1", "000000000000")
PROJECT = "arn:aws-us-gov:rekognition:us-gov-west-1:000000000000:project/labels"
VERSION = "rekognition/labels/version/v1/16"


@pytest.mark.parametrize(
    ("service", "physical_id", "model"),
    [
        ("lookoutvision", "lookoutvision/b/1", {"ProjectName": "b", "ModelVersion": "1"}),
        ("lookoutvision", "lookoutvision/b/latest", {"ProjectName": "b", "ModelVersion": "latest"}),
        ("lookoutvision", "Inspection-Model-1XYZ", None),
        ("rekognition", VERSION, {"ProjectVersionArn": f"{PROJECT}/version/v1/16"}),
        ("rekognition", "rekognition/labels/16/v1", {"ProjectArn": f"{PROJECT}/16", "VersionName": "v1"}),
        ("rekognition", "Inspection-Model-1XYZ", None),
    ],
)  # fmt: skip
def test_what_a_physical_id_stands_for(
    service: str, physical_id: str, model: Mapping[str, str] | None
) -> None:
    row = REGISTRY[service]
    assert row.declared(physical_id, PLACE) == model
    if model:
        assert row.adapter(None).physical_id(model) == physical_id, "the runtime's own"


class TestPersonalize:
    """Recommenders, from the registry's own row: no price is known, and a stop needs no token."""

    def test_ls_shows_them_and_says_that_no_price_is_known(self, command: Command) -> None:
        tags = lease("personalize/recommender/top-picks")
        command.model(
            "shop/top-picks", service="personalize", status="ACTIVE", min_inference_units=2, tags=tags
        )
        command.stack(physical_id="personalize/recommender/top-picks")
        result = command("ls")
        assert "recommender/top-picks" in result.stdout
        assert "2 inference units in service; no price is known for personalize" in result.stdout
        priced = command("ls", "--price-per-unit-hour", "0.5")
        assert "2 inference units in service, 1.00 USD an hour" in priced.stdout

    def test_show_and_stop(self, command: Command) -> None:
        arn = command.model("shop/top-picks", service="personalize", status="ACTIVE", tags=lease())
        shown = command("show", arn)
        assert "Personalize recommender top-picks" in shown.stdout
        assert "ACTIVE, 1 unit" in shown.stdout
        stopped = command("stop", "--yes", "--force", arn)
        assert stopped.exit_code == 0, stopped.output
        found = command.found(arn)
        assert found["status"] == "INACTIVE"
        assert not any(key.startswith("hosted-model:stack") for key in found["tags"])
