"""The lifecycles whose every call boundary is killed, before and after its effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from unittest.mock import patch

from chaos.trouble import fence
from hosted_model_runtime.decisions import polling
from hosted_model_runtime.invocation import driver
from support.cases import PROJECT, ServiceCase
from support.cloudformation import Script, Stack, play
from support.invariants import Promises
from support.lateness import ON_TIME, Lateness
from support.world import FUNCTION_SECONDS, Call, World

#: Seconds of a slow start, and what the lease remembers of the one before: two that took a little longer.
SLOW, REMEMBERED = 310.0, "took480-5"
Lifecycle = Callable[[Stack], Iterator[Script]]
#: Seconds between two polls, at the most; and, where all takes minutes, at the least.
POLLS, SLOW_POLLS = 12.0, 20.0
IN_ONE = {"start_seconds": 4, "stop_seconds": 2}
HANDED_OVER = {"start_seconds": 240, "stop_seconds": 170}


def seed(world: World, case: ServiceCase, version: str, **given: Any) -> None:
    """Put a trained model there; short times, because every boundary is gone through."""
    # In a function that is over before the model has started, every start is handed over.
    times = HANDED_OVER if world.function_seconds < FUNCTION_SECONDS else IN_ONE
    body = {"service": case.name, "status": case.stopped, **times, **given}
    if case.resize:
        body = {"resize_seconds": 3, **body}
    world.control("PUT", f"models/{PROJECT}/{version}", body)


def create_and_delete(stack: Stack) -> Iterator[Script]:
    yield stack.create(stack.case.properties("1"))
    yield stack.delete()


def create_fails(stack: Stack) -> Iterator[Script]:
    seed(stack.world, stack.case, "1", start_outcome=stack.case.failed)
    yield stack.create(stack.case.properties("1"))


def create_after_a_failed_hosting(stack: Stack) -> Iterator[Script]:
    seed(stack.world, stack.case, "1", status=stack.case.failed)
    # It failed a while ago.
    yield stack.a_while(15.0)
    yield stack.create(stack.case.properties("1"))


def create_of_an_untrained_model(stack: Stack) -> Iterator[Script]:
    seed(stack.world, stack.case, "1", status=stack.case.unready)
    yield stack.create(stack.case.properties("1"))


def interrupted_create(after: float) -> Lifecycle:
    def script(stack: Stack) -> Iterator[Script]:
        yield stack.create(stack.case.properties("1"), interrupt=after)

    return script


def resize(stack: Stack) -> Iterator[Script]:
    yield stack.create(stack.case.properties("1"))
    yield stack.update(stack.case.properties("1", 2))


def resize_rolled_back(stack: Stack) -> Iterator[Script]:
    yield stack.create(stack.case.properties("1"))
    yield stack.update(stack.case.properties("1", 2), fails_beside=True)


def resize_fails(stack: Stack) -> Iterator[Script]:
    seed(stack.world, stack.case, "1", resize_fails=True)
    yield stack.create(stack.case.properties("1"))
    yield stack.update(stack.case.properties("1", 2))


def swap(stack: Stack) -> Iterator[Script]:
    yield stack.create(stack.case.properties("1"))
    yield stack.update(stack.case.properties("2"))


def swap_rolled_back(stack: Stack) -> Iterator[Script]:
    yield stack.create(stack.case.properties("1"))
    yield stack.update(stack.case.properties("2"), fails_beside=True)


def swap_fails(stack: Stack) -> Iterator[Script]:
    seed(stack.world, stack.case, "2", start_outcome=stack.case.failed)
    yield stack.create(stack.case.properties("1"))
    yield stack.update(stack.case.properties("2"))


def cancelled(version: str, units: int, after: float) -> Lifecycle:
    def script(stack: Stack) -> Iterator[Script]:
        yield stack.create(stack.case.properties("1"))
        yield stack.update(stack.case.properties(version, units), cancel=after)

    return script


def adopt(stack: Stack) -> Iterator[Script]:
    seed(stack.world, stack.case, "1", status=stack.case.running, min_inference_units=1)
    yield stack.create(stack.case.properties("1", OnRunning="ADOPT"))
    yield stack.delete()


def out_of_time(stack: Stack) -> Iterator[Script]:
    # A kill costs up to 300 s: a minute until Lambda's next delivery, 75 s because that one is late, and 165
    # s for other claims where there is no fence.
    seed(stack.world, stack.case, "1", start_seconds=575, stop_seconds=2)
    yield stack.create(stack.case.properties("1", HostingTimeoutSeconds=600))


def with_hours(version: str = "1", units: int = 1) -> Callable[[Stack], dict[str, Any]]:
    return lambda stack: stack.case.properties(version, units, HostingHours="true")


def a_day(stack: Stack) -> Iterator[Script]:
    yield stack.create(with_hours()(stack))
    yield stack.hours("Stop")
    yield stack.hours("Start")
    yield stack.delete()


def updated_asleep(version: str, units: int) -> Lifecycle:
    def script(stack: Stack) -> Iterator[Script]:
        yield stack.create(with_hours()(stack))
        yield stack.hours("Stop")
        yield stack.update(with_hours(version, units)(stack))
        yield stack.hours("Start")

    return script


def wakes_with_trouble(stack: Stack) -> Iterator[Script]:
    yield stack.create(with_hours()(stack))
    yield stack.hours("Stop")
    seed(stack.world, stack.case, "1", start_outcome=stack.case.failed)
    yield stack.hours("Start", seconds=1200.0)


def meets(goal: str, before: str, after: float) -> Lifecycle:
    """A deploy that comes while a schedule's start or stop is under way."""

    def script(stack: Stack) -> Iterator[Script]:
        yield stack.create(with_hours()(stack))
        if before:
            yield stack.hours(before)
        yield stack.hours(goal, seconds=after)
        yield stack.update(with_hours(units=2)(stack))

    return script


def deleted_while_waking(after: float) -> Lifecycle:
    def script(stack: Stack) -> Iterator[Script]:
        yield stack.create(with_hours()(stack))
        yield stack.hours("Stop")
        yield stack.hours("Start", seconds=after)
        yield stack.delete()

    return script


def slow(script: Lifecycle) -> Lifecycle:
    """The same, but after the first deploy starts are slow, and remembered: nobody waits while one is far."""

    def slowly(stack: Stack) -> Iterator[Script]:
        scripts = script(stack)
        yield next(scripts)
        for model in stack.world.control("GET", "models"):
            tags = {key: re.sub("took[0-9]+", REMEMBERED, value) for key, value in model["tags"].items()}
            change = {"service": stack.case.name, "start_seconds": SLOW, "tags": tags}
            stack.world.control("PUT", f"models/{PROJECT}/{model['version']}", change)
        yield from scripts

    return slowly


LIFECYCLES: Mapping[str, Lifecycle] = {
    "create and delete": create_and_delete,
    "create fails": create_fails,
    "create after a failed hosting": create_after_a_failed_hosting,
    "create of an untrained model": create_of_an_untrained_model,
    "create interrupted at once": interrupted_create(0.1),
    "create interrupted while starting": interrupted_create(2.0),
    "create interrupted when hosted": interrupted_create(6.0),
    "resize": resize,
    "resize rolled back": resize_rolled_back,
    "resize fails, where it is in place": resize_fails,
    "swap": swap,
    "swap rolled back": swap_rolled_back,
    "swap fails": swap_fails,
    "resize cancelled while stopping": cancelled("1", 2, 1.0),
    "resize cancelled while starting": cancelled("1", 2, 4.0),
    "swap cancelled while starting": cancelled("2", 1, 2.0),
    "adopt": adopt,
    "out of time": out_of_time,
    "slow: resize": slow(resize),
    "slow: swap": slow(swap),
    "slow: resize cancelled while nobody is there": slow(cancelled("1", 2, 170.0)),
    "slow: deleted while waking": slow(deleted_while_waking(170.0)),
    "hours: a day": a_day,
    "hours: resized asleep": updated_asleep("1", 2),
    "hours: swapped asleep": updated_asleep("2", 1),
    "hours: a start that fails": wakes_with_trouble,
    "hours: a deploy interrupted a start": meets("Start", "Stop", 2.0),
    "hours: a deploy interrupted a stop": meets("Stop", "", 1.0),
    "hours: a delete interrupted a start": deleted_while_waking(2.0),
}
#: Where something else in the stack comes between, a kill decides which of the two is first, and with that
#: how many starts there are; never more than one a request, which is a promise of its own.
#: So it is where a failing start is tried again, over a service without ClientTokens.
RACES = {
    name for name in LIFECYCLES if any(word in name for word in ("interrupted", "cancelled", "waking"))
} | {"hours: a start that fails"}


def kills(calls: list[Call], every: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the kills of a run: the number of a call, and whether before its effect or after it.

    Two sorts are left out, unless ``every`` wants them. Of a run of equal polls all but the first two and the
    last: those between leave nothing behind that the next one does not. And a kill before a call that comes
    at once after another one of its invocation: that is a kill after the other one.
    """
    made = [call.what for call in calls]
    after = -1
    for number, call in enumerate(calls):
        polls = made[max(0, number - 2) : number] + made[number + 1 : number + 2]
        if not every and polls == [call.what] * 3:
            continue
        at_once = after == number - 1 and number and replace(calls[after], what=call.what) == call
        if every or not at_once:
            yield number, "before"
        yield number, "after"
        after = number


@dataclass
class Result:
    """One run of a lifecycle."""

    calls: list[Call]
    starts: int
    killed: int
    statuses: list[str]
    broken: list[str]


def run(
    case: ServiceCase,
    lifecycle: Lifecycle,
    kill: tuple[int, str] | None = None,
    handover: bool = False,
    fenced: bool = True,
    lateness: Lateness = ON_TIME,
    **more: Any,
) -> Result:
    """Play a lifecycle, in a world with ``more``, with at most one kill, and check every promise.

    Polls are further apart than in production: there are fewer boundaries alike, and all are gone through.
    """
    least = SLOW_POLLS if handover else 0.0
    with (
        patch.multiple(polling, LONGER=POLLS, LONGEST=POLLS),
        patch.multiple(driver, LONGEST=max(POLLS, least), interval=partial(_waits, least)),
    ):
        return _run(case, lifecycle, kill, handover, fenced, lateness, **more)


def _waits(least: float, *given: Any) -> float:
    return max(least, polling.interval(*given))


def _run(
    case: ServiceCase,
    lifecycle: Lifecycle,
    kill: tuple[int, str] | None,
    handover: bool,
    fenced: bool,
    lateness: Lateness,
    **more: Any,
) -> Result:
    # With a short function and slow models every start is handed over, so that the relay's calls are killed,
    # too. It is longer than what a request waits for at the most before it goes on.
    world = World(
        function_seconds=300.0 if handover else FUNCTION_SECONDS,
        requests_per_second=None,
        lateness=lateness,
        **{"latency": 0.0, **more},
    )
    fence(world, case, fenced)
    for version in ("1", "2"):
        seed(world, case, version)
    if kill:
        world.kill_at = {kill[0]: kill[1]}
    stack = Stack(world, case)
    statuses = []
    for script in lifecycle(stack):
        if stack.status in ("NONE", "CREATE_COMPLETE"):
            play(world, script)
        statuses.append(stack.status)
    world.run()
    starts = sum(model["starts"] for model in world.control("GET", "models"))
    broken = Promises(world, case, [stack]).broken()
    world.discard()
    return Result(world.calls, starts, world.killed, statuses, broken)


@dataclass
class Report:
    """What killing a lifecycle everywhere showed."""

    runs: int
    broken: list[str]


def killed_everywhere(
    case: ServiceCase,
    name: str,
    handover: bool,
    every: bool = False,
    fenced: bool = True,
    lateness: Lateness = ON_TIME,
) -> Report:
    """Kill a lifecycle at each of its calls, before and after; it must end as if it had not been killed."""
    lifecycle = LIFECYCLES[name]
    calm = run(case, lifecycle, None, handover, fenced, lateness)
    report = Report(1, [f"{name}: {line}" for line in calm.broken])
    for number, when in kills(calm.calls, every):
        killed = run(case, lifecycle, (number, when), handover, fenced, lateness)
        wrong = list(killed.broken)
        if killed.killed != 1:
            wrong.append(f"{killed.killed} kills")
        if killed.statuses != calm.statuses:
            wrong.append(f"ended {killed.statuses}, not {calm.statuses}")
        if name not in RACES and killed.starts != calm.starts:
            wrong.append(f"{killed.starts} starts, not {calm.starts}")
        where = f"{case.name}, {name}, {'relay' if handover else 'one invocation'}"
        what = f"killed {when} call {number} ({calm.calls[number].what})"
        report.broken += [f"{where}, {what}: {line}" for line in wrong]
        report.runs += 1
    return report
