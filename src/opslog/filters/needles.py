"""Texts that a record must hold for an expression to be true.

Of comparisons of ids with texts, joined by *and* and *or*, these are the ids; of anything else
there are none.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from opslog.filters.tree import AND, OR, Call, Column, unguarded
from opslog.model.arrow import pa

Needles: TypeAlias = tuple[frozenset[bytes], ...]
"""Sets of texts, of each of which at least one must occur."""

COLUMNS = ("request_id", "global_request_id", "resource_id", "project_id", "user_id")
"""Columns whose values stand in a record's bytes as they are."""

AS_IT_IS = re.compile(r"[0-9A-Za-z_.:-]+")
"""Text that stands in every source byte by byte, but for JSON's \\u escapes."""


def needles_of(condition: Any) -> Needles:
    """Return the needles of an expression, given as its ``tree``."""
    node = unguarded(condition)
    if not isinstance(node, Call):
        return ()
    given = node.given
    if node.name == "equal" and len(given) == 2:
        column, value = given if isinstance(given[0], Column) else reversed(given)
        return _texts(column, [value])
    if node.name == "is_in" and len(given) == 1 and isinstance(node.options, pa.StructScalar):
        return _texts(given[0], [*node.options.get("value_set", ())])
    if node.name in AND:
        return tuple(some for one in given for some in needles_of(one))
    if node.name in OR:
        every = [needles_of(one) for one in given]
        return (frozenset().union(*(one[0] for one in every)),) if all(every) else ()
    return ()


def _texts(column: Any, values: list[Any]) -> Needles:
    """Return the set of the texts that a column is compared with; none if one is no such text."""
    if not isinstance(column, Column) or column.name not in COLUMNS:
        return ()
    if not all(isinstance(one, (pa.StringScalar, pa.LargeStringScalar)) for one in values):
        return ()
    texts = [one.as_py() for one in values]
    if not all(text is not None and AS_IT_IS.fullmatch(text) for text in texts):
        return ()
    return (frozenset(text.encode() for text in texts),) if texts else ()
