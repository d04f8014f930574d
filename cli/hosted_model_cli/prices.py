"""Prices of an inference unit for an hour of hosting: a dated table, and no guess where it has no line.

AWS changes prices, and discounts are an account's own: the option ``--price-per-unit-hour`` stands above it.
"""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY = "USD"


@dataclass(frozen=True)
class Price:
    """One line: US dollars for an inference unit and hour, the AWS page, and when it went into the table."""

    service: str
    region: str
    usd: float
    page: str
    dated: str


TABLE = (
    Price("lookoutvision", "us-east-1", 4.00, "Amazon Lookout for Vision pricing", "2025-10"),
    Price("rekognition", "us-east-1", 4.00, "Amazon Rekognition pricing, Custom Labels", "2026-11"),
)


def per_unit_hour(service: str, region: str) -> float | None:
    """Return US dollars, or None where the table has no line."""
    return next((one.usd for one in TABLE if (one.service, one.region) == (service, region)), None)
