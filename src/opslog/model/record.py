"""One record as a Python object, for people who iterate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from opslog.model.severity import CLASS_OF, CLASSES


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record; a field is None where the record has no value.

    Fields are the columns of ``opslog.model.schema.COLUMNS``; ``timestamp`` is aware,
    in UTC; ``original``, ``root_request_id`` and ``fingerprint`` are None unless they were asked
    for.
    """

    timestamp: datetime | None = None
    severity_number: int | None = None
    severity_text: str | None = None
    body: str | None = None
    service_name: str | None = None
    program: str | None = None
    host_name: str | None = None
    process_pid: int | None = None
    thread_id: int | None = None
    logger: str | None = None
    request_id: str | None = None
    global_request_id: str | None = None
    trace_id: str | None = None
    root_request_id: str | None = None
    user_id: str | None = None
    project_id: str | None = None
    domain_id: str | None = None
    system_scope: str | None = None
    user_domain_id: str | None = None
    project_domain_id: str | None = None
    user_name: str | None = None
    project_name: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    exception_type: str | None = None
    exception_message: str | None = None
    exception_stacktrace: str | None = None
    fingerprint: str | None = None
    http_method: str | None = None
    http_target: str | None = None
    http_status: int | None = None
    http_response_size: int | None = None
    duration: float | None = None
    client_address: str | None = None
    code_file: str | None = None
    code_line: int | None = None
    code_function: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    format: str | None = None
    source: str | None = None
    source_offset: int | None = None
    original: bytes | None = None

    @property
    def severity(self) -> str | None:
        """The class of the severity: TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL.

        None where it is unknown.  It is the same for all sources, ``severity_text`` their own word.
        """
        name = CLASSES[CLASS_OF[self.severity_number or 0]]
        return None if name == "unknown" else name.upper()


def records_of(batch: pa.RecordBatch) -> Iterator[LogRecord]:
    """Yield the rows of a batch."""
    names = batch.schema.names
    columns = [_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        row = dict(zip(names, values, strict=True))
        if "attributes" in row:
            row["attributes"] = dict(row["attributes"] or ())
        yield LogRecord(**row)


def _values(column: pa.Array) -> list[Any]:
    """Return the values of a column; records share those of a dictionary."""
    if not pa.types.is_dictionary(column.type):
        return column.to_pylist()  # type: ignore[no-any-return]
    known = column.dictionary.to_pylist()
    return [None if place is None else known[place] for place in column.indices.to_pylist()]
