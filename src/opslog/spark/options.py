"""The options of the data source: which logs are read, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping

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

_KNOWN = {name.lower() for name in OPTIONS}


def checked(options: Mapping[str, str]) -> dict[str, str]:
    """Return the options by their names in small letters; raises OpslogError for an unknown one."""
    found = {name.lower(): value for name, value in options.items()}
    if unknown := sorted(found.keys() - _KNOWN):
        raise OpslogError(f"options: expected some of {', '.join(OPTIONS)}; found {unknown[0]}")
    return found


def columns_of(options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that the options ask for: all, if they do not say which."""
    every = schema.names(options.get("original", "false").lower() == "true")
    if not (named := options.get("columns")):
        return every
    chosen = tuple(name.strip() for name in named.split(",") if name.strip())
    if unknown := [name for name in chosen if name not in schema.names(original=True)]:
        raise OpslogError(f"columns: expected some of {', '.join(every)}; found {unknown[0]}")
    return chosen


def logs_of(options: Mapping[str, str], columns: tuple[str, ...]) -> Logs:
    """Return the logs that the options name, with the filter they say."""
    zone = options.get("timezone", "UTC")
    logs = read(
        *_paths(options),
        timezone=json.loads(zone) if zone.startswith("{") else zone,
        year=_number(options, "year"),
        original="original" in columns,
        formats=_listed(options.get("formats", "")),
    )
    where = options.get("where")
    return logs.filter(where) if where else logs


def split_bytes(options: Mapping[str, str]) -> int:
    """Return how many bytes are about in a task's part."""
    return _number(options, "splitBytes") or PART_BYTES


def _paths(options: Mapping[str, str]) -> list[str]:
    if paths := options.get("paths"):  # as Spark writes load([...])
        return _listed(paths)
    if path := options.get("path"):
        return [path]
    raise OpslogError('load: expected a path: spark.read.format("opslog").load("s3://logs/**")')


def _listed(text: str) -> list[str]:
    return list(json.loads(text)) if text.startswith("[") else [text] if text else []


def _number(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name.lower())
    if text is None:
        return None
    if not text.isdecimal():
        raise OpslogError(f"{name}: expected a number, found {text!r}")
    return int(text)
