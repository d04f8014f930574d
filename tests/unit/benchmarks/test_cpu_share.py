"""The function under a CPU quota."""

from __future__ import annotations

import pytest
from benchmarks import ROOT, cpu_share, report
from benchmarks.rows import Results

from hosted_model_runtime.cloudformation import origin
from hosted_model_runtime.contract import Env

HOST = "localhost:1234"


@pytest.mark.parametrize("tick", [False, True])
def test_the_function_takes_its_events(tick: bool) -> None:
    origin.check(cpu_share.event(HOST, tick), {**cpu_share.ENVIRONMENT, Env.LOCAL_RESPONSE_HOST: HOST})


def test_a_quota_makes_it_slower(tmp_path) -> None:
    with cpu_share.quota(1.0) as joins:
        if joins is None:
            pytest.skip("no control group can be made here")
    task = ROOT / "lambda"
    # It needs a third of a second of a core, on a fast machine.
    assert cpu_share.run(0.1, task, tmp_path)["first look"] > 1.5
    assert cpu_share.run(1.0, task, tmp_path, tick=True)["handover"] > 0


def test_price_and_lag_follow_the_memory() -> None:
    work = {
        "measure": "work", "design": "hosted-model", "default": True, "memory": 160, "gb_seconds": 16.0,
        "invocations": 3.0, "lag": 1.0,
    }  # fmt: skip
    sizes = [
        {"measure": "cpu-share", "memory": memory, "answer": answer, "default": memory == 160}
        for memory, answer in ((160, 0.3), (1769, 0.1))
    ]
    small, whole = report.by_memory(Results({}, [work, *sizes]))
    assert (small["lag"], whole["lag"]) == (pytest.approx(1.2), 1.0)
    assert whole["dollars"] / small["dollars"] == pytest.approx(1769 / 160, rel=0.01)
    assert report.by_memory(Results({}, [work])) == []
