"""The neighbours of an instance: the ports and volumes that records about it name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from opslog.model.naming import UUID, naming
from opslog.trace.lives import kind_and_label

MOST = 100
"""Neighbours of an instance that are looked for."""

_NAMED = re.compile(naming())
_NETWORK = re.compile(rf'network_info: .{{0,9}}\{{"id": "({UUID})"')
"""What nova prints of an instance's ports."""


def neighbours(batch: pa.RecordBatch, instance: str) -> tuple[set[str], set[str], int]:
    """Return the ids of ports, and of volumes, that these records, about an instance, name.

    They are up to MOST of each; the third is how many more there are.
    """
    ports: set[str] = set()
    volumes: set[str] = set()
    if not any(_is_instance(row, instance) for row in _rows(batch)):
        return ports, volumes, 0
    for row in _rows(batch):
        for text in (row["body"], row["http_target"]):
            for kind, id_ in _named(text):
                if kind == "port":
                    ports.add(id_)
                elif kind == "volume":
                    volumes.add(id_)
            ports.update(_NETWORK.findall(text or ""))
    more = max(0, len(ports) - MOST) + max(0, len(volumes) - MOST)
    return set(sorted(ports)[:MOST]), set(sorted(volumes)[:MOST]), more


def of_another_instance(batch: pa.RecordBatch, instance: str) -> set[str]:
    """Return the requests of records that are about another instance."""
    return {
        request
        for row in _rows(batch)
        if (request := row["request_id"] or row["global_request_id"])
        and any(id_ != instance for id_ in _instances(row))
    }


def _instances(row: dict[str, str | None]) -> Iterator[str]:
    if row["resource_id"] and row["resource_type"] in ("instance", None):
        yield row["resource_id"]
    yield from (id_ for kind, id_ in _named(row["http_target"]) if kind == "instance")


def _is_instance(row: dict[str, str | None], id: str) -> bool:  # noqa: A002
    """Whether a record says that the id is an instance's."""
    if row["resource_id"] == id and row["resource_type"] == "instance":
        return True
    return any(
        kind == "instance" and named == id
        for text in (row["body"], row["http_target"])
        for kind, named in _named(text)
    ) or (row["resource_id"] == id and row["service_name"] == "nova")


def _named(text: str | None) -> Iterator[tuple[str | None, str]]:
    for found in _NAMED.finditer(text or ""):
        yield kind_and_label(found["named"])[0], found["id"]


def _rows(batch: pa.RecordBatch) -> list[dict[str, str | None]]:
    columns = (
        "body", "http_target", "resource_id", "resource_type", "service_name", "request_id",
        "global_request_id",
    )  # fmt: skip
    rows: list[dict[str, str | None]] = batch.select(columns).to_pylist()
    return rows
