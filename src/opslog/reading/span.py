"""Spans: blocks of a file as they were cut, and what is known of them."""

from __future__ import annotations

from typing import NamedTuple

from opslog.engine._search import Ids

START = 2048
"""Bytes of a block's beginning that are looked at: they tell its time."""


class Span(NamedTuple):
    """A block as it was cut, its ids and its first bytes: none where these can be read at once."""

    offset: int
    size: int
    continued: bool
    ids: Ids
    head: bytes

    @property
    def end(self) -> int:
        """Offset behind it."""
        return self.offset + self.size
