"""The statements of the function's role; the tag conditions in them are what makes the lease hold."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from hosted_model_runtime.contract import Tag

from .grants import ServiceGrants

_STACK_UUID = Fn.select(2, Fn.split("/", Aws.STACK_ID))
_MINE = {f"aws:ResourceTag/{Tag.STACK}": Aws.STACK_ID}
_IN_MY_NAME = {f"aws:RequestTag/{Tag.STACK}": Aws.STACK_ID}
_OUR_KEYS = {"aws:TagKeys": list(Tag.ALL)}
#: Of what is ours or nobody's, in our name, with our keys; each holds where the key is absent.
_CLAIM = {"StringEqualsIfExists": {**_MINE, **_IN_MY_NAME}, "ForAllValues:StringEquals": _OUR_KEYS}

#: What a sender needs of the key of an encrypted queue ("Key management", Amazon SQS Developer Guide).
SEND_ENCRYPTED = ("kms:Decrypt", "kms:GenerateDataKey")


def _stop(grants: ServiceGrants) -> list[iam.PolicyStatement]:
    every = list(grants.every_model)
    if grants.tells_tags:
        return [
            iam.PolicyStatement(
                sid=f"{grants.prefix}Stop",
                actions=[grants.stop, grants.tag, grants.untag],
                resources=every,
                conditions={
                    "StringEquals": _MINE,
                    "StringEqualsIfExists": _IN_MY_NAME,
                    "ForAllValues:StringEquals": _OUR_KEYS,
                },
            )
        ]
    return [
        iam.PolicyStatement(
            sid=f"{grants.prefix}Stop",
            actions=[grants.stop],
            resources=every,
            conditions={"StringEqualsIfExists": _MINE},
        ),
        iam.PolicyStatement(
            sid=f"{grants.prefix}Tag",
            actions=[grants.tag, grants.untag],
            resources=["*"],
            conditions=_CLAIM,
        ),
    ]


def cleanup(grants: ServiceGrants) -> list[iam.PolicyStatement]:
    """Return what a Delete needs with the models of one service: to read, to stop, to close and to let go.

    It is granted for every service and for as long as there is a provider, whatever the template declares:
    CloudFormation applies the new policy first and deletes what is no longer declared last, under that new
    policy. So nothing here is narrowed to declared models. The tags narrow it: the service itself refuses to
    let this function stop, tag or untag a model that lacks this stack's tag.
    """
    return [
        *(
            iam.PolicyStatement(
                sid=f"{grants.prefix}{read.sid}",
                actions=list(read.actions),
                resources=list(read.resources),
            )
            for read in grants.read
        ),
        *_stop(grants),
        # What a Delete of this stack has closed is opened first, by a request that knows of the Delete. A
        # refusal stands above every permission, so a start that is still under way ends here.
        iam.PolicyStatement(
            sid=f"{grants.prefix}Closed",
            effect=iam.Effect.DENY,
            actions=[*_starts(grants), grants.tag],
            resources=list(grants.every_model) if grants.tells_tags else ["*"],
            conditions={"StringLike": {f"aws:ResourceTag/{Tag.CLOSED}": f"*/{_STACK_UUID}"}},
        ),
    ]


def _starts(grants: ServiceGrants) -> list[str]:
    return [grants.start, *([grants.resize] if grants.resize else [])]


def start(grants: ServiceGrants) -> list[iam.PolicyStatement]:
    """Return the permission to start this stack's models, for a service of which the template declares one.

    A Delete starts nothing, so this one may go with the last declaration. Where tags may not narrow it, the
    claim of each model has it.
    """
    if not grants.tells_tags:
        return []
    return [
        iam.PolicyStatement(
            sid=f"{grants.prefix}Start",
            actions=_starts(grants),
            resources=list(grants.every_model),
            conditions={"StringEquals": _MINE},
        )
    ]


def claim(grants: ServiceGrants, number: int = 1) -> iam.PolicyStatement:
    """Return the permission to take and to reopen what nobody owns; its resources are the declared models.

    Each model's ARN stands in one statement only, so that a hundred of them fit. Where tagging knows no
    resource, it is the permission to start them.
    """
    return iam.PolicyStatement(
        sid=f"{grants.prefix}Claim{'' if number == 1 else number}",
        actions=[grants.tag, grants.untag] if grants.tells_tags else _starts(grants),
        conditions=_CLAIM if grants.tells_tags else {"StringEqualsIfExists": _MINE},
    )


def relay(rules: str) -> iam.PolicyStatement:
    """Return the permission for the rules that carry a request from one invocation to the next."""
    return iam.PolicyStatement(
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


def invoke(function_arn: str, dead_letter_queue: sqs.IQueue | None) -> iam.PolicyDocument:
    """Return what schedules of hosting hours need: to invoke the function, and to say that they could not."""
    statements = [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function_arn])]
    if dead_letter_queue is not None:
        arn, key = dead_letter_queue.queue_arn, dead_letter_queue.encryption_master_key
        statements.append(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[arn]))
        if key is not None:
            statements.append(iam.PolicyStatement(actions=list(SEND_ENCRYPTED), resources=[key.key_arn]))
    return iam.PolicyDocument(statements=statements)


def vpc() -> iam.PolicyStatement:
    """Return what Lambda needs in a VPC ("Giving Lambda functions access to resources in an Amazon VPC").

    None of its network interfaces is known beforehand, and the Describe actions know no resource.
    """
    return iam.PolicyStatement(
        sid="Vpc",
        actions=[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
        resources=["*"],
    )


def log_key(stack: Stack) -> iam.PolicyStatement:
    """Return the key policy's statement that CloudWatch Logs needs.

    Follows "Encrypt log data in CloudWatch Logs using AWS KMS", Amazon CloudWatch Logs User Guide.
    """
    log_groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
        actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
    )
