"""What messages say, counted by what they have in common when their values differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from opslog.compare.places import Places
from opslog.model import arrays
from opslog.model.severity import CLASS_OF, CLASSES
from opslog.rows.template import templates

COLUMNS = (
    "timestamp", "service_name", "program", "host_name", "severity_number", "body",
    "exception_type", "exception_message", "request_id", "global_request_id",
    "root_request_id", "source", "source_offset",
)  # fmt: skip
"""The columns that are counted."""

MOST = 50_000
"""Templates that are counted, the first."""

MOST_ROOTS = 64
"""Requests of a template whose ids are kept, the first in the order of texts."""

LONGEST = 400
"""Characters of a message, and of a template, that are kept."""

_LATE = (1 << 63) - 1
_BIN = 10_000_000
"""Microseconds in which what says the same, for no request, counts once."""

_BETWEEN = "\x00"


class Key(NamedTuple):
    """What makes records the same: service, class of severity, message and exception."""

    service: str
    level: int
    """The number of a class of severity.CLASSES."""
    template: str
    raised: str
    """The exception's type and the template of its message, '' without one."""


@dataclass(slots=True)
class Template:
    """Records that say the same; of the first of them, what it says and where."""

    key: Key
    records: int = 0
    occasions: int = 0
    """Requests in which it was said; without a request, times of ten seconds."""
    first: int = _LATE
    """When, in microseconds since the epoch."""
    source: str = ""
    offset: int = 0
    said: str = ""
    program: str | None = None
    host: str | None = None
    request: str | None = None
    root: str | None = None
    roots: set[str] = field(default_factory=set)

    @property
    def time(self) -> int | None:
        """When it was said first, None if that is not known."""
        return None if self.first == _LATE else self.first

    @property
    def severity(self) -> str:
        """The class of its severity."""
        return CLASSES[self.key.level]


class TemplateCounts:
    """Templates of records, batch by batch."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._numbers: dict[str, int] = {}
        self.found: list[Template] = []
        self.left_out = 0
        """Records of templates that came after the first MOST."""

    def add(self, batch: pa.RecordBatch, calls: pa.Array) -> pa.Array:
        """Count records; return the number of each one's template (int32), null if left out.

        ``calls`` are those that tell of a call as a service answers it: no messages.
        """
        import pyarrow.compute as pc

        texts = pc.if_else(calls, pa.scalar(None, pa.string()), _keys(batch)).dictionary_encode()
        numbers = [self._number(text) for text in texts.dictionary.to_pylist()]
        codes = pa.array(numbers, pa.int32()).take(texts.indices)
        self.left_out += codes.null_count - calls.true_count
        time = batch["timestamp"].view(pa.int64())
        rows = pa.table({
            "code": codes,
            "time": pc.fill_null(time, _LATE),
            "place": self._places.of(batch),
            "occasion": pc.coalesce(
                _text(batch, "request_id"), _text(batch, "global_request_id"),
                pc.divide(time, _BIN).cast(pa.string()),
            ),
            "row": pa.array(range(len(batch)), pa.int32()),
            "root": _text(batch, "root_request_id"),
        })  # fmt: skip
        rows = rows.sort_by([("time", "ascending"), ("place", "ascending")])
        found = pa.TableGroupBy(rows, "code", use_threads=False).aggregate([
            ([], "count_all"), ("occasion", "count_distinct"), ("row", "first"),
            ("root", "distinct"),
        ])  # fmt: skip
        found = found.filter(pc.is_valid(found["code"]))
        firsts = found["row_first"].combine_chunks()
        names = ("source", "source_offset", "body", "program", "host_name", "request_id",
                 "root_request_id")  # fmt: skip
        told = batch.select(names).take(firsts).to_pylist()
        times = pc.fill_null(time, _LATE).take(firsts).to_pylist()
        for code, count, occasions, row, first, roots in zip(
            found["code"].to_pylist(), found["count_all"].to_pylist(),
            found["occasion_count_distinct"].to_pylist(), told, times,
            found["root_distinct"].to_pylist(), strict=True,
        ):  # fmt: skip
            self._add(self.found[code], count, occasions, row, first, roots)
        return codes

    def _number(self, text: str) -> int | None:
        number = self._numbers.get(text)
        if number is None and len(self.found) < MOST:
            number = self._numbers[text] = len(self.found)
            service, level, template, raised = text.split(_BETWEEN)
            self.found.append(Template(Key(service, int(level), template, raised)))
        return number

    def _add(
        self, one: Template, count: int, occasions: int, row: dict[str, Any], first: int,
        roots: list[str | None],
    ) -> None:  # fmt: skip
        one.records += count
        one.occasions += max(1, occasions)
        one.roots.update(root for root in roots if root is not None)
        if len(one.roots) > MOST_ROOTS:
            one.roots = set(sorted(one.roots)[:MOST_ROOTS])
        place = first, row["source"] or "", row["source_offset"]
        if one.records == count or place < (one.first, one.source, one.offset):
            one.first, one.source, one.offset = place
            one.said = (row["body"] or "")[:LONGEST]
            one.program, one.host = row["program"], row["host_name"]
            one.request, one.root = row["request_id"], row["root_request_id"]


def _keys(batch: pa.RecordBatch) -> pa.Array:
    """Return for each record its key as one text."""
    import pyarrow.compute as pc

    level = arrays.numbers(CLASS_OF).take(batch["severity_number"].fill_null(0))
    said = pc.utf8_slice_codeunits(_alike(batch["body"]), 0, LONGEST)
    kind = pc.fill_null(_text(batch, "exception_type"), "")
    message = pc.utf8_slice_codeunits(_alike(batch["exception_message"]), 0, LONGEST)
    raised = pc.binary_join_element_wise(kind, pc.fill_null(message, ""), ": ")
    raised = pc.if_else(pc.equal(kind, ""), "", raised)
    service = pc.fill_null(_text(batch, "service_name"), "")
    parts = (service, level.cast(pa.string()), pc.fill_null(said, ""), raised)
    plain = (pc.replace_substring(part, _BETWEEN, " ") for part in parts)
    return pc.binary_join_element_wise(*plain, _BETWEEN)


def _alike(texts: pa.Array) -> pa.Array:
    return templates(texts.cast(pa.string()))


def _text(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch[name].cast(pa.string())
