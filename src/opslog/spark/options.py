"""The options of the data source: which logs are read, and how."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

from opslog.inputs.remote import is_url
from opslog.logs import PART_BYTES, Logs, read
from opslog.model import schema
from opslog.model.errors import OpslogError

OPTIONS = (
    "columns",
    "formats",
    "original",
    "path",
    "paths",
    "splitBytes",
    "timezone",
    "where",
    "year",
)
"""Names of options; Spark does not tell capitals from small letters."""

STREAM_OPTIONS = ("quiet", "settle")
"""Names of those that only a stream has."""

_SETTLE, _QUIET = 10.0, 600.0


def checked(options: Mapping[str, str], stream: bool = False) -> dict[str, str]:
    """Return the options by their names in small letters; raises OpslogError for an unknown one."""
    names = sorted((*OPTIONS, *STREAM_OPTIONS)) if stream else OPTIONS
    found = {name.lower(): value for name, value in options.items()}
    if unknown := sorted(found.keys() - {name.lower() for name in names}):
        raise OpslogError(f"options: expected some of {', '.join(names)}; found {unknown[0]}")
    return found


def columns_of(options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that the options ask for: all, if they do not say which."""
    original = options.get("original", "false").lower()
    if original not in ("true", "false"):
        raise OpslogError(f"original: expected true or false, found {original!r}")
    every = schema.names(original == "true")
    if (named := options.get("columns")) is None:
        return every
    chosen = dict.fromkeys(name.strip() for name in named.split(",") if name.strip())
    unknown = [name for name in chosen if name not in schema.names(original=True)]
    if unknown or not chosen:
        raise OpslogError(
            f"columns: expected some of {', '.join(every)}; found {(unknown or [named])[0]}"
        )
    return (*chosen, *(name for name in every if name == "original" and name not in chosen))


def logs_of(options: Mapping[str, str], columns: tuple[str, ...]) -> Logs:
    """Return the logs that the options name, with the filter they say."""
    zone = options.get("timezone", "UTC")
    logs = read(
        *_paths(options),
        timezone=_zones(zone) if zone.startswith("{") else zone,
        year=_number(options, "year"),
        original="original" in columns,
        formats=_listed("formats", options.get("formats", "")),
    )
    where = options.get("where")
    return logs.filter(where) if where else logs


def split_bytes(options: Mapping[str, str]) -> int:
    """Return how many bytes are about in a task's part."""
    size = _number(options, "splitBytes")
    return PART_BYTES if size is None else size


def patience(options: Mapping[str, str]) -> tuple[float, float]:
    """Return the seconds that a record waits for more lines, and a line for its end."""
    settle = _seconds(options, "settle", _SETTLE)
    return settle, max(settle, _seconds(options, "quiet", _QUIET))


def _seconds(options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name)
    try:
        seconds = default if text is None else float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise OpslogError(f"{name}: expected a number of seconds from 0, found {text!r}")
    return seconds


def _paths(options: Mapping[str, str]) -> list[str]:
    """Return the paths, absolute: tasks run elsewhere."""
    if "paths" in options:  # as Spark writes load([...])
        paths = _listed("paths", options["paths"])
    else:
        paths = [path] if (path := options.get("path")) else []
    if not paths:
        raise OpslogError('load: expected a path: spark.read.format("opslog").load("s3://logs/**")')
    return [path if is_url(path) else os.path.abspath(path) for path in paths]


def _zones(text: str) -> dict[str, str]:
    found = _json("timezone", text)
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise OpslogError(f"timezone: expected zones by patterns of files, found {text}")
    return found


def _listed(name: str, text: str) -> list[str]:
    if not text.startswith("["):
        return [text] if text else []
    found = _json(name, text)
    if not all(isinstance(one, str) for one in found):
        raise OpslogError(f"{name}: expected a list of texts, found {text}")
    return list(found)


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise OpslogError(f"{name}: expected JSON ({error}), found {text}") from None


def _number(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name.lower())
    if text is None:
        return None
    if not text.isdecimal():
        raise OpslogError(f"{name}: expected a number, found {text!r}")
    return int(text)
