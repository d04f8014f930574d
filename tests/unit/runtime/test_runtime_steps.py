"""Which step brings a model nearer to its goal: both tables of the page on concepts, cell by cell."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from hosted_model_runtime.decisions.model import Observed, Phase, Resizing, Units
from hosted_model_runtime.decisions.steps import (
    Done,
    Fail,
    Resize,
    Running,
    Start,
    Stop,
    Stopped,
    Wait,
    decide,
)

NAME = "Lookout for Vision model boards/3"
STATUS = {
    Phase.ABSENT: "",
    Phase.UNREADY: "TRAINING",
    Phase.STOPPED: "TRAINED",
    Phase.STARTING: "STARTING_HOSTING",
    Phase.RUNNING: "HOSTED",
    Phase.STOPPING: "STOPPING_HOSTING",
    Phase.UPDATING: "SYSTEM_UPDATING",
    Phase.FAILED: "HOSTING_FAILED",
}


def seen(phase: Phase, units: int | None = 1, maximum: int | None = None, **more: str) -> Observed:
    return Observed(
        phase, NAME, **{"status": STATUS[phase], "message": "", **more}, min_units=units, max_units=maximum
    )


# phase: (not started, started)
TOWARDS_RUNNING = {
    Phase.ABSENT: (Fail, Fail),
    Phase.UNREADY: (Fail, Fail),
    Phase.STOPPED: (Start, Fail),
    Phase.STARTING: (Wait, Wait),
    Phase.RUNNING: (Done, Done),
    Phase.STOPPING: (Wait, Wait),
    Phase.UPDATING: (Wait, Wait),
    Phase.FAILED: (Start, Fail),
}
TOWARDS_STOPPED = {
    Phase.ABSENT: Done,
    Phase.UNREADY: Done,
    Phase.STOPPED: Done,
    Phase.STARTING: Stop,
    Phase.RUNNING: Stop,
    Phase.STOPPING: Wait,
    Phase.UPDATING: Wait,
    Phase.FAILED: Stop,
}


def test_both_tables_have_every_phase() -> None:
    assert set(TOWARDS_RUNNING) == set(TOWARDS_STOPPED) == set(Phase)


@pytest.mark.parametrize("may_resize", [False, True])
@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("phase", Phase)
def test_towards_running(phase: Phase, started: bool, may_resize: bool) -> None:
    step = decide(Running(1, may_resize=may_resize), seen(phase), started)
    assert isinstance(step, TOWARDS_RUNNING[phase][started])


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("phase", Phase)
def test_towards_stopped(phase: Phase, started: bool) -> None:
    assert isinstance(decide(Stopped(), seen(phase), started), TOWARDS_STOPPED[phase])


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ((1, None), (1, None), True),
        ((1, None), (1, 1), True),
        ((2, 2), (2, None), True),
        ((2, 2), (2, 2), True),
        ((1, 3), (1, 3), True),
        ((1, None), (2, None), False),
        ((1, None), (1, 3), False),
        ((1, 3), (1, None), False),
        ((1, 3), (1, 2), False),
        ((1, 3), (2, 3), False),
        ((1, None), (None, None), False),
    ],
)
def test_units_as_wanted(
    wanted: tuple[int, int | None], found: tuple[int | None, int | None], same: bool
) -> None:
    step = decide(Running(*wanted), seen(Phase.RUNNING, *found), started=True)
    assert isinstance(step, Done if same else Fail)


@pytest.mark.parametrize(
    ("may_resize", "started", "step"),
    [(True, False, Stop), (True, True, Fail), (False, False, Fail), (False, True, Fail)],
)
def test_other_units(may_resize: bool, started: bool, step: type) -> None:
    assert isinstance(decide(Running(2, 4, may_resize), seen(Phase.RUNNING), started), step)


ASKED = 1000.0


def resizing(to: int, since: float = ASKED + 5, **more: bool | str) -> Observed:
    return replace(seen(Phase.RUNNING), resizing=Resizing(Units(to), since, **more))


@pytest.mark.parametrize(
    ("found", "may_resize", "started", "step"),
    [
        (seen(Phase.RUNNING), True, False, Resize(Units(2))),
        (seen(Phase.RUNNING), False, True, Resize(Units(2))),
        (seen(Phase.RUNNING), False, False, Fail),
        (seen(Phase.RUNNING, 2), True, False, Done()),
        (resizing(2, under_way=True), True, False, Wait()),
        (resizing(2, ASKED - 5, under_way=True), False, False, Wait()),
        (resizing(3, under_way=True), True, False, Wait()),
        (resizing(3, under_way=True), False, True, Wait()),
        (resizing(3, under_way=True), False, False, Fail),
        (replace(resizing(3, under_way=True), min_units=2), True, False, Wait()),
        (replace(resizing(3, under_way=True), min_units=2), False, False, Fail),
        (resizing(2), True, False, Wait()),
        (resizing(2, ASKED - 1), True, False, Resize(Units(2))),
        (resizing(3, failed=True), True, False, Resize(Units(2))),
        (resizing(2, ASKED - 1, failed=True), True, False, Resize(Units(2))),
        (resizing(2, ASKED, failed=True), True, False, Fail),
        (resizing(2, failed=True), False, True, Fail),
        (replace(resizing(2, failed=True), min_units=2), True, False, Done()),
    ],
)
def test_units_that_change_in_place(found: Observed, may_resize: bool, started: bool, step: object) -> None:
    goal = Running(2, may_resize=may_resize, in_place=True, asked=ASKED)
    made = decide(goal, found, started)
    assert made == step or type(made) is step


def test_a_change_in_place_that_failed_names_both_units_and_the_services_reason() -> None:
    goal = Running(2, may_resize=True, in_place=True, asked=ASKED)
    step = decide(goal, resizing(2, failed=True, message="no capacity"), started=False)
    assert isinstance(step, Fail)
    assert step.reason.endswith("could not be given 2 inference units, and runs on with 1: no capacity")


def test_a_model_whose_units_change_can_be_stopped_and_is_awake() -> None:
    found = resizing(2, under_way=True)
    assert decide(Stopped(), found, started=False) == Stop()
    assert decide(Running(1, any_units=True, in_place=True), found, started=False) == Done()


FAILURES = [
    (Phase.ABSENT, {}, False, ["does not exist", "train it, or correct its name"]),
    (Phase.UNREADY, {"status": "TRAINING"}, False, ["TRAINING", "wait until that has ended"]),
    (Phase.UNREADY, {"status": "TRAINING_IN_PROGRESS"}, False, ["wait until that has ended"]),
    (Phase.UNREADY, {"status": "COPYING_IN_PROGRESS"}, False, ["wait until that has ended"]),
    (Phase.UNREADY, {"status": "TRAINING_FAILED"}, True, ["TRAINING_FAILED", "train a new version"]),
    (Phase.UNREADY, {"status": "COPYING_FAILED"}, False, ["COPYING_FAILED", "train a new version"]),
    (Phase.UNREADY, {"status": "DELETING"}, False, ["DELETING", "declare a version that is trained"]),
    (Phase.UNREADY, {"status": "EXPIRED", "message": "too old"}, False, ["EXPIRED", "too old"]),
    (Phase.STOPPED, {}, True, ["stopped by somebody else", "deploy again"]),
    (Phase.FAILED, {"message": "no capacity"}, True, ["HOSTING_FAILED", "no capacity"]),
]


@pytest.mark.parametrize(("phase", "more", "started", "words"), FAILURES)
def test_a_failure_names_the_model_its_status_and_what_to_do(
    phase: Phase, more: dict[str, str], started: bool, words: list[str]
) -> None:
    step = decide(Running(1), seen(phase, **more), started)
    assert isinstance(step, Fail)
    assert NAME in step.reason
    for word in words:
        assert word in step.reason


@pytest.mark.parametrize(
    ("wanted", "found", "text"),
    [
        ((2, None), (1, None), "with 1 inference units, but 2 are wanted"),
        ((2, 4), (1, 3), "with 1 to 3 inference units, but 2 to 4 are wanted"),
        ((2, 2), (1, 1), "with 1 inference units, but 2 are wanted"),
    ],
)
def test_other_units_name_both(wanted: tuple[int, int], found: tuple[int, int], text: str) -> None:
    step = decide(Running(*wanted), seen(Phase.RUNNING, *found), started=False)
    assert isinstance(step, Fail)
    assert text in step.reason
    assert "stop it, or declare what runs" in step.reason
    assert NAME in step.reason


def test_no_status_message_leaves_no_trailing_colon() -> None:
    for phase, started in itertools.product((Phase.UNREADY, Phase.FAILED), (True, False)):
        step = decide(Running(1), seen(phase), started)
        if isinstance(step, Fail):
            assert not step.reason.endswith((":", " "))


def test_a_scheduled_start_finds_its_work_done_whatever_the_units() -> None:
    running = Observed(Phase.RUNNING, "model", min_units=7)
    assert decide(Running(1, any_units=True), running, started=False) == Done()
    assert decide(Running(1), running, started=False) != Done()
