"""Amazon Lookout for Vision: its models' ARNs, and what the function may do with them."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack

from hosted_model_runtime.contract import LookoutVision as Names

from .base import Read, ServiceGrants


def arn(stack: Stack, project: str, version: str) -> str:
    """Return the ARN of a model of the stack's account and region."""
    return stack.format_arn(
        service=Names.SERVICE,
        resource="model",
        resource_name=f"{project}/{version}",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def grants(stack: Stack) -> ServiceGrants:
    """Return what the function may do."""
    every = [arn(stack, "*", "*")]
    return ServiceGrants(
        service=Names.SERVICE,
        prefix="LookoutVision",
        every_model=every,
        read=[
            Read("Read", ["lookoutvision:DescribeModel", "lookoutvision:ListTagsForResource"], every),
            # ListModels knows no resource; it finds the version that `latest` meant when it was started.
            Read("List", ["lookoutvision:ListModels"], ["*"]),
        ],
        start="lookoutvision:StartModel",
        stop="lookoutvision:StopModel",
        tag="lookoutvision:TagResource",
        untag="lookoutvision:UntagResource",
    )
