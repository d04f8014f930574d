"""Draws docs/images/rooms.svg from the runtime's imports: ``.venv/bin/python docs/_rooms.py``.

The picture is committed; a test draws it anew.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import _pictures
import grimp

RUNTIME = "hosted_model_runtime"
#: What makes a room impure: the SDK, and crhelper, which brings it.
OUTSIDE = {"boto3", "botocore", "crhelper"}
WIDTH, HEIGHT, GAP, LANE = 660, 78, 34, 16
PLAIN, PURE = "#eef3f8", "#dff3e4"


@dataclass(frozen=True)
class Room:
    """A folder of the runtime, or a file beside the folders."""

    name: str
    says: str
    files: tuple[str, ...]
    #: Names of the other rooms, and of packages.
    imports: frozenset[str]

    @property
    def lines(self) -> Iterator[str]:
        """What stands in its box."""
        packages = ", ".join(sorted(self.imports & OUTSIDE))
        more = f" ({packages})" if packages else ""
        yield f"{self.name}/{more}" if self.files else f"{self.name}.py{more}"
        yield self.says
        if self.files:
            yield ", ".join(self.files)


def rooms() -> list[Room]:
    """Return the rooms, each before all that it imports."""
    graph = grimp.build_graph(RUNTIME, include_external_packages=True, cache_dir=None)
    waiting = [_room(graph, child) for child in sorted(graph.find_children(RUNTIME))]
    names, found = {room.name for room in waiting}, list[Room]()
    while waiting:
        room = next(one for one in waiting if one.imports & names <= {known.name for known in found})
        waiting.remove(room)
        found.insert(0, room)
    return found


def _room(graph: grimp.ImportGraph, module: str) -> Room:
    inside = {module, *graph.find_descendants(module)}
    imported = {there for here in inside for there in graph.find_modules_directly_imported_by(here)} - inside
    files = sorted(one.rsplit(".", 1)[1] for one in inside - {module})
    names = {there.removeprefix(f"{RUNTIME}.").split(".")[0] for there in imported}
    return Room(module.split(".")[1], _says(module), tuple(files), frozenset(names))


def _says(module: str) -> str:
    """Return the first sentence of a module's docstring."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ImportError(module)
    said = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return " ".join(said.split()).split(". ")[0].rstrip(".")


def is_pure(room: Room, known: list[Room]) -> bool:
    """Say whether a room reaches no SDK, by none of the rooms that it imports."""
    below = [one for one in known if one.name in room.imports]
    return not room.imports & OUTSIDE and all(is_pure(one, known) for one in below)


def draw() -> None:
    """Write the picture: an arrow leads to what is imported."""
    found = rooms()
    height = 40 + len(found) * (HEIGHT + GAP)
    picture = _pictures.Picture(900, height, "The rooms of the runtime, and which of them imports which")
    tops = {room.name: 20 + number * (HEIGHT + GAP) for number, room in enumerate(found)}
    lane = 0
    for room, after in zip(found, [*found[1:], None], strict=True):
        fill = PURE if is_pure(room, found) else PLAIN
        picture.box(20, tops[room.name], WIDTH, HEIGHT, *room.lines, fill=fill)
        for below in [one for one in found if one.name in room.imports]:
            if below is after:
                picture.arrow((350, tops[room.name] + HEIGHT), (350, tops[below.name]))
                continue
            lane += 1
            x, start, end = 20 + WIDTH + 8 + lane * LANE, tops[room.name] + 8, tops[below.name] + 12
            start, end = start + lane * 5, end + lane * 5
            picture.arrow((20 + WIDTH, start), (x, start), (x, end), (20 + WIDTH, end), ours=False)
    picture.text(20, height - 14, "An arrow leads to what is imported. Green: it reaches no SDK.")
    picture.save("rooms.svg")


if __name__ == "__main__":
    draw()
