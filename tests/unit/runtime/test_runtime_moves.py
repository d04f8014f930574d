"""The next move of a request, row by row of the table that docs/concepts.md prints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hosted_model_runtime.decisions.ends import End, Failed, Superseded
from hosted_model_runtime.decisions.moves import Fail, Finish, LetGo, Move, Note, Take, WriteTags
from hosted_model_runtime.decisions.next_move import next_move
from hosted_model_runtime.decisions.polling import NOTHING
from support.moves import ROWS, Row
from support.moves.rows import CREATE, INTENT, SILENCE, STOPPED
from support.moves.trouble import CLOSED_BEHIND, SINCE_CLOSED
from support.moves.words import NOW, Said, in_words


def as_said(found: Move, expected: Move) -> Move:
    """The move with the row's words as its Reason, where it has these words.

    What a mark remembers of starts is no row's subject: test_runtime_polling.py and _leased_model.py have it.
    """
    if isinstance(found, Note | Take):
        found = replace(found, mark=replace(found.mark, last_start=NOTHING))
    match found, expected:
        case Finish(end), Finish(said):
            return replace(found, end=_end(end, said))
        case WriteTags(_, end), WriteTags(_, said):
            return replace(found, end=_end(end, said))
        case Fail(failing), Fail(said):
            return Fail(replace(failing, failed=_end(failing.failed, said.failed)))
    return found


def _end(end: End, said: End) -> End:
    if isinstance(end, Failed) and isinstance(said, Failed) and said.reason in end.reason:
        return replace(end, reason=said.reason)
    return end


def name(row: Row) -> str:
    return " | ".join((row.who.words, row.remembers.words, row.sees.words, row.tags.words))


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_the_next_move(row: Row) -> None:
    view = replace(row.sees.value, tags=row.tags.value)
    found = next_move(row.who.task, row.remembers.value, view, NOW)
    assert as_said(found, row.move) == row.move


@pytest.mark.parametrize(("tags", "move"), [(SINCE_CLOSED, LetGo(Superseded())), (CLOSED_BEHIND, SILENCE)])
def test_what_was_written_after_a_delete_closed_is_taken_back_when_that_is_over(
    tags: Said, move: Move
) -> None:
    view = replace(STOPPED.value, tags=tags.value)
    assert next_move(CREATE.task, CREATE.wrote(INTENT).value, view, NOW + 149) == move


def test_every_kind_of_move_is_in_the_table() -> None:
    assert {type(row.move) for row in ROWS} == set(Move.__args__)


def test_no_row_is_there_twice_and_equal_words_mean_one_value() -> None:
    meanings: dict[tuple[int, str], object] = {}
    for row in ROWS:
        for column, said in enumerate((row.remembers, row.sees, row.tags)):
            who = row.who.words if column != 1 else ""
            known = meanings.setdefault((column, f"{who} {said.words}"), said.value)
            assert known == said.value, (row.who.words, said.words)
    assert len({(name(row), in_words(row.move)) for row in ROWS}) == len(ROWS)
    assert len({name(row) for row in ROWS}) == len(ROWS)
