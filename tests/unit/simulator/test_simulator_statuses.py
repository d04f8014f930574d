"""Statuses that a description shows late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def lookoutvision(bench: Any) -> str:
    return str(bench.describe().json["ModelDescription"]["Status"])


def lookoutvision_list(bench: Any) -> str:
    return str(bench.list_models().json["Models"][0]["Status"])


def rekognition(bench: Any) -> str:
    arn = bench.model("boards/3", "service=rekognition")["project_arn"]
    found = bench.rekognition("DescribeProjectVersions", {"ProjectArn": arn}).json
    return str(found["ProjectVersionDescriptions"][0]["Status"])


def personalize(bench: Any, operation: str = "DescribeRecommender") -> Any:
    arn = bench.model("boards/3", "service=personalize")["arn"]
    body = {} if operation.startswith("List") else {"recommenderArn": arn}
    target = {"x-amz-target": f"AmazonPersonalize.{operation}"}
    return bench.send("POST", "/", body, headers=target).json


def personalize_one(bench: Any) -> str:
    return str(personalize(bench)["recommender"]["status"])


def personalize_list(bench: Any) -> str:
    return str(personalize(bench, "ListRecommenders")["recommenders"][0]["status"])


@pytest.mark.parametrize(
    ("service", "read", "statuses"),
    [
        ("lookoutvision", lookoutvision, ("TRAINED", "STARTING_HOSTING", "STARTING_HOSTING", "HOSTED")),
        ("lookoutvision", lookoutvision_list, ("TRAINED", "STARTING_HOSTING", "STARTING_HOSTING", "HOSTED")),
        ("rekognition", rekognition, ("STOPPED", "STARTING", "STARTING", "RUNNING")),
        ("personalize", personalize_one, ("INACTIVE", "START PENDING", "START IN_PROGRESS", "ACTIVE")),
        ("personalize", personalize_list, ("INACTIVE", "START PENDING", "START IN_PROGRESS", "ACTIVE")),
    ],
)
def test_a_description_shows_what_was_so_many_seconds_ago(
    bench: Any, service: str, read: Callable[[Any], str], statuses: tuple[str, str, str, str]
) -> None:
    stopped, begun, starting, running = statuses
    bench.put(service=service, status=stopped)
    bench.control("PUT", "statuses", {"status_lag_seconds": 10})
    assert read(bench) == stopped, "a new model was never anything else"
    bench.now += 20
    bench.put(service=service, status=begun, start_seconds=100)
    for seconds, seen in ((0, stopped), (9, stopped), (2, begun), (98, starting), (10, running)):
        bench.now += seconds
        assert read(bench) == seen
    bench.control("POST", "reset")
    assert bench.control("GET", "statuses")[service] == {"status_lag_seconds": None, "status_lag_seed": None}


def test_a_call_goes_by_what_is_so(bench: Any) -> None:
    bench.put(start_seconds=100)
    bench.now += 20
    bench.control("PUT", "statuses", {"service": "lookoutvision", "status_lag_seconds": 10})
    assert bench.start().status == 202
    assert lookoutvision(bench) == "TRAINED"
    assert bench.start().status == 409
    assert bench.model()["status"] == "STARTING_HOSTING", "and so does the control API"


def test_a_change_of_units_shows_late(bench: Any) -> None:
    bench.put(service="personalize", status="ACTIVE", min_inference_units=1, resize_seconds=5)
    bench.now += 20
    bench.control("PUT", "statuses", {"status_lag_seconds": 10})
    arn = bench.model("boards/3", "service=personalize")["arn"]
    config = {"minRecommendationRequestsPerSecond": 2}
    update = {"recommenderArn": arn, "recommenderConfig": config}
    bench.send("POST", "/", update, headers={"x-amz-target": "AmazonPersonalize.UpdateRecommender"})

    def shown() -> tuple[int, str | None]:
        found = personalize(bench)["recommender"]
        last = found.get("latestRecommenderUpdate", {}).get("status")
        return found["recommenderConfig"]["minRecommendationRequestsPerSecond"], last

    seen = []
    for seconds in (6, 5, 5):
        bench.now += seconds
        seen.append(shown())
    assert seen == [(1, None), (1, "CREATE IN_PROGRESS"), (2, "ACTIVE")]


def test_with_a_seed_each_description_jumps(bench: Any) -> None:
    bench.put(start_seconds=100)
    bench.now += 50
    bench.control("PUT", "statuses", {"status_lag_seconds": 10, "status_lag_seed": 3})
    bench.start()
    bench.now += 5
    seen = {lookoutvision(bench) for _ in range(20)}
    assert seen == {"TRAINED", "STARTING_HOSTING"}


@pytest.mark.parametrize(
    "body",
    [{"status_lag_seconds": -1}, {"status_lag_seed": 1}, {"service": "s3"}, {"tag_lag_seconds": 1}],
    ids=repr,
)
def test_a_wrong_lag_is_refused(bench: Any, body: dict[str, Any]) -> None:
    bench.control("PUT", "statuses", body, expect=400)
