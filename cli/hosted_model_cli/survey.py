"""All models of several regions and services, asked for in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from . import models
from .aws import Cloud, ServiceError
from .models import Depth, Model
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
    """What was found, and what could not be asked; in the order of region, service and name.

    ``regions`` are those that were to be asked; ``answered`` and ``lacking`` are pairs of region and service:
    who answered, and which region does not have the service.
    """

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    answered: set[tuple[str, str]] = field(default_factory=set)
    lacking: set[tuple[str, str]] = field(default_factory=set)
    regions: list[str] = field(default_factory=list)

    def unasked(self) -> dict[str, list[dict[str, str]]]:
        """Return the members of a JSON document that say what was not asked."""
        return {
            "problems": [
                {"service": one.service, "region": one.region, "message": one.message}
                for one in self.problems
            ],
            "not_offered": [
                {"service": service, "region": region} for region, service in sorted(self.lacking)
            ],
        }

    def add(self, other: Survey) -> None:
        """Take in what another one found."""
        self.entries += other.entries
        self.problems += other.problems
        self.answered |= other.answered
        self.lacking |= other.lacking


def survey(
    cloud: Cloud,
    places: Sequence[tuple[str, str]],
    *,
    depth: Depth = Depth.OWNED,
    done: Callable[[], None] = lambda: None,
) -> Survey:
    """Ask every place, a pair of region and service; one that fails is a problem and not the end.

    Parameters
    ----------
    depth
        Whether to look for stopped models too.
    done
        Called once for each place that was asked.
    """
    owners, found = Owners(cloud), Survey()
    pool = ThreadPoolExecutor(max_workers=min(_THREADS, max(1, len(places))))
    try:
        asked = {pool.submit(_place, cloud, owners, *place, depth): place for place in places}
        for future in as_completed(asked):
            found.add(future.result())
            done()
    finally:
        # An interrupted survey must not wait for the regions that nobody wants any more.
        pool.shutdown(wait=False, cancel_futures=True)
    found.entries.sort(key=lambda one: (one.model.region, one.model.service, one.model.arn))
    found.problems.sort(key=lambda one: (one.region, one.service))
    return found


def _place(cloud: Cloud, owners: Owners, region: str, service: str, depth: Depth) -> Survey:
    found = Survey()
    try:
        for model in models.in_region(cloud, region, service, depth):
            ownership = owners.judge(model.lease)
            if ownership.declared is Declared.UNKNOWN:
                found.problems.append(Problem("cloudformation", region, f"{model.name}: {ownership.reason}"))
            # A stopped model with the lease of an owner that is gone bills nothing.
            if _is_awake(model) or depth is Depth.ALL or ownership.declared is Declared.YES:
                found.entries.append(Entry(model, ownership))
        found.answered.add((region, service))
    except ServiceError as error:
        if cloud.lacks(region, service, error):
            found.lacking.add((region, service))
        else:
            # What was found before it failed stays found.
            found.problems.append(Problem(service, region, str(error)))
    return found


def _is_awake(model: Model) -> bool:
    return model.seen.phase in models.AWAKE
