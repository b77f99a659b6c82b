"""Records that carry the id of a request that has ended, and the calls they belong to.

``OwnedRecords`` is shown all records in the order of their sources.  See _contexts.pyx for
how it is known that a request has ended.
"""

from __future__ import annotations

from array import array
from zlib import crc32

import pyarrow as pa

from opslog.correlate import calls
from opslog.correlate._contexts import Contexts
from opslog.correlate.memory import numbers_of, text_of
from opslog.model import arrays
from opslog.model.naming import CLIENT_LOGGERS, CLIENT_TEXTS, TOKENS

COLUMNS = (
    "timestamp", "source", "source_offset", "host_name", "program", "process_pid", "logger",
    "body", "request_id", "user_id", "user_name", "http_method", "http_target", "http_status",
)  # fmt: skip
"""The columns that tell it."""

MOST = 1 << 17
"""Ids of processes that are remembered."""

_WORK, _OPENS, _NEXT, _MAY_OPEN, _BEGINS, _ANSWER, _CLIENT, _ADOPTED = 0, 1, 2, 3, 4, 5, 6, 8
"""What _contexts.pyx calls them."""

_OPENERS = (
    r"^keystonemiddleware\.(?:auth_token|ec2_token|s3_token|_common)|^oslo_middleware\b|^paste\b"
    r"|^glance\.api\.middleware\.version_negotiation$"
    r"|^eventlet\.wsgi|\bwsgi\.server$|^neutron\.wsgi$"
)
"""A pattern of the loggers that write before a call has a context of its own, or for none.

A server's own lines are those of a connection: ``(11) accepted``, ``(11) timed out``.  Some
services make a context first, that of nobody; then such a line may be of the call itself.
"""

_NOBODYS = r"\bwsgi_app$|^oslo[_.]service\b"
"""A pattern of the loggers that write of a process: in the name of a user only by mistake."""

_POOLS = r"^oslo_concurrency\.lockutils$|^glance\.(?:async_|api\.common)$"
_POOL = r"^(?:Acquiring lock|Lock|Initializing named threadpool) .tasks_pool|^Creating threadpool"
"""What glance writes of the same when it begins and ends: loggers, and their messages."""

_KEYSTONE = r"^keystone\.(?:middleware\.auth|server\.flask\.request_processing\.middleware)"
"""The same of keystone, which tells of what it found once the context is made: ``RBAC: ...``."""

_HELPERS = r"^keystone\.common\.fernet_utils$"
"""A pattern of the loggers that these call, and later the call itself."""

_PATH = r"^[a-z][a-z0-9+.-]*://[^/?#]*|[?#].*$"


class OwnedRecords:
    """Tells which records belong to the request whose id they carry."""

    def __init__(self, most: int = MOST) -> None:
        self._contexts = Contexts(most)

    @property
    def forgotten(self) -> int:
        """Ids of processes that were forgotten."""
        return self._contexts.forgotten

    def other_calls(self, batch: pa.RecordBatch) -> pa.Array:
        """Return for each record the place of the call it belongs to if that is not its id's.

        That is the ``source_offset`` of the call's first record (int64); null where a record
        belongs to its id, or has none.  A batch has COLUMNS; the records of a source come in
        their order.
        """
        import pyarrow.compute as pc

        count = len(batch)
        served = calls.is_told_by_service(batch)
        found = memoryview(array("q", bytes(8 * count)))
        path = pc.replace_substring_regex(
            pc.if_else(served, batch["http_target"], pa.scalar(None, pa.string())), _PATH, ""
        )
        self._contexts.find_calls(
            _processes(batch),
            *text_of(pc.fill_null(batch["request_id"], "")),
            _kinds(batch, served),
            numbers_of(batch["timestamp"].cast(pa.int64())),
            numbers_of(batch["source_offset"]),
            *text_of(pc.fill_null(path, "")),
            numbers_of(batch["http_status"].cast(pa.int64())),
            numbers_of(hashes(batch["logger"])),
            found,
        )
        places = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(found)])
        return pc.if_else(pc.less(places, 0), pa.scalar(None, pa.int64()), places)


def _kinds(batch: pa.RecordBatch, served: pa.Array) -> memoryview:
    """Return what each record is, as _contexts.pyx numbers it."""
    import pyarrow.compute as pc

    kinds = pa.repeat(arrays.uint8(_WORK), len(batch))

    def put(where: pa.Array, kind: int) -> None:
        nonlocal kinds
        kinds = pc.if_else(where, arrays.uint8(kind), kinds)

    named = pc.or_(pc.is_valid(batch["user_id"]), pc.is_valid(batch["user_name"]))
    openers, keystone = (_matches(batch["logger"], pattern) for pattern in (_OPENERS, _KEYSTONE))
    clients = _matches(batch["logger"], CLIENT_LOGGERS)
    put(clients, _CLIENT)
    if pc.any(clients).as_py():
        target = pc.if_else(clients, batch["http_target"], pa.scalar(None, pa.string()))
        checks = pc.fill_null(pc.match_substring_regex(target, TOKENS), False)
        reads = pc.fill_null(pc.equal(batch["http_method"].cast(pa.string()), "GET"), False)
        openers = pc.or_(openers, pc.and_(checks, reads))
    if pc.any(keystone).as_py():
        found = pc.fill_null(pc.starts_with(batch["body"], "RBAC: "), False)
        keystone = pc.and_not(keystone, found)
    put(openers, _MAY_OPEN)
    put(keystone, _NEXT)
    left = pc.or_(pc.or_(openers, keystone), _matches(batch["logger"], _NOBODYS))
    pools = _matches(batch["logger"], _POOLS)
    if pc.any(pools).as_py():
        body = pc.if_else(pools, batch["body"], pa.scalar(None, pa.string()))
        left = pc.or_(left, pc.fill_null(pc.match_substring_regex(body, _POOL), False))
    put(pc.and_(named, left), _OPENS)
    put(_matches(batch["logger"], _HELPERS), _MAY_OPEN)
    status = pc.is_valid(batch["http_status"])
    begins = pc.and_(pc.and_not(served, status), pc.is_valid(batch["http_method"]))
    if pc.any(begins).as_py():
        # Whoever prints it, what clients print is their caller's.
        body = pc.if_else(begins, batch["body"], pa.scalar(None, pa.string()))
        sent = pc.fill_null(pc.match_substring_regex(body, CLIENT_TEXTS), False)
        begins = pc.and_not(begins, sent)
    put(begins, _BEGINS)
    put(pc.and_(served, status), _ANSWER)
    adopts = _matches(batch["program"], f"^(?:{calls.UNDER_CALLERS_ID})")
    adopts = pc.if_else(adopts, arrays.uint8(_ADOPTED), arrays.uint8(0))
    return numbers_of(pc.add(kinds, adopts), "B")


def _processes(batch: pa.RecordBatch) -> memoryview:
    """Return a number for each process: of where it runs, and its id or else its program."""
    import pyarrow.compute as pc

    pid = batch["process_pid"]
    alone = pc.if_else(pc.is_valid(pid), arrays.int64(0), hashes(batch["program"]))
    parts = (hashes(batch["source"]), hashes(batch["host_name"]), pc.fill_null(pid, 0), alone)
    whole = arrays.int64(0)
    for part in parts:
        whole = pc.add(pc.multiply(whole, arrays.int64(0x9E3779B1)), part)
    return numbers_of(whole.view(pa.uint64()), "Q")


def _matches(column: pa.Array, pattern: str) -> pa.Array:
    """Return which values of a dictionary column match; null does not."""
    import pyarrow.compute as pc

    found = column.dictionary_encode() if column.type == pa.string() else column
    known = pc.match_substring_regex(found.dictionary.cast(pa.string()), pattern)
    return pc.fill_null(known.take(found.indices), False)


def hashes(column: pa.Array) -> pa.Array:
    """Return a number for each text (int64), 0 for null; the same in every run."""
    import pyarrow.compute as pc

    found = column.dictionary_encode() if column.type == pa.string() else column
    values = array("q", (crc32(text.encode()) + 1 for text in found.dictionary.to_pylist()))
    known = pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])
    return pc.fill_null(known.take(found.indices), 0)
