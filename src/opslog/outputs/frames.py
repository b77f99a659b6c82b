"""Tables of records as data frames of other libraries, which need not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from opslog.model.arrow import pa
from opslog.model.errors import OpslogError


def pandas(table: pa.Table) -> Any:
    """Return the table as a pandas.DataFrame; raises OpslogError without pandas."""
    found = _imported("pandas")
    # Numbers that may be missing would become floats, and ids with them inexact.
    types = {pa.int64(): found.Int64Dtype(), pa.uint8(): found.UInt8Dtype()}
    return table.to_pandas(types_mapper=types.get, maps_as_pydicts="strict")


def polars(table: pa.Table) -> Any:
    """Return the table as a polars.DataFrame; raises OpslogError without Polars."""
    return _imported("polars").from_arrow(table)


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise OpslogError(f"expected the package {name}, found none: pip install {name}") from None
