"""The moves of a request, row by row: the test of ``next_move`` asserts them, docs/concepts.md prints them.

A row says who asks, what it remembers, what it sees, what the tags say, and the move. ``words.py`` has the
values that the words stand for.
"""

from __future__ import annotations

from .hosting import FIRST_LOOK, HOSTING, HOURS, IN_PLACE_GROUP, WHO_COMMANDS
from .letting_go import LETTING_GO, MOVING
from .rows import Group, Row
from .trouble import BEHIND, FAILURES, OVERTAKEN, QUIET

GROUPS = (
    FIRST_LOOK,
    WHO_COMMANDS,
    HOSTING,
    IN_PLACE_GROUP,
    BEHIND,
    OVERTAKEN,
    QUIET,
    FAILURES,
    HOURS,
    LETTING_GO,
    MOVING,
)
ROWS = [row for group in GROUPS for row in group.rows]

__all__ = ["GROUPS", "ROWS", "Group", "Row"]
