"""The rooms of the runtime, and the way of a Create through them, are those that CONTRIBUTING tells."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

import pytest

from support.cases import LOOKOUTVISION
from support.cloudformation import Stack, play
from support.models import seed
from support.world import World
from unit.docs.pages import ROOT, code, rows

PAGE = "CONTRIBUTING.md"
RUNTIME = f"{ROOT / 'lambda' / 'hosted_model_runtime'}/"


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return import_module("_rooms")


def test_every_room_is_in_the_table(rooms):
    assert [code(row[0])[0] for row in rows(PAGE, "room")] == [room.name for room in rooms.rooms()]


def test_what_decides_reaches_no_sdk(rooms):
    known = rooms.rooms()
    assert [room.name for room in known if rooms.is_pure(room, known)] == ["decisions", "contract"]


def test_the_picture_is_that_of_the_imports(rooms, tmp_path, monkeypatch):
    monkeypatch.setattr(rooms._pictures, "IMAGES", tmp_path)
    rooms.draw()
    drawn, there = tmp_path / "rooms.svg", ROOT / "docs/images/rooms.svg"
    assert drawn.read_text(encoding="utf-8") == there.read_text(encoding="utf-8"), "run docs/_rooms.py"


@contextmanager
def calls() -> Iterator[list[tuple[str, str]]]:
    """Every function of the runtime that is called, once, in the order of the first calls."""
    made: dict[tuple[str, str], None] = {}

    def see(frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(RUNTIME):
            made.setdefault((file.removeprefix(RUNTIME), frame.f_code.co_qualname))

    found: list[tuple[str, str]] = []
    sys.setprofile(see)
    try:
        yield found
    finally:
        sys.setprofile(None)
        found += made


@pytest.mark.usefixtures("virtual_time", "no_logs")
def test_a_create_hop_by_hop():
    world = World()
    seed(world, LOOKOUTVISION)
    stack = Stack(world, LOOKOUTVISION)
    with calls() as made:
        play(world, stack.create(LOOKOUTVISION.properties("1")))
    world.discard()
    assert stack.status == "CREATE_COMPLETE"
    hops = [(code(row[1])[0], code(row[2])[0]) for row in rows(PAGE, "hop")]
    assert len(hops) <= 12
    assert [hop for hop in hops if hop not in made] == []
    # The same function again, and what is called while it runs, keep their first place.
    assert hops == sorted(hops, key=made.index)
