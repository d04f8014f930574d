"""Amazon Personalize: its recommenders' ARNs, and what the function may do with them."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack

from hosted_model_runtime.contract import Personalize as Names

from .base import Read, ServiceGrants


def arn(stack: Stack, name: str) -> str:
    """Return the ARN of a recommender of the stack's account and region."""
    return stack.format_arn(
        service=Names.SERVICE,
        resource=Names.PROJECT,
        resource_name=name,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def grants(stack: Stack) -> ServiceGrants:
    """Return what the function may do.

    "Actions, resources, and condition keys for Amazon Personalize", Service Authorization Reference, lists no
    condition keys, and no resource for the tag actions; the Developer Guide shows conditions on tags.
    """
    every = [arn(stack, "*")]
    return ServiceGrants(
        service=Names.SERVICE,
        prefix="Personalize",
        every_model=every,
        read=[
            Read("Read", ["personalize:DescribeRecommender"], every),
            Read("List", ["personalize:ListTagsForResource"], ["*"]),
        ],
        start="personalize:StartRecommender",
        stop="personalize:StopRecommender",
        tag="personalize:TagResource",
        untag="personalize:UntagResource",
        resize="personalize:UpdateRecommender",
        tells_tags=False,
    )
