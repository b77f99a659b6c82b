"""What happened, as services tell it in notifications: events, pairs of start and end, requests.

    >>> import opslog
    >>> from opslog.events import Pair, event_rows
    >>> for row in event_rows(opslog.read("/var/log")):
    ...     if isinstance(row, Pair):
    ...         print(row.event, row.resource_id, row.status, row.duration)

One pass; what is kept does not grow with the records.
"""

from opslog.events.notification import notifications_in
from opslog.events.read import EventCollector, EventRow, event_rows
from opslog.events.rows import (
    EventRequest,
    EventSummary,
    Notification,
    Pair,
    batch_of_rows,
    json_row,
)
from opslog.model.instants import utc_time

__all__ = [
    "EventCollector",
    "EventRequest",
    "EventRow",
    "EventSummary",
    "Notification",
    "Pair",
    "batch_of_rows",
    "event_rows",
    "json_row",
    "notifications_in",
    "utc_time",
]
