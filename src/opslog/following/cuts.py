"""Cuts: files that were truncated, and of which no copy was found, so that lines may be lost."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

WAIT = 30.0
"""Seconds for which a copy is looked for before anything is said."""

EVERY = 60.0
"""Seconds between two messages about one path; what is cut meanwhile is counted."""

_FOUND = 5.0
"""Seconds in which a copy is found in most cases."""

MOST_PATHS = 10_000
"""Paths of which is remembered when something was said; of more, the first is forgotten."""


@dataclass(slots=True)
class _Said:
    when: float
    since: int = 0
    """Cuts that were not told."""


class Cuts:
    """Tells ``say`` of each cut, once, at most every EVERY seconds of one path.

    Times are of time.monotonic; ``count`` is how many cuts there were.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.count = 0
        self._say = say
        self._waiting: dict[str, tuple[str, int, float]] = {}
        self._said: dict[str, _Said] = {}

    def note(self, source: str, path: str, offset: int, now: float) -> None:
        """Take note that the content ``source``, read up to ``offset``, left its file ``path``."""
        self._waiting.setdefault(source, (path, offset, now))

    def found(self, source: str) -> None:
        """Take note that a content is in another file."""
        self._waiting.pop(source, None)

    def tell(self, now: float, looked_at: Container[str] = ()) -> None:
        """Say what was cut so long ago that no copy will be found.

        Of the paths ``looked_at`` there are files of which is not known yet what they are.
        """
        for source, (path, offset, when) in list(self._waiting.items()):
            if now - when >= WAIT and path not in looked_at:
                del self._waiting[source]
                self._tell(path, offset, now)

    def tell_all(self, now: float, goes_on: bool) -> None:
        """Say what was not said yet: it is the end.

        If another run ``goes_on`` that will find copies, what was cut just now is not said.
        """
        for path, offset, when in self._waiting.values():
            if not goes_on or now - when >= _FOUND:
                self._tell(path, offset, now)
        self._waiting.clear()
        for path, said in self._said.items():
            if said.since:
                self._say(f"{path}: was truncated {said.since:,} more time(s), likewise")
        self._said.clear()

    def _tell(self, path: str, offset: int, now: float) -> None:
        self.count += 1
        said = self._said.get(path)
        if said is not None and now - said.when < EVERY:
            said.since += 1
            return
        text = (
            f"{path}: was truncated when {offset:,} bytes of it had been read, and no copy of it "
            "was found; lines written behind them, if any, are lost"
        )
        if said is not None and said.since:
            text += f" ({said.since:,} more time(s) since this was said last)"
        self._say(text)
        self._said.pop(path, None)
        self._said[path] = _Said(now)
        if len(self._said) > MOST_PATHS:
            del self._said[next(iter(self._said))]
