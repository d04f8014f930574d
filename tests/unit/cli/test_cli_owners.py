"""Which model a stack declares: the lease against the stack's status and resources, by table."""

from __future__ import annotations

import pytest

from hosted_model_cli import owners
from hosted_model_cli.lease_view import LeaseView
from hosted_model_cli.owners import ownership
from hosted_model_cli.stacks import Resource, Stack
from hosted_model_runtime.contract import RESOURCE_TYPE, Tag
from unit.cli.conftest import LOGICAL_ID, lease

MINE, ANOTHER = "lookoutvision/boards/1", "lookoutvision/boards/2"
INVENTED = "Inspection-Model0301700E-1XYZ"


def one(status: str, physical_id: str = MINE, logical_id: str = LOGICAL_ID) -> Resource:
    return Resource(logical_id, RESOURCE_TYPE, status, physical_id)


def renamed(status: str, physical_id: str = MINE) -> Resource:
    return one(status, physical_id, "Renamed0301700E")


@pytest.mark.parametrize(
    ("stack", "resources", "expected"),
    [
        # Settled.
        ("CREATE_COMPLETE", [one("CREATE_COMPLETE")], owners.YES),
        ("UPDATE_ROLLBACK_COMPLETE", [one("UPDATE_COMPLETE")], owners.YES),
        ("UPDATE_COMPLETE", [], owners.DROPPED),
        ("UPDATE_COMPLETE", [Resource(LOGICAL_ID, "AWS::S3::Bucket", "CREATE_COMPLETE")], owners.DROPPED),
        ("UPDATE_COMPLETE", [one("DELETE_SKIPPED")], owners.DROPPED),
        ("UPDATE_COMPLETE", [one("DELETE_FAILED")], owners.LEFT),
        ("ROLLBACK_FAILED", [one("DELETE_FAILED", INVENTED)], owners.LEFT),
        ("UPDATE_COMPLETE", [one("UPDATE_COMPLETE", ANOTHER)], owners.OTHER),
        ("UPDATE_COMPLETE", [one("UPDATE_COMPLETE", ANOTHER), renamed("CREATE_COMPLETE")], owners.YES),
        ("REVIEW_IN_PROGRESS", [], owners.DROPPED),
        # A first deploy: CloudFormation may list the resource late, and without a physical ID.
        ("CREATE_IN_PROGRESS", [], owners.MOVING),
        ("CREATE_IN_PROGRESS", [one("CREATE_IN_PROGRESS", "")], owners.MOVING),
        ("CREATE_IN_PROGRESS", [one("CREATE_IN_PROGRESS", INVENTED)], owners.MOVING),
        ("ROLLBACK_IN_PROGRESS", [one("CREATE_COMPLETE")], owners.MOVING),
        ("ROLLBACK_IN_PROGRESS", [one("DELETE_IN_PROGRESS")], owners.REMOVING),
        # An update that adds, replaces or removes it.
        ("UPDATE_IN_PROGRESS", [], owners.MOVING),
        ("UPDATE_IN_PROGRESS", [one("UPDATE_IN_PROGRESS", ANOTHER)], owners.MOVING),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", [one("UPDATE_COMPLETE", ANOTHER)], owners.MOVING),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", [one("DELETE_IN_PROGRESS")], owners.REMOVING),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", [one("DELETE_FAILED")], owners.LEFT),
        # The stack was settled when it was asked, and an update began before its resources were.
        ("UPDATE_COMPLETE", [one("UPDATE_IN_PROGRESS", ANOTHER)], owners.MOVING),
        ("UPDATE_COMPLETE", [one("CREATE_IN_PROGRESS", "")], owners.MOVING),
        # A rename: the lease names the old logical ID until the new one has taken it, or for ever.
        ("UPDATE_IN_PROGRESS", [one("CREATE_COMPLETE"), renamed("CREATE_IN_PROGRESS", "")], owners.MOVING),
        ("UPDATE_IN_PROGRESS", [renamed("CREATE_IN_PROGRESS", "")], owners.MOVING),
        (
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            [one("DELETE_IN_PROGRESS"), renamed("CREATE_COMPLETE")],
            owners.MOVING,
        ),
        ("UPDATE_COMPLETE", [one("DELETE_FAILED"), renamed("CREATE_COMPLETE")], owners.YES),
        ("UPDATE_COMPLETE", [renamed("CREATE_COMPLETE")], owners.YES),
        ("UPDATE_COMPLETE", [renamed("CREATE_COMPLETE", ANOTHER)], owners.DROPPED),
        # A rename that rolls back: the lease names the new one, which is deleted, and the old one stays.
        (
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            [one("DELETE_IN_PROGRESS"), renamed("UPDATE_COMPLETE")],
            owners.MOVING,
        ),
        # The whole stack goes.
        ("DELETE_IN_PROGRESS", [one("CREATE_COMPLETE")], owners.DELETING),
        ("DELETE_FAILED", [one("DELETE_FAILED")], owners.DELETE_FAILED),
        ("DELETE_COMPLETE", [], owners.GONE),
    ],
)
def test_who_declares_it(stack: str, resources: list[Resource], expected: owners.Ownership) -> None:
    assert ownership(LeaseView.of(lease(MINE)), Stack(stack, tuple(resources))) is expected


@pytest.mark.parametrize(
    ("status", "expected"), [("CREATE_COMPLETE", owners.YES), ("DELETE_FAILED", owners.LEFT)]
)
def test_a_lease_whose_mark_cannot_be_read_counts_by_its_logical_id(
    status: str, expected: owners.Ownership
) -> None:
    tags = {**lease(MINE), Tag.REQUEST: "what?"}
    assert ownership(LeaseView.of(tags), Stack("CREATE_COMPLETE", (one(status, ANOTHER),))) is expected
