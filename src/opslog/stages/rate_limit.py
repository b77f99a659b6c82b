"""At most so many records a length of time, for each service: as journald and rsyslog do it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.model import schema
from opslog.model.arrays import texts
from opslog.model.errors import FilterError, OpslogError
from opslog.model.stats import LetGo
from opslog.stages.marks import marked
from opslog.stages.rows import moments, taken, values

MOST_KEYS = 10_000
"""Services and the like that are remembered; the one that came first is forgotten first."""


@dataclass(slots=True)
class _Window:
    """What is known of one key."""

    begin: int
    passed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Passes the first ``records`` of each ``seconds`` of the records' own time, drops the others.

    Counts apart for each combination of values in ``columns``.  A length of time
    begins with a record; one that is earlier or later by that length begins the
    next.  The first record passed after dropped ones has the attribute
    ``rate_limited``: how many.  ``let_go`` counts the keys that were forgotten while a
    length of time went on or what was dropped had not been told.  Raises OpslogError or
    FilterError for what makes no sense.
    """

    records: int
    seconds: float = 1
    columns: tuple[str, ...] = ("host_name", "service_name", "program")
    let_go: LetGo = field(default_factory=LetGo, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.records < 1 or self.seconds <= 0:
            raise OpslogError(
                "rate limit: expected at least one record in more than no time, "
                f"found {self.records} in {self.seconds:g} s"
            )
        for column in self.columns:
            if column not in schema.BY_NAME or column == "attributes":
                raise FilterError(column, "expected a column, found")

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what passes."""
        length = round(self.seconds * 1_000_000)
        windows: dict[tuple[object, ...], _Window] = {}
        before = 0
        for batch in batches:
            if not len(batch):
                continue
            times = moments(batch.column("timestamp"), before)
            before = times[-1]
            columns = [values(batch.column(name)) for name in self.columns]
            keys = zip(*columns, strict=True) if columns else ((),) * len(batch)
            passed: list[int] = []
            marks: dict[int, str] = {}
            for row, (key, moment) in enumerate(zip(keys, times, strict=True)):
                window = windows.get(key)
                if window is None:
                    window = windows[key] = _Window(moment)
                    if len(windows) > MOST_KEYS:
                        first = windows.pop(next(iter(windows)))
                        if first.dropped or -length < moment - first.begin < length:
                            self.let_go.count += 1
                elif not -length < moment - window.begin < length:
                    window.begin, window.passed = moment, 0
                if window.passed == self.records:
                    window.dropped += 1
                    continue
                if window.dropped:
                    marks[len(passed)] = str(window.dropped)
                    window.dropped = 0
                window.passed += 1
                passed.append(row)
            if passed:
                limited = {"rate_limited": texts([*marks.values()])}
                yield marked(taken(batch, passed), [*marks], limited)
