"""The statements of the function's role; the tag conditions in them are what makes the lease hold."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Fn, Stack
from aws_cdk import aws_iam as iam

from hosted_model_runtime.contract import Tag

from .service import ServiceGrants

#: Characters of ARNs in the role's own policy, of whose 10,240 the other statements of both services take
#: some 6,600; and in a policy that holds nothing but a claim, of whose 6,144 its conditions take some 900
#: ("IAM and AWS STS quotas", IAM User Guide). A role can have 10 such: more than a stack can have models.
INLINE_CLAIMS = 3_440
MANAGED_CLAIMS = 5_200

_STACK_UUID = Fn.select(2, Fn.split("/", Aws.STACK_ID))
_MINE = {f"aws:ResourceTag/{Tag.STACK}": Aws.STACK_ID}
_IN_MY_NAME = {f"aws:RequestTag/{Tag.STACK}": Aws.STACK_ID}
_OUR_KEYS = {"aws:TagKeys": list(Tag.ALL)}


def service(grants: ServiceGrants) -> list[iam.PolicyStatement]:
    """Return what the function may do with the models of one service, whichever are declared.

    Nothing here is narrowed to what is declared: a replaced model is cleaned up after CloudFormation has
    narrowed the policy, and once its tags are gone nothing else would name it. The tags narrow it: the
    service itself refuses to let this function start or stop a model that lacks this stack's tag.
    """
    every = list(grants.every_model)
    return [
        *(
            iam.PolicyStatement(
                sid=f"{grants.prefix}{read.sid}",
                actions=list(read.actions),
                resources=list(read.resources),
            )
            for read in grants.read
        ),
        iam.PolicyStatement(
            sid=f"{grants.prefix}Start",
            actions=[grants.start, grants.tag],
            resources=every,
            conditions={
                "StringEquals": _MINE,
                "StringEqualsIfExists": _IN_MY_NAME,
                "ForAllValues:StringEquals": _OUR_KEYS,
            },
        ),
        iam.PolicyStatement(
            sid=f"{grants.prefix}Stop",
            actions=[grants.stop, grants.untag],
            resources=every,
            conditions={"StringEquals": _MINE, "ForAllValues:StringEquals": _OUR_KEYS},
        ),
        # What a Delete of this stack has closed is opened first, by a request that knows of the Delete. A
        # refusal stands above every permission, so a start that is still under way ends here.
        iam.PolicyStatement(
            sid=f"{grants.prefix}Closed",
            effect=iam.Effect.DENY,
            actions=[grants.start, grants.tag],
            resources=every,
            conditions={"StringLike": {f"aws:ResourceTag/{Tag.CLOSED}": f"*/{_STACK_UUID}"}},
        ),
    ]


def claim(grants: ServiceGrants, number: int) -> iam.PolicyStatement:
    """Return the permission to take and to reopen what nobody owns; its resources are the declared models.

    Each model's ARN stands in one statement only, so that a hundred of them fit.
    """
    return iam.PolicyStatement(
        sid=f"{grants.prefix}Claim{'' if number == 1 else number}",
        actions=[grants.tag, grants.untag],
        conditions={
            "StringEqualsIfExists": {**_MINE, **_IN_MY_NAME},
            "ForAllValues:StringEquals": _OUR_KEYS,
        },
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


def invoke(function_arn: str) -> iam.PolicyDocument:
    """Return the permission for the schedules of hosting hours to invoke the function."""
    return iam.PolicyDocument(
        statements=[iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function_arn])]
    )


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
