"""Amazon Rekognition Custom Labels: its models' ARNs, and what the function may do with them."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack

from hosted_model_runtime.contract import Rekognition as Names

from .base import Read, ServiceGrants


def arn(stack: Stack, *parts: str) -> str:
    """Return the ARN below ``project/`` of the stack's account and region."""
    return stack.format_arn(
        service=Names.SERVICE,
        resource="project",
        resource_name="/".join(parts),
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def grants(stack: Stack) -> ServiceGrants:
    """Return what the function may do."""
    every = [arn(stack, "*", "version", "*", "*")]
    return ServiceGrants(
        service=Names.SERVICE,
        prefix="Rekognition",
        every_model=every,
        read=[
            Read("Read", ["rekognition:ListTagsForResource"], every),
            Read("Describe", ["rekognition:DescribeProjectVersions"], [arn(stack, "*", "*")]),
            # DescribeProjects knows no resource; a version's ARN does not tell its project's.
            Read("List", ["rekognition:DescribeProjects"], ["*"]),
        ],
        start="rekognition:StartProjectVersion",
        stop="rekognition:StopProjectVersion",
        tag="rekognition:TagResource",
        untag="rekognition:UntagResource",
    )
