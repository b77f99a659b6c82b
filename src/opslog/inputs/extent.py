"""What a part reads of a file, and how that was when the parts were planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Extent:
    """A source, or what is between two seams of it.

    Seams are named by the places behind which they are searched for; without ``end`` it goes
    to the end of the source.  ``size`` is that of the file as it lies there, ``first`` are its
    first bytes, ``version`` shows whether a file at a URL was changed, ``margin`` is how many
    blanks stand before each line.  Of a ``plain`` file, whose bytes are as they are read, nothing
    behind the size is.  Of what is no regular file only the name is known.  With ``dated`` it
    begins not at a seam, but at ``begin``, before which every record has ended: the last one with
    a time began at ``dated``, -1 without any.  ``called`` is its name in records, if another.
    """

    name: str
    size: int = -1
    modified: datetime | None = None
    first: bytes = b""
    begin: int = 0
    end: int | None = None
    margin: int = 0
    version: str = ""
    plain: bool = False
    dated: int | None = None
    called: str = ""

    def __str__(self) -> str:
        if not self.begin and self.end is None:
            return repr(self.name)
        to = f"to {self.end:,}" if self.end is not None else "on"
        return f"{self.name!r} from {self.begin:,} {to}"
