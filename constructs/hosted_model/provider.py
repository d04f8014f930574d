"""One function, role and log group per stack, however many models the stack hosts."""

from __future__ import annotations

import jsii
from aws_cdk import Aws, Duration, Fn, IStableListProducer, Lazy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from hosted_model_runtime.contract import REQUEST_ID_LENGTH, RULE_NAME_MAX, Env, Tag

from . import asset
from .service import ServiceGrants

#: A child of the stack with this ID is the stack's provider.
PROVIDER_ID = "HostedModelProvider"
_RULE_PREFIX = "HostedModel-"
#: Eight hexadecimal digits of the stack's ID, and a hyphen, stand between the prefix and the RequestId.
_STACK_DIGITS = 9
if len(_RULE_PREFIX) + _STACK_DIGITS + REQUEST_ID_LENGTH > RULE_NAME_MAX:
    raise AssertionError("the relay's rule names would pass EventBridge's limit")


@jsii.implements(IStableListProducer)
class _Declared:
    """The ARNs declared until the template is written: later constructs join the first one's statements."""

    def __init__(self, arns: list[str]) -> None:
        self._arns = arns

    def produce(self) -> list[str]:
        return list(dict.fromkeys(self._arns))


class HostedModelProvider(Construct):
    """The function that answers CloudFormation for every hosted model of a stack.

    Hosted models find or make it by themselves; make one first, with
    ``HostedModelProvider(stack, "HostedModelProvider", …)``, to choose its properties.

    Parameters
    ----------
    scope, construct_id
        As for every construct.
    log_group
        Where the function logs. Default: a log group of its own, kept for one month.
    memory_size
        Mebibytes, 128 to 10240. Default: 256.

    Attributes
    ----------
    function, role, log_group
        The parts, for aspects, alarms and permissions boundaries.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group: logs.ILogGroup | None = None,
        memory_size: int = 256,
    ) -> None:
        super().__init__(scope, construct_id)
        self._declared: dict[str, list[str]] = {}
        self.log_group = log_group or logs.LogGroup(self, "Logs", retention=logs.RetentionDays.ONE_MONTH)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Starts and stops the hosted models of one CloudFormation stack",
        )
        self.log_group.grant_write(self.role)
        prefix = self._rule_prefix()
        rules = Stack.of(self).format_arn(service="events", resource="rule", resource_name=f"{prefix}*")
        self._grant_relay(rules)
        self.function = lambda_.Function(
            self,
            "Function",
            description="Hosts models for CloudFormation: starts, resizes, swaps and stops them",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="hosted_model_runtime.index.handler",
            code=asset.code(),
            role=self.role,
            log_group=self.log_group,
            timeout=Duration.minutes(15),
            memory_size=memory_size,
            environment={Env.RULE_PREFIX: prefix},
        )
        # One static permission for every rule of the relay: the function may not change its own policy.
        self.permission = lambda_.CfnPermission(
            self,
            "RelayPermission",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=rules,
        )

    @property
    def needs(self) -> list[IDependable]:
        """Return what must outlive every hosted model: the function's permissions, both ways."""
        policy = self.role.node.try_find_child("DefaultPolicy")
        return [self.permission, *([policy] if policy else [])]

    @staticmethod
    def of(scope: Construct) -> HostedModelProvider:
        """Return the provider of the stack that ``scope`` is in; it is made when there is none."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(PROVIDER_ID)
        return found if isinstance(found, HostedModelProvider) else HostedModelProvider(stack, PROVIDER_ID)

    def declare(self, grants: ServiceGrants, model_arn: str) -> None:
        """Let the function claim one more model; each service's statements are added with its first."""
        if grants.service in self._declared:
            self._declared[grants.service].append(model_arn)
            return
        declared = self._declared[grants.service] = [model_arn]
        for statement in self._statements(grants, Lazy.list(_Declared(declared))):
            self.role.add_to_principal_policy(statement)

    def _statements(self, grants: ServiceGrants, declared: list[str]) -> list[iam.PolicyStatement]:
        """Return what the function may do with the models of one service.

        Tags carry the lease, and their conditions are what makes it hold: the service itself refuses to let
        this function touch a model that carries another stack's tag.
        """
        prefix = grants.prefix
        mine = {f"aws:ResourceTag/{Tag.STACK}": Aws.STACK_ID}
        in_my_name = {f"aws:RequestTag/{Tag.STACK}": Aws.STACK_ID}
        not_closed = {f"aws:ResourceTag/{Tag.CLOSED}": "true"}
        our_keys = {"aws:TagKeys": list(Tag.ALL)}
        every = list(grants.every_model)
        return [
            # Reading is not narrowed to what is declared: a replaced model is cleaned up after CloudFormation
            # has narrowed the policy, and once its tags are gone nothing else would name it.
            iam.PolicyStatement(sid=f"{prefix}Read", actions=list(grants.read), resources=every),
            *(
                [iam.PolicyStatement(sid=f"{prefix}List", actions=list(grants.list), resources=["*"])]
                if grants.list
                else []
            ),
            iam.PolicyStatement(
                sid=f"{prefix}Claim",
                actions=[grants.tag],
                resources=declared,
                conditions={
                    "StringEqualsIfExists": {**mine, **in_my_name},
                    "Null": not_closed,
                    "ForAllValues:StringEquals": our_keys,
                },
            ),
            iam.PolicyStatement(
                sid=f"{prefix}Reopen",
                actions=[grants.untag],
                resources=declared,
                conditions={
                    "StringEqualsIfExists": mine,
                    "ForAllValues:StringEquals": {"aws:TagKeys": [Tag.CLOSED]},
                },
            ),
            iam.PolicyStatement(
                sid=f"{prefix}Start",
                actions=[grants.start, grants.tag],
                resources=every,
                conditions={
                    "StringEquals": mine,
                    "StringEqualsIfExists": in_my_name,
                    "Null": not_closed,
                    "ForAllValues:StringEquals": our_keys,
                },
            ),
            iam.PolicyStatement(
                sid=f"{prefix}Stop",
                actions=[grants.stop, grants.untag],
                resources=every,
                conditions={"StringEquals": mine, "ForAllValues:StringEquals": our_keys},
            ),
        ]

    def _grant_relay(self, rules: str) -> None:
        self.role.add_to_principal_policy(
            iam.PolicyStatement(
                sid="Relay",
                actions=[
                    "events:PutRule",
                    "events:PutTargets",
                    "events:DescribeRule",
                    "events:RemoveTargets",
                    "events:DeleteRule",
                ],
                resources=[rules],
            )
        )

    def _rule_prefix(self) -> str:
        uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        return f"{_RULE_PREFIX}{Fn.select(0, Fn.split('-', uuid))}-"
