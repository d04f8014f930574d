"""Races that generated histories found, each as the one decision that it turned on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hosted_model_runtime.contract import Tag
from hosted_model_runtime.decisions import lease
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Observed, Phase, Sighting, Units
from hosted_model_runtime.decisions.moves import Finish, Goal, Look, Progress, Take, Task, View, WriteTags
from hosted_model_runtime.decisions.next_move import next_move
from hosted_model_runtime.decisions.request import Claim, Request

ISSUED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/11111111-2222-3333-4444-555555555555"
REQUEST = Request(
    type="Create",
    request_id="create",
    stack_id=STACK,
    logical_id="Model",
    service="fake",
    model={"Name": "1"},
    units=Units(1),
    issued=ISSUED,
)
CREATE = Claim(REQUEST, "declared")
MARK = Mark(ISSUED, "Create", "create", State.HELD, "declared", units="1")
OWNED = {Tag.STACK: STACK, Tag.LOGICAL_ID: "Model"}
NOW = ISSUED.timestamp() + 30


def seen(phase: Phase) -> Sighting:
    return Sighting(Observed(phase, "model 1", phase.name), "arn:1", "1", {"Name": "1"})


def test_a_delete_that_has_let_go_is_no_read_that_is_behind() -> None:
    """The Create went on reading for 75 s, put a rule meanwhile, and left it when the stack was gone."""
    later = Closing(ISSUED + timedelta(seconds=9), "delete", CREATE.resource, CREATE.stack)
    assert not lease.is_behind({Tag.CLOSED: str(later)}, MARK, CREATE)


def test_nor_is_another_delivery_of_the_same_delete() -> None:
    delete = Claim(replace(REQUEST, type="Delete", request_id="delete"), "declared")
    mark = replace(MARK, type="Delete", request_id="delete", state=State.RELEASING)
    assert not lease.is_behind({**lease.closing_tag(delete)}, mark, delete)


def test_a_closing_mark_of_before_is_no_news() -> None:
    earlier = Closing(ISSUED - timedelta(seconds=9), "delete", CREATE.resource, CREATE.stack)
    assert lease.is_behind({Tag.CLOSED: str(earlier)}, MARK, CREATE)


def test_a_status_that_may_be_older_than_another_deliverys_start_is_looked_at_again() -> None:
    """It said that somebody else had stopped the model, which was starting."""
    started = MARK.at(State.STARTED)
    tags = {**OWNED, Tag.REQUEST: str(started)}
    view = View(seen(Phase.STOPPED), tags, outrun=True)
    task = Task(CREATE, Goal.HOST, "HOSTED", "TRAINED")
    assert next_move(task, Progress(mark=started, written=NOW), view, NOW) == Look()


def test_a_schedule_takes_back_what_an_earlier_one_wrote_late() -> None:
    """Of a start and a stop of one second the stop is the later; the start had written "done" over it."""
    deploy = replace(MARK, state=State.DONE, has_hours=True)
    start = replace(MARK, type="Start", request_id="start", state=State.DONE, under="create")
    stop = replace(MARK, type="Stop", request_id="stop", state=State.SLEEPING, under="create")
    tags = {**OWNED, Tag.REQUEST: str(deploy), Tag.HOURS: str(start)}
    claim = Claim(replace(REQUEST, type="Stop", request_id="stop"), "declared")
    progress = Progress(mark=stop, written=NOW - 100)
    move = next_move(
        Task(claim, Goal.HOST, "HOSTED", "TRAINED"), progress, View(seen(Phase.RUNNING), tags), NOW
    )
    assert isinstance(move, Take)
    assert move.mark.state is State.SLEEPING


def test_what_an_earlier_delete_left_does_not_speak_for_a_later_one() -> None:
    """A Create between the two was killed, delivered again after the second Delete, and took the model."""
    delete = Claim(replace(REQUEST, type="Delete", request_id="delete"), "declared")
    earlier = Claim(
        replace(delete.request, request_id="earlier", issued=ISSUED - timedelta(seconds=99)), "declared"
    )
    owner = {**OWNED, Tag.LOGICAL_ID: "Other", Tag.REQUEST: str(replace(MARK, state=State.DONE))}
    task = Task(delete, Goal.RELEASE, "HOSTED", "TRAINED")
    view = View(seen(Phase.RUNNING), {**owner, **lease.released_tags(earlier)})
    assert isinstance(next_move(task, Progress(), view, NOW), WriteTags)
    view = View(seen(Phase.RUNNING), {**owner, **lease.released_tags(delete)})
    assert isinstance(next_move(task, Progress(), view, NOW), Finish)


def test_a_delete_that_lambda_brings_after_its_time_notes_nothing_on_another_resource_s_model() -> None:
    """CloudFormation had sent two more, the last one had ended, and its note was gone again."""
    owner = {**OWNED, Tag.LOGICAL_ID: "Other", Tag.REQUEST: str(replace(MARK, state=State.DONE))}
    view = View(seen(Phase.RUNNING), owner)
    for overdue, move in ((False, WriteTags), (True, Finish)):
        delete = Claim(replace(REQUEST, type="Delete", request_id="delete", is_overdue=overdue), "declared")
        task = Task(delete, Goal.RELEASE, "HOSTED", "TRAINED")
        assert isinstance(next_move(task, Progress(), view, NOW), move)
