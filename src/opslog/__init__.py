"""opslog: the logs of any OpenStack deployment as one stream of typed records."""

from importlib import import_module
from typing import TYPE_CHECKING

from opslog.model.version import __version__

if TYPE_CHECKING:
    from opslog.engine.normalizer import Normalizer
    from opslog.filters.fields import F, Fields
    from opslog.logs import Logs, read
    from opslog.model import schema
    from opslog.model.errors import (
        FilterError,
        FormatError,
        LayoutError,
        OpslogError,
        QueryError,
        SampleError,
        SinkError,
        SourceError,
        SourceErrors,
    )
    from opslog.model.record import LogRecord
    from opslog.model.stats import Stats
    from opslog.outputs.jsonl import to_json_lines

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
    "SourceErrors",
    "Stats",
    "__version__",
    "read",
    "schema",
    "to_json_lines",
]

_HOMES = {
    "engine.normalizer": ("Normalizer",),
    "filters.fields": ("F", "Fields"),
    "logs": ("Logs", "read"),
    "model.record": ("LogRecord",),
    "model.stats": ("Stats",),
    "outputs.jsonl": ("to_json_lines",),
}


def __dir__() -> list[str]:
    """Return what is for people: the rooms are the library's own affair."""
    return __all__


def __getattr__(name: str) -> object:
    """Import what is asked for: the command must listen to signals before it imports Arrow."""
    if name not in __all__:
        raise AttributeError(f"module 'opslog' has no attribute {name!r}")
    if name == "schema":
        return import_module("opslog.model.schema")
    home = next((home for home, names in _HOMES.items() if name in names), "model.errors")
    globals()[name] = value = getattr(import_module(f"opslog.{home}"), name)
    return value
