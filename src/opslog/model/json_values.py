"""Dataclasses as values of JSON."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from opslog.model.instants import rfc3339


def json_values(value: Any) -> Any:
    """Return a dataclass as an object of its fields, tuples as lists; times are RFC 3339 in UTC.

    Times have milliseconds, numbers six digits behind the point.
    """
    if is_dataclass(value):
        return {one.name: json_values(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return rfc3339(value, "milliseconds")
    if isinstance(value, float):
        return round(value, 6)
    return [json_values(item) for item in value] if isinstance(value, tuple) else value
