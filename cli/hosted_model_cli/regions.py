"""Which regions are asked."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import NoRegionError

from .aws import Cloud, ServiceError


class NoSuchRegionError(ValueError):
    """AWS has no such region."""


def check(cloud: Cloud, region: str) -> str:
    """Return the region.

    Raises
    ------
    NoSuchRegionError
        Neither botocore nor Amazon EC2, which is asked about newer ones, knows it.
    """
    if cloud.is_known(region) or region in _told(cloud):
        return region
    raise NoSuchRegionError(f"{region} is no region of AWS")


def enabled(cloud: Cloud) -> list[str]:
    """Return the regions that the account has enabled; raises ServiceError."""
    answer = cloud.call(cloud.default_region(), "ec2", "DescribeRegions")
    return sorted(one["RegionName"] for one in answer["Regions"])


def chosen(cloud: Cloud, given: Sequence[str]) -> list[str]:
    """Return the regions given, each once, or the session's; raises NoSuchRegionError."""
    return [check(cloud, region) for region in dict.fromkeys(given or [cloud.default_region()])]


def of_stack(cloud: Cloud, stack: str, given: str | None) -> str:
    """Return a stack's region: its ARN's, the one given, or the session's; raises NoSuchRegionError."""
    named = stack.split(":")[3] if stack.startswith("arn:") else ""
    return check(cloud, named or given or cloud.default_region())


def _told(cloud: Cloud) -> list[str]:
    try:
        answer = cloud.call(cloud.default_region(), "ec2", "DescribeRegions", AllRegions=True)
    except (ServiceError, NoRegionError):
        return []
    return [one["RegionName"] for one in answer["Regions"]]
