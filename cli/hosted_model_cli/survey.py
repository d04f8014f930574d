"""All models of several regions and services, asked for in parallel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from hosted_model_runtime.decisions.model import Phase

from . import models
from .aws import Cloud, ServiceError
from .models import Model
from .owners import Declared, Owners, Ownership

#: Each region and service is one thread, which mostly waits.
_THREADS = 40


@dataclass(frozen=True)
class Entry:
    """A model, and whether a stack declares it."""

    model: Model
    ownership: Ownership


@dataclass(frozen=True)
class Problem:
    """What could not be asked."""

    service: str
    region: str
    message: str

    def __str__(self) -> str:
        return f"{self.service} in {self.region}: {self.message}"


@dataclass
class Survey:
    """What was found, and what could not be asked; in the order of region, service and name."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def survey(
    cloud: Cloud,
    places: Sequence[tuple[str, str]],
    *,
    stopped: bool = False,
    done: Callable[[], None] = lambda: None,
) -> Survey:
    """Ask every place, a pair of region and service; one that fails is a problem and not the end.

    Parameters
    ----------
    stopped
        Whether to look also for stopped models that a stack declares.
    done
        Called once for each place that was asked.
    """
    owners, found = Owners(cloud), Survey()
    phases = models.AWAKE | models.ASLEEP if stopped else models.AWAKE
    pool = ThreadPoolExecutor(max_workers=min(_THREADS, max(1, len(places))))
    try:
        asked = {pool.submit(_place, cloud, owners, *place, phases): place for place in places}
        for future in as_completed(asked):
            entries, problems = future.result()
            found.entries += entries
            found.problems += problems
            done()
    finally:
        # An interrupted survey must not wait for the regions that nobody wants any more.
        pool.shutdown(wait=False, cancel_futures=True)
    found.entries.sort(key=lambda one: (one.model.region, one.model.service, one.model.arn))
    found.problems.sort(key=lambda one: (one.region, one.service))
    return found


def _place(
    cloud: Cloud, owners: Owners, region: str, service: str, phases: Collection[Phase]
) -> tuple[list[Entry], list[Problem]]:
    entries: list[Entry] = []
    problems: list[Problem] = []
    try:
        for model in models.in_region(cloud, region, service, phases):
            ownership = owners.judge(model.lease)
            if ownership.declared is Declared.UNKNOWN:
                problems.append(Problem("cloudformation", region, f"{model.name}: {ownership.reason}"))
            if model.seen.phase in models.AWAKE or ownership.declared is Declared.YES:
                entries.append(Entry(model, ownership))
    except ServiceError as error:
        # What was found before it failed stays found.
        problems.append(Problem(service, region, str(error)))
    return entries, problems
