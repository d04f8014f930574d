"""Checks of request members against the patterns and limits of an API reference.

Messages are worded as AWS words them. Each check raises :class:`~.errors.InvalidInput`.
"""

from __future__ import annotations

import re
import unicodedata

from .errors import InvalidInput

# The wire's integer is Java's int.
MAX_INTEGER = 2**31 - 1
MAX_TAGS_IN_REQUEST = 200
MAX_TAGS = 50

_TAG_PUNCTUATION = frozenset("_.:/=+-@")
_TAG_ASCII = re.compile(r"[a-zA-Z0-9_.:/=+\-@ ]*")


def violation(value: object, name: str, constraint: str) -> InvalidInput:
    """An exception in the words of AWS's request validation."""
    return InvalidInput(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"
    )


def text(value: object, name: str, *, low: int, high: int, pattern: re.Pattern[str] | None = None) -> str:
    """A string of ``low`` to ``high`` characters, all of which match the pattern."""
    if not isinstance(value, str):
        raise violation(value, name, "Member must be a string")
    if len(value) < low:
        raise violation(value, name, f"Member must have length greater than or equal to {low}")
    if len(value) > high:
        raise violation(value, name, f"Member must have length less than or equal to {high}")
    if pattern is not None and not pattern.fullmatch(value):
        raise violation(value, name, f"Member must satisfy regular expression pattern: {pattern.pattern}")
    return value


def integer(value: object, name: str, *, low: int, high: int = MAX_INTEGER) -> int:
    """A JSON integer; true, 1.0 and "1" are not."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise violation(value, name, "Member must be an integer")
    if value < low:
        raise violation(value, name, f"Member must have value greater than or equal to {low}")
    if value > high:
        raise violation(value, name, f"Member must have value less than or equal to {high}")
    return value


def inference_units(payload: dict[str, object]) -> tuple[int, int | None]:
    """MinInferenceUnits (required) and MaxInferenceUnits of a start request, both at least 1."""
    if payload.get("MinInferenceUnits") is None:
        raise violation(None, "minInferenceUnits", "Member must not be null")
    low = integer(payload["MinInferenceUnits"], "minInferenceUnits", low=1)
    if payload.get("MaxInferenceUnits") is None:
        return low, None
    high = integer(payload["MaxInferenceUnits"], "maxInferenceUnits", low=1)
    if high < low:
        raise InvalidInput("MaxInferenceUnits must be greater than or equal to MinInferenceUnits.")
    return low, high


def tag_key(value: object) -> str:
    """A tag's key: 1 to 128 characters of the tag set; ``aws:`` is reserved."""
    key = _tag_text(value, "key", low=1, high=128)
    if key.lower().startswith("aws:"):
        raise violation(key, "key", "Member must not begin with the reserved prefix aws:")
    return key


def tag_value(value: object) -> str:
    """A tag's value: up to 256 characters of the tag set."""
    return _tag_text(value, "value", low=0, high=256)


def _tag_text(value: object, name: str, *, low: int, high: int) -> str:
    checked = text(value, name, low=low, high=high)
    if _TAG_ASCII.fullmatch(checked) or all(map(_is_tag_character, checked)):
        return checked
    raise violation(
        value, name, r"Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
    )


def _is_tag_character(character: str) -> bool:
    # The standard library's re has no \p{L}; the first letter of the Unicode category is the same thing.
    return character in _TAG_PUNCTUATION or unicodedata.category(character)[0] in "LZN"
