"""One function, role and log group per stack, however many models the stack hosts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Unpack
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Annotations, Aws, Duration, Fn, IStableStringProducer, Lazy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from hosted_model_runtime.contract import REQUEST_ID_LENGTH, RULE_NAME_MAX, Env

from . import alarms, asset, findings, policy, stable_ids
from .alarms import AlarmOptions
from .checks import Checks, is_token
from .grants import ServiceGrants
from .role_policy import FunctionRole
from .stable_ids import PROVIDER_ID

_RULE_PREFIX = "HostedModel-"
#: Eight hexadecimal digits of the stack's ID, and a hyphen, stand between the prefix and the RequestId.
_STACK_DIGITS = 9
if len(_RULE_PREFIX) + _STACK_DIGITS + REQUEST_ID_LENGTH > RULE_NAME_MAX:
    raise AssertionError("the relay's rule names would pass EventBridge's limit")

#: Silence it with ``Annotations.of(provider).acknowledge_warning(CONCURRENCY)``.
CONCURRENCY = "cdk-hosted-model:concurrency"

#: Releases of aws-cdk-lib from before Lambda had it do not know it.
_NEWEST: lambda_.Runtime = getattr(lambda_.Runtime, "PYTHON_3_14", lambda_.Runtime.PYTHON_3_13)

#: "Memory: 128 MB to 10,240 MB" (Lambda quotas, AWS Lambda Developer Guide).
_MEMORY = (128, 10_240)
#: What the function's code needs.
_OLDEST_MINOR = 11

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
    dead_letter_queue
        Where an event goes that Lambda gave up on: after three attempts that failed, or after six hours
        without a free execution. What arrives is the event as the function was given it: a request of
        CloudFormation or a schedule, or the tick of a relay's rule; why, in the message attributes
        ``ErrorCode`` and ``ErrorMessage``. A request carries its presigned ResponseURL, with which whoever
        reads the message can answer CloudFormation for two hours: encrypt the queue, and let few read it.
        With a key of your own the function may use it to send; an imported queue does not tell its key, so
        grant ``kms:Decrypt`` and ``kms:GenerateDataKey`` to ``role`` and ``schedule_role`` yourself. A
        standard queue, not FIFO. What EventBridge Scheduler could not deliver to the function goes there,
        too. Default: none; such an event is lost. "Capturing records of Lambda asynchronous invocations", AWS
        Lambda Developer Guide.
    reserved_concurrent_executions
        Executions that the function has for itself, and cannot exceed; at least 1. Every start or stop that
        is awaited holds one, two while one invocation hands over to the next: declare at most half as many
        models, or a warning says so at synth. Default: it shares those of the account.
    tracing
        Whether AWS X-Ray traces the function. Default: ``Tracing.DISABLED``.
    environment_encryption
        Encrypts the function's environment variables, which hold no secret; the role may then decrypt with
        it. Default: Lambda's own key.
    runtime
        A Python of Lambda, 3.11 or later. Default: Python 3.14, where this aws-cdk-lib knows it, else 3.13.

    Attributes
    ----------
    function, role, log_group
        The parts, for aspects, alarms and permissions boundaries. What is granted to the role goes into
        managed policies.
    dead_letter_queue
        The one that was given, or None.

    Raises
    ------
    ValueError
        When the stack has a provider, when a property breaks its limit, or when properties exclude one
        another; the text begins with the construct's path.
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
        dead_letter_queue: sqs.IQueue | None = None,
        reserved_concurrent_executions: int | None = None,
        tracing: lambda_.Tracing = lambda_.Tracing.DISABLED,
        environment_encryption: kms.IKey | None = None,
        runtime: lambda_.Runtime | None = None,
    ) -> None:
        checks = Checks(scope, construct_id)
        stack = Stack.of(scope)
        _check_only(checks, stack)
        if log_group is not None and (log_retention is not None or log_encryption_key is not None):
            checks.fail("log_group excludes log_retention and log_encryption_key: set them where it is made")
        for name, given, attribute, kind in (
            ("log_group", log_group, "log_group_arn", "aws_logs.ILogGroup"),
            ("log_encryption_key", log_encryption_key, "key_arn", "aws_kms.IKey"),
            ("vpc", vpc, "vpc_id", "aws_ec2.IVpc"),
            ("dead_letter_queue", dead_letter_queue, "queue_arn", "aws_sqs.IQueue"),
            ("environment_encryption", environment_encryption, "key_arn", "aws_kms.IKey"),
        ):
            if given is not None:
                checks.has(name, given, attribute, kind)
        if dead_letter_queue is not None and dead_letter_queue.fifo:
            checks.fail("dead_letter_queue must be a standard queue, as Lambda sends to no FIFO queue")
        checks.whole("memory_size", memory_size, *_MEMORY)
        if log_retention is not None:
            checks.one_of("log_retention", log_retention, logs.RetentionDays)
        if vpc_subnets is not None and not isinstance(vpc_subnets, ec2.SubnetSelection | dict):
            checks.fail(f"vpc_subnets must be an aws_ec2.SubnetSelection, but it is {vpc_subnets!r}")
        if security_groups is not None:
            checks.several("security_groups", security_groups, "security_group_id", "aws_ec2.ISecurityGroup")
        if reserved_concurrent_executions is not None:
            checks.whole("reserved_concurrent_executions", reserved_concurrent_executions, 1)
        checks.one_of("tracing", tracing, lambda_.Tracing)
        if runtime is not None:
            _check_runtime(checks, runtime)
        if vpc is None and (vpc_subnets is not None or security_groups is not None):
            checks.fail("vpc_subnets and security_groups need vpc")
        super().__init__(scope, construct_id)
        _PROVIDERS[stack] = self
        self._schedule_role: iam.Role | None = None
        self._declared: Counter[str] = Counter()
        self._executions = reserved_concurrent_executions
        self.dead_letter_queue = dead_letter_queue
        self.log_group = log_group or self._make_log_group(log_retention, log_encryption_key)
        self.role = FunctionRole(self, "Role", own_log_group=log_group is None)
        self.log_group.grant_write(self.role)
        prefix = self._rule_prefix()
        rules = stack.format_arn(service="events", resource="rule", resource_name=f"{prefix}*")
        self.role.policies.add_own(policy.relay(rules), *([policy.vpc()] if vpc else []))
        self.role.policies.add_cleanup()
        if environment_encryption is not None:
            environment_encryption.grant_decrypt(self.role)
        if dead_letter_queue is not None and (key := dead_letter_queue.encryption_master_key) is not None:
            key.grant(self.role, *policy.SEND_ENCRYPTED)
        self.function = lambda_.Function(
            self,
            "Function",
            description="Hosts models for CloudFormation: starts, resizes, swaps and stops them",
            runtime=runtime or _NEWEST,
            architecture=lambda_.Architecture.ARM_64,
            handler="hosted_model_runtime.index.handler",
            code=asset.code(self),
            role=self.role,
            log_group=self.log_group,
            timeout=Duration.minutes(15),
            memory_size=memory_size,
            environment={
                Env.RULE_PREFIX: prefix,
                Env.STACK_ID: Aws.STACK_ID,
                # The one property of the function that a further model changes.
                Env.MODELS: Lazy.string(_Counts(self._declared)),
            },
            environment_encryption=environment_encryption,
            dead_letter_queue=dead_letter_queue,
            reserved_concurrent_executions=reserved_concurrent_executions,
            tracing=tracing,
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
                inline_policies={"Invoke": policy.invoke(self.function.function_arn, self.dead_letter_queue)},
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
        if not isinstance(scope, Construct):
            raise ValueError(f"HostedModelProvider.of: scope must be a construct, but it is {scope!r}")  # noqa: TRY004
        stack = Stack.of(scope)
        return _PROVIDERS.get(stack) or HostedModelProvider(stack, PROVIDER_ID)

    def declare(self, grants: ServiceGrants, model_arn: str) -> None:
        """Let the function start the models of a service, and claim this one; count it for its pace."""
        self.role.policies.declare(grants, model_arn)
        self._declared[grants.service] += 1
        executions, models = self._executions, self._declared.total()
        if executions is None or is_token(executions) or 2 * models <= executions:
            return
        Annotations.of(self).add_warning_v2(
            CONCURRENCY,
            f"reserved_concurrent_executions is {executions}, which carries {executions // 2} models, and "
            "the stack declares more: each start or stop that is awaited holds an execution, two while one "
            "invocation hands over to the next. If they all start at once, some wait, and may be too late "
            "for CloudFormation: reserve two executions for each model, or none.",
        )

    def add_dropped_request_alarm(
        self,
        construct_id: str = "DroppedRequestAlarm",
        *,
        period: Duration | None = None,
        **options: Unpack[AlarmOptions],
    ) -> cloudwatch.Alarm:
        """Alarm when Lambda gave up on an event: a request of CloudFormation or a schedule, or a tick.

        It counts AsyncEventsDropped, in which Lambda counts each event that it gave up on, whether that went
        on to ``dead_letter_queue`` or was lost ("Types of metrics for Lambda functions", AWS Lambda Developer
        Guide). What to do then is in the page on operations.

        Parameters
        ----------
        construct_id
            Below the provider. Default: ``DroppedRequestAlarm``.
        period
            Whole minutes, at most a day. Default: 5 minutes.
        options
            Those of ``aws_cloudwatch.Alarm``.

        Raises
        ------
        ValueError
            When a value breaks its limit; the text begins with the alarm's path.
        """
        checks = Checks(self, construct_id)
        every = alarms.period_seconds(checks, period)
        alarms.check(checks, options)
        own: AlarmOptions = {
            "alarm_description": "Lambda gave up on a request for a hosted model: see whether the model runs "
            "that the stack declares, and none other"
        }
        chosen: AlarmOptions = {**own, **options}
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=self.function.metric(
                "AsyncEventsDropped", statistic="Sum", period=Duration.seconds(every)
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            **chosen,
        )
        stable_ids.keep(self, alarm)
        return alarm

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


def _check_runtime(checks: Checks, runtime: object) -> None:
    name = runtime.name if isinstance(runtime, lambda_.Runtime) else ""
    version = re.fullmatch(r"python3\.(\d+)", name)
    if version is None or int(version[1]) < _OLDEST_MINOR:
        checks.fail(
            f"runtime must be an aws_lambda.Runtime, of Python 3.{_OLDEST_MINOR} or later, but it is "
            f"{name or repr(runtime)}"
        )


def _check_only(checks: Checks, stack: Stack) -> None:
    if (first := _PROVIDERS.get(stack)) is not None:
        checks.fail(
            f"the stack has a provider, {first.node.path}: a stack has one, and a hosted model makes it "
            "unless it was made before"
        )
