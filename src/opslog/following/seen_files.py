"""Files that were looked into and hold nothing new."""

from __future__ import annotations

import os

from opslog.inputs.paths import FileId

MOST = 100_000
"""Files that are remembered; one more is looked into again if it is still there."""


class SeenFiles:
    """The last files that were found to be nothing new, by what they were like then.

    ``binary`` are those of them that hold no text.
    """

    def __init__(self) -> None:
        self.binary: set[FileId] = set()
        self._states: dict[FileId, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._states)

    def add(self, status: os.stat_result) -> None:
        """Remember a file: as long as it is like this it need not be opened again.

        One that was removed is met no more; its number may be another one's soon.
        """
        if not status.st_nlink:
            return
        self._states[FileId.of(status)] = (status.st_size, status.st_mtime_ns)
        if len(self._states) > MOST:
            oldest = next(iter(self._states))
            del self._states[oldest]
            self.binary.discard(oldest)

    def holds(self, file: FileId, status: os.stat_result) -> bool:
        """Return whether a file is as it was when it was found to be nothing new."""
        seen = self._states.pop(file, None)
        if seen is not None:
            self._states[file] = seen  # as the latest: those that are gone are the oldest
        return seen == (status.st_size, status.st_mtime_ns)

    def forget(self, file: FileId) -> None:
        """Have a file be looked into again."""
        self._states.pop(file, None)
