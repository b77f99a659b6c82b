"""Notifications in records: what oslo.messaging sent, whoever wrote it down.

Nova's old and versioned ones (values in ``nova_object.data``; Ironic's likewise),
CADF events (Keystone, audit middlewares, also as keystonemiddleware prints them
without a notifier) and what the other services send.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from opslog.events.rows import Notification, Time
from opslog.model.instants import micros_of
from opslog.model.services import service_of_program
from opslog.rows.literal import event_as_json

COLUMNS = (
    "timestamp", "body", "request_id", "user_id", "project_id", "resource_id", "logger", "program",
    "attributes", "source", "source_offset",
)  # fmt: skip
"""The columns of records that are read."""

LOGGER = "oslo.messaging.notification."
"""What the log driver puts before the type; a torn message has only this."""

PRINTED = "Event type: "
"""What keystonemiddleware's log notifier begins with."""

PHASES = ("start", "end", "error", "success", "failure", "fail", "progress")
EXISTS = "exists"
"""A phase that neither begins nor ends anything; it stays part of the event."""

LONGEST = 300
"""Characters of a reason that are kept."""

_AUDIT = {"audit.http.request": "start", "audit.http.response": "end"}
"""Audit middlewares tell one API call in two events."""

_SPACES = ("compute", "compute_task", "scheduler", "baremetal", "identity", "orchestration",
           "octavia", "dns", "trove", "audit", "conductor", "magnum")  # fmt: skip
"""First words of types that are no resource."""

_SERVICES = {
    word: service
    for service, words in {
        "nova": "compute compute_task instance scheduler conductor servergroup keypair flavor "
        "aggregate server_group keypair libvirt",
        "cinder": "volume snapshot backup group group_snapshot volume_type consistencygroup",
        "neutron": "network port subnet router floatingip security_group security_group_rule "
        "subnetpool address_scope trunk qos agent",
        "glance": "image task", "keystone": "identity", "heat": "orchestration",
        "ironic": "baremetal", "manila": "share", "designate": "dns", "octavia": "octavia",
        "aodh": "alarm", "trove": "trove", "magnum": "magnum",
    }.items()
    for word in words.split()
}  # fmt: skip
"""First words of types, to the service that sends them."""

_PUBLISHER = re.compile(r"([^.:]+)[.:](.+)", re.DOTALL)
API = r"(?:^|[-_.])(?:api|wsgi)(?:$|[-_.])"
"""How an API's logger, program or publisher is named (RE2)."""
_IS_API = re.compile(API)


def notifications_in(batch: pa.RecordBatch) -> Iterator[Notification]:
    """Yield the notifications among records, which have the ``COLUMNS``, in their order."""
    for _, event in numbered_notifications(batch):
        yield event


def numbered_notifications(batch: pa.RecordBatch) -> Iterator[tuple[int, Notification]]:
    """Yield (row, notification), likewise."""
    import pyarrow.compute as pc

    kinds = pc.map_lookup(batch.column("attributes"), "event_type", "first")
    logger = batch.column("logger").cast(pa.string())
    by_name = pc.starts_with(logger, LOGGER).fill_null(False)
    rows = pc.indices_nonzero(pc.or_(kinds.is_valid(), by_name))
    if len(rows):
        chosen = batch.select(list(COLUMNS)).take(rows)
        times = chosen.column("timestamp").view(pa.int64())
        plain = chosen.set_column(0, COLUMNS[0], times).to_pylist()
        for row, values in zip(rows.to_pylist(), plain, strict=True):
            yield row, notification_of(values)


def notification_of(row: dict[str, Any]) -> Notification:
    """Return the notification a record is; it has the ``COLUMNS``, its time in microseconds."""
    attributes = dict(row["attributes"])
    kind = attributes.get("event_type") or row["logger"].removeprefix(LOGGER)
    body = _object(row["body"])
    sent = body.get("payload") if "event_type" in body else body
    data = _data(sent)
    event, phase = _phase(kind)
    resource = _resource(event, data)
    if kind in _AUDIT:
        resource = "call", _text(data.get("id"))
    publisher = attributes.get("publisher_id") or ""
    service, host = _published(publisher)
    failed = (
        phase in ("error", "failure")
        or attributes.get("cadf_outcome") == "failure"
        or attributes.get("priority") == "ERROR"
    )
    told = _micros(attributes.get("event_timestamp"))
    state = _data(data.get("state_update"))
    return Notification(
        row["timestamp"] if told is None else told,
        kind,
        event,
        phase,
        attributes.get("priority"),
        publisher or None,
        service
        or _SERVICES.get(event.partition(".")[0])
        or service_of_program(row["program"] or ""),
        host,
        resource[0],
        resource[1] or row["resource_id"],
        row["request_id"] or _text(body.get("_context_request_id")),
        row["user_id"],
        row["project_id"],
        _first(data, "state", "status", "provision_state")
        or _text(state.get("state"))
        or _first(_data(data.get(resource[0] or "")), "status"),
        _first(data, "old_state", "previous_state") or _text(state.get("old_state")),
        _first(data, "new_task_state", "task_state") or _text(state.get("new_task_state")),
        failed,
        _reason(data) if failed else None,
        attributes.get("message_id"),
        None if told is None else row["timestamp"],
        row["source"],
        row["source_offset"],
    )


def is_api(name: str | None) -> bool:
    """Return whether a logger, program or publisher is one of an API's."""
    return name is not None and _IS_API.search(name) is not None


def _phase(kind: str) -> tuple[str, str | None]:
    if kind in _AUDIT:
        return kind.rpartition(".")[0], _AUDIT[kind]
    event, _, last = kind.rpartition(".")
    if event and last in PHASES:
        return event, "failure" if last == "fail" else last
    return kind, EXISTS if last == EXISTS else None


def pattern_of(event: str) -> str:
    """Return the pattern (RE2) of the types of notifications that are of this event."""
    audits = [kind.rpartition(".")[2] for kind in _AUDIT if _phase(kind)[0] == event]
    phases = "|".join((*PHASES, *audits))
    return f"^{re.escape(event).replace(chr(92) + '.', '[.]')}([.]({phases}))?$"


def _published(publisher: str) -> tuple[str | None, str | None]:
    found = _PUBLISHER.fullmatch(publisher)
    name, host = (found[1], found[2]) if found else (publisher, None)
    return service_of_program(name) or _SERVICES.get(name), host


def _object(text: str | None) -> dict[str, Any]:
    text = text or "null"
    if text.startswith(PRINTED):
        printed = event_as_json(text.encode())
        text = "null" if printed is None else printed.decode()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}  # torn, or hostile: what the columns tell is left
    return found if isinstance(found, dict) else {}


def _data(payload: Any) -> dict[str, Any]:
    """Return the values of a payload, without the wrapping of versioned objects."""
    if not isinstance(payload, dict):
        return {}
    for name, value in payload.items():
        if name.endswith("_object.data") and isinstance(value, dict):
            return value
    return payload


def _resource(event: str, data: dict[str, Any]) -> tuple[str | None, str | None]:
    words = event.split(".")
    if words[0] in _SPACES and len(words) > 1:
        words = words[1:]
    target = data.get("target")
    if "initiator" in data and isinstance(target, dict):
        return words[0], _text(target.get("id"))
    for word in reversed(words):
        inner = _data(data.get(word))
        found = _first(data, f"{word}_id", f"{word}_uuid") or _first(inner, "id", "uuid")
        if found:
            return word, found
    if found := _first(data, "instance_uuid", "instance_id"):
        return "instance", found
    if stack := _text(data.get("stack_identity")):
        return "stack", stack.rpartition("/")[2]
    if found := _first(data, "uuid", "id", "resource_info", "flavorid"):
        return words[0], found
    several = _data(data.get("request_spec")).get("instance_uuids")
    if isinstance(several, list) and len(several) == 1 and (found := _text(several[0])):
        return "instance", found
    kwargs = _data(_data(data.get("exception")).get("kwargs"))
    if found := _first(kwargs, "instance_uuid", "uuid"):
        return "instance", found
    return words[0], None


def _reason(data: dict[str, Any]) -> str | None:
    for name in ("fault", "exception", "reason"):
        inner = data.get(name)
        if isinstance(inner, dict):
            told = _data(inner)
            found = _first(told, "exception_message", "message", "reasonCode") or _first(
                _data(told.get("kwargs")), "reason"
            )
            kind = _first(told, "exception")
            text = ": ".join(filter(None, (kind, found)))
        else:
            text = _text(inner) or ""
        if text:
            return text[:LONGEST]
    found = _first(data, "message", "state_reason", "stack_status_reason")
    return found[:LONGEST] if found else None


def _first(data: dict[str, Any], *names: str) -> str | None:
    """Return the first of these values that is a text that says something."""
    return next((found for name in names if (found := _text(data.get(name)))), None)


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value else None


def _micros(text: str | None) -> Time | None:
    """Return the time a message was sent, which is UTC if it tells no offset."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Time(micros_of(moment))
