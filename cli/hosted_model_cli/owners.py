"""Whether a stack still declares a model: what the lease says, compared with CloudFormation."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from hosted_model_runtime.contract import RESOURCE_TYPE
from hosted_model_runtime.decisions.tokens import fingerprint

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView


class Declared(Enum):
    """The answer."""

    YES = "declared"
    NO = "undeclared"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ownership:
    """The answer, and in words why it is not a yes."""

    declared: Declared
    reason: str = ""


NOBODY = Ownership(Declared.NO, "no stack owns it")
GONE = Ownership(Declared.NO, "its stack is gone")
DELETING = Ownership(Declared.NO, "its stack is being deleted")
DELETE_FAILED = Ownership(Declared.NO, "the deletion of its stack failed")
DROPPED = Ownership(Declared.NO, "its stack no longer declares it")
OTHER = Ownership(Declared.NO, "its stack declares another model now")
YES = Ownership(Declared.YES)

_DELETIONS = {"DELETE_COMPLETE": GONE, "DELETE_IN_PROGRESS": DELETING, "DELETE_FAILED": DELETE_FAILED}
_REMOVED = ("DELETE_COMPLETE", "DELETE_SKIPPED")


class Owners:
    """Asks CloudFormation, about each stack once. Safe to use from several threads."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._stacks: dict[str, str] = {}

    def judge(self, lease: LeaseView) -> Ownership:
        """Return whether the owner that a lease names declares the model; UNKNOWN says why."""
        if not lease.owned:
            return NOBODY
        try:
            status = self._status(lease)
            return _DELETIONS.get(status) or self._in_stack(lease, status)
        except ServiceError as error:
            return Ownership(Declared.UNKNOWN, str(error))

    def _status(self, lease: LeaseView) -> str:
        """The stack's status; of one that is forgotten, that of a deleted one."""
        with self._lock:
            if lease.stack_id not in self._stacks:
                self._stacks[lease.stack_id] = self._ask(lease)
            return self._stacks[lease.stack_id]

    def _ask(self, lease: LeaseView) -> str:
        try:
            found = self._cloud.call(
                lease.stack_region, "cloudformation", "DescribeStacks", StackName=lease.stack_id
            )
        except ServiceError as error:
            if is_absent(error):
                return "DELETE_COMPLETE"
            raise
        return str(found["Stacks"][0]["StackStatus"])

    def _in_stack(self, lease: LeaseView, stack_status: str) -> Ownership:
        try:
            answer = self._cloud.call(
                lease.stack_region,
                "cloudformation",
                "DescribeStackResource",
                StackName=lease.stack_id,
                LogicalResourceId=lease.logical_id,
            )
        except ServiceError as error:
            if is_absent(error):
                return DROPPED
            raise
        found = answer["StackResourceDetail"]
        if found["ResourceType"] != RESOURCE_TYPE or found["ResourceStatus"] in _REMOVED:
            return DROPPED
        if stack_status.endswith("_IN_PROGRESS"):
            # A replacement: the old model and the new one are of the same resource until it is over.
            return YES
        physical = found.get("PhysicalResourceId")
        if physical and lease.request and lease.request.declared_as != fingerprint(physical):
            return OTHER
        return YES


def resources(cloud: Cloud, lease: LeaseView, kind: str) -> Iterator[str]:
    """Yield the physical IDs of the owning stack's resources of one type; none of a forgotten stack."""
    try:
        for page in cloud.pages(
            lease.stack_region, "cloudformation", "ListStackResources", StackName=lease.stack_id
        ):
            for one in page["StackResourceSummaries"]:
                if one["ResourceType"] == kind and one.get("PhysicalResourceId"):
                    yield one["PhysicalResourceId"]
    except ServiceError as error:
        if not is_absent(error):
            raise


def is_absent(error: ServiceError) -> bool:
    """Whether CloudFormation says that there is no such stack or resource."""
    # It has no code of its own for this.
    return error.kind is Kind.INVALID and "does not exist" in str(error)
