"""The kernels that write text for people say what Python says, of any values, cut into any batches."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_text import SlowText

from opslog.model import schema
from opslog.outputs._text_lines import TextLines
from opslog.outputs._text_rows import TextRows
from opslog.outputs.marks import Marks
from opslog.outputs.output import OutputStream
from opslog.outputs.text import TextSink

ODD = st.sampled_from([*" \t\n\r\x1b\x7f\\?@-", "\x85", "\xa0", "\xad", "\u0301", "\u3000", "\u2028", "\u202e",
                       "\u200b", "\ufe0f", "\ufffd", "é", "日", "한", "ᄀ", "\u1160", "👩", "\U000e0041", "\U0010ffff"])  # fmt: skip
PIECES = st.one_of(ODD, st.sampled_from(["E: x", "E", "x", "a longer text of more than sixteen bytes", "\n", ""]), st.characters(exclude_categories=["Cs"]))  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)
FEW = st.sampled_from([None, "", "nova-compute", "日本", "ctl1", "a\tb", "x " * 30, "ends \u3000"])
MAYBE = st.none() | TEXTS
MOMENTS = st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, object]:
    kind, message = draw(MAYBE), draw(MAYBE)
    error = f"{kind}: {message}" if message else kind or ""
    body = draw(MAYBE)
    trace = draw(st.none() | st.lists(TEXTS, max_size=4).map("\n".join))
    if draw(st.booleans()):  # as oslo.log adds it
        body = (body or "") + error
    if trace is not None and draw(st.booleans()):
        trace += "\n" + error
    return {
        "format": draw(st.sampled_from([None, "oslo.text", "rfc3164"])),
        "timestamp": draw(MOMENTS),
        "severity_number": draw(st.none() | st.integers(0, 255)),
        "severity_text": draw(FEW),
        "service_name": draw(FEW),
        "program": draw(FEW),
        "host_name": draw(FEW),
        "request_id": draw(MAYBE),
        "global_request_id": draw(MAYBE),
        "body": body,
        "exception_type": kind,
        "exception_message": message,
        "exception_stacktrace": trace,
        "source": draw(st.sampled_from(["-", "/var/log/a\x1b.log", "x/", "y.log"])),
    }


SCHEMA = pa.schema([(name, schema.BY_NAME[name].type) for name in TextSink.columns])


def written(batches: list[pa.RecordBatch], colored: bool, full: bool, width: int, hosts: bool, marks: Marks | None = None) -> str:  # fmt: skip
    read, write = os.pipe()
    sink = TextSink(OutputStream("pipe", write), colored, full, width, hosts, marks=marks)
    out = b""
    for batch in batches:
        sink.write(sink.of_batch(batch))
        out += os.read(read, 1 << 20)
    sink.close()
    os.close(read)
    return out.decode()


@given(
    rows=st.lists(records(), min_size=1, max_size=8),
    colored=st.booleans(),
    full=st.booleans(),
    width=st.sampled_from([0, 30, 60, 119, 200]),
    hosts=st.booleans(),
    cut=st.integers(1, 8),
)
def test_the_kernels_say_what_python_says(rows: list[dict[str, object]], colored: bool, full: bool, width: int, hosts: bool, cut: int) -> None:  # fmt: skip
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    slices = [batch.slice(start, cut) for start in range(0, len(batch), cut)]
    expected = SlowText(colored, full, width if width < 120 else 0, hosts).of_batches([batch])
    assert written(slices, colored, full, width, hosts) == expected
    assert written([batch], colored, full, width, hosts) == expected


@given(
    rows=st.lists(records(), min_size=1, max_size=4),
    full=st.booleans(),
    pattern=st.sampled_from(["a", r"^\S", r"\S$", r"(?s)\S.*\S", "E|x", r"Error: \S", r"\C", "b*"]),
)
def test_marks_change_no_line(rows: list[dict[str, object]], full: bool, pattern: str) -> None:
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    marked = written([batch], True, full, 60, True, Marks((pattern,)))
    assert re.sub(r"\x1b\[2?7m", "", marked) == written([batch], True, full, 60, True)


def test_columns_of_other_types_and_orders_are_taken() -> None:
    row = {"format": "x", "body": "hello", "program": "p", "severity_text": "INFO"}
    batch = pa.RecordBatch.from_pylist([{name: row.get(name) for name in SCHEMA.names}], SCHEMA)
    columns = [
        column.dictionary_decode().cast(pa.large_string())
        if pa.types.is_dictionary(column.type)
        else column
        for column in batch.columns
    ]
    other = pa.RecordBatch.from_arrays(columns[::-1], batch.schema.names[::-1])
    assert written([other], False, False, 0, False) == written([batch], False, False, 0, False)


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    body = pa.array([b"a\xffb\xc3", b"\xf0\x9f\x91"]).view(pa.binary())
    column = pa.Array.from_buffers(pa.string(), 2, body.buffers())
    batch = pa.RecordBatch.from_pylist(2 * [dict.fromkeys(SCHEMA.names)], SCHEMA)
    batch = batch.set_column(SCHEMA.names.index("body"), "body", column)
    assert written([batch], False, False, 0, False) == "? a\ufffdb\ufffd\n? \ufffd\ufffd\ufffd\n"


def test_lines_in_use_are_not_overwritten() -> None:
    lines, rows = TextLines(0, hosts=False), TextRows([pa.nulls(0)] * 14, 0, False, False, False)
    with memoryview(lines), pytest.raises(BufferError):
        lines.put(rows)
    with pytest.raises(ValueError, match="expected 14 columns of 1 rows"):
        TextRows([pa.nulls(1)] * 13, 1, False, False, False)
