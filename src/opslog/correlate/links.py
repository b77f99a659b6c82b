"""Links: what a record says of which request called which.

The record's own request is in its context (``request_id``); the other id is
the global id beside it, or stands in a message of a known form:

- ``bracket``: the context names the request that caused this one.
- ``client``: keystoneauth and the clients tell the id of the response to their call.
- ``response``: the headers of a response, as clients print them.
- ``error``: an exception's text names the request that failed.
- ``check``: a token was checked, before the call it came with had a context: whoever
  seems to have called did not.

Whose call a response answers is told by the header that was sent with it, else by the
context it is logged in (sent.py).  An answer with the caller's own cause claims nothing:
glance takes the id that it is sent for its own.

An id that stands anywhere else is somebody's words and no link: a message may
quote what it likes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import NamedTuple

import pyarrow as pa

from opslog.correlate import _links
from opslog.correlate._links import Sights
from opslog.correlate.calls import UNDER_CALLERS_ID, is_under_callers_id
from opslog.correlate.sent import SentCauses
from opslog.model import arrays
from opslog.rows.kept import Kept

COLUMNS = ("request_id", "global_request_id", "logger", "body", "process_pid", "timestamp")
"""The columns links are found in."""

SERVED = ("service_name", "duration", "format")
"""The columns that tell of a called request which service it is of, and when it began."""

_PAIR_COLUMNS = COLUMNS[:2] + SERVED
_QUOTE_COLUMNS = COLUMNS[:5] + SERVED
_STORED_COLUMNS = ("request_id", "user_id", "project_id", "user_name", "program")
_TIME = pa.timestamp("us", "UTC")

ID = (
    "(?:req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|tx[0-9a-f]{21}-[0-9a-f]{10}[0-9A-Za-z._-]*)"
)
"""A request's id: of most services, of Swift."""

WORDS = r"(?i)request[ -]id|request_ids?|^\[req-"
"""A pattern (RE2) found in every message with a link."""


class Link(NamedTuple):
    """One request called another, or caused it.

    ``timestamp`` is that of the record that says so: microseconds since the epoch
    in UTC, None if it has none.  ``context`` is the request whose context the caller
    was named in, where that is another one.
    """

    caller: str
    callee: str
    kind: str
    timestamp: int | None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class LinkCandidates:
    """What was found in one block of a source: records that may hold links, and ids seen."""

    source: str
    batches: tuple[pa.RecordBatch, ...]
    sights: Sights


def link_candidates(kept: Kept) -> LinkCandidates:
    """Return the few records of a block that may hold links; from any thread."""
    stored = kept.records.stored(kept.program)
    also = () if stored is None else ("source",)
    moments = kept.times()
    known, values = moments.buffers()
    pairs, quotes = (array("i", bytes(4 * kept.count)) for _ in range(2))
    pair_count, quote_count, sights = _links.find_links(
        kept.records,
        memoryview(values).cast("B").cast("q"),
        memoryview(known).cast("B") if moments.null_count else None,
        memoryview(pairs),
        memoryview(quotes),
        is_under_callers_id(kept.writer),
        None if stored is None else _said_of_stored(kept, stored),
    )
    batches = (
        _columns_of(kept, (*names, *also), rows[:count], moments)
        for names, rows, count in (
            (_PAIR_COLUMNS, pairs, pair_count),
            (_QUOTE_COLUMNS, quotes, quote_count),
        )
        if count
    )
    return LinkCandidates(kept.source, tuple(batches), sights)


def _said_of_stored(kept: Kept, stored: bytes) -> memoryview:
    """Return what columns say beside ids of those records that are ``stored``, for _links.pyx."""
    import pyarrow.compute as pc

    batch = kept.others(_STORED_COLUMNS)
    named = [pc.is_valid(batch.column(name)) for name in _STORED_COLUMNS[1:4]]
    programs = batch.column("program").cast(pa.string())
    adopted = pc.match_substring_regex(programs, f"^(?:{UNDER_CALLERS_ID})").fill_null(False)
    told = pc.if_else(pc.or_(pc.or_(*named[:2]), named[2]), *map(arrays.uint8, _links.USERS))
    told = pc.if_else(adopted, pc.bit_wise_or(told, arrays.uint8(_links.ADOPTED)), told)
    mark = pa.Array.from_buffers(pa.uint8(), len(stored), [None, pa.py_buffer(stored)])
    return memoryview(pc.multiply(told, mark).buffers()[1]).cast("B")


def _columns_of(
    kept: Kept, names: tuple[str, ...], rows: array[int], moments: pa.Array
) -> pa.RecordBatch:
    """Return columns of the records with these numbers, with their times."""
    numbers = pa.Array.from_buffers(pa.int32(), len(rows), [None, pa.py_buffer(rows)], 0)
    if moments.null_count:
        return kept.others((*names, "timestamp"), numbers)
    values = memoryview(moments.buffers()[1]).cast("B").cast("q")
    times = pa.py_buffer(array("q", map(values.__getitem__, rows)))
    column = pa.Array.from_buffers(_TIME, len(rows), [None, times], 0)
    return kept.others(names, numbers).append_column("timestamp", column)


def links(batch: pa.RecordBatch) -> Iterator[Link]:
    """Yield the links that the records of a batch tell, in their order; none from an id to itself.

    The batch has columns of COLUMNS, and holds records of one source in their order.  Of
    columns it has not nothing is found.
    """
    return claims_in(batch)


def claims_in(
    batch: pa.RecordBatch,
    chosen: bool = False,
    sent: SentCauses | None = None,
    source: str = "",
) -> Iterator[Link]:
    """Yield the links; with ``chosen`` every message may hold one.

    ``sent`` remembers calls from batch to batch, ``source`` is that of the records.
    """
    sent = SentCauses() if sent is None else sent
    have = batch.schema.names
    own, cause = (
        _texts(batch.column(have.index(name))) if name in have else [""] * len(batch)
        for name in COLUMNS[:2]
    )
    pids = batch["process_pid"].to_pylist() if "process_pid" in have else repeat(None, len(batch))
    messages = _messages(batch, chosen) if "body" in have else repeat(("", ""), len(batch))
    for caller, root, time, pid, (body, logger) in zip(
        own, cause, times_of(batch), pids, messages, strict=True
    ):
        if caller and root and root != caller:
            yield Link(root, caller, "bracket", time)
        if not body:
            continue
        kind, other, url = _said_in(body, logger)
        if kind == "error" or not kind:
            if other and other != caller and caller:
                yield Link(caller, other, kind, time)
            continue
        writer = (source, pid, _STEP.sub("", logger))
        if kind == "sent":
            if other:
                sent.send(writer, caller, url or "", other, time)
            continue
        told = sent.answer(writer, caller, url, time)
        if not other or told is None or other in (caller, root, told):
            continue
        if told and told not in (caller, root):
            yield Link(told, other, kind, time, caller or None)
        elif caller:
            checks = not told and url is not None and _CHECKED.match(body)
            yield Link(caller, other, "check" if checks else kind, time)


def times_of(batch: pa.RecordBatch) -> Sequence[int | None]:
    """Return the records' times: microseconds since the epoch in UTC."""
    at = batch.schema.get_field_index("timestamp")
    if at < 0:
        return [None] * len(batch)
    column = batch.column(at)
    if column.type != _TIME:
        column = column.cast(_TIME)
    column = column.view(pa.int64())
    if column.null_count:
        found: list[int | None] = column.to_pylist()
        return found
    values = memoryview(column.buffers()[1]).cast("B").cast("q")
    return values[column.offset : column.offset + len(column)]


def _texts(column: pa.Array) -> list[str]:
    """Return a column of texts, empty for null: four times as fast as ``to_pylist``."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.type != pa.string():
        column = column.cast(pa.string())  # costs an import
    _, ends, data = column.buffers()
    if column.null_count == len(column) or data is None:
        return [""] * len(column)
    text = data.to_pybytes()
    places = memoryview(ends).cast("B").cast("i")[column.offset :][: len(column) + 1]
    if text.isascii():
        whole = text.decode("ascii")
        return [whole[begin:end] for begin, end in pairwise(places)]
    return [text[begin:end].decode() for begin, end in pairwise(places)]


def _messages(batch: pa.RecordBatch, chosen: bool) -> Iterable[tuple[str, str]]:
    """Return (message, logger) of each record, the message empty where it holds no link."""
    have = batch.schema.names
    body = batch.column(have.index("body"))
    if not chosen:
        import pyarrow.compute as pc  # start-up: most runs ask for no links

        body = body.cast(pa.string())
        body = pc.if_else(pc.match_substring_regex(body, WORDS), body, arrays.text(""))
    loggers = _texts(batch.column(have.index("logger"))) if "logger" in have else [""] * len(batch)
    return zip(_texts(body), loggers, strict=True)


_STEP = re.compile(r"\.(?:request|response|body|request-id)$")
"""What keystoneauth puts behind its logger's name for each part of a call, if told to."""

_USED = re.compile(
    rf"[A-Z]{{3,7}} call to \S{{1,99}} for ([^\n]{{1,9999}}) used request id (?:({ID})\s*\Z)?"
)
_CALLED = re.compile(r"(?:-X [A-Z]{3,7} )?(\w+://\S{1,9999})")
_CHECKED = re.compile(r"GET call to \S{1,99} for \S{1,999}/tokens(?:\?\S*)? used ")
_CREATED = re.compile(rf"\[({ID})\] ")
_HEADER = re.compile(
    rf"""(?i:\bx-(?:openstack|compute)-request-id)(?:['"]?: ?(?:[ub]?['"])?|=)({ID})(?![\w-])"""
)
_ERROR = re.compile(
    rf"\(HTTP \d{{3}}\) \(Request-ID: ({ID})\)"
    rf"|Neutron server returns request_ids: \[u?'({ID})'\]"
    rf'|\{{"errors": \[\{{"status": \d.*?"request_id": "({ID})"',
    re.DOTALL,
)
_EMPTY_LINE = re.compile(r"\r?\n\r?\n")
_MOST_TEXT = 65536
"""Characters of a message that are looked at; headers come before a body."""


def _said_in(body: str, logger: str) -> tuple[str, str, str | None]:
    """Return what a message says, the id it names, and the URL that was called.

    The id is empty if there is none or several, the URL None where it is not told.
    """
    if used := _USED.match(body):
        return "client", used[2] or "", used[1]
    text = body[:_MOST_TEXT].strip()
    if text.startswith(("RESP: ", "RESP HEADERS: ")):
        return "response", _single(_HEADER.findall(text.partition("\nRESP BODY")[0])), None
    if "glanceclient" in logger and text.startswith("HTTP/") and "\nHTTP/" not in text:
        headers = _EMPTY_LINE.split(text, maxsplit=1)[0]
        return "response", _single(_HEADER.findall(headers)), None
    if text.startswith("REQ: curl ") or ("glanceclient" in logger and text.startswith("curl ")):
        called = _CALLED.search(text)
        told = _single(_HEADER.findall(text.partition(" -d ")[0]))
        return "sent", told, called and called[1]
    if logger.endswith(".client.report") and (said := _CREATED.match(text)):
        return "client", said[1], None
    return "error", _single([next(filter(None, one)) for one in _ERROR.findall(text)]), None


def _single(found: list[str]) -> str:
    """Return the id that was found, an empty text if different ones were."""
    return found[0] if len(set(found)) == 1 else ""
