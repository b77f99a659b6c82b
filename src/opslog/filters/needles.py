"""Texts that a record must hold for an expression to be true.

Of comparisons of ids with texts, joined by *and* and *or*, these are the ids; of anything else
there are none.  An expression is read as pyarrow pickles it: what it shows is ambiguous.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opslog.model.arrow import pa

if TYPE_CHECKING:
    import pyarrow.compute as pc

Needles = tuple[frozenset[bytes], ...]
"""Sets of texts, of each of which at least one must occur."""

COLUMNS = ("request_id", "global_request_id", "resource_id", "project_id", "user_id")
"""Columns whose values stand in a record's bytes as they are."""

AS_IT_IS = re.compile(r"[0-9A-Za-z_.:-]+")
"""Text that stands in every source byte by byte, but for JSON's \\u escapes."""

_STEP = re.compile(r"(call|field_ref|options|literal|end): '(\w+)'")
_AND = ("and", "and_kleene")
_OR = ("or", "or_kleene")


@dataclass(slots=True)
class _Call:
    """A function and what it is called with: calls, columns, values."""

    name: str
    given: list[Any]
    options: Any = None


@dataclass(frozen=True, slots=True)
class _Column:
    name: str


def needles_of(expression: pc.Expression) -> Needles:
    """Return the needles of an expression; none of one that pyarrow cannot pickle."""
    try:
        with pa.ipc.open_file(expression.__reduce__()[1][0]) as file:
            # As a dict, which metadata is in Python, it would have each key once.
            shown = file.schema.to_string(truncate_metadata=False, show_field_metadata=False)
            values = file.get_batch(0)
    except (pa.ArrowException, TypeError, IndexError):
        return ()
    steps = shown.rpartition("\n-- schema metadata --\n")[2].split("\n")
    return _of(_tree(steps, values))


def _tree(steps: list[str], values: pa.RecordBatch) -> Any:
    """Return what the steps of a pickled expression build: what a call is given stands in it."""
    whole = _Call("", [])
    open_ = [whole]
    for step in steps:
        if (said := _STEP.fullmatch(step)) is None:
            return None
        kind, what = said.groups()
        if kind == "call":
            open_.append(_Call(what, []))
        elif kind == "end":
            done = open_.pop()
            open_[-1].given.append(done)
        elif kind == "field_ref":
            open_[-1].given.append(_Column(what))
        elif kind == "options":
            open_[-1].options = values.column(int(what))[0]
        else:
            open_[-1].given.append(values.column(int(what))[0])
    return whole.given[0] if len(whole.given) == 1 else None


def _of(node: Any) -> Needles:
    if not isinstance(node, _Call):
        return ()
    given = node.given
    if node.name == "equal" and len(given) == 2:
        column, value = given if isinstance(given[0], _Column) else reversed(given)
        return _texts(column, [value])
    if node.name == "is_in" and len(given) == 1 and isinstance(node.options, pa.StructScalar):
        return _texts(given[0], [*node.options.get("value_set", ())])
    if node.name == "coalesce" and len(given) == 2 and _is_false(given[1]):
        return _of(given[0])
    if node.name in _AND:
        return tuple(some for one in given for some in _of(one))
    if node.name in _OR:
        every = [_of(one) for one in given]
        return (frozenset().union(*(one[0] for one in every)),) if all(every) else ()
    return ()


def _is_false(value: Any) -> bool:
    return isinstance(value, pa.BooleanScalar) and value.as_py() is False


def _texts(column: Any, values: list[Any]) -> Needles:
    """Return the set of the texts that a column is compared with; none if one is no such text."""
    if not isinstance(column, _Column) or column.name not in COLUMNS:
        return ()
    if not all(isinstance(one, (pa.StringScalar, pa.LargeStringScalar)) for one in values):
        return ()
    texts = [one.as_py() for one in values]
    if not all(text is not None and AS_IT_IS.fullmatch(text) for text in texts):
        return ()
    return (frozenset(text.encode() for text in texts),) if texts else ()
