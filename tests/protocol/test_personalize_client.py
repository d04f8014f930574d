"""boto3's own clients of Amazon Personalize, unmodified, against the simulator over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from hosted_model_local.simulator import Simulator
from hosted_model_local.simulator.server import ThreadedServer

REGION = "eu-west-1"
ARN = f"arn:aws:personalize:{REGION}:000000000000:recommender/top-picks"
COLUMNS = {"excludedDatasetColumns": {"ITEMS": ["PRICE"]}}


class Stage:
    """The service at a time that a test moves, and its two clients."""

    def __init__(self, url: str, simulator: Simulator) -> None:
        self.simulator, self.now = simulator, 1_795_000_000.0
        given: dict[str, Any] = {
            "region_name": REGION,
            "endpoint_url": url,
            "aws_access_key_id": "AKIDEXAMPLE",
            "aws_secret_access_key": "secret",
            "config": Config(retries={"total_max_attempts": 1, "mode": "standard"}, proxies={}),
        }
        self.control = boto3.client("personalize", **given)
        self.runtime = boto3.client("personalize-runtime", **given)

    @property
    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control.describe_recommender(recommenderArn=ARN)["recommender"]
        return found

    def put(self, name: str = "top-picks", **members: Any) -> None:
        from json import dumps

        from hosted_model_local.simulator import Request

        body = dumps({"service": "personalize", "region": REGION, **members}).encode()
        path = f"/_simulator/models/shop/{name}"
        assert self.simulator.handle(Request("PUT", path, "", {}, body)).status == 200

    def recommends(self) -> list[str]:
        found = self.runtime.get_recommendations(recommenderArn=ARN, userId="u", numResults=2)
        return [one["itemId"] for one in found["itemList"]]


@pytest.fixture
def stage() -> Iterator[Stage]:
    made: list[Stage] = []
    simulator = Simulator(clock=lambda: made[0].now if made else 1_795_000_000.0, requests_per_second=None)
    with ThreadedServer(simulator) as server:
        made.append(Stage(server.url, simulator))
        made[0].put(
            start_seconds=8, stop_seconds=4, resize_seconds=4, settings={"trainingDataConfig": COLUMNS}
        )
        yield made[0]


def refused(call: Any, **given: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as raised:
        call(**given)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_life_in_the_order_of_its_statuses(stage: Stage) -> None:
    assert stage.seen["status"] == "INACTIVE"
    assert refused(stage.runtime.get_recommendations, recommenderArn=ARN) == (
        "ResourceNotFoundException",
        404,
    )
    assert stage.control.start_recommender(recommenderArn=ARN)["recommenderArn"] == ARN
    statuses = []
    for _ in range(10):
        statuses.append(stage.seen["status"])
        stage.now += 1
    assert statuses == ["START PENDING"] * 2 + ["START IN_PROGRESS"] * 6 + ["ACTIVE"] * 2
    assert stage.recommends() == ["item-1", "item-2"]
    stage.control.stop_recommender(recommenderArn=ARN)
    statuses = []
    for _ in range(5):
        statuses.append(stage.seen["status"])
        stage.now += 1
    assert statuses == ["STOP PENDING"] + ["STOP IN_PROGRESS"] * 3 + ["INACTIVE"]


def test_an_update_serves_throughout_and_replaces_the_configuration(stage: Stage) -> None:
    stage.put(status="ACTIVE")
    before = stage.seen["recommenderConfig"]
    assert before == {"minRecommendationRequestsPerSecond": 1, "trainingDataConfig": COLUMNS}
    config = {"minRecommendationRequestsPerSecond": 3}
    stage.control.update_recommender(recommenderArn=ARN, recommenderConfig=config)
    statuses = []
    for _ in range(5):
        seen = stage.seen
        statuses.append(seen["latestRecommenderUpdate"]["status"])
        assert seen["status"] == "ACTIVE"
        assert len(stage.recommends()) == 2
        assert seen["recommenderConfig"] == (config if statuses[-1] == "ACTIVE" else before)
        stage.now += 1
    assert statuses == ["CREATE PENDING", *["CREATE IN_PROGRESS"] * 3, "ACTIVE"]
    assert seen["latestRecommenderUpdate"]["recommenderConfig"] == config
    assert seen["latestRecommenderUpdate"]["creationDateTime"].timestamp() == 1_795_000_000


def test_an_update_that_fails_leaves_the_old_configuration(stage: Stage) -> None:
    stage.put(status="ACTIVE", resize_fails=True)
    stage.control.update_recommender(
        recommenderArn=ARN, recommenderConfig={"minRecommendationRequestsPerSecond": 3}
    )
    for call in (stage.control.stop_recommender, stage.control.start_recommender):
        assert refused(call, recommenderArn=ARN) == ("ResourceInUseException", 400)
    stage.now += 4
    update = stage.seen["latestRecommenderUpdate"]
    assert (update["status"], "could not" in update["failureReason"]) == ("CREATE FAILED", True)
    assert stage.seen["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 1
    assert stage.recommends()


def test_a_start_that_fails_has_a_reason(stage: Stage) -> None:
    stage.put(start_outcome="INACTIVE", status_message="no capacity")
    stage.control.start_recommender(recommenderArn=ARN)
    assert "failureReason" not in stage.seen
    stage.now += 8
    assert (stage.seen["status"], stage.seen["failureReason"]) == ("INACTIVE", "no capacity")


def test_errors_come_with_http_400(stage: Stage) -> None:
    absent = ARN.replace("top", "other")
    control = stage.control
    assert refused(control.describe_recommender, recommenderArn=absent) == ("ResourceNotFoundException", 400)
    assert refused(control.describe_recommender, recommenderArn="nonsense") == ("InvalidInputException", 400)
    assert refused(control.stop_recommender, recommenderArn=ARN) == ("ResourceInUseException", 400)
    assert refused(
        control.update_recommender,
        recommenderArn=ARN,
        recommenderConfig={"minRecommendationRequestsPerSecond": 1},
    ) == ("ResourceInUseException", 400)
    tags = [{"tagKey": f"k{number}", "tagValue": ""} for number in range(51)]
    assert refused(control.tag_resource, resourceArn=ARN, tags=tags) == ("TooManyTagsException", 400)
    assert refused(control.list_recommenders, nextToken="nonsense") == ("InvalidNextTokenException", 400)


def test_the_quota_of_requests_is_a_throttling_error(stage: Stage) -> None:
    stage.simulator.limit_rate(1)
    assert stage.seen
    assert refused(stage.control.describe_recommender, recommenderArn=ARN) == ("ThrottlingException", 400)


def test_tags_and_lists(stage: Stage) -> None:
    control = stage.control
    control.tag_resource(resourceArn=ARN, tags=[{"tagKey": "a", "tagValue": "1"}])
    control.tag_resource(resourceArn=ARN, tags=[{"tagKey": "b", "tagValue": "2"}])
    control.untag_resource(resourceArn=ARN, tagKeys=["a"])
    assert control.list_tags_for_resource(resourceArn=ARN)["tags"] == [{"tagKey": "b", "tagValue": "2"}]
    for name in ("best-sellers", "most-viewed"):
        stage.put(name)
    pages = control.get_paginator("list_recommenders").paginate(PaginationConfig={"PageSize": 2})
    found = [[one["name"] for one in page["recommenders"]] for page in pages]
    assert found == [["top-picks", "best-sellers"], ["most-viewed"]]
    group = ARN.replace("recommender/top-picks", "dataset-group/other")
    assert control.list_recommenders(datasetGroupArn=group)["recommenders"] == []
