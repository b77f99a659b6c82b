"""opslog: the logs of any OpenStack deployment as one stream of typed records."""

from opslog.engine import Normalizer, Stats
from opslog.errors import (
    FilterError,
    FormatError,
    LayoutError,
    OpslogError,
    QueryError,
    SampleError,
    SinkError,
    SourceError,
)
from opslog.fields import F, Fields
from opslog.logs import Logs, read
from opslog.records import LogRecord
from opslog.sinks.jsonl import to_json_lines
from opslog.version import __version__

__all__ = [
    "F",
    "Fields",
    "FilterError",
    "FormatError",
    "LayoutError",
    "LogRecord",
    "Logs",
    "Normalizer",
    "OpslogError",
    "QueryError",
    "SampleError",
    "SinkError",
    "SourceError",
    "Stats",
    "__version__",
    "read",
    "to_json_lines",
]
