"""Whether a stack still declares a model: what the lease says, compared with CloudFormation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hosted_model_runtime.decisions.tokens import fingerprint

from .aws import Cloud, ServiceError
from .lease_view import LeaseView
from .stacks import Resource, Stack, Stacks


class Declared(Enum):
    """The answer."""

    YES = "declared"
    NO = "undeclared"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ownership:
    """The answer, and in words why it is not a yes.

    ``ending``: CloudFormation is deleting what declared the model, so that it may stop by itself.
    ``moving``: it is creating or updating what declares the model, which need not be so yet.
    """

    declared: Declared
    reason: str = ""
    ending: bool = False
    moving: bool = False


NOBODY = Ownership(Declared.NO, "no stack owns it")
GONE = Ownership(Declared.NO, "its stack is gone")
DELETING = Ownership(Declared.NO, "its stack is being deleted", ending=True)
DELETE_FAILED = Ownership(Declared.NO, "the deletion of its stack failed")
DROPPED = Ownership(Declared.NO, "its stack no longer declares it")
REMOVING = Ownership(Declared.NO, "its stack is removing it", ending=True)
LEFT = Ownership(Declared.NO, "its stack removed it and could not stop it")
OTHER = Ownership(Declared.NO, "its stack declares another model now")
YES = Ownership(Declared.YES)
MOVING = Ownership(Declared.YES, moving=True)

_DELETIONS = {"DELETE_COMPLETE": GONE, "DELETE_IN_PROGRESS": DELETING, "DELETE_FAILED": DELETE_FAILED}
#: Of the resource, by its status; any other status says that the stack has it.
_REMOVALS = {
    "DELETE_COMPLETE": DROPPED,
    "DELETE_SKIPPED": DROPPED,
    "DELETE_IN_PROGRESS": REMOVING,
    "DELETE_FAILED": LEFT,
}


class Owners:
    """Asks CloudFormation, about each stack once. Safe to use from several threads."""

    def __init__(self, cloud: Cloud) -> None:
        self.stacks = Stacks(cloud)

    def judge(self, lease: LeaseView) -> Ownership:
        """Return whether the owner that a lease names declares the model; UNKNOWN says why."""
        if not lease.owned:
            return NOBODY
        try:
            return ownership(lease, self.stacks.owner(lease))
        except ServiceError as error:
            return Ownership(Declared.UNKNOWN, str(error))


def ownership(lease: LeaseView, stack: Stack) -> Ownership:
    """PURE: return whether this stack, which the lease names, declares the model."""
    if deletion := _DELETIONS.get(stack.status):
        return deletion
    declaring = [one for one in stack.hosted if _declares(one, lease)]
    if declaring:
        return MOVING if stack.moving or any(one.moving for one in declaring) else YES
    mine = next((one for one in stack.hosted if one.logical_id == lease.logical_id), None)
    if mine and mine.status in ("DELETE_FAILED", "DELETE_IN_PROGRESS"):
        return _REMOVALS[mine.status]
    if stack.moving:
        # What a Create makes is not listed yet, and a rename or a replacement has two resources or two models
        # until it is over: while CloudFormation is at work, nothing is called undeclared for being absent.
        return MOVING
    if mine is None:
        return DROPPED
    return _REMOVALS.get(mine.status, OTHER)


def _declares(resource: Resource, lease: LeaseView) -> bool:
    """Whether a resource of the stack, under whatever logical ID, stands for the model.

    The lease names the logical ID that had the model last: a renamed construct has another one already.
    """
    if not resource.there:
        return False
    mine = resource.logical_id == lease.logical_id
    if not resource.physical_id or not lease.request:
        return mine
    same = lease.request.declared_as == fingerprint(resource.physical_id)
    # A replacement: until it is over, the old model and the new one are of the same resource.
    return same or (mine and resource.moving)
