"""Prices of an inference unit for an hour of hosting: a dated table, and no guess where it has no line.

AWS changes prices, and discounts are an account's own: the option ``--price-per-unit-hour`` stands above it.
"""

from __future__ import annotations

from .services import REGISTRY, Price

CURRENCY = "USD"


def known(service: str, region: str) -> Price | None:
    """Return the table's line, or None where it has none."""
    row = REGISTRY.get(service)
    return next((one for one in row.prices if one.region == region), None) if row else None


def per_unit_hour(service: str, region: str) -> float | None:
    """Return US dollars, or None where the table has no line."""
    line = known(service, region)
    return line.usd if line else None
