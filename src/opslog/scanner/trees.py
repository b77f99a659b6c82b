"""The trees of a program, which only lines that begin as none before make it ask for."""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslog.scanner.prefix import Forest
    from opslog.scanner.shortcut import ShortcutFinder


class Trees:
    """What tells how lines may begin, and the shortcuts; packed until it is asked for.

    Most runs never ask: what the samples of the shipped formats begin with is known.
    """

    def __init__(self, finder: ShortcutFinder | bytes) -> None:
        self._finder = finder

    @property
    def finder(self) -> ShortcutFinder:
        """The finder of shortcuts."""
        if isinstance(self._finder, bytes):
            # Two threads may come here together: all use what the first one found.
            packed = self._finder
            found = unpickled(packed)
            if self._finder is packed:
                self._finder = found
        assert not isinstance(self._finder, bytes)
        return self._finder

    @property
    def packed(self) -> bool:
        """Whether to ask costs as much as a hundred thousand answers save."""
        return isinstance(self._finder, bytes)

    @property
    def forest(self) -> Forest:
        """The automaton of the trees."""
        return self.finder.forest

    def __reduce__(self) -> tuple[type[Trees], tuple[bytes]]:
        packed = self._finder
        if not isinstance(packed, bytes):
            packed = pickle.dumps(packed, pickle.HIGHEST_PROTOCOL)
        return Trees, (packed,)


def unpickled(data: bytes | memoryview) -> Any:
    """Return what was pickled as many objects, none of which is garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return pickle.loads(data)
    finally:
        if collecting:
            gc.enable()
