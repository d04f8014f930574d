"""The function's real policy, from the construct's template, decided by ministack's evaluator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from hosted_model_local.simulator import Decision, Request

ACCOUNT, REGION = "000000000000", "us-east-1"


@cache
def template() -> Mapping[str, Any]:
    """A stack that declares every model that the tests use."""
    from aws_cdk import App, Environment, Stack
    from aws_cdk.assertions import Template

    from support.cases import declare_all

    stack = Stack(App(), "Stack", env=Environment(account=ACCOUNT, region=REGION))
    declare_all(stack)
    return Template.from_stack(stack).to_json()


def _resolve(value: Any, stack_id: str) -> Any:
    """Resolve the intrinsic functions that a policy has."""
    if isinstance(value, list):
        return [_resolve(item, stack_id) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": "AWS::StackId"}:
            return stack_id
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Ref": "AWS::Region"}:
            return REGION
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolve(parts, stack_id))
        case {"Fn::Select": [index, items]}:
            return _resolve(items, stack_id)[int(index)]
        case {"Fn::Split": [separator, text]}:
            return _resolve(text, stack_id).split(separator)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"arn:aws:unknown:::{name}.{attribute}"
    return {key: _resolve(item, stack_id) for key, item in value.items()}


def _documents() -> list[Any]:
    kinds = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    return [
        resource["Properties"]["PolicyDocument"]
        for resource in template()["Resources"].values()
        if resource["Type"] in kinds
    ]


@cache
def statements(stack_id: str) -> list[Any]:
    """Return the parsed policies of the function of one stack."""
    return [parse_policy_document(json.dumps(_resolve(document, stack_id))) for document in _documents()]


@cache
def rule_prefix(stack_id: str) -> str:
    """Return what the function of one stack finds in its environment."""
    for resource in template()["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            variables = resource["Properties"].get("Environment", {}).get("Variables", {})
            if "HOSTED_MODEL_RULE_PREFIX" in variables:
                return str(_resolve(variables["HOSTED_MODEL_RULE_PREFIX"], stack_id))
    raise LookupError("the template has no such function")


class PolicyAuthorizer:
    """Allows what the policy of the calling stack's function allows; a caller without a stack is root."""

    def __init__(self, stack_id: Callable[[], str | None]) -> None:
        self._stack_id = stack_id
        self.without: set[str] = set()
        self.used: set[str] = set()

    def authorize(
        self,
        request: Request,
        action: str | None,
        resource: str,
        region: str,
        context: Mapping[str, str | list[str]],
    ) -> Decision:
        stack_id = self._stack_id()
        principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{stack_id}"
        if stack_id is None or action is None:
            return Decision(True, ACCOUNT, principal)
        allowed = action not in self.without and self.allows(stack_id, action, resource, context)
        if allowed:
            self.used.add(action)
        return Decision(allowed, ACCOUNT, principal, "" if allowed else "AccessDeniedException")

    @staticmethod
    def allows(
        stack_id: str, action: str, resource: str, context: Mapping[str, str | list[str]] | None = None
    ) -> bool:
        keys: dict[str, Any] = {key.lower(): value for key, value in (context or {}).items()}
        keys.setdefault("aws:tagkeys", None)
        asked = EvalContext(
            principal_arn="",
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=action,
            resource_arn=resource,
            region=REGION,
            service_context=keys,
            principal_keys={},
        )
        return bool(evaluate(asked, statements(stack_id)).decision == "Allow")
