"""Metrics of a run in a file, for node_exporter's textfile collector.

Prometheus' text format is a few lines a metric: a library for it would bring a
registry and a server, of which nothing would be used.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable

from opslog.model.errors import SinkError
from opslog.model.stats import Stats
from opslog.model.version import __version__
from opslog.outputs.own_kinds import METRICS
from opslog.outputs.whole_file import write_whole

EVERY = 15.0
"""Seconds between two versions of the file: Prometheus mostly asks no more often."""

UNRECOGNISED = "(unrecognised)"
"""The label of records that no format recognised."""


def _none() -> Iterable[tuple[str, str, int]]:
    return ()


class MetricsFile:
    """What was counted so far, replaced as a whole; raises SinkError if it cannot be written.

    ``more`` gives other counters: (name, meaning, value).  A file that is not empty and
    holds no metrics of opslog is left as it is, unless ``overwrite`` is true.
    """

    def __init__(
        self,
        path: str,
        stats: Stats,
        more: Callable[[], Iterable[tuple[str, str, int]]] = _none,
        overwrite: bool = False,
    ) -> None:
        self._path = path
        self._stats = stats
        self._more = more
        self._overwrite = overwrite
        self._start = time.time()
        self._due = time.monotonic() + EVERY
        self.write()

    def tick(self, now: float) -> None:
        """Write the file if that is due by ``now`` (time.monotonic())."""
        if now >= self._due:
            self._due = now + EVERY
            with contextlib.suppress(SinkError):  # the records matter more; the end tells
                self.write()

    def write(self) -> None:
        """Write the file; raises SinkError."""
        counters = [_metric(*counter) for counter in self._more()]
        data = "".join([text(self._stats, self._start), *counters]).encode("utf-8", "replace")
        # The next version comes in a moment: no need to wait for the disk.
        write_whole(self._path, data, METRICS, self._overwrite, durable=False)


def text(stats: Stats, start: float) -> str:
    """Return ``stats`` in Prometheus' text format; ``start`` is when the run began, Unix time."""
    formats = [(name or UNRECOGNISED, counts[0]) for name, counts in stats.formats.items()]
    last = stats.last_time
    parts = (
        _metric("input_bytes_total", "Bytes read, decompressed.", stats.bytes),
        _metric("input_lines_total", "Lines read.", stats.lines),
        _metric("skipped_bytes_total", "Bytes that hold no kept record.", stats.skipped_bytes),
        _by_label("format", "records_total", "Records read.", formats),
        _metric("records_kept_total", "Records the filter kept.", stats.kept),
        _by_label(
            "stage", "records_dropped_total", "Records a stage dropped.", stats.dropped.items()
        ),
        _metric("dated_records_total", "Records of which a format only told a time.", stats.dated),
        _metric(
            "unrecognised_records_total", "Records no format recognised.", stats.unrecognised
        ),
        _by_label(
            "format", "pattern_timeouts_total", "Lines on which a regex ran out of time.",
            stats.timeouts.items(),
        ),
        _metric("files_truncated_total", "Followed files that were truncated and not copied.",
                stats.truncated),
        _metric("open_sources", "Sources that are open.", stats.sources),
        _metric("last_record_timestamp_seconds", "Time of the record read last.",
                "NaN" if last is None else f"{last / 1e6:.6f}"),
        _metric("start_time_seconds", "When the run began.", f"{start:.3f}"),
        _metric(f'build_info{{version="{escaped(__version__)}"}}', "The version that runs.", 1),
    )  # fmt: skip
    return "".join(parts)


def _metric(name: str, meaning: str, value: int | str) -> str:
    return f"{_head(name.partition('{')[0], meaning)}opslog_{name} {value}\n"


def _by_label(label: str, name: str, meaning: str, values: Iterable[tuple[str, int]]) -> str:
    rows = [
        f'opslog_{name}{{{label}="{escaped(which)}"}} {value}\n' for which, value in sorted(values)
    ]
    return _head(name, meaning) + "".join(rows)


def _head(name: str, meaning: str) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    return f"# HELP opslog_{name} {meaning}\n# TYPE opslog_{name} {kind}\n"


def escaped(label: str) -> str:
    """Return a label's value as it stands between the quotes of the text format."""
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
