"""Changes of resources that their messages do not name: the request, or a label, tells which.

Cinder says ``Attach volume completed successfully.`` and no more; but another record of that
request names the volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

SCHEMA = pa.schema([
    ("request_id", pa.string()),
    ("resource_type", pa.string()),
    ("resource_id", pa.string()),
    ("label", pa.string()),
    ("operation", pa.string()),
    ("time", pa.int64()),
    ("moment", pa.string()),
    ("state", pa.string()),
    ("service", pa.string()),
    ("severity_number", pa.uint8()),
])  # fmt: skip
"""Rows of two kinds: changes without an id (``time`` is not null), and resources that a request
names (``resource_id``), by a ``label`` or with an ``operation`` if it tells one.
"""

BY_REQUEST = (("request_id", "ascending"), ("time", "ascending"))


class Named(NamedTuple):
    """A change whose resource is known now; ``by_label``: by its label only."""

    resource_id: str
    row: dict[str, str | int | None]
    by_label: bool


def with_names(of_request: pa.Table) -> Iterator[Named]:
    """Yield the changes of requests whose resource is known; all rows of each request are given.

    It is the only one that the request names, by the label if the change has one; or the only
    one of which the request tells the same operation.  Of several beginnings of one operation
    none is known.
    """
    rows = of_request.to_pylist()
    changes = [row for row in rows if row["time"] is not None]
    if not changes:
        return
    ids: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        if row["time"] is None:
            key = (row["request_id"], row["resource_type"])
            ids.setdefault(key, set()).add(row["resource_id"])
            for name in ("label", "operation"):
                if row[name] is not None:
                    ids.setdefault((*key, name, row[name]), set()).add(row["resource_id"])
    begun: dict[tuple[str, str, str], int] = {}
    for row in changes:
        if row["moment"] == "begins" and row["label"] is None:
            beginning = (row["request_id"], row["resource_type"], row["operation"])
            begun[beginning] = begun.get(beginning, 0) + 1
    for row in changes:
        key = (row["request_id"], row["resource_type"])
        if row["moment"] == "begins" and begun.get((*key, row["operation"]), 1) > 1:
            continue
        found = ids.get(key, set())
        if row["label"] is not None:
            found = ids.get((*key, "label", row["label"]), found if len(found) == 1 else set())
        if len(found) > 1:
            found = ids.get((*key, "operation", row["operation"]), set())
        if len(found) == 1:
            yield Named(next(iter(found)), row, by_label=False)
        elif row["label"] is not None:
            yield Named(row["label"], row, by_label=True)
