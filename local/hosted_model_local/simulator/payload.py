"""What a request to the control API may hold, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Collection

# Infinity, which Python's JSON reads, is no time; nor is anything near it.
_MAX_NUMBER = 1e15

Payload = dict[str, object]


class ControlError(Exception):
    """A control request that makes no sense, with its HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def only(payload: Payload, known: frozenset[str]) -> None:
    """A misspelt member must not pass in silence."""
    unknown = sorted(set(payload) - known)
    if unknown:
        raise ControlError(f"Unknown members: {', '.join(unknown)}; known are {', '.join(sorted(known))}.")


def choice(value: object, name: str, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise ControlError(f"{name} must be one of {', '.join(sorted(choices))}.")
    return value


def text(payload: Payload, name: str, default: str) -> str:
    value = payload.get(name, default)
    if value is None:
        return default
    if not isinstance(value, str):
        raise ControlError(f"{name} must be a string.")
    return value


def number(payload: Payload, name: str, default: float | None = None) -> float:
    value = payload.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MAX_NUMBER:
        raise ControlError(f"{name} must be a number.")
    return float(value)


def number_or_none(payload: Payload, name: str, *, above: float) -> float | None:
    if payload.get(name) is None:
        return None
    value = number(payload, name)
    if value <= above:
        raise ControlError(f"{name} must be greater than {above:g}.")
    return value


def count_or_none(payload: Payload, name: str, default: int | None = None, *, low: int = 1) -> int | None:
    value = payload.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ControlError(f"{name} must be an integer of at least {low}.")
    return value
