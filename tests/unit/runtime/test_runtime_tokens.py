"""ClientTokens: within the API's limits, repeatable, and never shared by two different calls."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hosted_model_runtime.decisions.tokens import client_token, fingerprint

#: "Pattern: ^[a-zA-Z0-9-]+$ … Maximum length of 64" (StartModel, Amazon Lookout for Vision API Reference).
PATTERN = re.compile(r"[a-zA-Z0-9-]{1,64}")
TEXT = st.text(max_size=40)
UNITS = st.none() | st.integers(1, 1000)
INPUTS = st.fixed_dictionaries(
    {
        "stack_id": TEXT,
        "logical_id": TEXT,
        "request_id": TEXT,
        "verb": st.sampled_from(["Start", "Stop", "Abort"]),
        "model_arn": TEXT,
        "min_units": UNITS,
        "max_units": UNITS,
    }
)


@given(INPUTS)
def test_a_token_is_within_the_limits(inputs: dict[str, Any]) -> None:
    assert PATTERN.fullmatch(client_token(**inputs))


@given(INPUTS)
def test_the_same_inputs_give_the_same_token(inputs: dict[str, Any]) -> None:
    assert client_token(**inputs) == client_token(**inputs)


@given(INPUTS, INPUTS)
def test_other_inputs_give_another_token(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(one != other)
    assert client_token(**one) != client_token(**other)


@pytest.mark.parametrize(
    "changed",
    [
        {"stack_id": "s2"},
        {"logical_id": "l2"},
        {"request_id": "r2"},
        {"verb": "Stop"},
        {"model_arn": "a2"},
        {"min_units": 2},
        {"max_units": 3},
        {"max_units": None},
    ],
)
def test_each_input_counts(changed: dict[str, Any]) -> None:
    base = {"stack_id": "s", "logical_id": "l", "request_id": "r", "verb": "Start", "model_arn": "a"}
    units = {"min_units": 1, "max_units": 2}
    assert client_token(**base, **units) != client_token(**{**base, **units, **changed})


def test_a_token_is_the_same_from_release_to_release() -> None:
    """A request that a deployment of the function interrupts is continued by the next version of it."""
    written = b'["stack","Model","request","Start","arn",1,null]'
    token = client_token("stack", "Model", "request", "Start", "arn", 1)
    assert token == hashlib.sha256(written).hexdigest()


@given(TEXT, TEXT)
def test_parts_are_kept_apart(one: str, other: str) -> None:
    assume(other)
    assert fingerprint(one, other) != fingerprint(one + other, "")


@given(st.lists(TEXT))
def test_a_fingerprint_is_12_hexadecimal_digits(parts: list[str]) -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint(*parts))
