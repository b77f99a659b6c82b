"""Filters: pyarrow expressions over the columns, and what the engine must know of one.

A filter is a plain ``pyarrow.compute.Expression``; a record is kept where it is
true (not where it is null).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog import arrays, schema, severity
from opslog.errors import FilterError

if TYPE_CHECKING:
    import pyarrow.compute as pc


_AS_IT_IS = re.compile(r"[0-9A-Za-z_.:-]+")
"""Text that stands in every source byte by byte, but for JSON's \\u escapes."""


@dataclass(frozen=True, slots=True)
class Filter:
    """An expression, the columns it reads and bytes it cannot be true without.

    Each of ``needles`` is a set of texts of which at least one must occur in a
    kept record's bytes.
    """

    expression: pc.Expression
    columns: tuple[str, ...]
    needles: tuple[frozenset[bytes], ...] = ()

    def __and__(self, other: Filter) -> Filter:
        return Filter(
            self.expression & other.expression,
            tuple(dict.fromkeys(self.columns + other.columns)),
            self.needles + other.needles,
        )

    def select(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the numbers (int32) of the rows of ``batch`` that are kept."""
        import pyarrow.compute as pc  # start-up: runs without a filter need none

        return pc.indices_nonzero(evaluate(self.expression, batch)).cast(pa.int32())


def evaluate(expression: pc.Expression, batch: pa.RecordBatch) -> pa.BooleanArray:
    """Return the expression's value for each row of ``batch``."""
    try:  # pyarrow.acero also imports pyarrow.dataset and, where installed, pandas
        from pyarrow import _acero as acero
    except ImportError:
        from pyarrow import acero

    plan = acero.Declaration.from_sequence(
        [
            acero.Declaration(
                "table_source", acero.TableSourceNodeOptions(pa.Table.from_batches([batch]))
            ),
            acero.Declaration("project", acero.ProjectNodeOptions([expression], ["kept"])),
        ]
    )
    kept = plan.to_table(use_threads=False).column(0)
    return kept.combine_chunks() if kept.num_chunks != 1 else kept.chunk(0)


def of(expression: pc.Expression) -> Filter:
    """Return the filter of any expression; raises FilterError if it fits no record.

    Which columns it reads is found out by leaving each out in turn.
    """
    empty = schema.arrow_schema(original=True).empty_table()
    batch = pa.RecordBatch.from_arrays(
        [pa.array([], field.type) for field in empty.schema], schema=empty.schema
    )
    try:
        result = evaluate(expression, batch)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError) as error:
        reason = str(error).split("\n")[0]
        raise FilterError(
            str(expression), f"the filter does not fit the columns ({reason})"
        ) from None
    if result.type != pa.bool_():
        raise FilterError(
            str(expression), f"expected a condition, found a value of type {result.type}"
        )
    needed = []
    for name in batch.schema.names:
        try:
            evaluate(expression, batch.drop_columns([name]))
        except (pa.ArrowInvalid, pa.ArrowKeyError):
            needed.append(name)
    return Filter(expression, tuple(needed))


def at_least(level: str) -> Filter:
    """Keep records of severity ``level`` (a word or 1-24) and above; none without severity."""
    import pyarrow.compute as pc

    limit = arrays.uint8(severity.number(level))
    return Filter(pc.field("severity_number") >= limit, ("severity_number",))


def of_request(request_id: str) -> Filter:
    """Keep records whose request_id or global_request_id is ``request_id``."""
    if not request_id:
        raise FilterError(request_id, "expected a request id such as req-... or tx...")
    import pyarrow.compute as pc

    columns = ("request_id", "global_request_id")
    local, root = (
        pc.coalesce(pc.field(name) == arrays.text(request_id), arrays.boolean(False))
        for name in columns
    )
    needles = (frozenset([request_id.encode()]),) if _AS_IT_IS.fullmatch(request_id) else ()
    return Filter(local | root, columns, needles)
