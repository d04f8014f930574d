"""PURE: which step brings a model nearer to its goal.

``(goal, observed, started) -> Start | Stop | Resize | Wait | Done | Fail``: the tables of the page on
concepts. Whether the request may take that step, ``next_move.py`` decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from .model import Observed, Phase, Resizing, Units


@dataclass(frozen=True, slots=True)
class Running:
    """Goal: hosted with these inference units.

    ``may_resize``: a model that runs with other units is resized; an update may do that. It is stopped and
    started again, unless the service can do it ``in_place``: then the model serves throughout.
    ``asked``: since when the request wants it, epoch seconds; what the service tried before was another's.
    ``any_units``: a model that runs is good with whatever units; a schedule leaves them to deploys.
    """

    min_units: int
    max_units: int | None = None
    may_resize: bool = False
    any_units: bool = False
    in_place: bool = False
    asked: float = 0.0

    def satisfied_by(self, seen: Observed) -> bool:
        return self.any_units or self.wants(seen.min_units, seen.max_units)

    def wants(self, minimum: int | None, maximum: int | None) -> bool:
        return minimum == self.min_units and _ceiling(minimum, maximum) == _ceiling(minimum, self.max_units)

    def made(self, resizing: Resizing) -> bool:
        """Say whether the service made this change of units for this request."""
        return resizing.since >= self.asked and self.wants(resizing.units.minimum, resizing.units.maximum)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Goal: stopped, and so not billed."""


@dataclass(frozen=True, slots=True)
class Start: ...


@dataclass(frozen=True, slots=True)
class Stop: ...


@dataclass(frozen=True, slots=True)
class Resize:
    """Change the units while the model serves."""

    units: Units


@dataclass(frozen=True, slots=True)
class Wait: ...


@dataclass(frozen=True, slots=True)
class Done: ...


@dataclass(frozen=True, slots=True)
class Fail:
    reason: str


Step = Start | Stop | Resize | Wait | Done | Fail


def decide(goal: Running | Stopped, seen: Observed, started: bool = False) -> Step:
    """Return the next step.

    Parameters
    ----------
    goal
        What the request wants.
    seen
        The model as the service describes it now.
    started
        Whether a Start of this very request was accepted before.
    """
    return _towards_running(goal, seen, started) if isinstance(goal, Running) else _towards_stopped(seen)


def _towards_running(goal: Running, seen: Observed, started: bool) -> Step:
    match seen.phase:
        case Phase.ABSENT:
            return Fail(f"{seen.name} does not exist: train it, or correct its name")
        case Phase.UNREADY:
            return Fail(f"{seen.name} is {seen.status}: {_what_to_do(seen.status)}{_says(seen)}")
        case Phase.STOPPED if started:
            return Fail(f"{seen.name} was stopped by somebody else while it was starting: deploy again")
        case Phase.FAILED if started:
            return Fail(
                f"{seen.name} could not be hosted ({seen.status}){_says(seen)}; deploy again to try once more"
            )
        case Phase.STOPPED | Phase.FAILED:
            return Start()
        case Phase.STARTING | Phase.STOPPING | Phase.UPDATING:
            return Wait()
    may_resize = goal.may_resize or (goal.in_place and started)
    last = seen.resizing
    if last and last.under_way and not goal.any_units:
        # It serves with the old units. What comes of the change decides what is next.
        if may_resize or goal.wants(last.units.minimum, last.units.maximum):
            return Wait()
        return _other_units(goal, seen, "is being given", _units(last.units.minimum, last.units.maximum))
    if goal.satisfied_by(seen):
        return Done()
    if goal.in_place and may_resize:
        return _in_place(goal, seen, last)
    if may_resize and not started:
        return Stop()
    return _other_units(goal, seen, "runs with", _units(seen.min_units, seen.max_units))


def _other_units(goal: Running, seen: Observed, verb: str, units: str) -> Fail:
    wanted = _units(goal.min_units, goal.max_units)
    return Fail(
        f"{seen.name} {verb} {units} {seen.unit}, but {wanted} are wanted: stop it, or declare what runs"
    )


def _in_place(goal: Running, seen: Observed, last: Resizing | None) -> Step:
    if last is None or not goal.made(last):
        return Resize(Units(goal.min_units, goal.max_units))
    if not last.failed:
        # It has been made, and is not shown yet.
        return Wait()
    wanted, serving = _units(goal.min_units, goal.max_units), _units(seen.min_units, seen.max_units)
    said = f": {last.message}" if last.message else ""
    return Fail(f"{seen.name} could not be given {wanted} {seen.unit}, and runs on with {serving}{said}")


def _towards_stopped(seen: Observed) -> Step:
    match seen.phase:
        case Phase.ABSENT | Phase.UNREADY | Phase.STOPPED:
            return Done()
        case Phase.STOPPING | Phase.UPDATING:
            return Wait()
    # RUNNING, FAILED, STARTING. A service may refuse to stop a model while it is so: then ask again later.
    return Stop()


def _ceiling(minimum: int | None, maximum: int | None) -> int | None:
    # A model without auto-scaling is described with no maximum, or with one equal to its minimum.
    return maximum if maximum and maximum != minimum else None


def _units(minimum: int | None, maximum: int | None) -> str:
    return f"{minimum}" if _ceiling(minimum, maximum) is None else f"{minimum} to {maximum}"


def _says(seen: Observed) -> str:
    return f": {seen.message}" if seen.message else ""


def _what_to_do(status: str) -> str:
    if "FAILED" in status:
        return "train a new version and declare that one"
    if status == "EXPIRED":
        return "the service hosts this version no longer; train a new one and declare that"
    if "TRAINING" in status or "COPYING" in status or "CREATE" in status:
        return "wait until that has ended, then deploy again"
    return "declare a version that is trained"
