"""Filters: pyarrow expressions over the columns, and what the engine must know of one.

A filter is a plain ``pyarrow.compute.Expression``; a record is kept where it is
true (not where it is null).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from opslog.filters.bounds import UNBOUNDED, Bounds, bounds_of
from opslog.filters.needles import AS_IT_IS, COLUMNS, Needles, needles_of
from opslog.filters.texts import Texts
from opslog.filters.tree import tree
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.model.errors import FilterError

if TYPE_CHECKING:
    import pyarrow.compute as pc


_TOLD = (*COLUMNS, "severity_number", "timestamp")
"""Columns of which needles and bounds may be told."""
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def _misfits() -> tuple[type[Exception], ...]:
    """Return what Arrow raises for an expression that fits no record."""
    return pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError


@dataclass(frozen=True, slots=True)
class Filter:
    """An expression, texts and bounds, the columns they read and bytes they cannot be true without.

    Each of ``needles`` is a set of texts of which at least one must occur in a
    kept record's bytes.
    """

    said: pc.Expression | None
    """What must be true beside texts and bounds, which it may tell, too; None if these are all."""
    columns: tuple[str, ...]
    needles: Needles = ()
    own: bool = False
    """Whether requests are wanted only for their own records, not for those of what they called."""
    bounds: Bounds = UNBOUNDED
    """Between which severities and times every kept record lies."""
    texts: tuple[Texts, ...] = ()
    """Texts of each of which every kept record has one."""

    @property
    def expression(self) -> pc.Expression:
        """The whole condition."""
        said = [] if self.said is None else [self.said]
        said += [one.expression() for one in self.texts]
        if self.bounds or not said:
            said.append(self.bounds.expression())
        return reduce(and_, said)

    @classmethod
    def of(cls, condition: pc.Expression | str | Filter, timezone: str = "UTC") -> Filter:
        """Return the filter of a condition in any form; raises FilterError if it fits no record.

        In text (query.py), times without an offset are of ``timezone``.
        """
        from opslog.filters.arrow import compute  # start-up: runs without a filter need none

        if isinstance(condition, Filter):
            return condition
        expression = condition
        if isinstance(condition, str):
            from opslog.filters import query

            expression = query.parse(condition, timezone)
        if not isinstance(expression, compute.Expression):
            raise FilterError(repr(expression), "expected a pyarrow expression or its text, found")
        columns = _named(_QUOTED.sub("", _shown(expression)))
        try:
            kind = _kind(expression, columns)
        except _misfits():
            columns = tuple(_every_column())
            try:
                kind = _kind(expression, columns)
            except _misfits() as error:
                reason = str(error).split("\n")[0]
                raise FilterError(
                    _shown(expression), f"the filter does not fit the columns ({reason})"
                ) from None
        if kind != pa.bool_():
            raise FilterError(
                _shown(expression), f"expected a condition, found a value of type {kind}"
            )
        if not any(name in _TOLD for name in columns):
            return cls(expression, columns)
        built = tree(expression)
        return cls(expression, columns, needles_of(built), bounds=bounds_of(built))

    @classmethod
    def within(cls, bounds: Bounds) -> Filter:
        """Return the filter of records between bounds."""
        return cls(None, bounds.columns, bounds=bounds)

    @classmethod
    def holding(cls, expression: pc.Expression, *texts: str) -> Filter:
        """Return the filter of an expression that no record fulfils without one of ``texts``.

        Blocks of the input that hold none of them are not even scanned.
        """
        return replace(cls.of(expression), needles=_searched_for(texts))

    @classmethod
    def having(cls, texts: Texts, *needles: str) -> Filter:
        """Return the filter of records with one of these texts, likewise."""
        return cls(None, texts.columns, _searched_for(needles), texts=(texts,))

    def __invert__(self) -> Filter:
        return Filter(~self.expression, self.columns)

    def __and__(self, other: Filter) -> Filter:
        said = [one.said for one in (self, other) if one.said is not None]
        return Filter(
            reduce(and_, said) if said else None,
            tuple(dict.fromkeys(self.columns + other.columns)),
            self.needles + other.needles,
            self.own or other.own,
            self.bounds & other.bounds,
            self.texts + other.texts,
        )

    def select(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the numbers (int32) of the rows of ``batch`` that are kept."""
        from opslog.filters.arrow import compute  # start-up: runs without a filter need none

        kept = evaluate(self.expression, batch)
        return compute.call_function("indices_nonzero", [kept]).cast(pa.int32())


def _searched_for(texts: tuple[str, ...]) -> Needles:
    """Return the needles of records that hold one of these texts; none if one may be hidden."""
    if texts and all(AS_IT_IS.fullmatch(text) for text in texts):
        return (frozenset(text.encode() for text in texts),)
    return ()


def _shown(expression: pc.Expression) -> str:
    """Return the expression as text; none where pyarrow cuts a long value within a character."""
    try:
        return str(expression)
    except UnicodeDecodeError:
        return ""


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
    none = pa.nulls(0, kept.type)
    # Without a chunk combine_chunks() would import pandas where it is installed.
    return kept.chunk(0) if kept.num_chunks == 1 else pa.concat_arrays([none, *kept.chunks])


def _every_column() -> dict[str, pa.DataType]:
    names = (*schema.names(original=True), "fingerprint")
    return {name: schema.BY_NAME[name].type for name in names}


def _named(text: str) -> tuple[str, ...]:
    """Return the columns whose names stand in an expression's text: it reads no others.

    Those by which a word in it is called by accident are built for nothing.
    """
    words = set(re.findall(r"\w+", text))
    if "FieldPath" in words:  # a column by its number
        return tuple(_every_column())
    # A batch without columns would have no rows either.
    return tuple(name for name in _every_column() if name in words) or ("severity_number",)


def _kind(expression: pc.Expression, columns: tuple[str, ...]) -> pa.DataType:
    """Return the type of an expression's values."""
    types = _every_column()
    # pa.array and empty_table would import pandas where it is installed.
    empty = [pa.nulls(0, types[name]) for name in columns]
    return evaluate(expression, pa.RecordBatch.from_arrays(empty, names=list(columns))).type
