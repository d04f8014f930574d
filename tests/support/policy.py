"""The function's real policy, from the construct's template, decided by ministack's evaluator.

What is in force is the caller's to say. For a stack without a template of its own it is fixed: the policy of
a stack that declares every model of the tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from hosted_model_local.simulator import Decision, Request
from support.intrinsics import ACCOUNT, REGION, resolve


@cache
def template() -> Mapping[str, Any]:
    """A stack that declares every model that the tests use."""
    if made := os.environ.get("HOSTED_MODEL_TESTS_TEMPLATE"):
        # On another Python, which has no CDK: scripts/newer_python.py made it before.
        found: Mapping[str, Any] = json.loads(Path(made).read_text(encoding="utf-8"))
        return found
    from aws_cdk import App, Environment, Stack
    from aws_cdk.assertions import Template

    from support.cases import declare_all

    stack = Stack(App(), "Stack", env=Environment(account=ACCOUNT, region=REGION))
    declare_all(stack)
    return Template.from_stack(stack).to_json()


def _resolve(value: Any, stack_id: str) -> Any:
    return resolve(value, stack_id, lambda name, attribute: f"arn:aws:unknown:::{name}.{attribute}")


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
    """Allows what is in force for the calling function's role; a caller without a stack is root."""

    def __init__(self, stack_id: Callable[[], str | None], in_force: Callable[[], list[Any]]) -> None:
        self._stack_id, self._in_force = stack_id, in_force
        self.without: set[str] = set()
        self.used: set[str] = set()
        self._decided_by: list[Any] = []
        self._decided: dict[tuple[str, str, str], bool] = {}

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
        allowed = action not in self.without and self.allows(action, resource, context)
        if allowed:
            self.used.add(action)
        return Decision(allowed, ACCOUNT, principal, "" if allowed else "AccessDeniedException")

    def allows(
        self, action: str, resource: str, context: Mapping[str, str | list[str]] | None = None
    ) -> bool:
        """Say whether the policies that are in force for the running invocation allow it."""
        in_force = self._in_force()
        keys: dict[str, Any] = {key.lower(): value for key, value in (context or {}).items()}
        keys.setdefault("aws:tagkeys", None)
        if in_force is not self._decided_by:
            self._decided_by, self._decided = in_force, {}
        question = (action, resource, str(keys))
        if question not in self._decided:
            self._decided[question] = self._evaluate(action, resource, keys, in_force)
        return self._decided[question]

    @staticmethod
    def _evaluate(action: str, resource: str, keys: dict[str, Any], in_force: list[Any]) -> bool:
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
        return bool(evaluate(asked, in_force).decision == "Allow")
