"""What OTLP costs: records to its bytes by columns, and with the published classes.

    python benchmarks/otlp.py [MEGABYTES]

The rate is MB of log per second of CPU time, the best of five in turn; reading the log is no part
of it.  Both say the same, but that classes here write fewer of the attributes.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import corpus
import opslog
from opslog.outputs.otlp_encoder import requests

SIZE = 2 << 20
"""Of a request."""

_ATTRIBUTES = ("request_id", "user_id", "project_id", "format", "source", "http_method")


def by_classes(batch: Any) -> bytes:
    """Return a batch as a request, an object a record."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    columns = (batch["timestamp"].cast("int64"), batch["severity_number"], batch["severity_text"])
    said = [column.to_pylist() for column in (*columns, batch["body"])]
    others = [batch[name].to_pylist() for name in _ATTRIBUTES]
    for moment, number, level, body, *values in zip(*said, *others, strict=True):
        record = records.add(
            time_unix_nano=(moment or 0) * 1000, severity_number=number, severity_text=level
        )
        if body is not None:
            record.body.string_value = body
        for name, value in zip(_ATTRIBUTES, values, strict=True):
            if value is not None:
                record.attributes.add(key=name).value.string_value = value
    return bytes(request.SerializeToString())


def rates(log: Path, runs: int = 5) -> Iterator[tuple[str, float]]:
    """Yield what was tried, and its MB/s."""
    batches = list(opslog.read(log).batches())
    found = [one for batch in batches for _, one in requests(batch, SIZE)]
    tried: dict[str, Callable[[], object]] = {
        "columns": lambda: [requests(batch, SIZE) for batch in batches],
        "published classes": lambda: [by_classes(batch) for batch in batches],
        "gzip of the columns' requests": lambda: [gzip.compress(one, 1) for one in found],
    }
    best = dict.fromkeys(tried, float("inf"))
    for _ in range(runs):
        for title, work in tried.items():
            begin = time.process_time()
            work()
            best[title] = min(best[title], time.process_time() - begin)
    for title, seconds in best.items():
        yield title, log.stat().st_size / 1e6 / seconds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found, _ = corpus.cached("text", int([*sys.argv[1:], "50"][0]), Path(folder))
        for title, rate in rates(found):
            print(f"{rate:8.0f} MB/s  {title}")
