"""A job is some histories of one seed; it is the same job whatever its process did before."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.internal.conjecture import engine, providers
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from chaos import record
from support.cases import CASES
from support.world import virtual

#: Histories of a job.
EXAMPLES = 50
EVENTS, APPS = "events", "apps"
#: The service of a job of apps.
ALL = "all"


@dataclass(frozen=True)
class Job:
    """Histories of a kind: of events, over one service, or of apps, over all."""

    kind: str
    service: str
    seed: int
    examples: int = EXAMPLES
    shrink: bool = True

    def __str__(self) -> str:
        return f"{self.kind}:{self.service}:{self.seed}"

    @staticmethod
    def parse(text: str, examples: int = EXAMPLES, shrink: bool = True) -> Job:
        """Return the job of which this is the text; ValueError where it is none."""
        kind, service, seed = (*text.split(":"), "", "")[:3]
        services = {EVENTS: set(CASES), APPS: {ALL}}
        if service not in services.get(kind, ()) or not seed.isdigit() or text.count(":") != 2:
            known = ", ".join(f"{EVENTS}:{name}:SEED" for name in CASES)
            raise ValueError(f"REPLAY must be one of {known}, {APPS}:{ALL}:SEED, but it is {text!r}")
        return Job(kind, service, int(seed), examples, shrink)


@dataclass
class Found:
    """What a job showed."""

    counted: dict[str, int]
    broken: list[str]
    traces: list[str] = field(default_factory=list)


def play(job: Job) -> Found:
    """Play the histories of a job."""
    record.clear()
    wanted = settings(
        max_examples=job.examples,
        stateful_step_count=14,
        deadline=None,
        database=None,
        # Else Hypothesis goes on for ten seconds by the wall clock, and finds as much as it can in them.
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if job.shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    output = io.StringIO()
    broken = ""
    with alike(), virtual(), contextlib.redirect_stdout(output):
        try:
            run_state_machine_as_test(seeded(job.seed)(machine(job)), settings=wanted)
        except Exception as error:
            notes = "\n".join(getattr(error, "__notes__", []))
            broken = f"REPLAY={job}\n{error}\n{notes}\n{output.getvalue()}"
            if not isinstance(error, AssertionError):
                broken += traceback.format_exc()
    return Found(dict(record.COUNTED), [broken] if broken else [], list(record.TRACES))


def machine(job: Job) -> type[RuleBasedStateMachine]:
    """Return the state machine of a job."""
    from chaos import app_histories, histories

    return app_histories.AppHistories if job.kind == APPS else histories.machine(job.service)


@contextlib.contextmanager
def alike() -> Iterator[None]:
    """Let nothing in that differs from process to process, nor from one job to the next.

    Hypothesis draws, now and then, a constant that stands in a module of the project which is loaded: what
    is loaded depends on what the process did before. And it shrinks for as long as five minutes take it.
    """
    state, root = random.getstate(), logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [logging.NullHandler()]
    root.setLevel(logging.WARNING)
    random.seed(0)
    nothing = providers.Constants()
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        with (
            patch.object(providers, "_get_local_constants", lambda: nothing),
            patch.object(engine, "MAX_SHRINKING_SECONDS", 10**9),
        ):
            yield
    finally:
        providers.CONSTANTS_CACHE.cache.clear()
        random.setstate(state)
        root.handlers[:] = handlers
        root.setLevel(level)
