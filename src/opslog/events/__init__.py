"""What happened, as services tell it in notifications: events, pairs of start and end, requests.

    >>> import opslog
    >>> from opslog.events import Pair, rows_of
    >>> for row in rows_of(opslog.read("/var/log")):
    ...     if isinstance(row, Pair):
    ...         print(row.event, row.resource_id, row.status, row.duration)

One pass; what is kept does not grow with the records.
"""

from opslog.events.notification import events_in
from opslog.events.read import Row, Story, rows_of
from opslog.events.rows import Event, EventSummary, Pair, Request, as_dict, batch_of, moment

__all__ = [
    "Event",
    "EventSummary",
    "Pair",
    "Request",
    "Row",
    "Story",
    "as_dict",
    "batch_of",
    "events_in",
    "moment",
    "rows_of",
]
