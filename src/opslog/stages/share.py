"""Records that strangers may read: beside secrets, nobody is named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from opslog.model.errors import OpslogError
from opslog.rows.fingerprint import NAME, with_fingerprints
from opslog.stages.identities import MOST_COUNTED, Identities
from opslog.stages.identity_names import kind_of
from opslog.stages.mask import Mask
from opslog.stages.rows import coded, text_bytes, with_dictionary

LEARNED = {
    "host_name": "host", "user_id": "user", "user_name": "user", "project_id": "project",
    "project_name": "project", "domain_id": "domain", "user_domain_id": "domain",
    "project_domain_id": "domain",
}  # fmt: skip
"""Columns of names, and what they name."""

_SOFTWARE = frozenset(
    ("severity_text", "service_name", "program", "logger", "request_id", "global_request_id",
     "trace_id", "root_request_id", "resource_type", "exception_type", "http_method", "format",
     "code_function", "process_name", "thread_name", "fingerprint")
)  # fmt: skip
"""Columns of names that software has, and of ids that are needed to follow a request."""

_WORDS = {
    "address": ("address", "addresses"), "MAC address": ("MAC address", "MAC addresses"),
    "host": ("host", "hosts"), "user": ("user", "users"), "project": ("project", "projects"),
    "domain": ("domain", "domains"), "mail": ("mail address", "mail addresses"),
    "secret": ("secret", "secrets"),
}  # fmt: skip


class Share:
    """Masks secrets as ``Mask`` does, and gives pseudonyms to all that says whose logs these are.

    Addresses become addresses (those of a network stay in one), names of hosts, users,
    projects and domains ``host-...`` and so on, their ids other ids, mails mails of
    example.org.  Under one ``key`` (default: a random one for each ``Share``) the same
    has the same pseudonym everywhere.  Names are known from the columns of the records that
    came before, and from ``learn``.
    """

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and not key:
            raise OpslogError("mask: expected a key of some bytes, found an empty one")
        self._mask = Mask(key)
        named = self._mask.pseudonym
        self._secrets = 0

        def counted(secret: str) -> str:
            self._secrets += 1
            return named(secret)

        object.__setattr__(self._mask, "pseudonym", counted)
        self.pseudonym = counted
        """Makes of a text that is a secret as a whole what stands for it."""
        self._identities = Identities(key or os.urandom(32))

    @property
    def replaced(self) -> dict[str, int]:
        """How many addresses, hosts, ... were replaced, each counted once; secrets by places."""
        found = {**self._identities.replaced, "secret": self._secrets}
        return {kind: found[kind] for kind in _WORDS if found.get(kind)}

    def report(self) -> str:
        """Return what was replaced, on a line."""
        said = [
            f"{count:,} {_WORDS[kind][count != 1]}{' or more' * (count == MOST_COUNTED)}"
            for kind, count in self.replaced.items()
        ]
        told = f"replaced: {', '.join(said) or 'nothing'}"
        if self._identities.forgot:
            told += (
                "; there were more names than are remembered: texts may still hold some that came "
                "long before, so mask smaller parts of the logs"
            )
        return told

    def learn(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Know the names in the columns ``LEARNED`` of ``batches`` before they are replaced."""
        for batch in batches:
            self._learn(batch)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield all records, masked."""
        for batch in self._mask(self._learning(batches)):
            for place, kind in enumerate(batch.schema):
                column = batch.column(place)
                new = self._of(kind.name, column)
                if new is not column:
                    batch = batch.set_column(place, kind, new)
            yield with_fingerprints(batch) if NAME in batch.schema.names else batch

    def table(self, table: pa.Table) -> pa.Table:
        """Return the table, masked: texts, and texts in lists and structures."""
        for batch in table.to_batches():
            self._learn(batch)
        masked = self._mask.table(table)
        columns = []
        for name, column in zip(masked.column_names, masked.columns, strict=True):
            if pa.types.is_string(column.type):
                chunks = [self._of(name, chunk) for chunk in column.chunks]
                column = pa.chunked_array(chunks, column.type)
            elif pa.types.is_nested(column.type) or pa.types.is_dictionary(column.type):
                found = [self._value(name, one) for one in column.to_pylist()]
                column = pa.chunked_array([pa.array(found, column.type)])
            columns.append(column)
        return pa.Table.from_arrays(columns, schema=table.schema)

    def plain(self, value: Any) -> Any:
        """Return the value, of JSON or a dataclass, masked: texts in it, and by names."""
        return self._value("", self._mask.plain(value))

    def text(self, text: str) -> str:
        """Return ``text``, masked."""
        return self._identities.text(self._mask.text(text))

    def value(self, name: str, text: str) -> str:
        """Return the value of what is called ``name``, masked: whole if that names somebody."""
        found: str = self._value(name, self._mask.value(name, text))
        return found

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            if name in _SOFTWARE:
                return value
            kind = kind_of(name)
            return self._identities.text(value) if kind is None else self._whole(kind, value)
        if isinstance(value, dict):
            return {key: self._value(str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._value(name, item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            found = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
            return replace(value, **self._value("", found))
        return value

    def _whole(self, kind: str, text: str) -> str:
        return self._identities.whole(kind, text)

    def _learning(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self._learn(batch)
            yield batch

    def _learn(self, batch: pa.RecordBatch) -> None:
        for name, kind in LEARNED.items():
            if name in batch.schema.names:
                for value in batch.column(name).unique().to_pylist():
                    if value:
                        self._identities.learn(kind, value)

    def _of(self, name: str, column: pa.Array) -> pa.Array:
        """Return the column called ``name``, masked."""
        if name in _SOFTWARE:
            return column
        if pa.types.is_map(column.type):
            return self._attributes(column)
        if pa.types.is_dictionary(column.type):
            return with_dictionary(column, partial(self._texts, name))
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            return self._texts(name, column)
        return column

    def _texts(self, name: str, column: pa.Array) -> pa.Array:
        kind = kind_of(name)
        if kind is not None:
            numbers, known = coded(column)
            new = [one and self._whole(kind, one) for one in known]
            return pa.array([new[number] for number in numbers], column.type)
        held = text_bytes(column)
        changed = held and self._identities.column(*held, column.offset, len(column))
        if changed is None:
            return column
        buffers = [None, *map(pa.py_buffer, changed)]
        new = pa.Array.from_buffers(column.type, len(column), buffers)
        if not column.null_count:
            return new
        import pyarrow.compute as pc

        return pc.if_else(column.is_valid(), new, pa.scalar(None, column.type))

    def _attributes(self, column: pa.MapArray) -> pa.MapArray:
        items = self._texts("", column.items)
        numbers, names = coded(column.keys)
        kinds = {
            number: kind for number, name in enumerate(names) if name and (kind := kind_of(name))
        }
        if kinds:
            old, new = column.items, items.to_pylist()
            changed = False
            for entry, number in enumerate(numbers):
                if number in kinds and (text := old[entry].as_py()):
                    new[entry] = self._whole(kinds[number], text)
                    changed = True
            items = pa.array(new, old.type) if changed else items
        if items is column.items:
            return column
        return pa.MapArray.from_arrays(column.offsets, column.keys, items)
