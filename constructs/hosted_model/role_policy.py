"""What the function's role holds: statements that stand while there is a provider, and the declared models.

"IAM and AWS STS quotas", IAM User Guide: the inline policies of a role take 10,240 characters in all, a
managed policy 6,144, and a role 10 managed policies.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from . import findings, policy, stable_ids
from .grants import SERVICES, ServiceGrants

#: Beyond this the CDK itself splits a role's policy.
_INLINE = 10_000
#: What the CDK reckons for an ARN with a token in it, quotation marks and comma included.
_INLINE_ARN = 153
_MANAGED = 6_144
#: The document around the statements, and the member for a claim's resources, which has none at first.
_FRAME = 60
#: The statement for the log group, whose name has up to 512 characters.
_LOGS = 700
#: The longest that is deployed: a stack's name has up to 128 characters.
_LONGEST = {
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-northeast-1",
    "AWS::AccountId": "111122223333",
    "AWS::StackId": f"arn:aws-us-gov:cloudformation:ap-northeast-1:111122223333:stack/{'s' * 128}/{'0' * 36}",
}
_UNKNOWN = "-" * 100


@dataclass(slots=True)
class _Room:
    """How many characters a policy can still take."""

    left: int


@dataclass(slots=True)
class _Claims:
    """One service's models: the statement that the next ARN joins, its policy's room, and all ARNs so far."""

    statement: iam.PolicyStatement | None = None
    room: _Room = field(default_factory=lambda: _Room(0))
    statements: int = 0
    arns: set[str] = field(default_factory=set)


class RolePolicy:
    """Writes the policies of one provider's role.

    Parameters
    ----------
    provider
        Whose parts the policies are.
    role
        The function's.
    statements
        What the function needs whatever the services are.
    """

    def __init__(self, provider: Construct, role: iam.Role, *statements: iam.PolicyStatement) -> None:
        self._provider, self._role, self._stack = provider, role, Stack.of(role)
        self._claims: dict[str, _Claims] = {}
        self._inline = _Room(_INLINE - _FRAME - _LOGS)
        for statement in statements:
            self._add(statement)
        for service in SERVICES:
            for statement in policy.cleanup(service(self._stack)):
                self._add(statement)

    def declare(self, grants: ServiceGrants, model_arn: str) -> None:
        """Let the function start the models of a service, and claim this one."""
        claims = self._claims.setdefault(grants.service, _Claims())
        if model_arn in claims.arns:
            return
        claims.arns.add(model_arn)
        findings.accept_resource(self._role, f"{grants.prefix}Claim", model_arn)
        size = self._size(model_arn)
        if claims.room is self._inline:
            size = max(size, _INLINE_ARN)
        if claims.statement is None or size > claims.room.left:
            claims.statement = self._next_claim(grants, claims, size)
        # A statement can be added to until the template is written.
        claims.statement.add_resources(model_arn)
        claims.room.left -= size

    def _next_claim(self, grants: ServiceGrants, claims: _Claims, size: int) -> iam.PolicyStatement:
        """Begin another statement: the first in the role's own policy where it fits, others in one each."""
        claims.statements += 1
        statement = policy.claim(grants, claims.statements)
        statements = [statement]
        if claims.statements == 1:
            for each in policy.start(grants):
                statements.append(each)
                for resource in each.resources:
                    findings.accept_resource(self._role, each.sid or "", resource)
        needed = sum(map(self._size_of, statements))
        if claims.statements == 1 and needed + max(size, _INLINE_ARN) <= self._inline.left:
            self._inline.left -= needed
            claims.room = self._inline
            for each in statements:
                self._role.add_to_principal_policy(each)
            return statement
        claims.room = _Room(_MANAGED - _FRAME - needed)
        made = iam.ManagedPolicy(
            self._role,
            statement.sid or "",
            description="More models that the role above may host",
            statements=statements,
            roles=[self._role],
        )
        stable_ids.keep(self._provider, made)
        return statement

    def _add(self, statement: iam.PolicyStatement) -> None:
        self._inline.left -= self._size_of(statement)
        self._role.add_to_principal_policy(statement)
        for resource in statement.resources:
            findings.accept_resource(self._role, statement.sid or "", resource)

    def _size_of(self, statement: iam.PolicyStatement) -> int:
        return self._size(statement.to_statement_json())

    def _size(self, value: Any) -> int:
        """Return how many characters a value and a comma can come to have in a policy."""
        return len(json.dumps(_longest(self._stack.resolve(value)), separators=(",", ":"))) + 1


def _longest(value: Any) -> Any:
    match value:
        case {"Ref": name}:
            return _LONGEST.get(name, _UNKNOWN)
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(map(_longest, parts))
        case dict():
            if any(name.startswith("Fn::") for name in value):
                return _UNKNOWN
            return {name: _longest(each) for name, each in value.items()}
        case list():
            return [_longest(each) for each in value]
    return value
