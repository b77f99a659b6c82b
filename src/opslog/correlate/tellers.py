"""Who tells of one call: the service's own line, uWSGI's of the same process, proxies in front.

Each line is a telling.  Those of one call have the same path, status and method, and their times
fit: who is further out sees it begin earlier and end later.  The service and uWSGI are one
process; proxies (Apache, nginx, HAProxy) are others.  Tellings are put together one by one, and
those of one teller never with each other.  So a call that only a proxy saw counts as well, and
one that reached the service by another way.

Counting by minute and believing the largest count of any teller would be simpler; but it counts a
call twice that begins in one minute and ends in the next, and loses what two tellers saw alone.

A line that begins a call (``GET url``) gives its method to the line that ends it (``url returned
with HTTP 200``).  What ends without a method and was not begun in these logs has none.
"""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from opslog.correlate import _tellers
from opslog.correlate._tellers import BegunCalls
from opslog.correlate.calls import AT_BEGIN, may_be_told_by_service
from opslog.correlate.memory import numbers_of, text_of
from opslog.model import arrays
from opslog.reading.sorted_rows import MOST, SortedRows

COLUMNS = (
    "timestamp", "service_name", "host_name", "process_pid", "logger", "body", "http_method",
    "http_target", "http_status", "duration", "client_address", "format",
)  # fmt: skip
"""The columns that tellings are made of; where a call is told by two lines ``request_id``, too."""

RANKS = {"uwsgi.request": 1, "apache.access": 2, "nginx.ingress": 2, "haproxy.http": 3}
"""Formats of servers and proxies, the innermost first; a service's own lines are further inside."""

_UNTIMED = 15
"""The rank of what has no time: it is never put together with others."""

_SECOND = 1_000_000
_NONE = ("method", "service", "host")
"""Names that may be missing."""

_LONGEST = 1e9
"""Seconds of the longest call."""

_TELLERS = 63
"""Tellers that are told from each other; the rest counts as one."""

_BEGUN = 1 << 16
"""Calls that have begun and are remembered."""

_NAMES = ("host", "teller", "service", "method", "route")
"""Columns that are texts in tellings, and numbers from then on."""

_PACKED = pa.schema([
    ("key", pa.int64()),
    ("end", pa.int64()),
    ("length", pa.int64()),
    ("what", pa.int64()),
    ("who", pa.int32()),
    ("process", pa.int32()),
])  # fmt: skip
"""``what``: status, 20 bits of route, 16 of method and 16 of service, above 10 of status.

``who``: a bit of whole seconds, 4 bits of rank, 6 of teller, the rest of host.  Of method,
service and host 0 stands for none.
"""

CALLS = pa.schema([("what", pa.int64()), ("length", pa.int64())])


def answering(batch: pa.RecordBatch) -> pa.Array:
    """Return the numbers (int32) of the records that may tell of calls that services answer.

    Some end a call, others begin one that a later record ends; what clients say is not known yet.
    """
    import pyarrow.compute as pc

    target = pc.is_valid(batch["http_target"])
    return pc.indices_nonzero(pc.and_(may_be_told_by_service(batch), target)).cast(pa.int32())


def tellings(batch: pa.RecordBatch, routes: pa.Array) -> pa.Table:
    """Return what records that ``answering`` chose tell of calls; the batch has COLUMNS.

    It has ``request_id``, too, if some ``needs_ids``.  ``routes`` are dictionary-encoded, one for
    each record.
    """
    import pyarrow.compute as pc

    status, pid = batch["http_status"], _process(batch["process_pid"])
    begins = pc.is_null(status)
    known = pc.and_(pc.greater_equal(status, 100), pc.less(status, 1000))
    status = pc.fill_null(pc.if_else(known, status, 0), 0)
    form = _coded(batch["format"])
    names = form.dictionary.to_pylist()
    moment = batch["timestamp"].view(pa.int64())
    rank = _looked_up(form, [RANKS.get(name, 0) for name in names])
    rank = pc.if_else(pc.is_valid(moment), rank, arrays.int32(_UNTIMED)[0])
    length = _micros(batch["duration"])
    start = pc.equal(_looked_up(form, [int(name in AT_BEGIN) for name in names]), 1)
    moment = pc.fill_null(moment, 0)
    begun = pc.and_(start, pc.greater_equal(length, 0))
    end = pc.if_else(begun, pc.add(moment, length), moment)
    whole = pc.equal(pc.multiply(pc.divide(moment, _SECOND), _SECOND), moment)
    paths = hashed_paths(batch["http_target"], status)
    inside = pc.equal(rank, 0)
    teller = pc.if_else(inside, *(batch[name].cast(pa.string()) for name in ("logger", "format")))
    columns = {
        "key": paths, "end": end, "whole": whole, "length": length, "process": pid,
        "host": _coded(batch["host_name"]), "teller": _coded(teller), "rank": rank,
        "service": _coded(batch["service_name"]), "method": _coded(batch["http_method"]),
        "route": routes, "status": status,
        "begins": begins.cast(pa.uint8()), "call": _two_lines(batch, pid.cast(pa.int64())),
    }  # fmt: skip
    return pa.table(columns)


class Calls:
    """The calls of all tellings, each once, in memory that does not grow with them.

    What is more than ``memory`` bytes lies in temporary files as long as the object lives.
    ``most`` names of each kind are told from each other, those that come first.
    """

    def __init__(self, most: int, memory: int = MOST) -> None:
        self._begun = BegunCalls(_BEGUN)
        self._rows = SortedRows(_PACKED, [("key", "ascending"), ("end", "ascending")], memory)
        weakref.finalize(self, self._rows.close)
        self.names: dict[str, dict[str, int]] = {name: {} for name in _NAMES}
        """The numbers of services, methods, routes; what came too late has the number ``most``."""
        self._limits = dict.fromkeys(_NAMES, most) | {"teller": _TELLERS}

    def add(self, told: pa.Table) -> None:
        """Take tellings; those of a source come in the order of its records.

        Raises SinkError if a temporary file cannot be written.
        """
        import pyarrow.compute as pc

        columns = {name: told[name].combine_chunks() for name in told.schema.names}
        for name in _NAMES:
            columns[name] = self._numbered(name, columns[name])
        methods = array("i", numbers_of(columns["method"], "i").tobytes())
        self._begun.find_methods(
            numbers_of(columns["call"]), numbers_of(columns["begins"], "B"), memoryview(methods)
        )
        columns["method"] = _array(pa.int32(), methods)
        columns["what"] = _packed(columns, {"status": 0, "route": 10, "method": 30, "service": 46})
        columns["who"] = _packed(columns, {"whole": 0, "rank": 1, "teller": 5, "host": 11})
        columns["who"] = columns["who"].cast(pa.int32())
        ended = pc.equal(columns["begins"], arrays.uint8(0))
        rows = pa.table([columns[name] for name in _PACKED.names], _PACKED)
        self._rows.add(rows.filter(ended))

    def _numbered(self, name: str, column: pa.DictionaryArray) -> pa.Array:
        """Return the numbers of texts, -1 for null; new texts get new ones."""
        import pyarrow.compute as pc

        known, most = self.names[name], self._limits[name]
        places = []
        for text in column.dictionary.to_pylist():
            if text not in known and len(known) < most:
                known[text] = len(known)
            places.append(known.get(text, most))
        return pc.fill_null(arrays.numbers(places).take(column.indices), -1)

    def tables(self) -> Iterator[pa.Table]:
        """Yield the calls (CALLS) of all tellings so far, in no order.

        ``what`` tells what a call was, in numbers of ``names``; ``length`` is in microseconds,
        -1 for none.
        """
        return _united(self._rows.tables())


def _united(tellings: Iterable[pa.Table]) -> Iterator[pa.Table]:
    calls = _tellers.Calls()
    for told in tellings:
        yield _calls(calls, told, False)
    yield _calls(calls, _PACKED.empty_table(), True)


def _calls(calls: _tellers.Calls, told: pa.Table, last: bool) -> pa.Table:
    room = len(told) + calls.most
    whats, lengths = array("q", bytes(8 * room)), array("q", bytes(8 * room))
    columns = [
        numbers_of(told[field.name].combine_chunks(), "q" if field.type == pa.int64() else "i")
        for field in _PACKED
    ]
    count = calls.unite(last, memoryview(whats), memoryview(lengths), *columns)
    found = [_array(pa.int64(), values).slice(0, count) for values in (whats, lengths)]
    return pa.table(found, CALLS)


def what(number: int) -> tuple[int, int, int, int]:
    """Return the numbers of service, method and route, -1 for none, and the status of a call."""
    return (number >> 46) - 1, (number >> 30 & 0xFFFF) - 1, number >> 10 & 0xFFFFF, number & 0x3FF


def _packed(columns: dict[str, pa.Array], places: dict[str, int]) -> pa.Array:
    """Return one number of several, each at its bit."""
    import pyarrow.compute as pc

    whole = arrays.int64(0)
    for name, place in places.items():
        number = columns[name].cast(pa.int64())
        number = pc.add(number, 1) if name in _NONE else number
        whole = pc.add(whole, pc.shift_left(number, place))
    return whole


def needs_ids(batch: pa.RecordBatch) -> bool:
    """Return whether some records begin a call, or end one whose method they do not tell."""
    return bool(batch["http_status"].null_count or batch["http_method"].null_count)


def _two_lines(batch: pa.RecordBatch, pid: pa.Array) -> pa.Array:
    """Return what the line that begins a call shares with the one that ends it (int64)."""
    if not needs_ids(batch):
        return pid
    own = hashed_paths(batch["http_target"], pid)
    return _hashed(_tellers.hash_texts, batch["request_id"], own)


def _micros(seconds: pa.Array) -> pa.Array:
    """Return durations in microseconds, -1 where there is none, or a negative one."""
    import pyarrow.compute as pc

    known = pc.fill_null(
        pc.and_(pc.greater_equal(seconds, 0), pc.less_equal(seconds, _LONGEST)), False
    )
    limited = pc.if_else(known, seconds, arrays.float64(-1e-6))
    return pc.round(pc.multiply(limited, 1e6)).cast(pa.int64())


def _process(pid: pa.Array) -> pa.Array:
    """Return process ids (int32), -1 where there is none, or one that no system gives."""
    import pyarrow.compute as pc

    known = pc.and_(pc.greater_equal(pid, 0), pc.less(pid, 1 << 31))
    return pc.if_else(pc.fill_null(known, False), pid, arrays.int64(-1)).cast(pa.int32())


def _coded(column: pa.Array) -> pa.DictionaryArray:
    """Return texts with a dictionary of only those there are, in the order they come."""
    if not pa.types.is_dictionary(column.type):
        return column.dictionary_encode()
    found = column.indices.dictionary_encode()
    return pa.DictionaryArray.from_arrays(found.indices, column.dictionary.take(found.dictionary))


def _looked_up(column: pa.DictionaryArray, values: list[int]) -> pa.Array:
    """Return for each text its number, by its place in the dictionary; 0 for null."""
    import pyarrow.compute as pc

    return pc.fill_null(arrays.numbers(values).take(column.indices), 0)


def hashed_paths(targets: pa.Array, seeds: pa.Array | None = None) -> pa.Array:
    """Return a number for the path of each target (int64), and its seed; of null any."""
    seeds = pa.repeat(arrays.int64(0), len(targets)) if seeds is None else seeds
    return _hashed(_tellers.hash_paths, targets, seeds)


def _hashed(hashes: Callable[..., None], texts: pa.Array, seeds: pa.Array) -> pa.Array:
    """Return a number for each text and seed (int64)."""
    found = array("q", bytes(8 * len(texts)))
    hashes(*text_of(texts), numbers_of(seeds), memoryview(found))
    return _array(pa.int64(), found)


def _array(kind: pa.DataType, values: array[int]) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)], 0)
