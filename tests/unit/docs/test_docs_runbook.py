"""Every Reason of the runbook is in the code, and every Reason of the code is in the runbook."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hosted_model_runtime import contract
from hosted_model_runtime.decisions import lease
from hosted_model_runtime.decisions.model import Observed, Phase, Units
from hosted_model_runtime.decisions.next_move import REPORTED, STRIPPED
from hosted_model_runtime.decisions.request import Claim, Request
from hosted_model_runtime.decisions.steps import Fail, Running, decide
from hosted_model_runtime.invocation.driver import ADVICE
from hosted_model_runtime.services import ADAPTERS, adapter
from unit.docs.pages import ROOT, code, rows

RUNTIME = sorted((ROOT / "lambda" / "hosted_model_runtime").rglob("*.py"))


def reasons() -> list[str]:
    """The first column of the runbook's tables of Reasons."""
    return [text for row in rows("docs/operations.md", "Reason has") for text in code(row[0])]


def said_by_the_runtime() -> str:
    """Every literal of the runtime, f-strings' fixed parts too; parts that stand together are one."""
    found = [
        node.value
        for path in RUNTIME
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\n".join(found)


@pytest.mark.parametrize("reason", reasons())
def test_a_reason_of_the_runbook_is_in_the_code(reason):
    assert reason in said_by_the_runtime()


@pytest.mark.parametrize("row", list(rows("docs/operations.md", "message begins with")), ids=str)
def test_a_log_line_of_the_runbook_is_in_the_code(row):
    for text in code(row[0]):
        # "Answer: SUCCESS" and "lookoutvision:" are put together when they are logged.
        assert text.rstrip(":").split(": ")[0] in said_by_the_runtime()


def failures() -> Iterator[str]:
    """A Reason of each kind that the pure parts can give."""
    modules = [sys.modules[adapter(service).__module__] for service in ADAPTERS]
    known = [status for module in modules for status in module.PHASES.items()]
    for status, phase in [*known, ("", Phase.ABSENT)]:
        for started in (False, True):
            seen = Observed(phase, "boards/1", status, min_units=3)
            step = decide(Running(1), seen, started)
            if isinstance(step, Fail):
                yield step.reason
    yield from ADVICE.values()
    yield REPORTED
    yield STRIPPED
    claim, later = _claim("Create", "mine", 1), _claim("Delete", "other", 2)
    for tags, phase in (
        ({contract.Tag.STACK: "another"}, Phase.STOPPED),
        (_mark_of_another_resource(), Phase.STOPPED),
        (lease.closing_tag(later), Phase.STOPPED),
        ({}, Phase.RUNNING),
    ):
        yield lease.judge(tags, claim, phase).reason
    for minimum, maximum in ((0, None), ("one", None), (2, 1)):
        yield contract.check_units(minimum, maximum) or ""
    for value in ("", "-"):
        yield contract.LookoutVision.LIMITS["ProjectName"].check(value) or ""
    yield contract.Rekognition.check({}) or ""


def _claim(kind: str, stack: str, day: int) -> Claim:
    issued = datetime(2026, 1, day, tzinfo=UTC)
    return Claim(Request(kind, "request", stack, "Model", "service", {}, Units(1), issued), "id")


def _mark_of_another_resource() -> dict[str, str]:
    """Two resources of one stack declare one model."""
    claim = _claim("Create", "mine", 2)
    return lease.owner_tags(claim, lease.first_mark(claim, {}, None)) | {contract.Tag.LOGICAL_ID: "Other"}


@pytest.mark.parametrize("reason", sorted(set(failures())))
def test_a_reason_of_the_code_is_in_the_runbook(reason):
    assert [text for text in reasons() if text in reason]
