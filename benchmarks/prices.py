"""AWS's published prices, US East (N. Virginia), dollars, first tier, without any free tier."""

from __future__ import annotations

from dataclasses import dataclass

REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """One price: dollars for a unit, the title of AWS's page that names it, and when it was read."""

    dollars: float
    unit: str
    page: str
    read: str


PRICES = {
    "lambda-arm64": Price(0.0000133334, "GB-second, arm64", "AWS Lambda Pricing", "2026-11"),
    "lambda-x86": Price(0.0000166667, "GB-second, x86", "AWS Lambda Pricing", "2026-11"),
    "lambda-request": Price(0.20 / 1e6, "request", "AWS Lambda Pricing", "2026-11"),
    "lambda-durable": Price(8.00 / 1e6, "durable operation", "AWS Lambda Pricing", "2026-09"),
    "transition": Price(
        0.025 / 1e3, "state transition, Standard workflow", "AWS Step Functions Pricing", "2026-11"
    ),
    "scheduler": Price(
        1.00 / 1e6, "invocation by EventBridge Scheduler", "Amazon EventBridge Pricing", "2026-11"
    ),
    "rule": Price(0.0, "invocation by a scheduled rule", "Amazon EventBridge Pricing", "2026-11"),
}


def cost(amounts: dict[str, float]) -> dict[str, float]:
    """Return the dollars of each item, and their total."""
    items = {name: amount * PRICES[name].dollars for name, amount in amounts.items() if amount}
    return {**items, "total": sum(items.values())}
