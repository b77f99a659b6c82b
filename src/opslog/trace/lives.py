"""What messages and notifications say of the life of an instance, a volume or a port.

Each pattern is of a message as the services print it, on releases from Kilo on.
A notification says it in its type and payload.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from opslog.events import Event
from opslog.events.pairs import ENDS


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a life: an operation begins or ends, and the state from then on, if told."""

    kind: str
    pattern: str = ""
    """Of the message that tells it, empty if a notification does."""
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

MOMENTS = (
    Moment(
        "instance",
        r"Attempting claim|Claim successful|Starting instance\.\.\.",
        begins="create",
        state="building",
    ),
    Moment("instance", r"Took [\d.]+ seconds to build instance", ends="create", state="active"),
    Moment("instance", r"Instance spawned successfully", state="active"),
    Moment(
        "instance", r"VM Resumed \(Lifecycle Event\)|Setting instance to ACTIVE", state="active"
    ),
    Moment("instance", r"VM Paused \(Lifecycle Event\)", state="paused"),
    Moment("instance", r"VM Stopped \(Lifecycle Event\)", state="stopped"),
    Moment(
        "instance",
        r"Instance failed to spawn|Setting instance vm_state to ERROR|Build of instance .+ aborted",
        ends="create",
        state="error",
    ),
    Moment("instance", r"Rebooting instance", begins="reboot"),
    Moment("instance", r"Instance rebooted successfully", ends="reboot", state="active"),
    Moment("instance", r"Migrating\b|Starting live.migration|live_migration\(\)", begins="migrate"),
    Moment(
        "instance",
        r"Migrating instance to \S+ finished successfully|Live migration .*(?:complete|finish)",
        ends="migrate",
        state="active",
    ),
    Moment("instance", r"Terminating instance", begins="delete", state="deleting"),
    Moment(
        "instance",
        r"Took [\d.]+ seconds to (?:deallocate network|detach \d+ volumes)|Deletion of .* complete",
        ends="delete",
        state="deleted",
    ),
    Moment(
        "volume",
        r"being created|Creating volume|Create volume request issued",
        begins="create",
        state="creating",
    ),
    Moment(
        "volume",
        r"[Cc]reated (?:volume )?successfully|Created volume",
        ends="create",
        state="available",
    ),
    Moment(
        "volume",
        r"Attach volume request issued|Attaching volume",
        begins="attach",
        state="attaching",
    ),
    Moment("volume", r"Attach volume completed successfully", ends="attach", state="in-use"),
    Moment(
        "volume",
        r"Detach volume request issued|Detaching volume",
        begins="detach",
        state="detaching",
    ),
    Moment("volume", r"Detach volume completed successfully", ends="detach", state="available"),
    Moment(
        "volume", r"Delete volume request issued|Deleting volume", begins="delete", state="deleting"
    ),
    Moment(
        "volume",
        r"Deleted volume successfully|[Dd]eleted successfully",
        ends="delete",
        state="deleted",
    ),
    Moment("volume", r"create failed|[Ff]ailed to create", ends="create", state="error"),
    Moment(
        "port", r"Attempting to bind port|Refusing to bind port", begins="bind", state="binding"
    ),
    Moment("port", r"Bound port|[Pp]ort \S+ updated\. Details", ends="bind", state="bound"),
    Moment("port", r"[Ff]ailed to bind port", ends="bind", state="error"),
    Moment(
        "port",
        r"[Ss]etting status for \S+ to UP|reached status ACTIVE|network-vif-plugged",
        ends="create",
        state="active",
    ),
    Moment("port", r"[Dd]eleted port|[Pp]ort \S+ deleted", ends="delete", state="deleted"),
)

TELLING = "|".join(f"(?:{moment.pattern})" for moment in MOMENTS)
"""A pattern (RE2) of every message that tells of a life."""

_COMPILED = [(moment, re.compile(moment.pattern)) for moment in MOMENTS]


def moment_of(kind: str, message: str) -> Moment | None:
    """Return what a message about a resource of a kind says of its life, None if nothing."""
    for moment, pattern in _COMPILED:
        if moment.kind == kind and pattern.search(message):
            return moment
    return None


def moment_told(event: Event) -> Moment | None:
    """Return what a notification says of the life of its resource, None if nothing."""
    kind = event.resource_type
    if kind not in KINDS:
        return None
    _, named, operation = event.event.rpartition(f"{kind}.")
    operation = operation if named else event.event.partition(".")[2] or event.event
    begins = operation if event.phase == "start" else ""
    ends = operation if event.phase in ENDS else ""
    state = (event.state or "").lower()
    return Moment(kind, begins=begins, ends=ends, state=state) if begins or ends or state else None
