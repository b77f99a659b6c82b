"""Programs on hosts: when they wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

MOST = 10_000
"""Programs on hosts that are told apart, the first."""

_MOST_STEPS = 1024
"""Steps of time of a program; with more of them steps become longer."""

_QUOTED = 300


@dataclass(slots=True)
class Program:
    """Records of one program on one host; times are in microseconds."""

    service: str = ""
    records: int = 0
    last: int | None = None
    source: str = ""
    offset: int = 0
    """Where the last record stands."""
    said: str = ""
    width: int = 1_000_000
    steps: set[int] = field(default_factory=set)
    """The steps of ``width`` microseconds in which it wrote."""

    def add(self, steps: set[int]) -> None:
        """Take the seconds in which it wrote."""
        self.steps.update(step * 1_000_000 // self.width for step in steps)
        while len(self.steps) > _MOST_STEPS:
            self.width *= 2
            self.steps = {step // 2 for step in self.steps}

    def since(self, time: int) -> int:
        """Return in how many steps it wrote later than ``time``."""
        return sum(step * self.width > time for step in self.steps)


class Programs:
    """All programs, batch by batch."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Program] = {}
        """By program and host, '' where it is not known."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Take records."""
        import pyarrow.compute as pc

        time = batch["timestamp"].cast(pa.int64())
        rows = pa.table({
            "program": pc.fill_null(batch["program"].cast(pa.string()), ""),
            "host": pc.fill_null(batch["host_name"].cast(pa.string()), ""),
            "time": time,
            "second": pc.divide(time, 1_000_000),
            "row": pa.array(range(len(batch)), pa.int32()),
            "offset": batch["source_offset"],
        })  # fmt: skip
        known = pc.and_(pc.not_equal(rows["program"], ""), pc.is_valid(rows["time"]))
        rows = rows.filter(known).sort_by([("time", "ascending"), ("offset", "ascending")])
        found = rows.group_by(["program", "host"], use_threads=False).aggregate(
            [([], "count_all"), ("time", "max"), ("second", "distinct"), ("row", "last")]
        )
        told = batch.select(("source", "source_offset", "body", "service_name"))
        lasts = told.take(found["row_last"].combine_chunks()).to_pylist()
        names = ("program", "host", "count_all", "time_max", "second_distinct")
        columns = (found[name].to_pylist() for name in names)
        for program, host, count, last, seconds, row in zip(*columns, lasts, strict=True):
            one = self.found.get((program, host))
            if one is None:
                if len(self.found) == MOST:
                    continue
                one = self.found[program, host] = Program()
            one.service = one.service or row["service_name"] or ""
            one.records += count
            one.add(set(seconds))
            place = row["source"] or "", row["source_offset"]
            if one.last is None or (last, *place) > (one.last, one.source, one.offset):
                one.last, (one.source, one.offset) = last, place
                one.said = (row["body"] or "")[:_QUOTED]
