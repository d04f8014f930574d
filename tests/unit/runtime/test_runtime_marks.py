"""The values of the lease's tags: written, read, and how far a request came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_model_runtime.decisions import marks
from hosted_model_runtime.decisions.marks import Closing, Mark, State
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.decisions.polling import NOTHING, LastStart

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DECLARED = "0123456789ab"


def mark(**changed: Any) -> Mark:
    made = Mark(NOW - timedelta(seconds=1), "Create", "request-1", State.HELD, DECLARED)
    return replace(made, **changed)


TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(
    lambda when: when.replace(microsecond=0, tzinfo=UTC)
)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=40)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=40)
MARKS = st.builds(Mark, TIMES, WORDS, WORDS, st.sampled_from(State), NAMES, WORDS, WORDS, st.booleans())
HOURS = st.builds(replace, MARKS, attempt=st.integers(1, 9), under=NAMES)


MEMORIES = st.builds(
    LastStart, st.integers(0, 10**4), st.integers(0, 99), st.none() | st.integers(0, 4000)
).map(lambda last: last if last.seconds or last.sent is not None else NOTHING)


def read_by_0_1(text: str) -> tuple[str, ...] | None:
    """What ``Mark.parse`` of version 0.1 makes of a text; None: it takes the model for nobody's."""
    try:
        _, kind, request_id, state, declared_as, *rest = text.split("/")
        hosted_at, units, hours, attempt, under = (*rest, *("", "", "", "1", "")[len(rest) :])
        return kind, request_id, state, declared_as, hosted_at, units, hours, str(int(attempt)), under
    except ValueError:
        return None


class TestText:
    @given(MARKS, MEMORIES)
    def test_a_memory_of_starts_is_read_as_it_was_written(self, made: Mark, last: LastStart) -> None:
        made = replace(made, last_start=last)
        assert Mark.parse(str(made)) == made
        schedules = replace(made, has_hours=False, attempt=2, under="request-0")
        assert Mark.parse(str(schedules)) == schedules

    def test_version_0_1_reads_all_that_it_knows(self) -> None:
        last = LastStart(3600, 50, 3599)
        deploys = mark(units="1-2", has_hours=True, last_start=last)
        expected = ("Create", "request-1", "held", DECLARED, "", "1-2", "hours", "1")
        found = read_by_0_1(str(deploys))
        assert found
        assert found[:-1] == expected
        schedules = mark(type="Stop", attempt=3, under="request-0", last_start=last)
        found = read_by_0_1(str(schedules))
        assert found
        assert found[0] == "Stop"
        assert found[-2:] == ("3", "request-0")

    def test_the_longest_fits_a_tag(self) -> None:
        uuid, last = "0" * 36, LastStart(3600, 99, 3599)
        longest = mark(
            request_id=uuid, state=State.STARTING_STOPPED, hosted_at="20260304T050700Z", units="1000-1000",
            has_hours=True, last_start=last,
        )  # fmt: skip
        for one in (longest, replace(longest, type="Start", attempt=3, under=uuid)):
            assert len(str(one)) <= 190

    @given(MARKS | HOURS)
    def test_a_mark_is_read_as_it_was_written(self, made: Mark) -> None:
        assert Mark.parse(str(made)) == made

    @given(st.builds(Closing, TIMES, WORDS, WORDS, WORDS))
    def test_a_closing_mark_is_read_as_it_was_written(self, made: Closing) -> None:
        assert Closing.parse(str(made)) == made

    @given(st.none() | st.text() | st.lists(st.text()).map("/".join))
    def test_garbage_is_no_mark(self, text: str | None) -> None:
        for kind in (Mark, Closing):
            found = kind.parse(text)
            assert found is None or isinstance(found, kind)

    @pytest.mark.parametrize("text", [None, "", "/", "////", "20260304T050607Z/Create/r", "x" * 256])
    def test_what_is_no_mark(self, text: str | None) -> None:
        assert Mark.parse(text) is None
        assert Closing.parse(text) is None

    def test_a_mark_without_hosted_at_is_shorter(self) -> None:
        assert str(mark()) == f"20260304T050606Z/Create/request-1/held/{DECLARED}"
        assert str(mark(hosted_at="20260304T050700Z")).endswith("/20260304T050700Z")

    def test_a_stamp_is_utc_to_the_second(self) -> None:
        summer = datetime.fromisoformat("2026-03-04T07:06:07.999+02:00")
        assert marks.stamp(summer) == "20260304T050607Z"

    def test_an_unstamped_text_is_the_time_that_was_stamped(self) -> None:
        assert marks.unstamp(marks.stamp(NOW)) == NOW
        assert marks.unstamp("soon") is None


class TestState:
    def test_a_mark_moves_on_and_keeps_the_rest(self) -> None:
        made = mark(hosted_at="20260101T000000Z")
        assert made.at(State.DONE) == replace(made, state=State.DONE)
        assert made.at(State.STARTED, hosted_at="").hosted_at == ""

    @pytest.mark.parametrize("state", State)
    def test_three_states_are_final(self, state: State) -> None:
        assert state.settled is (state.value in ("done", "failed", "asleep"))

    @pytest.mark.parametrize("phase", Phase)
    def test_the_intent_says_what_was_seen_before_the_start(self, phase: Phase) -> None:
        expected = State.STARTING_FAILED if phase is Phase.FAILED else State.STARTING_STOPPED
        assert State.starting(phase) is expected

    @pytest.mark.parametrize("state", State)
    def test_two_states_are_those_of_a_model_outside_its_hours(self, state: State) -> None:
        assert state.asleep is (state.value in ("sleeping", "asleep"))

    @pytest.mark.parametrize("state", State)
    def test_in_two_states_the_model_is_about_to_be_given_up(self, state: State) -> None:
        assert state.letting_go is (state.value in ("releasing", "returning"))

    def test_a_request_comes_further_with_each_state(self) -> None:
        ways = [
            ("held", "starting-stopped", "started", "done"),
            ("held", "starting-failed", "started", "failed"),
            ("sleeping", "asleep"),
            ("releasing", "released"),
            ("returning", "released"),
        ]
        for way in ways:
            ranks = [State(value).rank for value in way]
            assert ranks == sorted(set(ranks)), way

    def test_another_attempt_of_a_scheduled_start_is_further_than_the_end_of_the_one_before(self) -> None:
        failed, again = mark(state=State.STARTED, attempt=1), mark(state=State.HELD, attempt=2)
        assert failed.progress < again.progress
