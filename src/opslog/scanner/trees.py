"""The trees of a program, which only lines that begin as none before make it ask for."""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING

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
            found = _unpacked(packed)
            if self._finder is packed:
                self._finder = found
        assert not isinstance(self._finder, bytes)
        return self._finder

    @property
    def packed(self) -> bool:
        """Whether to ask it costs some time."""
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


def _unpacked(packed: bytes) -> ShortcutFinder:
    # The objects are many, and none of them is garbage.
    collecting = gc.isenabled()
    gc.disable()
    try:
        finder: ShortcutFinder = pickle.loads(packed)
    finally:
        if collecting:
            gc.enable()
    return finder
