"""One function, role and log group per stack, however many models the stack hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Aws, Duration, Fn, IStableStringProducer, Lazy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from hosted_model_runtime.contract import REQUEST_ID_LENGTH, RULE_NAME_MAX, Env

from . import asset, findings, policy, stable_ids
from .checks import Checks
from .grants import ServiceGrants
from .role_policy import RolePolicy
from .stable_ids import PROVIDER_ID

_RULE_PREFIX = "HostedModel-"
#: Eight hexadecimal digits of the stack's ID, and a hyphen, stand between the prefix and the RequestId.
_STACK_DIGITS = 9
if len(_RULE_PREFIX) + _STACK_DIGITS + REQUEST_ID_LENGTH > RULE_NAME_MAX:
    raise AssertionError("the relay's rule names would pass EventBridge's limit")

_PROVIDERS: WeakKeyDictionary[Stack, HostedModelProvider] = WeakKeyDictionary()


class HostedModelProvider(Construct):
    """The function that answers CloudFormation for every hosted model of a stack.

    Hosted models make it by themselves; make it before the first model to choose its properties. A stack has
    one, and no other stack can use it: the role may touch only what carries the stack's own ID in its tags.

    Its parts have the same logical IDs wherever it stands in its stack and whatever it is called. So it can
    be made explicit, renamed or moved later, though CloudFormation refuses another function for a resource.

    Parameters
    ----------
    scope, construct_id
        As for every construct.
    log_group
        Where the function logs. Default: a log group of its own, which stays when the stack is deleted, for
        its last entries tell what happened. Excludes ``log_retention`` and ``log_encryption_key``.
    log_retention
        How long its own log group keeps entries. Default: one month.
    log_encryption_key
        Encrypts its own log group; the key's policy is extended, but for an imported key, whose policy must
        let CloudWatch Logs use it. Default: the service's own encryption.
    memory_size
        Mebibytes, 128 to 10240. Default: 160, of which the function needs some 95.
    vpc
        Where the function runs. From there it must reach the model's service, EventBridge, and Amazon S3,
        where CloudFormation waits for its answer: by a NAT gateway, or by interface endpoints for that
        service and for ``events``, and a gateway endpoint for ``s3``. Where it cannot, a deploy ends after an
        hour without a reason. Default: no VPC.
    vpc_subnets, security_groups
        Of ``vpc``. Default: its private subnets; a new group that lets everything out.

    Attributes
    ----------
    function, role, log_group
        The parts, for aspects, alarms and permissions boundaries.

    Raises
    ------
    ValueError
        When the stack has a provider, or when properties exclude one another.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group: logs.ILogGroup | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_encryption_key: kms.IKey | None = None,
        memory_size: int = 160,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> None:
        stack = Stack.of(scope)
        checks = Checks(scope, construct_id)
        _check_only(checks, stack)
        if log_group is not None and (log_retention is not None or log_encryption_key is not None):
            checks.fail("log_group excludes log_retention and log_encryption_key: set them where it is made")
        if vpc is None and (vpc_subnets is not None or security_groups is not None):
            checks.fail("vpc_subnets and security_groups need vpc")
        super().__init__(scope, construct_id)
        _PROVIDERS[stack] = self
        self._schedule_role: iam.Role | None = None
        self._declared: Counter[str] = Counter()
        self.log_group = log_group or self._make_log_group(log_retention, log_encryption_key)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Starts and stops the hosted models of one CloudFormation stack",
        )
        self.log_group.grant_write(self.role)
        prefix = self._rule_prefix()
        rules = stack.format_arn(service="events", resource="rule", resource_name=f"{prefix}*")
        self._policy = RolePolicy(self, self.role, policy.relay(rules), *([policy.vpc()] if vpc else []))
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
            environment={
                Env.RULE_PREFIX: prefix,
                # The one property of the function that a further model changes.
                Env.MODELS: Lazy.string(_Counts(self._declared)),
            },
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )
        if vpc:
            # The last Delete still needs the way out: subnets, routes and endpoints end after the function.
            self.function.node.add_dependency(vpc)
            self._keep_security_group()
        self.permission = self._make_permission(rules)
        findings.accept_function(self.function)
        stable_ids.keep(self, self)

    @property
    def schedule_role(self) -> iam.Role:
        """Return the role with which EventBridge Scheduler invokes the function; made for the first hours.

        Follows "Confused deputy prevention in EventBridge Scheduler", EventBridge Scheduler User Guide.
        """
        if self._schedule_role is None:
            stack = Stack.of(self)
            group = stack.format_arn(service="scheduler", resource="schedule-group", resource_name="default")
            self._schedule_role = iam.Role(
                self,
                "ScheduleRole",
                assumed_by=iam.ServicePrincipal(
                    "scheduler.amazonaws.com",
                    conditions={"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}},
                ),
                description="Lets the hosting hours of one CloudFormation stack invoke its function",
                inline_policies={"Invoke": policy.invoke(self.function.function_arn)},
            )
            stable_ids.keep(self, self._schedule_role)
        return self._schedule_role

    @property
    def needs(self) -> list[IDependable]:
        """Return what must outlive every hosted model: the function's permissions, both ways."""
        # The role stands for its policies too, those that CDK splits off at synth included.
        return [self.permission, self.role]

    @staticmethod
    def of(scope: Construct) -> HostedModelProvider:
        """Return the provider of the stack that ``scope`` is in; it is made when there is none."""
        stack = Stack.of(scope)
        return _PROVIDERS.get(stack) or HostedModelProvider(stack, PROVIDER_ID)

    def declare(self, grants: ServiceGrants, model_arn: str) -> None:
        """Let the function start the models of a service, and claim this one; count it for its pace."""
        self._declared[grants.service] += 1
        self._policy.declare(grants, model_arn)

    def _make_log_group(self, retention: logs.RetentionDays | None, key: kms.IKey | None) -> logs.LogGroup:
        if key is not None:
            key.add_to_resource_policy(policy.log_key(Stack.of(self)))
        return logs.LogGroup(
            self, "Logs", retention=retention or logs.RetentionDays.ONE_MONTH, encryption_key=key
        )

    def _make_permission(self, rules: str) -> lambda_.CfnPermission:
        """One static permission for every rule of the relay: the function may not change its own policy."""
        return lambda_.CfnPermission(
            self,
            "RelayPermission",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            # No source_account: EventBridge would be kept out ("Troubleshooting Amazon EventBridge", Amazon
            # EventBridge User Guide), and the rules' ARN names the account.
            source_arn=rules,
        )

    def _keep_security_group(self) -> None:
        """Keep the description of the group that the CDK makes: a change of it replaces the group.

        Lambda lets go of a security group so late that CloudFormation gives up deleting the old one.
        """
        made = self.function.node.try_find_child("SecurityGroup")
        if made is not None and isinstance(group := made.node.default_child, ec2.CfnSecurityGroup):
            name = stable_ids.unique_id(self, "Function")
            group.group_description = f"Automatic security group for Lambda Function {name}"

    def _rule_prefix(self) -> str:
        uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        return f"{_RULE_PREFIX}{Fn.select(0, Fn.split('-', uuid))}-"


@jsii.implements(IStableStringProducer)
class _Counts:
    """How many models of each service are declared, once all of them are."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts

    def produce(self) -> str:
        return " ".join(f"{service}={count}" for service, count in sorted(self._counts.items()))


def _check_only(checks: Checks, stack: Stack) -> None:
    if (first := _PROVIDERS.get(stack)) is not None:
        checks.fail(
            f"the stack has a provider, {first.node.path}: a stack has one, and a hosted model makes it "
            "unless it was made before"
        )
