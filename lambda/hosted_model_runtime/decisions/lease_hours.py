"""PURE: the hours' part of the lease: what schedules did to a model between deploys, and what they may do.

In come a model's tags, out comes what the tag ``hosted-model:hours`` means. It holds the mark of the last
scheduled start or stop. The mark names the request of CloudFormation under which the schedule acted, and
counts only while that request commands the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ..contract import SERVICE_TIMEOUT_MAX, Scheduled, Tag
from .marks import Mark, State
from .request import Claim


def hours_of(tags: Mapping[str, str]) -> Mark | None:
    """Return the mark of the last scheduled start or stop, unless a request of CloudFormation came since."""
    request, hours = Mark.parse(tags.get(Tag.REQUEST)), Mark.parse(tags.get(Tag.HOURS))
    return hours if request and hours and hours.under == request.request_id else None


def is_asleep(tags: Mapping[str, str]) -> bool:
    """Say whether the model is stopped, or being stopped, because its hours are over."""
    if hours := hours_of(tags):
        return hours.type == Scheduled.STOP and hours.state is not State.FAILED
    request = Mark.parse(tags.get(Tag.REQUEST))
    return request is not None and request.state.asleep


def is_at_work(tags: Mapping[str, str], before: Mark) -> bool:
    """Say whether a schedule that acts under the request ``before`` may have a call under way."""
    hours = Mark.parse(tags.get(Tag.HOURS))
    return hours is not None and hours.under == before.request_id and not hours.state.settled


def may_act(tags: Mapping[str, str], claim: Claim, request: Mark) -> bool:
    """Say whether a scheduled start or stop may act under ``request``, the mark that commands the model."""
    asked = claim.request
    if not request.has_hours:
        return False
    # CloudFormation waits for a request no longer than this. After that, a deploy that never noted its end
    # must not keep the schedules from acting.
    still_awaited = asked.issued - request.issued < timedelta(seconds=SERVICE_TIMEOUT_MAX)
    if not request.state.settled and still_awaited:
        return False
    if request.state is State.FAILED and asked.type == Scheduled.START:
        return False
    return overtaken_by(tags, claim) is None


def overtaken_by(tags: Mapping[str, str], claim: Claim) -> Mark | None:
    """Return the mark of a schedule that was due after this one; in the same second a stop is later."""
    asked, hours = claim.request, Mark.parse(tags.get(Tag.HOURS))
    if hours is None or not asked.scheduled:
        return None
    is_later = (hours.issued, hours.type == Scheduled.STOP) > (asked.issued, asked.type == Scheduled.STOP)
    return hours if is_later else None
