"""What messages and notifications say of the life of an instance, a volume or a port.

Each pattern is of a message as the services print it, on releases from Kilo on.
A notification says it in its type and payload.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from opslog.events import Notification
from opslog.events.pairs import ENDS


@dataclass(frozen=True, slots=True)
class Change:
    """A change in a life: an operation begins or ends, and the state from then on, if told."""

    kind: str
    pattern: str = ""
    """Of the message that says so, empty for a notification."""
    begins: str = ""
    ends: str = ""
    state: str = ""


_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

KINDS = ("instance", "volume", "port")
"""The resources whose lives are told."""

NAMED = (
    r"(?i)\b(?P<kind>instance|server|port|volume)s?(?:[ :]+|[ =]*['\"]|/)"
    rf"(?P<id>{_UUID})(?:$|[^0-9a-f-])"
)
"""A pattern (RE2) of a resource that a message or a path names, with its kind."""

CHANGES = (
    Change(
        "instance",
        r"Attempting claim|Claim successful|Starting instance\.\.\.",
        begins="create",
        state="building",
    ),
    Change("instance", r"Took [\d.]+ seconds to build instance", ends="create", state="active"),
    Change("instance", r"Instance spawned successfully", state="active"),
    Change(
        "instance",
        r"VM Resumed \(Lifecycle Notification\)|Setting instance to ACTIVE",
        state="active",
    ),
    Change("instance", r"VM Paused \(Lifecycle Notification\)", state="paused"),
    Change("instance", r"VM Stopped \(Lifecycle Notification\)", state="stopped"),
    Change(
        "instance",
        r"Instance failed to spawn|Setting instance vm_state to ERROR|Build of instance .+ aborted",
        ends="create",
        state="error",
    ),
    Change("instance", r"Rebooting instance", begins="reboot"),
    Change("instance", r"Instance rebooted successfully", ends="reboot", state="active"),
    Change("instance", r"Migrating\b|Starting live.migration|live_migration\(\)", begins="migrate"),
    Change(
        "instance",
        r"Migrating instance to \S+ finished successfully|Live migration .*(?:complete|finish)",
        ends="migrate",
        state="active",
    ),
    Change("instance", r"Terminating instance", begins="delete", state="deleting"),
    Change(
        "instance",
        r"Took [\d.]+ seconds to (?:deallocate network|detach \d+ volumes)|Deletion of .* complete",
        ends="delete",
        state="deleted",
    ),
    Change(
        "volume",
        r"being created|Creating volume|Create volume request issued",
        begins="create",
        state="creating",
    ),
    Change(
        "volume",
        r"[Cc]reated (?:volume )?successfully|Created volume",
        ends="create",
        state="available",
    ),
    Change(
        "volume",
        r"Attach volume request issued|Attaching volume",
        begins="attach",
        state="attaching",
    ),
    Change("volume", r"Attach volume completed successfully", ends="attach", state="in-use"),
    Change(
        "volume",
        r"Detach volume request issued|Detaching volume",
        begins="detach",
        state="detaching",
    ),
    Change("volume", r"Detach volume completed successfully", ends="detach", state="available"),
    Change(
        "volume", r"Delete volume request issued|Deleting volume", begins="delete", state="deleting"
    ),
    Change(
        "volume",
        r"Deleted volume successfully|[Dd]eleted successfully",
        ends="delete",
        state="deleted",
    ),
    Change("volume", r"create failed|[Ff]ailed to create", ends="create", state="error"),
    Change(
        "port", r"Attempting to bind port|Refusing to bind port", begins="bind", state="binding"
    ),
    Change("port", r"Bound port|[Pp]ort \S+ updated\. Details", ends="bind", state="bound"),
    Change("port", r"[Ff]ailed to bind port", ends="bind", state="error"),
    Change(
        "port",
        r"[Ss]etting status for \S+ to UP|reached status ACTIVE|network-vif-plugged",
        ends="create",
        state="active",
    ),
    Change("port", r"[Dd]eleted port|[Pp]ort \S+ deleted", ends="delete", state="deleted"),
)

TELLING = "|".join(f"(?:{change.pattern})" for change in CHANGES)
"""A pattern (RE2) of every message that tells of a life."""

_COMPILED = [(change, re.compile(change.pattern)) for change in CHANGES]


def change_of_message(kind: str, message: str) -> Change | None:
    """Return what a message about a resource of a kind says of its life, None if nothing."""
    for change, pattern in _COMPILED:
        if change.kind == kind and pattern.search(message):
            return change
    return None


def change_of_notification(event: Notification) -> Change | None:
    """Return what a notification says of the life of its resource, None if nothing."""
    kind = event.resource_type
    if kind not in KINDS:
        return None
    _, named, operation = event.event.rpartition(f"{kind}.")
    operation = operation if named else event.event.partition(".")[2] or event.event
    begins = operation if event.phase == "start" else ""
    ends = operation if event.phase in ENDS else ""
    state = (event.state or "").lower()
    return Change(kind, begins=begins, ends=ends, state=state) if begins or ends or state else None
