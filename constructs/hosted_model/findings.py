"""What checkers of templates report here, and why it is right: each finding by itself, at its own place."""

from __future__ import annotations

import json

import aws_cdk
from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

_EVERY = (
    "Not narrowed to what is declared: a replaced model is cleaned up after the policy has changed. Whatever "
    "changes a model is narrowed by conditions on its tags to what this stack owns, as far as the "
    "service tells IAM those tags."
)
_RULES = "The prefix is this stack's own; the rest of a rule's name is the ID of a request."
_ANY = (
    "The service knows no narrower resource for this action. Where that is a tag action, it is narrowed by "
    "conditions on keys and tags as far as the service tells IAM those."
)
_TIME_STAMP = "A version's time stamp is not known from its name, which is exact."


def accept_function(function: lambda_.Function) -> None:
    """Accept what is reported of the function."""
    resource = function.node.default_child
    if isinstance(resource, CfnResource):
        # CDK writes the dependency on role and policy beside the reference to the role, for every function.
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})


def accept_resource(role: iam.Role, sid: str, resource: str) -> None:
    """Accept the wildcard of a statement's resource, if it has one."""
    text = _text(Stack.of(role).resolve(resource))
    if "*" in text:
        _acknowledge(role, f"IAM5[Resource::{text}]", _reason(sid, text))


def _reason(sid: str, resource: str) -> str:
    if resource == "*":
        return _ANY
    if sid == "Relay":
        return _RULES
    if "Claim" in sid:
        return _TIME_STAMP
    return _EVERY


def _acknowledge(construct: Construct, finding: str, reason: str) -> None:
    # Releases of aws-cdk-lib before this class have no place for it that needs no other library.
    if hasattr(aws_cdk, "Validations"):
        aws_cdk.Validations.of(construct).acknowledge(
            aws_cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
        )


def _text(value: object) -> str:
    """Write a resolved value as cdk-nag does: a reference in angle brackets, another function as JSON."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(map(_text, parts))
    return json.dumps(value, separators=(",", ":"))
