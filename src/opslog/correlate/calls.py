"""What records tell of the HTTP calls that services answer.

A call is told by one record with method and status, or by several: one with its method
and target as it begins, one with its target and status as it ends.  Clients tell of the
same calls; theirs are lines of their own, and no answers.
"""

from __future__ import annotations

import re

import pyarrow as pa

from opslog.model.naming import CLIENT_LOGGERS, CLIENT_TEXTS

UNDER_CALLERS_ID = "glance|account-server|container-server|object-server"
"""A pattern of the beginning of a program's name that works under its caller's id.

Glance takes the id that it is sent for its own; so do Swift's storage servers.
"""


def is_under_callers_id(program: str | None) -> bool:
    """Return whether a program works under its caller's id, so that a request is not its call."""
    return re.match(UNDER_CALLERS_ID, program or "") is not None


LONGEST = 86400.0
"""Seconds of the longest call; what is said to be longer is no duration of a call."""


AT_BEGIN = frozenset(("uwsgi.request", "apache.access", "haproxy.http"))
"""Formats whose time is that at which a call began; of others it is that of the answer."""


def is_told_by_service(batch: pa.RecordBatch) -> pa.Array:
    """Return which records tell of a call as the service that answers it, not as a client.

    Clients are known by their logger, and by what they say: loggers may be named otherwise, or not
    printed.  The batch has the columns logger, body, http_method, http_target and http_status.
    """
    import pyarrow.compute as pc

    told = may_be_told_by_service(batch)
    said = pc.if_else(told, batch["body"], pa.scalar(None, pa.string()))
    client = pc.match_substring_regex(said, CLIENT_TEXTS)
    return pc.and_not(told, pc.fill_null(client, False))


def may_be_told_by_service(batch: pa.RecordBatch) -> pa.Array:
    """Return which records tell of a call under no client's logger; the batch needs no body."""
    import pyarrow.compute as pc

    target, status = batch["http_target"], batch["http_status"]
    method = pc.is_valid(batch["http_method"])
    told = pc.or_(method, pc.or_(pc.is_valid(target), pc.is_valid(status)))
    logger = batch["logger"].cast(pa.string())
    logger = pc.if_else(told, logger, pa.scalar(None, pa.string()))
    client = pc.match_substring_regex(logger, CLIENT_LOGGERS)
    return pc.and_not(told, pc.fill_null(client, False))


def times(batch: pa.RecordBatch, answered: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return when records began and ended: those that tell of an ``answered`` call, with the call.

    The batch has the columns timestamp, duration and format, too.
    """
    import pyarrow.compute as pc

    seconds = pc.fill_null(batch["duration"], 0.0)
    told = pc.and_(answered, pc.and_(pc.greater(seconds, 0.0), pc.less(seconds, LONGEST)))
    length = pc.round(pc.multiply(pc.if_else(told, seconds, 0.0), 1e6)).cast(pa.int64())
    time = batch["timestamp"]
    moment = time.cast(pa.int64())
    at_begin = pc.is_in(batch["format"].cast(pa.string()), pa.array(sorted(AT_BEGIN)))
    begin = pc.if_else(at_begin, moment, pc.subtract(moment, length))
    return begin.cast(time.type), pc.add(begin, length).cast(time.type)
