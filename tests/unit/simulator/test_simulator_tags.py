"""Tags that reads and policies see late."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from hosted_model_local.simulator import Decision

ROLE = "arn:aws:sts::000000000000:assumed-role/handler/session"


def read(bench: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in bench.tags().json["Tags"]}


def test_reads_show_what_was_so_many_seconds_ago(bench):
    bench.put(tags={"a": "old"}, tag_lag_seconds=30)
    bench.now += 1
    bench.tag({"a": "new", "b": "1"})
    for seconds, seen in ((0, {"a": "old"}), (29.9, {"a": "old"}), (0.2, {"a": "new", "b": "1"})):
        bench.now += seconds
        assert read(bench) == seen
    bench.untag("a", "b")
    assert read(bench) == {"a": "new", "b": "1"}
    assert bench.model()["tags"] == {}, "the control API shows what is so"
    bench.now += 30
    assert read(bench) == {}


def test_what_a_write_adds_to_is_never_late(bench):
    bench.put(tag_lag_seconds=30)
    bench.tag({"a": "1"})
    bench.tag({"b": "2"})
    assert bench.model()["tags"] == {"a": "1", "b": "2"}
    assert read(bench) == {}


def test_both_services_can_lag_together_or_apart(bench):
    bench.put()
    bench.put("boards/v1", service="rekognition")
    arn = bench.control("GET", "models/boards/v1", query="service=rekognition")["arn"]

    def seen() -> tuple[dict[str, str], dict[str, str]]:
        bench.tag({"k": str(bench.now)})
        bench.rekognition("TagResource", {"ResourceArn": arn, "Tags": {"k": str(bench.now)}})
        found = read(bench), bench.rekognition("ListTagsForResource", {"ResourceArn": arn}).json["Tags"]
        bench.now += 100
        return tuple(tags.get("k") == str(bench.now - 100) for tags in found)

    assert seen() == (True, True)
    lags = bench.control("PUT", "tags", {"tag_lag_seconds": 5})
    assert lags["rekognition"] == lags["lookoutvision"] == {"tag_lag_seconds": 5.0, "tag_lag_seed": None}
    assert seen() == (False, False)
    bench.control("PUT", "tags", {"service": "rekognition", "tag_lag_seconds": None})
    assert seen() == (False, True)
    # What is said of one model holds for it.
    bench.put(tag_lag_seconds=0)
    assert seen() == (True, True)
    bench.control("POST", "reset")
    assert bench.control("GET", "tags")["lookoutvision"]["tag_lag_seconds"] is None


def ages(bench: Any, seed: int | None) -> list[float]:
    """How old what each of twenty reads showed was, of tags that are written every second."""
    bench.control("POST", "reset")
    bench.put(tag_lag_seconds=20, tag_lag_seed=seed)
    for _ in range(40):
        bench.tag({"at": str(bench.now)})
        bench.now += 1
    return [bench.now - float(read(bench)["at"]) for _ in range(20)]


def test_with_a_seed_each_read_jumps(bench):
    assert len(set(ages(bench, None))) == 1
    first = ages(bench, 7)
    assert len(set(first)) > 5
    assert all(0 <= age <= 21 for age in first)
    assert any(later > earlier for earlier, later in pairwise(first)), "backwards too"
    assert ages(bench, 7) == first
    assert ages(bench, 8) != first


def test_policies_see_tags_late_too(make_bench):
    asked: list[dict[str, Any]] = []

    class Authorizer:
        def authorize(self, request, action, resource, region, context):
            if action:
                asked.append(dict(context))
            return Decision(True, "000000000000", ROLE)

    bench = make_bench({"authorizer": Authorizer()})
    bench.put(tags={"owner": "me"}, tag_lag_seconds=10)
    bench.tag({"owner": "you"})
    bench.start()
    bench.now += 11
    bench.describe()
    assert [each["aws:resourcetag/owner"] for each in asked] == ["me", "me", "you"]


@pytest.mark.parametrize(
    "body",
    [{"tag_lag_seconds": -1}, {"tag_lag_seconds": "x"}, {"service": "s3", "tag_lag_seconds": 1}, {"lag": 1}],
    ids=repr,
)
def test_a_wrong_lag_is_refused(bench, body):
    before = bench.control("GET", "tags")
    bench.control("PUT", "tags", body, expect=400)
    assert bench.control("GET", "tags") == before
