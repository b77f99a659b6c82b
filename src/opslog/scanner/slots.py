"""What a leaf of the scanner fills, by the numbers of its captures."""

from __future__ import annotations

from typing import NamedTuple

SLOT, FIRST, SECOND, CONSTANT, FACILITY = 0x1FF, 0x200, 0x400, 0x800, 0x1000
"""The bits of a slot's number, and marks beside them: a value that has, has not the shape of an
id; the number of a constant instead of a slot; a syslog priority, of which the facility is kept."""
CHANGED = {"milliseconds": 0x2000, "microseconds": 0x4000, "percent": 0x6000}
"""Marks of values that are not kept as written."""
CHANGES = 0x6000
"""The bits of these marks."""


class LeafSlots(NamedTuple):
    """What is needed of a leaf to build columns."""

    format: int
    """The number of its format in the catalog."""
    flags: int
    """Of ``_program.FLAGS``."""
    tail: bool
    detail: bool
    slots: dict[str, int]
    """Column or attribute name to slot, with marks."""
