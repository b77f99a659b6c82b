"""opslog: the logs of any OpenStack deployment as one stream of typed records."""

from importlib import import_module
from typing import TYPE_CHECKING

from opslog.version import __version__

if TYPE_CHECKING:
    from opslog import schema
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
    "schema",
    "to_json_lines",
]

_HOMES = {
    "engine": ("Normalizer", "Stats"),
    "fields": ("F", "Fields"),
    "logs": ("Logs", "read"),
    "records": ("LogRecord",),
    "sinks.jsonl": ("to_json_lines",),
}


def __getattr__(name: str) -> object:
    """Import what is asked for: the command must listen to signals before it imports Arrow."""
    if name not in __all__:
        raise AttributeError(f"module 'opslog' has no attribute {name!r}")
    if name == "schema":
        return import_module("opslog.schema")
    home = next((home for home, names in _HOMES.items() if name in names), "errors")
    globals()[name] = value = getattr(import_module(f"opslog.{home}"), name)
    return value
