"""What filters take of ``pyarrow.compute``, without importing it.

That import costs 35 ms of processor time, mostly for the documentation of 300
functions; the module below it has the same classes.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from opslog.model.arrow import Deferred

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc


def _place() -> str:
    # Another pyarrow may have it elsewhere.
    return "pyarrow._compute" if find_spec("pyarrow._compute") else "pyarrow.compute"


compute: Any = Deferred(_place)
"""Expressions, the options of functions, and ``call_function``."""


def column(name: str) -> pc.Expression:
    """Return the values of a column."""
    return compute.Expression._field(name)


def constant(value: pa.Scalar) -> pc.Expression:
    """Return a value that is the same for each record."""
    return compute.Expression._scalar(value)


def call(function: str, *arguments: pc.Expression, options: Any = None) -> pc.Expression:
    """Return what a function makes of each record's values."""
    return compute.Expression._call(function, list(arguments), options)
