"""A construct is renamed or moved within its stack: its model passes to the new logical ID, and back.

CloudFormation creates the new resource, then deletes the old one. When it rolls that back it deletes the new
one, and tells the old one, which stays declared, nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

from chaos.lifecycles import Report, kills
from chaos.trouble import fence
from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import polling
from support.cases import PROJECT, ServiceCase
from support.cloudformation import Script, Stack, play
from support.lateness import ON_TIME, Lateness
from support.world import World

Story = Callable[["House"], Iterator[Script]]


@dataclass
class House:
    """One stack whose resource ``Old`` hosts model 1, and a deploy that renames it to ``New``."""

    world: World
    case: ServiceCase
    old: Stack = field(init=False)
    new: Stack = field(init=False)

    def __post_init__(self) -> None:
        for version in ("1", "2"):
            self.set(version, status=self.case.stopped, start_seconds=4, stop_seconds=2)
        self.old = Stack(self.world, self.case, "Stack", "Old")
        self.new = Stack(self.world, self.case, "Stack", "New")

    def set(self, version: str, **given: object) -> None:
        body = {"service": self.case.name, **given}
        self.world.control("PUT", f"models/{PROJECT}/{version}", body)

    def model(self, version: str = "1") -> dict:
        return self.world.control("GET", f"models/{PROJECT}/{version}?service={self.case.name}")

    def asked(self, version: str = "1", units: int = 1, **more: str) -> dict:
        return self.case.properties(version, units, **more)

    def rename(
        self, properties: dict, *, neighbour_fails: bool = False, cancel: float | None = None
    ) -> Script:
        """Create the new resource; then clean up the old one, or roll the new one back."""
        before = self.old.properties
        create = self.new.create(properties, interrupt=cancel, rollback=False)
        yield from create
        pause = self.world.now + 1.0
        self.world.at(pause, lambda: None)
        yield lambda: self.world.now >= pause
        sent = self.new.requests[-1]
        if sent.ok and cancel is None and not neighbour_fails:
            self.new.properties = properties
            yield from self.old._delete(before or {}, self.old.physical_id)
            return
        physical_id = sent.answers[0].body["PhysicalResourceId"] if sent.answers else "Stack-New-1A2B3C"
        yield from self.new._delete(properties, physical_id)

    def destroy(self) -> Script:
        for one in (self.new, self.old):
            if one.properties is not None:
                yield from one.delete()


def succeeds(house: House) -> Iterator[Script]:
    yield house.old.create(house.asked())
    yield house.rename(house.asked())


def succeeds_and_is_destroyed(house: House) -> Iterator[Script]:
    yield from succeeds(house)
    yield house.destroy()


def resizes(house: House) -> Iterator[Script]:
    yield house.old.create(house.asked())
    yield house.rename(house.asked(units=2))


def rolls_back(house: House) -> Iterator[Script]:
    yield house.old.create(house.asked())
    yield house.rename(house.asked(), neighbour_fails=True)


def resize_rolls_back(house: House) -> Iterator[Script]:
    yield house.old.create(house.asked())
    yield house.rename(house.asked(units=2), neighbour_fails=True)


def cancelled(after: float, units: int = 1) -> Story:
    def story(house: House) -> Iterator[Script]:
        yield house.old.create(house.asked())
        yield house.rename(house.asked(units=units), cancel=after)

    return story


def there_and_back(house: House) -> Iterator[Script]:
    yield from succeeds(house)
    house.old, house.new = house.new, house.old
    yield house.rename(house.asked())


def rolls_back_and_is_destroyed(house: House) -> Iterator[Script]:
    yield from rolls_back(house)
    yield house.destroy()


def asleep(house: House) -> Iterator[Script]:
    yield house.old.create(house.asked(HostingHours="true"))
    yield house.old.hours("Stop")
    yield house.rename(house.asked(HostingHours="true"))


def asleep_rolls_back(house: House) -> Iterator[Script]:
    yield house.old.create(house.asked(HostingHours="true"))
    yield house.old.hours("Stop")
    yield house.rename(house.asked(HostingHours="true"), neighbour_fails=True)


def asleep_is_woken_then_rolls_back(house: House) -> Iterator[Script]:
    """The new construct has no hours, so the model runs; the old one has, and slept."""
    yield house.old.create(house.asked(HostingHours="true"))
    yield house.old.hours("Stop")
    yield house.rename(house.asked(), neighbour_fails=True)


@dataclass(frozen=True)
class Expected:
    """How a story ends: the owner of model 1, whether it runs, with which units, how often it started."""

    owner: str | None
    runs: bool = True
    units: int = 1
    starts: int = 1
    #: Where units change in place.
    starts_in_place: int | None = None


STORIES: dict[str, tuple[Story, Expected]] = {
    "succeeds": (succeeds, Expected("New")),
    "succeeds and is destroyed": (succeeds_and_is_destroyed, Expected(None, runs=False)),
    "resizes": (resizes, Expected("New", units=2, starts=2, starts_in_place=1)),
    "rolls back": (rolls_back, Expected("Old")),
    "resize rolls back": (resize_rolls_back, Expected("Old", starts=3, starts_in_place=1)),
    "cancelled at once": (cancelled(0.05), Expected("Old")),
    "cancelled later": (cancelled(2.0), Expected("Old")),
    "resize cancelled while stopping": (cancelled(1.0, 2), Expected("Old", starts=2)),
    "resize cancelled while starting": (cancelled(4.0, 2), Expected("Old", starts=3)),
    "there and back": (there_and_back, Expected("Old")),
    "rolls back and is destroyed": (rolls_back_and_is_destroyed, Expected(None, runs=False)),
    "asleep": (asleep, Expected("New", runs=False)),
    "asleep, rolls back": (asleep_rolls_back, Expected("Old", runs=False)),
    "woken, rolls back": (asleep_is_woken_then_rolls_back, Expected("Old", runs=False, starts=2)),
}
#: Where a kill decides how far the request came before it was cancelled, and with that how often it starts.
RACES = {name for name in STORIES if "cancelled" in name}


def tell(
    case: ServiceCase,
    name: str,
    kill: tuple[int, str] | None = None,
    latency: float = 0.0,
    lateness: Lateness = ON_TIME,
    fenced: bool = True,
    **more: int,
) -> tuple[World, list[str]]:
    """Play a story, in a world with ``more``, and return what is not as expected at its end."""
    story, expected = STORIES[name]
    world = World(
        latency=latency, function_seconds=900.0, requests_per_second=None, lateness=lateness, **more
    )
    if kill:
        world.kill_at = {kill[0]: kill[1]}
    fence(world, case, fenced)
    house = House(world, case)
    # "There and back" swaps them; at the end names count, not variables.
    with patch.object(polling, "LONGEST", 12.0):
        for script in story(house):
            play(world, script)
        world.run()
    wrong = _wrong(house, expected, name)
    world.discard()
    return world, wrong


def _wrong(house: House, expected: Expected, name: str) -> list[str]:
    seen, case, wrong = house.model(), house.case, []
    owner = seen["tags"].get(Tag.LOGICAL_ID)
    status = case.running if expected.runs else case.stopped
    if owner != expected.owner:
        wrong.append(f"owner is {owner}")
    if seen["status"] != status:
        wrong.append(f"model is {seen['status']}")
    if expected.runs and seen["min_inference_units"] != expected.units:
        wrong.append(f"{seen['min_inference_units']} units")
    in_place = case.resize and expected.starts_in_place
    if name not in RACES and seen["starts"] != (in_place or expected.starts):
        wrong.append(f"{seen['starts']} starts")
    for resource in (house.old, house.new):
        wrong += [
            f"{resource.logical_id} {sent.event['RequestType']}: {sent.answer}"
            for sent in resource.requests
            if not sent.ok and not sent.abandoned
        ]
    if house.world.rules:
        wrong.append("a rule is left")
    return wrong


def killed_everywhere(case: ServiceCase, name: str, every: bool = False, fenced: bool = True) -> Report:
    """Kill a story at each of its calls, before and after; it must end as if it had not been killed."""
    calm, wrong = tell(case, name, fenced=fenced)
    report = Report(1, [f"{case.name}, rename {name}: {line}" for line in wrong])
    for number, when in kills(calm.calls, every):
        _, wrong = tell(case, name, (number, when), fenced=fenced)
        what = f"{case.name}, rename {name}, killed {when} call {number} ({calm.calls[number].what})"
        report.broken += [f"{what}: {line}" for line in wrong]
        report.runs += 1
    return report
