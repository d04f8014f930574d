"""What a row of the table is, and the requests, sights and states that rows speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hosted_model_runtime.contract import OnRunning, Tag
from hosted_model_runtime.decisions.ends import Superseded
from hosted_model_runtime.decisions.marks import State, stamp
from hosted_model_runtime.decisions.model import Phase, Units
from hosted_model_runtime.decisions.moves import (
    Finish,
    Goal,
    Move,
)
from support.moves.words import (
    ISSUED,
    Said,
    Who,
    sees,
    who,
)


class Row(NamedTuple):
    who: Who
    remembers: Said
    sees: Said
    tags: Said
    move: Move


@dataclass(frozen=True)
class Group:
    """Rows that belong together: a heading and a sentence of the page."""

    title: str
    text: str
    rows: tuple[Row, ...]


CREATE, UPDATE, DELETE = who("Create", "Create"), who("Update", "Update"), who("Delete", "Delete")
ADOPTING = who("Create that adopts", "Create", on_running=OnRunning.ADOPT)
RESIZING = who("Update to 2 units", "Update", units=Units(2))
ON_TIME, OFF_TIME = who("scheduled start", "Start"), who("scheduled stop", "Stop")
WITH_HOURS = who("Update with hours", "Update", has_hours=True)
IN_PLACE = who(
    "Update to 2 units, where the service resizes in place", "Update", in_place=True, units=Units(2)
)
IN_PLACE_LATE = who(
    "Update to 2 units that came late, where the service resizes in place",
    "Update",
    in_place=True,
    came_late=True,
    units=Units(2),
)
NEW_IN_PLACE = who(
    "Create of 2 units, where the service resizes in place", "Create", in_place=True, units=Units(2)
)
ADOPTING_IN_PLACE = who(
    "Create that adopts, where the service resizes in place",
    "Create",
    in_place=True,
    on_running=OnRunning.ADOPT,
)
ON_TIME_IN_PLACE = who("scheduled start, where the service resizes in place", "Start", in_place=True)
UNFENCED = who("Create, at a service without a fence", "Create", fenced=False)
CREATE_LATE = who("Create whose event came late", "Create", came_late=True)
DELETE_LATE = who("Delete whose event came late", "Delete", came_late=True)
ROLLBACK = who("rollback of an update, of the update's model", "Update", goal=Goal.RELEASE)
UNSEEN = who(
    "rollback of an update to 2 units", "Update", old_service="service", old_model={}, old_units=Units(2)
)
UNDOING = who("Delete of what no Create answered for", "Delete", physical_id="Stack-Model-1A2B3C")
DELETE_UNFENCED = who("Delete, at a service without a fence", "Delete", fenced=False)
REPLACING = who("Update with hours that replaces", "Update", replaces=True, has_hours=True)
NEW_WITH_HOURS = who("Create with hours", "Create", has_hours=True)

ABSENT, UNREADY = sees(Phase.ABSENT), sees(Phase.UNREADY)
STOPPED, STARTING, RUNNING = sees(Phase.STOPPED), sees(Phase.STARTING), sees(Phase.RUNNING)
STOPPING, FAILED = sees(Phase.STOPPING), sees(Phase.FAILED)
RESIZED = sees(Phase.RUNNING, units=3)

HELD, INTENT, STARTED = State.HELD, State.STARTING_STOPPED, State.STARTED
RELEASING, RETURNING = State.RELEASING, State.RETURNING
DONE, ASLEEP, SLEEPING, GONE = State.DONE, State.ASLEEP, State.SLEEPING, State.RELEASED

SILENCE = Finish(Superseded())
CLOSING = {Tag.CLOSED: f"{stamp(ISSUED)}/request-2/{DELETE.task.claim.resource}/uuid-1"}
OWN_CLOSING = Said("closed by this very request", CLOSING)
NOW_STAMP = "20260304T050747Z"
