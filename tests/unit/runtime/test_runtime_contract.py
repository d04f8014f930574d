"""The limits that construct and function share, as the API references state them."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hosted_model_runtime import contract
from hosted_model_runtime.contract import LookoutVision, Rekognition, Tag, check_members, check_units

ARN = "arn:aws:rekognition:us-east-1:123456789012:project/boards/version/v1/1600000000001"
PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/boards/1600000000000"


@pytest.mark.parametrize("units", [(1, None), (1, 1), (1, 5), (1000, None)])
def test_units_within_the_limits(units: tuple[int, int | None]) -> None:
    assert check_units(*units) is None


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ((0, None), "min_inference_units must be at least 1, but it is 0"),
        ((-3, None), "min_inference_units must be at least 1, but it is -3"),
        ((1, 0), "max_inference_units must be at least 1, but it is 0"),
        ((2, 1), "max_inference_units (1) must not be smaller than min_inference_units (2)"),
        ((True, None), "min_inference_units must be a whole number, but it is True"),
        ((1.5, None), "min_inference_units must be a whole number, but it is 1.5"),
        (("1", None), "min_inference_units must be a whole number, but it is '1'"),
        ((None, None), "min_inference_units must be a whole number, but it is None"),
        ((1, False), "max_inference_units must be a whole number, but it is False"),
    ],
)
def test_units_beyond_the_limits(units: tuple[Any, Any], words: str) -> None:
    assert check_units(*units) == words


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("ProjectName", "a", None),
        ("ProjectName", "0-circuit_boards", None),
        ("ProjectName", "a" * 255, None),
        ("ProjectName", "a" * 256, "must have 1 to 255 characters"),
        ("ProjectName", "", "must have 1 to 255 characters"),
        ("ProjectName", "-a", "must match"),
        ("ProjectName", "a b", "must match"),
        ("ProjectName", "a/b", "must match"),
        ("ProjectName", "a\n", "must match"),
        ("ProjectName", 5, "must be a string"),
        ("ModelVersion", "1", None),
        ("ModelVersion", "9999999999", None),
        ("ModelVersion", "latest", None),
        ("ModelVersion", "12345678901", "must have 1 to 10 characters"),
        ("ModelVersion", "0", "must match"),
        ("ModelVersion", "01", "must match"),
        ("ModelVersion", "LATEST", "must match"),
        ("ModelVersion", "1\n", "must match"),
    ],
)
def test_lookoutvision(name: str, value: Any, wrong: str | None) -> None:
    found = check_members(LookoutVision.LIMITS, {name: value})
    if wrong is None:
        assert found is None
    else:
        assert found is not None
        assert wrong in found
        assert LookoutVision.LIMITS[name].name in found


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        ({"ProjectVersionArn": ARN}, None),
        ({"ProjectArn": PROJECT, "VersionName": "v1"}, None),
        ({"ProjectVersionArn": PROJECT}, "project_version_arn must match"),
        ({"ProjectArn": ARN, "VersionName": "v1"}, "project_arn must match"),
        ({"ProjectArn": PROJECT, "VersionName": "a b"}, "version_name must match"),
        ({"ProjectArn": PROJECT}, "Model must have"),
        ({"ProjectVersionArn": ARN, "VersionName": "v1"}, "Model must have"),
        ({}, "Model must have"),
    ],
)
def test_rekognition(model: dict[str, object], wrong: str | None) -> None:
    found = Rekognition.check(model)
    assert found is None if wrong is None else found is not None and wrong in found


def test_the_names_of_a_rekognition_model_are_the_same_in_both_shapes() -> None:
    by_name = {"ProjectArn": PROJECT, "VersionName": "v1"}
    assert Rekognition.names({"ProjectVersionArn": ARN}) == Rekognition.names(by_name) == ("boards", "v1")


def test_tag_keys_are_within_the_limits() -> None:
    """At most 128 letters, digits, spaces and _ . : / = + - @ ("Tag", both API references)."""
    for key in Tag.ALL:
        assert re.fullmatch(r"[\w .:/=+\-@]{1,128}", key)
        assert not key.startswith("aws:")
    assert set(Tag.OWNER) | {Tag.CLOSED} == set(Tag.ALL)


def test_a_rule_name_has_room_for_a_prefix_and_a_request_id() -> None:
    assert contract.RULE_NAME_MAX - contract.REQUEST_ID_LENGTH >= 20


def test_the_margin_leaves_time_for_work_in_the_shortest_request() -> None:
    assert contract.DEADLINE_MARGIN < contract.SERVICE_TIMEOUT_MIN < contract.SERVICE_TIMEOUT_MAX == 3600


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(contract.__file__).read_text(encoding="utf-8"))
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
