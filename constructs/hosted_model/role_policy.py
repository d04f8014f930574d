"""What the function's role holds: statements that stand while there is a provider, and the declared models.

All of it is in managed policies, because many rules forbid inline ones. "IAM and AWS STS quotas", IAM User
Guide: a managed policy takes 6,144 characters, white space not counted, and a role 10 managed policies.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from . import findings, policy, stable_ids
from .grants import SERVICES, ServiceGrants

_MANAGED = 6_144
#: The document around the statements, and the member for a claim's resources, which has none at first.
_FRAME = 60
#: The longest that is deployed; a stack's name has up to 128 characters, a log group's up to 512.
_LONGEST = {
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-northeast-1",
    "AWS::AccountId": "111122223333",
}
_STACK_NAME, _LOG_GROUP_NAME, _LOGICAL_ID, _ARN = 128, 512, 100, 80
#: What is known at deploy only. With a project and a version of 60 characters each, an ARN has some 200.
_UNKNOWN = "-" * 220


class FunctionRole(iam.Role):
    """The function's role. Whatever is granted to it, by whomever, goes into managed policies.

    Parameters
    ----------
    provider
        Whose part it is.
    construct_id
        Below the provider.
    own_log_group
        Whether the log group's name is made by CloudFormation, hence no longer than it makes them.
    """

    def __init__(self, provider: Construct, construct_id: str, *, own_log_group: bool) -> None:
        super().__init__(
            provider,
            construct_id,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Starts and stops the hosted models of one CloudFormation stack",
        )
        self.policies = RolePolicies(provider, self, spare=0 if own_log_group else _LOG_GROUP_NAME)

    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> iam.AddToPrincipalPolicyResult:
        """Add a statement; the CDK calls this for every grant."""
        self.policies.add(statement)
        return iam.AddToPrincipalPolicyResult(statement_added=True, policy_dependable=self)


@dataclass(slots=True)
class _Written:
    """One managed policy, and how many characters it can still take."""

    policy: iam.ManagedPolicy
    left: int


@dataclass(slots=True)
class _Claims:
    """One service's models: the statement that the next ARN joins, where it is, and all ARNs so far."""

    statement: iam.PolicyStatement
    written: _Written
    statements: int = 1
    arns: set[str] = field(default_factory=set)


class RolePolicies:
    """Writes the managed policies of one provider's role, as few as there can be.

    Parameters
    ----------
    provider
        Whose parts the policies are.
    role
        The function's.
    spare
        Characters that the first policy keeps free.
    """

    def __init__(self, provider: Construct, role: iam.Role, spare: int) -> None:
        self._provider, self._role, self._spare, self._stack = provider, role, spare, Stack.of(role)
        self._written: list[_Written] = []
        self._claims: dict[str, _Claims] = {}

    def add_own(self, *statements: iam.PolicyStatement) -> None:
        """Add statements of ours; whatever checkers of templates report of them is accepted."""
        for statement in statements:
            for resource in statement.resources:
                findings.accept_resource(self._role, statement.sid or "", resource)
            self.add(statement)

    def add_cleanup(self) -> None:
        """Add what a Delete needs, for every service that there is."""
        for service in SERVICES:
            self.add_own(*policy.cleanup(service(self._stack)))

    def declare(self, grants: ServiceGrants, model_arn: str) -> None:
        """Let the function start the models of a service, and claim this one."""
        size = self._size(model_arn)
        claims = self._claims.get(grants.service)
        if claims is None:
            self.add_own(*policy.start(grants))
            claims = self._claims[grants.service] = _Claims(*self._claim(grants, 1, size))
        if model_arn in claims.arns:
            return
        if size > claims.written.left:
            claims.statements += 1
            claims.statement, claims.written = self._claim(grants, claims.statements, size)
        claims.arns.add(model_arn)
        findings.accept_resource(self._role, f"{grants.prefix}Claim", model_arn)
        # A statement can be added to until the template is written.
        claims.statement.add_resources(model_arn)
        claims.written.left -= size

    def _claim(self, grants: ServiceGrants, number: int, size: int) -> tuple[iam.PolicyStatement, _Written]:
        statement = policy.claim(grants, number)
        return statement, self.add(statement, room=size)

    def add(self, statement: iam.PolicyStatement, room: int = 0) -> _Written:
        """Add a statement to the first policy that has room for it, and for so many characters more."""
        size = self._size(statement.to_statement_json())
        for written in self._written:
            if size + room <= written.left:
                break
        else:
            written = self._another()
        written.policy.add_statements(statement)
        written.left -= size
        return written

    def _another(self) -> _Written:
        number = len(self._written) + 1
        made = iam.ManagedPolicy(
            self._role,
            f"Policy{number if number > 1 else ''}",
            description="What the function of a stack's hosted models may do",
            roles=[self._role],
        )
        stable_ids.keep(self._provider, made)
        self._written.append(_Written(made, _MANAGED - _FRAME - (0 if number > 1 else self._spare)))
        return self._written[-1]

    def _size(self, value: Any) -> int:
        """Return how many characters a value and a comma can come to have in a policy."""
        return len(json.dumps(self._longest(self._stack.resolve(value)), separators=(",", ":"))) + 1

    def _longest(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::StackId"}:
                arn = f"arn:aws-us-gov:cloudformation:ap-northeast-1:111122223333:stack/{self._stack_name}/"
                return arn + "0" * 36
            case {"Ref": name}:
                return _LONGEST.get(name, _UNKNOWN)
            case {"Fn::GetAtt": _}:
                # CloudFormation makes names of the stack's name, the logical ID and a suffix.
                return "-" * (_ARN + len(self._stack_name) + _LOGICAL_ID)
            case {"Fn::Join": [separator, list(parts)]}:
                return str(separator).join(map(self._longest, parts))
            case dict():
                if any(name.startswith("Fn::") for name in value):
                    return _UNKNOWN
                return {name: self._longest(each) for name, each in value.items()}
            case list():
                return [self._longest(each) for each in value]
        return value

    @property
    def _stack_name(self) -> str:
        name = self._stack.stack_name
        return "s" * _STACK_NAME if Token.is_unresolved(name) else name
