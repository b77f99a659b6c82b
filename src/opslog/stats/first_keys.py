"""Counts by key that do not grow without end: the first keys have a row each, the rest share one.

Which key comes first is told by the records alone, so that how they came in
batches does not show.  The shared row is part of what is told.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class FirstKeys(Generic[K, V]):
    """Values of the ``most`` keys that came first, and one for all others together."""

    def __init__(self, most: int, make: Callable[[], V]) -> None:
        self._most = most
        self._make = make
        self._known: dict[K, V] = {}
        self.others = make()
        """The value of all keys that have none of their own."""

    def __getitem__(self, key: K) -> V:
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._most:
                return self.others
            found = self._known[key] = self._make()
        return found

    def __len__(self) -> int:
        return len(self._known)

    def items(self) -> Iterator[tuple[K, V]]:
        """Yield the keys that have values of their own, in the order in which they came."""
        yield from self._known.items()
