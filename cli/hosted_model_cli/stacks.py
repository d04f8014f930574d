"""What CloudFormation says of a stack: its status and its resources."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from hosted_model_runtime.contract import RESOURCE_TYPE

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView

#: A deleted stack is forgotten after 90 days, and before that is found by its ID only.
GONE = "DELETE_COMPLETE"
#: A change set made the stack, and nothing has begun.
IDLE = "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Resource:
    """One resource of a stack; its physical ID is empty until there is one."""

    logical_id: str
    type: str
    status: str
    physical_id: str = ""

    @property
    def there(self) -> bool:
        """Whether the stack has it, or is making it: not deleted, not left over from a failed deletion."""
        return self.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED", "DELETE_FAILED", "DELETE_IN_PROGRESS")

    @property
    def moving(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS")


@dataclass(frozen=True)
class Stack:
    """A stack as it is now."""

    status: str
    resources: tuple[Resource, ...] = ()

    @property
    def moving(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != IDLE

    @property
    def hosted(self) -> Iterator[Resource]:
        """Its hosted models."""
        return (one for one in self.resources if one.type == RESOURCE_TYPE)

    def ids(self, kind: str) -> Iterator[str]:
        """The physical IDs of its resources of one type."""
        return (one.physical_id for one in self.resources if one.type == kind and one.physical_id)


@dataclass
class Stacks:
    """Asks CloudFormation about each stack once. Safe to use from several threads."""

    cloud: Cloud
    _known: dict[str, Stack] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def owner(self, lease: LeaseView) -> Stack:
        """Return the stack that a lease names; a forgotten one counts as deleted. Raises ServiceError."""
        return self.read(lease.stack_id, lease.stack_region)

    def read(self, stack_id: str, region: str) -> Stack:
        """Return a stack by its ID; raises ServiceError."""
        with self._lock:
            if stack_id not in self._known:
                self._known[stack_id] = _ask(self.cloud, stack_id, region)
            return self._known[stack_id]


def _ask(cloud: Cloud, stack_id: str, region: str) -> Stack:
    try:
        # The status first: an operation that begins after this question shows in the resources.
        answer = cloud.call(region, "cloudformation", "DescribeStacks", StackName=stack_id)
        status = str(answer["Stacks"][0]["StackStatus"])
        if status == GONE:
            return Stack(status)
        return Stack(status, tuple(_listed(cloud, stack_id, region)))
    except ServiceError as error:
        if is_absent(error):
            return Stack(GONE)
        raise


def _listed(cloud: Cloud, stack_id: str, region: str) -> Iterator[Resource]:
    for page in cloud.pages(region, "cloudformation", "ListStackResources", StackName=stack_id):
        for one in page["StackResourceSummaries"]:
            yield Resource(
                one["LogicalResourceId"],
                one["ResourceType"],
                one["ResourceStatus"],
                one.get("PhysicalResourceId") or "",
            )


def find(cloud: Cloud, region: str, name: str) -> str:
    """Return the ID of a stack by its name; empty where there is none. Raises ServiceError."""
    try:
        answer = cloud.call(region, "cloudformation", "DescribeStacks", StackName=name)
    except ServiceError as error:
        if is_absent(error):
            return ""
        raise
    return str(answer["Stacks"][0]["StackId"])


def listed(cloud: Cloud, region: str) -> list[str]:
    """Return the IDs of a region's stacks; raises ServiceError."""
    pages = cloud.pages(region, "cloudformation", "ListStacks")
    found = (one for page in pages for one in page["StackSummaries"])
    return [one["StackId"] for one in found if one["StackStatus"] not in (GONE, IDLE)]


def is_absent(error: ServiceError) -> bool:
    """Whether CloudFormation says that there is no such stack or resource."""
    # It has no code of its own for this.
    return error.kind is Kind.INVALID and "does not exist" in str(error)
