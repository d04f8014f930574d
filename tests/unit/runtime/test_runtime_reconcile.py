"""Both tables of the design, cell by cell."""

from __future__ import annotations

import itertools

import pytest

from hosted_model_runtime.decisions.steps import (
    Done,
    Fail,
    Observed,
    Phase,
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
