"""What the first line of a log says of the years of times that have none.

journalctl printed one before its records from its first release until 254, in these words:
``-- Logs begin at Fri 2022-02-04 09:42:00 UTC, end at Thu 2022-02-10 10:00:00 UTC. --``,
``-- Journal begins at ..., ends at ... --``, without an end if it follows, and in the oldest
releases with a comma behind the day of the week.  A file of glog or klog begins with
``Log file created at: 2023/12/18 06:13:36``.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from opslog.model.zones import local_microseconds

_TIME = rb"[^0-9\n]{0,40}(\d{4})[-/](\d\d)[-/](\d\d)(?: (\d\d):(\d\d):(\d\d))?"
_FIRST = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:-- [A-Z][a-z]+ begins? at|Log file created at:)"
    + _TIME
    + rb"(?:[^\n]{0,40}?\bends? at"
    + _TIME
    + rb")?"
)
_SLACK = timedelta(days=1)
"""How much earlier than the time of the first line a record may be, and of its zone."""

LONGEST = 256
"""How many bytes of the line may have to be looked at."""


def reference_of_first_line(start: bytes) -> int | None:
    """Return the reference that the first line of what begins with ``start`` states, if any.

    It is a local time in microseconds since the epoch: a time without a year is of the newest
    year in which it is at most a day later.  Where the line states no end, times are of the
    first year in which they are not before its beginning.
    """
    found = _FIRST.match(start)
    if found is None:
        return None
    begin, end = _moment(found.groups()[:6]), _moment(found.groups()[6:])
    if end is not None:
        return local_microseconds(end)
    if begin is not None and begin.year < datetime.max.year:
        return local_microseconds(begin + timedelta(days=365) - 2 * _SLACK)
    return None


def _moment(groups: tuple[bytes | None, ...]) -> datetime | None:
    if groups[0] is None:
        return None
    try:
        return datetime(*[int(group or 0) for group in groups])  # type: ignore[arg-type]
    except ValueError:
        return None
