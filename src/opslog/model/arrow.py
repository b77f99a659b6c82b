"""``pa``: pyarrow, imported when something of it is asked for.

To import it takes half as long as a short run without it, and JSON lines come from bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Deferred", "pa"]


class Deferred:
    """The module that ``place`` names, imported when something of it is asked for."""

    def __init__(self, place: Callable[[], str]) -> None:
        self._place = place

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(import_module(self._place()), attribute)
        setattr(self, attribute, found)
        return found


if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Deferred(lambda: "pyarrow")
