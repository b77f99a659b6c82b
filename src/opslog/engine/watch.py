"""Who watches a run, to show how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Watch: TypeAlias = Callable[[int], None]
"""Is told after each block how many bytes were read so far, as they lie in the files.

Also about once a second while nothing comes.
"""


def unwatched(position: int) -> None:
    """Nobody wants to know."""
