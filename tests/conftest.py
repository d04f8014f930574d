"""Fixtures of every test."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "true")
os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "true")
os.environ.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "true")


# No test is timed: on a busy machine a first example takes long.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_parse, _PARSED = JSONFileLoader.load_file, dict[str, Any]()


def _parse_once(self: JSONFileLoader, path: str) -> Any:
    """Do what botocore does anew for every session, once a process."""
    if path not in _PARSED and (found := _parse(self, path)) is not None:
        _PARSED[path] = found
    return _PARSED.get(path)


JSONFileLoader.load_file = _parse_once


@pytest.fixture
def virtual_time() -> Iterator[None]:
    """The code under test in virtual worlds."""
    from support.world import virtual

    with virtual():
        yield


@pytest.fixture
def no_logs() -> Iterator[None]:
    """Thousands of runs, and nobody reads their logs."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
