"""What one batch tells: grouped by Arrow, so that Python sees each group once, not each record."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from opslog.correlate import tellers
from opslog.correlate.calls import is_told_by_service
from opslog.model import arrays
from opslog.model.severity import CLASS_OF, ERROR
from opslog.rows.fingerprint import NAME, OF, with_fingerprints
from opslog.rows.kept import Kept
from opslog.rows.template import templates
from opslog.stages.rows import values
from opslog.stats.routes import routes

COLUMNS = (
    "timestamp", "severity_number", "service_name", "logger", "exception_type", "http_method",
    "http_target", "http_status", "client_address",
)  # fmt: skip
"""The columns of all records that are read."""

ERRORS = ("timestamp", "severity_number", "service_name", "logger", "body", "exception_type",
          NAME, "source", "source_offset")  # fmt: skip
"""The columns of errors that are read."""

EVERY = tuple(dict.fromkeys((*COLUMNS, *ERRORS, *tellers.COLUMNS, "request_id")))
"""All columns that any record may be asked for."""

LONGEST = 500
"""Characters of a template that are kept."""

Name = str | None


@dataclass(slots=True)
class BatchCounts:
    """What a batch tells, in the order in which its records tell it."""

    records: int
    width: int
    """Microseconds of a step of ``times``."""
    span: tuple[int, int] | None
    """The earliest and the latest time, in microseconds since the epoch."""
    times: list[tuple[int | None, Name, int, int]]
    """(step, service, class of severity, records)."""
    loggers: list[tuple[Name, Name, int, int]]
    """(service, logger, class of severity, records)."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    requests: pa.Table | None = None
    """What is told of requests, by each who tells of them (correlate/tellers.py)."""


def count_batch(batch: pa.RecordBatch, width: int) -> BatchCounts:
    """Return what ``batch`` tells, in steps of ``width`` microseconds."""

    def some(names: tuple[str, ...], rows: pa.Array) -> pa.RecordBatch:
        if NAME not in names or NAME in batch.schema.names:
            return batch.select(list(names)).take(rows)
        sources = dict.fromkeys((*names, *OF))
        del sources[NAME]
        return with_fingerprints(batch.select([*sources]).take(rows)).select(list(names))

    return _count(batch, width, some)


def count_kept(kept: Kept, width: int) -> BatchCounts:
    """Return what records kept tell; messages and tracebacks are built of errors only."""
    return _count(kept.batch(), width, kept.some)


def _count(
    batch: pa.RecordBatch, width: int, some: Callable[[tuple[str, ...], pa.Array], pa.RecordBatch]
) -> BatchCounts:
    import pyarrow.compute as pc

    severity = batch.column("severity_number")
    level = arrays.numbers(CLASS_OF).take(severity.fill_null(0))
    moments = batch.column("timestamp").view(pa.int64())
    columns = [_steps(moments, width), *_coded(batch, "service_name"), *_coded(batch, "logger")]
    step, service, services, logger, loggers = columns
    span = pc.min_max(moments)
    times = grouped([step, service, level])
    parted = grouped([service, logger, level])
    out = BatchCounts(
        len(batch),
        width,
        (span["min"].as_py(), span["max"].as_py()) if span["min"].is_valid else None,
        [(t, services[s], one, n) for t, s, one, n in zip(*times, strict=True)],
        [(services[s], loggers[g], one, n) for s, g, one, n in zip(*parted, strict=True)],
    )
    failed = pc.or_kleene(
        pc.greater_equal(severity, ERROR), batch.column("exception_type").is_valid()
    ).fill_null(False)
    if failed.true_count:
        out.errors = _errors(some(ERRORS, pc.indices_nonzero(failed).cast(pa.int32())))
    out.requests = _requests(batch, some)
    return out


def _steps(moments: pa.Array, width: int) -> pa.Array:
    """Return the number of each time's step since the epoch; division by Arrow cuts to zero."""
    import pyarrow.compute as pc

    before = pc.less(moments, 0)
    return pc.divide(pc.if_else(before, pc.subtract(moments, width - 1), moments), width)


def _coded(batch: pa.RecordBatch, name: str) -> tuple[pa.Array, list[Name]]:
    """Return each row's number and the texts the numbers stand for; null is the last one."""
    column = batch.column(name)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = column.dictionary.to_pylist()
    return column.indices.fill_null(len(known)), [*known, None]


def grouped(keys: list[pa.Array], *sums: pa.Array) -> list[list[Any]]:
    """Return the keys' distinct values, how often they come and ``sums``: a list of each.

    They are in the order in which the rows tell them, which Arrow does not keep.
    """
    names = [f"k{n}" for n in range(len(keys))]
    values = [f"v{n}" for n in range(len(sums))]
    count = len(keys[0])
    rows = pa.Array.from_buffers(pa.int32(), count, [None, pa.py_buffer(array("i", range(count)))])
    table = pa.Table.from_arrays([*keys, *sums, rows], names=[*names, *values, "row"])
    found = pa.TableGroupBy(table, names, use_threads=False).aggregate(
        [([], "count_all"), ("row", "min"), *((name, "sum") for name in values)]
    )
    wanted = [*names, "count_all", *(f"{name}_sum" for name in values)]
    found = found.sort_by("row_min")
    return [found[name].to_pylist() for name in wanted]


def _errors(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return a row for each fingerprint of ``batch``: the first record, and how many."""
    found: dict[str, dict[str, Any]] = {}
    names = values(batch.column(NAME))
    firsts: list[int] = []
    times = batch.column("timestamp").view(pa.int64()).to_pylist()
    for row, (name, time) in enumerate(zip(names, times, strict=True)):
        one = found.get(name)
        if one is None:
            found[name] = {"fingerprint": name, "records": 1, "first": time, "last": time}
            firsts.append(row)
            continue
        one["records"] += 1
        if time is not None:
            one["first"] = time if one["first"] is None else min(one["first"], time)
            one["last"] = time if one["last"] is None else max(one["last"], time)
    first = batch.take(pa.array(firsts, pa.int32()))
    said = templates(first.column("body")).to_pylist()
    told = first.drop_columns(["body", "timestamp", NAME]).to_pylist()
    for one, row, template in zip(found.values(), told, said, strict=True):
        one |= row
        one["template"] = None if template is None else template[:LONGEST]
    return list(found.values())


def _requests(
    batch: pa.RecordBatch, some: Callable[[tuple[str, ...], pa.Array], pa.RecordBatch]
) -> pa.Table | None:
    """Return what is told of requests that services answered, None for nothing."""
    rows = tellers.answering(batch)
    if not len(rows):
        return None
    told = batch.take(rows)
    ids = ("request_id",) if tellers.needs_ids(told) else ()
    missing = tuple(name for name in (*tellers.COLUMNS, *ids) if name not in batch.schema.names)
    if missing:
        for name, column in zip(missing, some(missing, rows), strict=True):
            told = told.append_column(name, column)
    told = told.filter(is_told_by_service(told))
    if not len(told):
        return None
    return tellers.tellings(told, routes(told["http_target"]))
