"""Whose an event is: what is not of this function's own stack is refused before any call.

In comes an event as Lambda hands it over, and the function's environment. Out comes nothing, or a
:class:`RefusedError`. Whoever may invoke the function, or put an EventBridge rule with the relay's prefix,
can hand it any event: one of another stack, or one whose ResponseURL leads to them.

Follows "Custom resource request objects", AWS CloudFormation User Guide, and what CloudFormation's requests
show: an answer goes to Amazon S3, into the bucket ``cloudformation-custom-resource-response-REGION``, the
region without its hyphens. Anybody can make a bucket whose name begins so, so the region must be the stack's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..contract import REQUEST_ID_LENGTH, Env, Scheduled
from .events import ISSUED_MARK, POLL_MARK

_BUCKET = "cloudformation-custom-resource-response-"
#: botocore's ``partitions.json``: the DNS suffix of each partition.
_DNS_SUFFIXES = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
_REQUEST_TYPES = ("Create", "Update", "Delete")
_LONGEST_URL = 8192
#: The year 5138: no request was made later.
_LATEST = 10**11


class RefusedError(RuntimeError):
    """The function does not act on the event. The invocation fails, so that metrics and alarms show it."""


def check(event: object, environment: Mapping[str, str]) -> None:
    """Refuse what this function's own stack, its schedules and its relay do not send.

    Parameters
    ----------
    event
        As Lambda hands it over: any JSON.
    environment
        The function's environment variables. One of them names the stack: a deploy that brings this code
        brings it too, and until it is there every event is refused, and delivered again.

    Raises
    ------
    RefusedError
        The text names the member and the rule. It has nothing of the event: that is a stranger's, or secret.
    """
    if not isinstance(event, dict):
        raise RefusedError("Refused: the event is no JSON object")
    stack_id = environment.get(Env.STACK_ID, "")
    if not stack_id:
        raise RefusedError(f"Refused: the function has no environment variable {Env.STACK_ID}")
    of_schedule = Scheduled.GOAL in event
    members = {**_EVERY, **(_SCHEDULE if of_schedule else _REQUEST)}
    for name, (is_right, rule) in members.items():
        if not is_right(event.get(name)):
            raise RefusedError(f"Refused: {name} {rule}")
    if event["StackId"] != stack_id:
        raise RefusedError("Refused: StackId is not that of this function's stack")
    if of_schedule:
        return
    url = event["ResponseURL"]
    # What continues a schedule's request answers nobody.
    expected = not url if event["RequestType"] in Scheduled.GOALS else _is_cloudformations(url, environment)
    if not expected:
        raise RefusedError("Refused: ResponseURL is not one of CloudFormation in the stack's region")


def _is_cloudformations(url: str, environment: Mapping[str, str]) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.netloc, parts.port
    except ValueError:
        return False
    # The whole of it is compared: no user, no other port, no space that one parser skips and another keeps.
    if parts.scheme != "https" or not _PRINTABLE.fullmatch(url):
        return False
    if host == environment.get(Env.LOCAL_RESPONSE_HOST):
        return True
    _, partition, _, region, *_ = environment[Env.STACK_ID].split(":")
    if partition not in _DNS_SUFFIXES:
        return False
    bucket, suffix = _BUCKET + region.replace("-", ""), _DNS_SUFFIXES[partition]
    endpoints = ("s3", f"s3.{region}", f"s3-{region}", f"s3-fips.{region}", f"s3.dualstack.{region}")
    return port is None and host in {f"{bucket}.{endpoint}.{suffix}" for endpoint in endpoints}


_PRINTABLE = re.compile(r"[!-~]+")
_Rule = tuple[Callable[[Any], bool], str]


def _text(pattern: str, rule: str) -> _Rule:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and bool(compiled.fullmatch(value)), rule


def _properties(value: Any) -> bool:
    return isinstance(value, dict)


_EVERY: Mapping[str, _Rule] = {
    "StackId": _text(r"[!-~]{1,1024}", "is no ID of a stack"),
    # CloudFormation: alphanumeric. It stands in tags.
    "LogicalResourceId": _text(r"[a-zA-Z0-9]{1,255}", "is no logical ID"),
    "ResourceProperties": (_properties, "is no JSON object"),
}
_SCHEDULE: Mapping[str, _Rule] = {
    Scheduled.GOAL: (lambda value: value in Scheduled.GOALS, f"is none of {', '.join(Scheduled.GOALS)}"),
    # It stands in the name of the relay's rule.
    Scheduled.TIME: _text(r"[0-9TZ:.+-]{1,40}", "is no time"),
}
_REQUEST: Mapping[str, _Rule] = {
    "RequestType": (
        lambda value: value in (*_REQUEST_TYPES, *Scheduled.GOALS),
        f"is none of {', '.join(_REQUEST_TYPES)}",
    ),
    # It is the rest of the name of the relay's rule.
    "RequestId": _text(rf"[a-zA-Z0-9-]{{1,{REQUEST_ID_LENGTH}}}", "is no ID of a request"),
    "ResponseURL": (
        lambda value: isinstance(value, str) and len(value) <= _LONGEST_URL,
        f"is no text of at most {_LONGEST_URL} characters",
    ),
    "OldResourceProperties": (lambda value: value is None or _properties(value), "is no JSON object"),
    "PhysicalResourceId": (
        lambda value: value is None or (isinstance(value, str) and len(value) <= 1024),
        "is no text of at most 1024 characters",
    ),
    POLL_MARK: (lambda value: value in (None, True), "is not true"),
    ISSUED_MARK: (
        lambda value: value is None or (type(value) is int and 0 <= value < _LATEST),
        "is no time in whole seconds",
    ),
}
