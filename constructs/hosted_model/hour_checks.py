"""What is wrong, or odd, about windows of hosting hours: found by reckoning their next starts and stops."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from .cron import Schedule, can_reckon, first, some

Window = tuple[Schedule | None, Schedule | None]
#: A window that can be reckoned, with its number.
Known = tuple[int, Schedule, Schedule]

#: How far ahead windows are compared, and how many times of each.
_AHEAD = timedelta(days=70)
_MOST = 400
#: The minutes of an expression that names none.
_EVERY_MINUTE = 60
#: So many times that coincide are no chance.
_COINCIDE = 5
#: A start takes minutes, and EventBridge Scheduler is on time within one.
_CLOSE = timedelta(minutes=5)


def now() -> datetime:
    """Return the time of the synth."""
    return datetime.now(UTC)


def wrong(start: Schedule | None, stop: Schedule | None) -> str | None:
    """Say why a window can never be one, or None."""
    if start is None or stop is None or not _known(start, stop):
        return None
    begin = now()
    starts = list(zip(range(_COINCIDE), start.after(begin), strict=False))
    stops = list(zip(range(_COINCIDE), stop.after(begin), strict=False))
    if starts and starts == stops:
        return f"start must be another time than stop, but both are the same: {_next(start, stop)}"
    for name, schedule, times in (("start", start, starts), ("stop", stop, stops)):
        if not times and schedule.once is None:
            return f"{name} must have a time in the coming five years, but {schedule.text} has none"
    return None


def odd(windows: Sequence[Window]) -> Iterator[str]:
    """Yield what may not be meant, each window with its next start and stop."""
    known = [
        (number, start, stop)
        for number, (start, stop) in enumerate(windows)
        if start is not None and stop is not None and _known(start, stop)
    ]
    for number, start, stop in known:
        yield from _odd(f"hosting_hours[{number}]", start, stop)
    events = _events(known)
    yield from _overlapping(known, events)
    yield from _close(known, events)


def _odd(name: str, start: Schedule, stop: Schedule) -> Iterator[str]:
    begin = now()
    if start.zone != stop.zone:
        yield (
            f"{name} starts in {start.zone} and stops in {stop.zone}: name one time zone for both unless "
            f"that is meant; {_next(start, stop)}."
        )
    for what, schedule in (("start", start), ("stop", stop)):
        if len(schedule.minutes) == _EVERY_MINUTE:
            yield (
                f"{name}: its {what}, {schedule.text}, comes in every minute of its hours, and so undoes "
                f'what is done by hand meanwhile: say minute="0" unless that is meant; {_next(start, stop)}.'
            )
        if schedule.once is not None and first(schedule, begin) is None:
            yield f"{name}: its {what}, {schedule.text} in {schedule.zone}, is past; {_next(start, stop)}."
    if start.once is not None and stop.once is not None:
        began, ends = first(start, begin), first(stop, begin)
        if began is not None and ends is not None and ends < began:
            yield f"{name} stops before it starts: {_next(start, stop)}."


def _events(known: Sequence[Known]) -> list[tuple[datetime, int, int]]:
    """Return the coming starts (0) and stops (1), with the numbers of their windows."""
    begin = now()
    # Of one moment the starts come first: there the stop wins, and the window that starts is lost.
    return list(
        heapq.merge(
            *(
                [
                    (when.astimezone(UTC), order, number)
                    for when in some(schedule, begin, begin + _AHEAD, _MOST)
                ]
                for number, start, stop in known
                for order, schedule in ((0, start), (1, stop))
            )
        )
    )


def _close(known: Sequence[Known], events: Sequence[tuple[datetime, int, int]]) -> Iterator[str]:
    texts = {number: _next(start, stop) for number, start, stop in known}
    for (when, order, number), (then, next_order, other) in pairwise(events):
        if order != next_order and timedelta(0) < then - when < _CLOSE:
            what, follows = ("starts", "stops") if order == 0 else ("stops", "starts")
            who = "it" if other == number else f"hosting_hours[{other}]"
            yield (
                f"hosting_hours[{number}] {what} at {_text(when)}, and {who} {follows} "
                f"{(then - when).seconds // 60} min later: leave at least {_CLOSE.seconds // 60} min between "
                f"a start and a stop, as a start takes minutes; {texts[number]}."
            )
            return


def _overlapping(known: Sequence[Known], events: Sequence[tuple[datetime, int, int]]) -> Iterator[str]:
    said = set()
    since: dict[int, datetime] = {}
    for when, order, number in events:
        if order == 1:
            since.pop(number, None)
            continue
        for other in since:
            pair = tuple(sorted((number, other)))
            if other != number and pair not in said:
                said.add(pair)
                texts = {which: _next(start, stop) for which, start, stop in known if which in pair}
                yield (
                    f"hosting_hours[{pair[0]}] and hosting_hours[{pair[1]}] overlap, at {_text(when)}: the "
                    "first stop of the two ends both. "
                    + "; ".join(f"hosting_hours[{which}]: {text}" for which, text in texts.items())
                    + "."
                )
        since[number] = when


def _known(*schedules: Schedule) -> bool:
    return all(can_reckon(each.zone) for each in schedules)


def _next(start: Schedule, stop: Schedule) -> str:
    begin = now()
    return f"next start {_text(first(start, begin))}, next stop {_text(first(stop, begin))}"


def _text(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} {when.tzinfo}" if when else "never"
