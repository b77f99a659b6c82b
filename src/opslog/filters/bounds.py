"""Bounds: the severity and the times between which a record must lie to be kept.

The engine asks for them without columns: the least severity while lines are matched, times
when records are complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from opslog.filters import arrow
from opslog.filters.tree import AND, Call, Column, unguarded
from opslog.model import arrays, severity
from opslog.model.arrow import pa

if TYPE_CHECKING:
    import pyarrow.compute as pc

_MIRRORED = {
    "greater": "less", "greater_equal": "less_equal", "less": "greater",
    "less_equal": "greater_equal", "equal": "equal",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a record's severity number and time must be; a record without one is not kept."""

    least: int = 0
    """The least severity number, 1 to 24; 0 for any, and for none."""
    since: int | None = None
    """The first time, microseconds since the epoch in UTC; None for any."""
    until: int | None = None
    """The first time behind those wanted, likewise."""

    @property
    def timed(self) -> bool:
        """Whether there are bounds of times."""
        return self.since is not None or self.until is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are compared."""
        return ("severity_number",) * (self.least > 0) + ("timestamp",) * self.timed

    def __bool__(self) -> bool:
        return self.least > 0 or self.timed

    def __and__(self, other: Bounds) -> Bounds:
        return Bounds(
            max(self.least, other.least),
            max((one for one in (self.since, other.since) if one is not None), default=None),
            min((one for one in (self.until, other.until) if one is not None), default=None),
        )

    def expression(self) -> pc.Expression:
        """Return the condition that a record lies between them; of none a true one."""
        conditions = [arrow.constant(arrays.boolean(True))]
        number, time = arrow.column("severity_number"), arrow.column("timestamp")
        if self.least:
            conditions.append(number >= arrays.uint8(self.least))
        if self.since is not None:
            conditions.append(time >= arrays.timestamp(self.since))
        if self.until is not None:
            conditions.append(time < arrays.timestamp(self.until))
        false = arrow.constant(arrays.boolean(False))
        return arrow.call("coalesce", reduce(and_, conditions), false)


UNBOUNDED = Bounds()
"""None: any record is kept."""


def bounds_of(condition: Any) -> Bounds:
    """Return bounds of every record for which an expression, given as its ``tree``, is true."""
    return reduce(and_, _bounds(condition), UNBOUNDED)


def _bounds(condition: Any) -> Iterator[Bounds]:
    node = unguarded(condition)
    if not isinstance(node, Call):
        return
    if node.name in AND:
        for one in node.given:
            yield from _bounds(one)
    elif node.name in _MIRRORED and len(node.given) == 2:
        (column, value), name = node.given, node.name
        if isinstance(value, Column):
            column, value, name = value, column, _MIRRORED[name]
        if isinstance(column, Column) and isinstance(value, pa.Scalar) and value.is_valid:
            yield _bound(column.name, name, value)


def _bound(column: str, name: str, value: pa.Scalar) -> Bounds:
    """Return the bounds of one comparison; none if it says nothing of severities or times."""
    least = name in ("greater", "greater_equal", "equal")
    if column == "severity_number" and pa.types.is_integer(value.type) and least:
        number = value.as_py() + (name == "greater")
        return Bounds(least=min(max(number, 0), severity.MOST))
    if column == "timestamp" and value.type == pa.timestamp("us", "UTC"):
        moment = value.value
        return Bounds(
            since=moment + (name == "greater") if least else None,
            until=moment + (name != "less") if name in ("less", "less_equal", "equal") else None,
        )
    return UNBOUNDED
