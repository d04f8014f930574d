"""The adapter of Amazon Personalize: statuses, errors, and a change of units that keeps everything else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from hosted_model_runtime.contract import Personalize as Names
from hosted_model_runtime.decisions.model import Phase, Resizing, Sighting, Units
from hosted_model_runtime.services.base import Kind, ResizesInPlace, ServiceError
from hosted_model_runtime.services.personalize import PersonalizeService

ARN = "arn:aws:personalize:us-east-1:111122223333:recommender/top-picks"
MODEL = {Names.RECOMMENDER_ARN: ARN}
WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONFIG = {
    "minRecommendationRequestsPerSecond": 1,
    "itemExplorationConfig": {"explorationWeight": "0.3"},
    "trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["PRICE"]}},
    "enableMetadataWithRecommendations": True,
}


class Client:
    """botocore's client: what it answers, what it was asked, and the errors that it raises first."""

    def __init__(self, status: str = "ACTIVE", **described: Any) -> None:
        self.described = {"recommenderArn": ARN, "name": "top-picks", "status": status, **described}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Any:
        def call(**given: Any) -> dict[str, Any]:
            self.asked.append((name, given))
            if error := self.errors.get(name):
                raise error
            tags = [{"tagKey": "a", "tagValue": "b"}]
            return {"recommender": self.described} if name == "describe_recommender" else {"tags": tags}

        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def refusal(code: str, status: int = 400) -> ClientError:
    meta: Any = {"HTTPStatusCode": status, "HTTPHeaders": {}}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": meta}, "Any")


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("CREATE PENDING", Phase.UNREADY),
        ("CREATE IN_PROGRESS", Phase.UNREADY),
        ("CREATE IN PROGRESS", Phase.UNREADY),
        ("CREATE FAILED", Phase.UNREADY),
        ("DELETE PENDING", Phase.UNREADY),
        ("DELETE IN_PROGRESS", Phase.UNREADY),
        ("ACTIVE", Phase.RUNNING),
        ("STOP PENDING", Phase.STOPPING),
        ("STOP IN_PROGRESS", Phase.STOPPING),
        ("STOP IN PROGRESS", Phase.STOPPING),
        ("INACTIVE", Phase.STOPPED),
        ("START PENDING", Phase.STARTING),
        ("START IN_PROGRESS", Phase.STARTING),
        ("START IN PROGRESS", Phase.STARTING),
        ("START FAILED", Phase.FAILED),
        ("SOMETHING NEW", Phase.UPDATING),
    ],
)
def test_statuses_in_both_spellings(status: str, phase: Phase) -> None:
    seen = PersonalizeService(Client(status)).describe(MODEL)
    assert (seen.phase, seen.observed.status) == (phase, status)
    assert (seen.arn, seen.version) == (ARN, "top-picks")


def test_a_start_that_failed_is_known_by_its_reason() -> None:
    seen = PersonalizeService(Client("INACTIVE", failureReason="no capacity")).describe(MODEL)
    assert (seen.phase, seen.observed.message) == (Phase.FAILED, "no capacity")


def test_an_absent_recommender_is_a_sighting() -> None:
    client = Client()
    client.errors["describe_recommender"] = refusal("ResourceNotFoundException")
    seen = PersonalizeService(client).describe(MODEL)
    assert (seen.phase, seen.arn) == (Phase.ABSENT, "")


@pytest.mark.parametrize(
    ("update", "found"),
    [
        (None, None),
        ({"status": "CREATE PENDING"}, Resizing(Units(3), WHEN.timestamp(), under_way=True)),
        ({"status": "CREATE IN_PROGRESS"}, Resizing(Units(3), WHEN.timestamp(), under_way=True)),
        ({"status": "CREATE IN PROGRESS"}, Resizing(Units(3), WHEN.timestamp(), under_way=True)),
        ({"status": "ACTIVE"}, Resizing(Units(3), WHEN.timestamp())),
        (
            {"status": "CREATE FAILED", "failureReason": "no"},
            Resizing(Units(3), WHEN.timestamp(), failed=True, message="no"),
        ),
    ],
)
def test_the_last_update(update: dict[str, Any] | None, found: Resizing | None) -> None:
    more = {"recommenderConfig": {"minRecommendationRequestsPerSecond": 3}, "creationDateTime": WHEN}
    described = {"latestRecommenderUpdate": update and {**update, **more}, "recommenderConfig": CONFIG}
    seen = PersonalizeService(Client(**described)).describe(MODEL)
    assert seen.observed.resizing == found
    assert seen.observed.min_units == 1


def test_a_change_of_units_sends_everything_else_as_it_is() -> None:
    """Other columns for training would start a full retraining."""
    client = Client(recommenderConfig=CONFIG)
    service = PersonalizeService(client)
    assert isinstance(service, ResizesInPlace)
    service.resize(service.describe(MODEL), Units(4), "")
    sent = {"recommenderArn": ARN, "recommenderConfig": {**CONFIG, Names.UNITS: 4}}
    assert client.asked[-1] == ("update_recommender", sent)
    assert CONFIG[Names.UNITS] == 1


def made(service: PersonalizeService, call: str, sighting: Sighting) -> None:
    match call:
        case "start_recommender":
            service.start(sighting, Units(1), "")
        case "update_recommender":
            service.resize(sighting, Units(1), "")
        case _:
            service.stop(sighting, "")


@pytest.mark.parametrize("code", ["InvalidInputException", "ResourceInUseException"])
@pytest.mark.parametrize(
    ("call", "good", "bad"),
    [
        ("start_recommender", "INACTIVE", "ACTIVE"),
        ("start_recommender", "INACTIVE", "STOP PENDING"),
        ("stop_recommender", "ACTIVE", "INACTIVE"),
        ("stop_recommender", "ACTIVE", "START PENDING"),
        ("update_recommender", "ACTIVE", "STOP IN_PROGRESS"),
    ],
)
def test_a_refusal_is_a_conflict_where_the_state_explains_it(
    call: str, good: str, bad: str, code: str
) -> None:
    kinds = []
    for status in (good, bad):
        client = Client(good)
        service = PersonalizeService(client)
        sighting = service.describe(MODEL)
        client.described["status"] = status
        client.errors[call] = refusal(code)
        with pytest.raises(ServiceError) as raised:
            made(service, call, sighting)
        kinds.append(raised.value.kind)
    wrong = Kind.INVALID if code == "InvalidInputException" else Kind.CONFLICT
    assert kinds == [wrong, Kind.CONFLICT]


def test_an_update_under_way_explains_it_too() -> None:
    client = Client(latestRecommenderUpdate={"status": "CREATE PENDING", "creationDateTime": WHEN})
    service = PersonalizeService(client)
    client.errors["stop_recommender"] = refusal("InvalidInputException")
    with pytest.raises(ServiceError) as raised:
        service.stop(service.describe(MODEL), "")
    assert raised.value.kind is Kind.CONFLICT


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("ResourceNotFoundException"), Kind.ABSENT),
        (refusal("ResourceInUseException"), Kind.CONFLICT),
        (refusal("LimitExceededException"), Kind.TRANSIENT),
        (refusal("ThrottlingException"), Kind.TRANSIENT),
        (refusal("AccessDeniedException"), Kind.DENIED),
        (refusal("TooManyTagsException"), Kind.INVALID),
        (refusal("TooManyTagKeysException"), Kind.INVALID),
        (refusal("SomethingElse", 500), Kind.TRANSIENT),
        (ReadTimeoutError(endpoint_url="https://example"), Kind.TRANSIENT),
    ],
)
def test_errors(error: Exception, kind: Kind) -> None:
    client = Client()
    client.errors["list_tags_for_resource"] = error
    with pytest.raises(ServiceError) as raised:
        PersonalizeService(client).tags(ARN)
    assert raised.value.kind is kind
    assert str(raised.value).startswith("personalize:ListTagsForResource: ")


def test_tags_are_pairs() -> None:
    client = Client()
    service = PersonalizeService(client)
    assert service.tags(ARN) == {"a": "b"}
    service.tag(ARN, {"c": "d"})
    service.untag(ARN, ["c"])
    assert client.asked[1:] == [
        ("tag_resource", {"resourceArn": ARN, "tags": [{"tagKey": "c", "tagValue": "d"}]}),
        ("untag_resource", {"resourceArn": ARN, "tagKeys": ["c"]}),
    ]


def test_names_and_physical_id() -> None:
    service = PersonalizeService(Client())
    assert service.names(MODEL) == ("recommender", "top-picks")
    assert service.physical_id(MODEL) == "personalize/recommender/top-picks"
    assert list(service.alternatives(MODEL)) == []
    assert Client().names() == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({}, "Model must have RecommenderArn"),
        ({**MODEL, "Name": "x"}, "Model must have RecommenderArn"),
        ({"RecommenderArn": ARN.replace("recommender/", "campaign/")}, "recommender_arn must match"),
        ({"RecommenderArn": f"{ARN}{'x' * 60}"}, "recommender_arn must match"),
        ({"RecommenderArn": ARN.replace("top", "-top")}, "recommender_arn must match"),
        ({"RecommenderArn": "x"}, "must have 20 to 256 characters"),
    ],
)
def test_a_member_that_breaks_its_limit(model: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PersonalizeService(Client()).physical_id(model)
