"""Expressions as trees of calls, columns and values.

An expression is read as pyarrow pickles it: what it shows is ambiguous.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opslog.model.arrow import pa

if TYPE_CHECKING:
    import pyarrow.compute as pc

_STEP = re.compile(r"(call|field_ref|options|literal|end): '(\w+)'")

AND = ("and", "and_kleene")
"""The functions that join conditions all of which must hold."""
OR = ("or", "or_kleene")
"""Those that join conditions one of which must hold."""


@dataclass(slots=True)
class Call:
    """A function and what it is called with: calls, columns, values (Arrow scalars)."""

    name: str
    given: list[Any]
    options: Any = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name."""

    name: str


def tree(expression: pc.Expression) -> Any:
    """Return what an expression is built of; None of one that pyarrow cannot pickle."""
    try:
        with pa.ipc.open_file(expression.__reduce__()[1][0]) as file:
            # As a dict, which metadata is in Python, it would have each key once.
            shown = file.schema.to_string(truncate_metadata=False, show_field_metadata=False)
            values = file.get_batch(0)
    except (pa.ArrowException, TypeError, IndexError):
        return None
    steps = shown.rpartition("\n-- schema metadata --\n")[2].split("\n")
    return _built(steps, values)


def _built(steps: list[str], values: pa.RecordBatch) -> Any:
    """Return what the steps of a pickled expression build: what a call is given stands in it."""
    whole = Call("", [])
    open_ = [whole]
    for step in steps:
        if (said := _STEP.fullmatch(step)) is None:
            return None
        kind, what = said.groups()
        if kind == "call":
            open_.append(Call(what, []))
        elif kind == "end":
            done = open_.pop()
            open_[-1].given.append(done)
        elif kind == "field_ref":
            open_[-1].given.append(Column(what))
        elif kind == "options":
            open_[-1].options = values.column(int(what))[0]
        else:
            open_[-1].given.append(values.column(int(what))[0])
    return whole.given[0] if len(whole.given) == 1 else None


def unguarded(node: Any) -> Any:
    """Return a condition without the call that makes it false where it is null."""
    while isinstance(node, Call) and node.name == "coalesce" and len(node.given) == 2:
        last = node.given[1]
        if not isinstance(last, pa.BooleanScalar) or last.as_py() is not False:
            break
        node = node.given[0]
    return node
