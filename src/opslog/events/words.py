"""Notifications in words: what a terminal shows instead of their JSON."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from opslog.events.notification import COLUMNS, numbered_notifications
from opslog.events.rows import Notification


class InWords:
    """Says what records of notifications tell; ``columns`` are those that it reads."""

    columns = COLUMNS

    def bodies(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the messages of records, those of notifications in words."""
        import pyarrow.compute as pc

        bodies = batch.column("body")
        said = {row: sentence(event) for row, event in numbered_notifications(batch)}
        if not said:
            return bodies
        mask = pc.is_in(pa.array(range(len(batch))), pa.array([*said]))
        return pc.replace_with_mask(bodies, mask, pa.array([*said.values()], bodies.type))


def sentence(event: Notification) -> str:
    """Return what a notification tells, in a line."""
    return "  ".join(filter(None, (event.event_type, ", ".join(_facts(event)))))


def _facts(event: Notification) -> Iterator[str]:
    if event.resource_id is not None:
        yield f"{event.resource_type or 'resource'} {event.resource_id}"
    if event.state is not None:
        before = "" if event.old_state in (None, event.state) else f", before {event.old_state}"
        yield f"state {event.state}{before}"
    if event.task_state is not None:
        yield f"task {event.task_state}"
    if event.reason is not None:
        yield f"failed: {event.reason}"
    if event.publisher_id is not None:
        yield f"by {event.publisher_id}"
