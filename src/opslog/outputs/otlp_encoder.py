"""Records as OTLP: columns to protobuf's wire format.

https://opentelemetry.io/docs/specs/otel/logs/data-model/ says what a log record is, and
opentelemetry/proto/logs/v1/logs.proto, whose numbers stand here, how it is written.
Resources and scopes, of which a batch has few, are made by its published Python classes.  A
record would take 39 calls of those: here each column becomes pieces of bytes, one a
record, by Arrow's functions, and a record is its pieces, joined.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from opslog.model.names import otlp_attribute
from opslog.model.schema import BY_NAME
from opslog.outputs.jsonl import columns_of

_BYTES = pa.array([bytes([number]) for number in range(256)], pa.binary())
_NOT_TRACED = "0" * 32

_OF_RESOURCE = ("program", "service_name", "host_name", "process_pid")
_UNKNOWN = "unknown_service"


def requests(batch: pa.RecordBatch, size: int) -> list[tuple[int, bytes]]:
    """Return a batch as ExportLogsServiceRequests of about ``size`` bytes, serialized.

    The batch has columns of schema.py, all or some.  Before each request stands how many records it
    has; those of one process and logger stand together, in their order.  Two requests, one behind
    the other, are one request of all their records.
    """
    records = _field(b"\x12", _records(batch))
    rows = max(1, batch.num_rows * size // max(1, records.nbytes))
    names = (*_OF_RESOURCE, "logger")
    keys = pa.RecordBatch.from_arrays([_key(batch, name) for name in names], names=names)
    parts = ((keys.slice(at, rows), records.slice(at, rows)) for at in range(0, len(records), rows))
    return [(len(part), _request(known, part)) for known, part in parts]


def _request(keys: pa.RecordBatch, records: pa.Array) -> bytes:
    resources: dict[bytes, list[bytes]] = {}
    for resource, scope, part in _grouped(keys, records):
        resources.setdefault(resource, []).append(_message(2, scope + part))
    return b"".join(
        _message(1, _message(1, resource) + b"".join(scopes))
        for resource, scopes in resources.items()
    )


def rejected(answer: bytes) -> tuple[int, str]:
    """Return how many records a receiver says it has not taken, and why; 0 and "" if all."""
    try:
        told = ExportLogsServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return 0, ""
    return max(0, told.rejected_log_records), told.error_message


def _records(batch: pa.RecordBatch) -> pa.Array:
    """Return each row as a LogRecord."""
    pieces: list[pa.Array | pa.Scalar] = [
        _constant(b"\x59" + (time.time_ns()).to_bytes(8, "little"))  # observed_time_unix_nano
    ]
    for name, kind, array in columns_of(batch):
        if name in _FIELDS:
            pieces.append(_FIELDS[name](array))
        elif kind == "map":
            pieces.append(_of_map(array))
        elif name not in ("program", "host_name", "process_pid", "logger"):
            pieces.append(_attribute(name, kind, array))
    if len(pieces) == 1:
        return pa.array([pieces[0].as_py()] * batch.num_rows, pa.binary())
    return _joined(*pieces, nulls="replace")


def _time(array: pa.Array) -> pa.Array:
    micros = array.cast(pa.int64())
    can_be = pc.greater_equal(micros, 0)
    micros = pc.if_else(can_be, micros, None).cast(pa.uint64())
    micros = pc.if_else(pc.less_equal(micros, ((1 << 64) - 1) // 1000), micros, None)
    return _joined(_constant(b"\x09"), _fixed64(pc.multiply(micros, 1000)))


def _severity_number(array: pa.Array) -> pa.Array:
    return _joined(_constant(b"\x10"), _BYTES.take(array.cast(pa.int32())))


def _severity_text(array: pa.Array) -> pa.Array:
    return _of_values(array, lambda texts: _field(b"\x1a", texts.cast(pa.binary())))


def _body(array: pa.Array) -> pa.Array:
    return _field(b"\x2a", _field(b"\x0a", array.cast(pa.binary())))


def _trace_id(array: pa.Array) -> pa.Array:
    array = pc.if_else(pc.equal(array, _NOT_TRACED), None, array)
    digits = "".join(array.drop_null().dictionary_encode().dictionary.to_pylist())
    ids = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digits) // 32, [None, pa.py_buffer(bytes.fromhex(digits))]
    )
    found = array.dictionary_encode().indices
    return _joined(_constant(b"\x4a\x10"), ids.cast(pa.binary()).take(found))


_FIELDS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "timestamp": _time,
    "severity_number": _severity_number,
    "severity_text": _severity_text,
    "body": _body,
    "trace_id": _trace_id,
}
"""Columns that are fields of a log record."""

_UNLIKE = ("source_offset", "original")
"""Columns with a value of its own in every row; the values of others are written once each."""

_NAMES = pa.array([otlp_attribute(name) for name in BY_NAME])
"""Of columns: no other value of a record has one of these."""


def _attribute(name: str, kind: str, array: pa.Array) -> pa.Array:
    """Return the values of a column as attributes of their records."""
    key = otlp_attribute(name).encode()
    head = _constant(b"\x0a" + _varint(len(key)) + key + b"\x12")

    def made(values: pa.Array) -> pa.Array:
        if kind in ("string", "dictionary"):
            return _text_attribute(head, values.cast(pa.binary()))
        if kind == "binary":
            return _text_attribute(head, values, b"\x3a")
        if kind == "float64":
            value = _joined(_constant(b"\x21"), _fixed64(values))
        else:
            value = _joined(_constant(b"\x18"), _varints(values))
            value = pc.if_else(values.is_valid(), value, None)
        return _field(b"\x32", _joined(head, _varints(pc.binary_length(value)), value))

    if kind in ("int64", "float64"):
        array = array.view(pa.uint64())
    if name in _UNLIKE:
        return made(array)
    return _of_values(array if kind == "dictionary" else array.dictionary_encode(), made)


def _text_attribute(head: pa.Array | pa.Scalar, texts: pa.Array, tag: bytes = b"\x0a") -> pa.Array:
    """Return ``texts`` as attributes; ``head`` is all that stands before a value's length."""
    size = pc.binary_length(texts)
    sizes = _varints(size)
    value = pc.add(pc.add(size, pc.binary_length(sizes)), 1)
    values = _varints(value)
    whole = pc.add(pc.add(value, pc.binary_length(values)), pc.binary_length(head))
    return _joined(_constant(b"\x32"), _varints(whole), head, values, _constant(tag), sizes, texts)


def _of_map(array: pa.MapArray) -> pa.Array:
    """Return the entries of each record as its attributes, but for those named like a column."""
    keys = pc.if_else(pc.is_in(array.keys, _NAMES), None, array.keys).cast(pa.binary())
    heads = _joined(_field(b"\x0a", keys), _constant(b"\x12"))
    pieces = _text_attribute(heads, array.items.cast(pa.binary()))
    pieces = pc.fill_null(pieces, b"")
    # The entries of a record lie behind each other: its attributes begin where the first does.
    _, ends, data = pieces.buffers()
    starts = pa.Array.from_buffers(pa.int32(), len(pieces) + 1, [None, ends], offset=pieces.offset)
    offsets = starts.take(array.offsets)
    return pa.Array.from_buffers(pa.binary(), len(array), [None, offsets.buffers()[1], data])


def _of_values(array: pa.DictionaryArray, made: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return what is ``made`` of the few values of a column, for each record."""
    return made(array.dictionary).take(array.indices)


def _grouped(keys: pa.RecordBatch, records: pa.Array) -> list[tuple[bytes, bytes, memoryview]]:
    """Return the records of each process and logger, with its resource and its scope."""
    names = keys.schema.names
    rows = pa.array(range(len(records)), pa.int32())
    table = pa.table([*keys.columns, rows], names=[*names, "row"])
    # In one thread the rows of a group stay in order.
    groups = table.group_by(names, use_threads=False).aggregate([("row", "list")])
    lists = groups["row_list"].combine_chunks()
    taken = records.take(lists.values)
    _, ends, data = taken.buffers()
    view = memoryview(data) if data is not None else memoryview(b"")
    place = memoryview(ends).cast("i")
    found, at = [], 0
    for group, size in zip(
        groups.select(names).to_pylist(), pc.list_value_length(lists).to_pylist(), strict=True
    ):
        part = view[place[at] : place[at + size]]
        found.append(
            (_resource(*(group[name] for name in _OF_RESOURCE)), _scope(group["logger"]), part)
        )
        at += size
    return found


def _key(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column by which records stand together, without values if it is not there."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    column = batch[name]
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


@lru_cache(maxsize=4096)
def _resource(program: str | None, service: str | None, host: str | None, pid: int | None) -> bytes:
    # https://opentelemetry.io/docs/specs/semconv/resource/#service
    said = [KeyValue(key="service.name", value=_text(program or service or _UNKNOWN))]
    if host is not None:
        said.append(KeyValue(key="host.name", value=_text(host)))
    if pid is not None:
        said.append(KeyValue(key="process.pid", value=AnyValue(int_value=pid)))
    return bytes(Resource(attributes=said).SerializeToString())


@lru_cache(maxsize=4096)
def _scope(logger: str | None) -> bytes:
    scope = InstrumentationScope(name=logger) if logger else InstrumentationScope()
    return _message(1, scope.SerializeToString())


def _text(value: str) -> AnyValue:
    return AnyValue(string_value=value)


def _message(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _varints(numbers: pa.Array) -> pa.Array:
    """Return numbers from 0 as varints; null becomes nothing."""
    zero, seven, low_bits = (pa.scalar(number, numbers.type) for number in (0, 7, 127))
    pieces = []
    while True:
        rest = pc.shift_right(numbers, seven)
        goes_on = pc.greater(rest, zero)
        low = pc.bit_wise_and(numbers, low_bits).cast(pa.int32())
        pieces.append(_BYTES.take(pc.if_else(goes_on, pc.bit_wise_or(low, 128), low)))
        numbers = pc.if_else(goes_on, rest, None)
        if numbers.null_count == len(numbers):
            return _joined(*pieces, nulls="replace")


def _fixed64(array: pa.Array) -> pa.Array:
    raw = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8), len(array), array.buffers(), offset=array.offset
    )
    return raw.cast(pa.binary())


def _field(tag: bytes, content: pa.Array) -> pa.Array:
    """Return each content behind its tag and its length."""
    return _joined(_constant(tag), _varints(pc.binary_length(content)), content)


def _constant(data: bytes) -> pa.Scalar:
    return pa.scalar(data, pa.binary())


def _joined(*pieces: pa.Array | pa.Scalar, nulls: str = "emit_null") -> pa.Array:
    return pc.binary_join_element_wise(
        *pieces, _constant(b""), null_handling=nulls, null_replacement=b""
    )
