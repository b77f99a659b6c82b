"""What the messages of services say of the lives of resources.

Most of this file is two tables, kept together for the properties below, which mix their rows.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.trace import lives, resources
from opslog.trace.changes import CALLS, CHANGES, NAMELESS, Change
from opslog.trace.life import Life

HEAD = {
    "instance": ("nova.compute.manager", "[instance: {id}] "),
    "volume": ("cinder.volume.manager", ""),
    "snapshot": ("cinder.volume.manager", ""),
    "backup": ("cinder.backup.manager", ""),
    "port": ("neutron.plugins.ml2.managers", ""),
    "image": ("glance.api.v2.images", ""),
    "loadbalancer": ("octavia.controller.queue.v2.endpoints", ""),
    "stack": ("heat.engine.stack", ""),
    "node": ("ironic.conductor.task_manager", ""),
    "share": ("manila.share.manager", ""),
}
"""By kind: a logger, and what stands before each message of it."""

ID = "5a1e2d3c-4b5f-4a60-8171-92a3b4c5d6e7"
OTHER = "6b2f3e4d-5c60-4b71-9282-a3b4c5d6e7f8"


def line(second: float, kind: str, message: str, request: str | int = 0, id_: str = ID) -> str:
    """Return a line at a second; ``{id}`` in the message is the id of the resource."""
    logger, before = HEAD[kind]
    minute, rest = divmod(second, 60)
    if isinstance(request, int):
        request = f"req-{request:08x}-0000-4000-8000-000000000000"
    context = request if request == "-" else f"{request} u p - - -"
    text = (before + message).replace("{id}", id_)
    return f"2026-03-10 10:{minute:02.0f}:{rest:06.3f} 7 INFO {logger} [{context}] {text}\n"


def call(second: float, kind: str, call_: str, request: int = 0, id_: str = ID) -> str:
    """Return a line of an answered call: ``METHOD path status``."""
    method, path, status = call_.replace("{id}", id_).split()
    message = f'10.0.0.7 "{method} {path} HTTP/1.1" status: {status}  len: 3 time: 0.1'
    return line(second, kind, message, request).replace(HEAD[kind][1].format(id=ID), "")


def rows_of(lines: list[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of resources by id."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "service.log")
        path.write_text("".join(lines))
        rows = resources(library.read(path)).to_pylist()
    return {row["resource_id"]: row for row in rows}


def told(kind: str, *messages: str | tuple[int, str]) -> tuple[str | None, list[str]]:
    """Return state and unfinished operations after messages a minute apart.

    A message is of the request of the one before, or of the one whose number stands by it.
    """
    lines, request = [], 0
    for n, message in enumerate(messages):
        request, text = message if isinstance(message, tuple) else (request, message)
        make = call if re.fullmatch(r"[A-Z]+ /\S+ \d+", text) else line
        lines.append(make(60 * n, kind, text, request))
    row = rows_of(lines)[ID]
    assert row["resource_type"] == kind
    return row["state"], row["unfinished"]


BUILD = ("Claim successful on node c1", "Took 3.21 seconds to build instance.")
ACTIVE = (*((1, text) for text in BUILD),)

INSTANCES: dict[str, tuple[list[Any], str, list[str]]] = {
    "a build": ([*BUILD], "active", []),
    "a build that goes on": (["Claim successful on node c1"], "building", ["create"]),
    "a build of Kilo": (["Starting instance...", "Attempting claim: memory 512 MB", BUILD[1]], "active", []),
    "a build that failed": (
        [BUILD[0], "Instance failed to spawn: boom", "Terminating instance",
         "Took 0.20 seconds to deallocate network for instance."], "error", [],
    ),
    "a build that was aborted": (
        ["Build of instance {id} aborted: no disk", "Took 0.20 seconds to deallocate network for instance."],
        "error", [],
    ),
    "a build without a host": (["Setting instance to ERROR state."], "error", []),
    "a build that failed on one host, not on the next": (
        [BUILD[0], "Instance failed to spawn: boom", "Terminating instance",
         "Deletion of /var/lib/nova/instances/{id}_del complete", *BUILD], "active", [],
    ),
    "a failed build, deleted": (
        [BUILD[0], "Instance failed to spawn: boom", (2, "DELETE /v2.1/servers/{id} 204")], "deleted", [],
    ),
    "deletion": (
        [*ACTIVE, (2, "Terminating instance"), "Instance destroyed successfully.",
         "Took 0.20 seconds to deallocate network for instance."], "deleted", [],
    ),
    "deletion that goes on": ([*ACTIVE, (2, "DELETE /v2.1/servers/{id} 204")], "deleting", ["delete"]),
    "deletion that a client saw": (
        [*ACTIVE, (2, "DELETE /v2.1/servers/{id} 204"), (3, "GET /v2.1/servers/{id} 404")], "deleted", [],
    ),
    "deletion on a host that is down": (
        [*ACTIVE, (2, "instance's host c1 is down, deleting from database")], "deleted", [],
    ),
    "an echo after deletion": (
        [*ACTIVE, (2, "Terminating instance"), "Deletion of /x/{id}_del complete",
         (3, "VM Stopped (Lifecycle Event)"), "VM Paused (Lifecycle Event)", "Claim successful on node c2"],
        "deleted", [],
    ),
    "a resize": (
        [*ACTIVE, (2, BUILD[0]), "Migrating", "Instance running successfully."], "resized", [],
    ),
    "a resize of which the build is not logged": (
        [BUILD[0], "Migrating", "Instance running successfully."], "resized", [],
    ),
    "a resize that goes on": ([*ACTIVE, (2, BUILD[0]), "Migrating"], "active", ["migrate"]),
    "a resize without a host": (
        [*ACTIVE, (2, BUILD[0]), "Migrating", "Setting instance to ACTIVE state."], "active", [],
    ),
    "a resize, confirmed": (
        [*ACTIVE, (2, "Migrating"), "Instance running successfully.", (3, "Going to confirm migration 7"),
         'Lock "{id}" "released" by "nova.compute.manager.ComputeManager.confirm_resize.do_confirm_resize"'],
        "active", [],
    ),
    "a resize, confirmed, as INFO tells it": (
        [*ACTIVE, (2, "Migrating"), "Instance spawned successfully.", (3, "POST /v2.1/servers/{id}/action 204"),
         (4, "Received unexpected event network-vif-plugged-7 for instance with vm_state resized and task_state None."),
         (3, "Deleted allocation for migration 4eaec18b-5b3a-4f5f-9398-204c4b2f89df")],
        "active", [],
    ),
    "a resize, and another action": (
        [*ACTIVE, (2, "Migrating"), "Instance spawned successfully.", (3, "POST /v2.1/servers/{id}/action 202")],
        "resized", [],
    ),
    "an allocation of a migration that nobody confirmed": (
        [*ACTIVE, (2, "Migrating"), "Instance spawned successfully.",
         (3, "Deleted allocation for migration 4eaec18b-5b3a-4f5f-9398-204c4b2f89df")],
        "resized", [],
    ),
    "a resize, reverted": (
        [*ACTIVE, (2, "Migrating"), "Instance running successfully.",
         (3, "Swapping old allocation on dict_keys([]) held by migration m for instance"),
         "Updating instance to original state: 'active'"], "active", [],
    ),
    "a live migration": (
        [*ACTIVE, (2, "Took 0.75 seconds for pre_live_migration on destination host c2."),
         "VM Paused (Lifecycle Event)", "Migration operation has completed", "_post_live_migration() is started..",
         "Deletion of /x/{id}_del complete", "Migrating instance to c2 finished successfully."], "active", [],
    ),
    "a live migration that failed": (
        [*ACTIVE, (2, "Took 0.75 seconds for pre_live_migration on destination host c2."),
         "Migration operation has aborted", "Live migration failed.: boom"], "active", [],
    ),
    "an evacuation": (
        [*ACTIVE, (2, "Evacuating instance"), BUILD[0], "Instance spawned successfully.",
         (3, "Destroying instance as it has been evacuated from this host but still exists in the hypervisor"),
         "Instance destroyed successfully.", "Deletion of /x/{id}_del complete"], "active", [],
    ),
    "a rebuild": ([*ACTIVE, (2, "Rebuilding instance"), "Instance spawned successfully."], "active", []),
    "a rebuild that failed": (
        [*ACTIVE, (2, "Rebuilding instance"), "Setting instance vm_state to ERROR: boom"], "error", [],
    ),
    "shelving": (
        [*ACTIVE, (2, "Shelving"), "Instance shutdown successfully after 3 seconds.", "Snapshot image upload complete"],
        "shelved", [],
    ),
    "shelving with offloading": (
        [*ACTIVE, (2, "Shelving"), "Shelve offloading", "Instance destroyed successfully.",
         "Deletion of /x/{id}_del complete", "Deleted allocations for instance {id}"], "shelved_offloaded", [],
    ),
    "unshelving": (
        [*ACTIVE, (2, "Shelving"), "Shelve offloading", "Deleted allocations for instance {id}",
         (3, "Unshelving"), BUILD[0], "Instance spawned successfully."], "active", [],
    ),
    "unshelving that failed": (
        [*ACTIVE, (2, "Shelving"), "Shelve offloading", "Deleted allocations for instance {id}",
         (3, "Unshelving"), BUILD[0], "Instance failed to spawn: boom",
         "Successfully reverted task state from spawning on failure for instance."], "shelved_offloaded", [],
    ),
    "a reboot": ([*ACTIVE, (2, "Rebooting instance"), "Instance rebooted successfully."], "active", []),
    "a reboot that failed": ([*ACTIVE, (2, "Rebooting instance"), "Cannot reboot instance: boom"], "error", []),
    "a reboot that goes on": ([*ACTIVE, (2, "Rebooting instance")], "active", ["reboot"]),
    "a reboot whose end is not logged": (
        [*ACTIVE, (2, "Rebooting instance"), (3, "Rescuing"), "VM Resumed (Lifecycle Event)"], "rescued", [],
    ),
    "a stop": (
        [*ACTIVE, (2, "Stopping instance; current vm_state: active, current task_state: powering-off"),
         "Instance shutdown successfully after 3 seconds."], "stopped", [],
    ),
    "a stop that failed": (
        [*ACTIVE, (2, "Stopping instance; current vm_state: active, current task_state: powering-off"),
         "Instance is already powered off in the hypervisor when stop is called.",
         "Successfully reverted task state from powering-off on failure for instance."], "active", [],
    ),
    "a stop from inside": ([*ACTIVE, (2, "VM Stopped (Lifecycle Event)")], "stopped", []),
    "a stop of Kilo": ([*ACTIVE, (2, "VM Stopped (Lifecycle Notification)")], "stopped", []),
    "a start": (
        [*ACTIVE, (2, "VM Stopped (Lifecycle Event)"), (3, "VM Started (Lifecycle Event)")], "active", [],
    ),
    "a pause": ([*ACTIVE, (2, "Pausing"), (3, "VM Paused (Lifecycle Event)")], "paused", []),
    "a pause, ended": (
        [*ACTIVE, (2, "Pausing"), (3, "VM Paused (Lifecycle Event)"), (4, "Unpausing"),
         (5, "VM Resumed (Lifecycle Event)")], "active", [],
    ),
    "a suspension, ended": (
        [*ACTIVE, (2, "VM Suspended (Lifecycle Event)"), (3, "Resuming"), (4, "VM Resumed (Lifecycle Event)")],
        "active", [],
    ),
    "a rescue": ([*ACTIVE, (2, "Rescuing"), (3, "VM Started (Lifecycle Event)")], "rescued", []),
    "a rescue, ended": (
        [*ACTIVE, (2, "Rescuing"), (3, "VM Started (Lifecycle Event)"), (4, "Unrescuing"),
         (5, "VM Resumed (Lifecycle Event)")], "active", [],
    ),
    "what nova says is going on": (
        [*ACTIVE, (2, "Rebooting instance"),
         (3, "Received unexpected event network-vif-plugged-1 for instance with vm_state active and task_state None.")],
        "active", [],
    ),
    "what the API says": ([(1, "Cannot 'stop' instance {id} while it is in vm_state stopped")], "stopped", []),
    "a snapshot": (
        [*ACTIVE, (2, "instance snapshotting"), "Beginning live snapshot process", "Snapshot image upload complete"],
        "active", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INSTANCES)
def test_instances(name: str) -> None:
    messages, *wanted = INSTANCES[name]
    assert told("instance", *messages) == tuple(wanted)


MADE = "Volume {id}: being created as raw"
THERE = "Volume volume-{id} ({id}): created successfully"
STARTED = "Create backup started, backup: {id} volume: " + OTHER

OTHERS: dict[str, tuple[str, list[Any], str, list[str]]] = {
    "a volume": ("volume", [MADE, THERE], "available", []),
    "a volume being made": ("volume", ["Create volume request issued successfully.", MADE], "creating", ["create"]),
    "a volume that failed": ("volume", [MADE, "Volume {id}: create failed"], "error", []),
    "a volume without a backend": (
        "volume",
        ["Volume {id}: re-scheduled",
         "Failed to run task cinder.scheduler.flows.create_volume.ScheduleCreateVolumeTask;volume:create: No valid"],
        "error", [],
    ),
    "a volume of Kilo": ("volume", ["volume {id}: deleting", "volume {id}: deleted successfully"], "deleted", []),
    "attaching": (
        "volume",
        ["Attaching volume {id} to instance " + OTHER + " at mountpoint /dev/vdb on host None.",
         "Attach volume completed successfully."], "in-use", [],
    ),
    "attaching, by the attachments API": (
        "volume", ["Attaching volume {id} to /dev/vdb", "attachment_update completed successfully."], "in-use", [],
    ),
    "attaching that failed": (
        "volume", ["Attaching volume {id} to /dev/vdb", "Failed to attach {id} at /dev/vdb, volume {id}"],
        "available", [],
    ),
    "detaching": ("volume", ["Detaching volume {id}", "Detach volume completed successfully."], "available", []),
    "detaching, by the attachments API": (
        "volume", ["Detaching volume {id}", "Terminate volume connection completed successfully."], "available", [],
    ),
    "a connection that a live migration leaves": (
        "volume",
        ["Attaching volume {id} to /dev/vdb", "Attach volume completed successfully.",
         (2, "GET /v3/volumes/{id} 200"), "Terminate volume connection completed successfully."], "in-use", [],
    ),
    "a volume deleted": (
        "volume",
        ["Delete volume with id: {id}", "Delete volume request issued successfully.", "Deleted volume successfully."],
        "deleted", [],
    ),
    "a volume that may not be deleted": (
        "volume", [MADE, THERE, (2, "Delete volume with id: {id}"), "DELETE /v3/volumes/{id} 400"], "available", [],
    ),
    "an extension": (
        "volume",
        ["POST /v3/p/volumes/{id}/action 202", "Extend volume request issued successfully.",
         "Extend volume completed successfully."], "available", [],
    ),
    "an extension in use": (
        "volume",
        ["Attaching volume {id} to /dev/vdb", "Attach volume completed successfully.",
         (2, "POST /v3/p/volumes/{id}/action 202"), "Extend volume request issued successfully.",
         "Extend volume completed successfully."], "in-use", [],
    ),
    "a retype": (
        "volume", [THERE, (2, "Retype volume request issued successfully."), "Volume {id}: retyped successfully"],
        "available", [],
    ),
    "a restored volume": (
        "volume",
        ["Restore backup started, backup: " + OTHER + " volume: {id}.",
         "Finished restoring backup " + OTHER + " to volume {id}."], "available", [],
    ),
    "attaching of which Cinder tells nothing": (
        "volume", ["Attaching volume {id} to /dev/vdb", (2, "Detaching volume {id}"), "Detach volume completed successfully."],
        "available", [],
    ),
    "attaching that nova ended": (
        "volume",
        ["Attaching volume {id} to /dev/vdb",
         f'Lock "{OTHER}" "released" by "nova.compute.manager.ComputeManager.attach_volume.<locals>.do_attach_volume"'],
        "in-use", [],
    ),
    "detaching of Kilo": (
        "volume", ["Detach volume {id} from mountpoint /dev/vdb", "Detach volume completed successfully."],
        "available", [],
    ),
    "a snapshot": (
        "snapshot", ["snapshot {id}: creating", "Create snapshot completed successfully"], "available", [],
    ),
    "a snapshot deleted": (
        "snapshot",
        ["Delete snapshot with id: {id}", "Snapshot delete request issued successfully.",
         "Delete snapshot completed successfully."], "deleted", [],
    ),
    "a busy snapshot": (
        "snapshot", ["Delete snapshot with id: {id}", "Delete snapshot failed, due to snapshot busy."], "available", [],
    ),
    "a backup": ("backup", [STARTED, "Create backup finished. backup: {id}."], "available", []),
    "a backup being made": ("backup", [STARTED], "creating", ["create"]),
    "a backup restored": (
        "backup",
        ["Restore backup started, backup: {id} volume: " + OTHER,
         "Finished restoring backup {id} to volume " + OTHER + "."], "available", [],
    ),
    "a backup deleted": (
        "backup", ["Delete backup started, backup: {id}.", "Delete backup finished, backup {id} deleted."],
        "deleted", [],
    ),
    "a port": (
        "port", ["Attempting to bind port {id} on host c1", "Bound port: {id}, host: c1",
                 "Current status of the port {id} is: DOWN; New status is: ACTIVE"], "active", [],
    ),
    "a port that cannot be bound": (
        "port", ["Attempt 2 to bind port {id}", "Failed to bind port {id} on host c1 using segments"], "error", [],
    ),
    "a port deleted": (
        "port", ["DELETE /v2.0/ports/{id} 204", (2, "Port {id} updated. Details: {}")], "deleted", [],
    ),
    "a port deleted, as its agents tell it": (
        "port", ["Deleting port {id}", (2, "Provisioning complete for port {id} triggered by entity L2."),
                 (3, "Resource Port deleted: {id}"), (2, "Provisioning complete for port {id} triggered by entity L2.")],
        "deleted", [],
    ),
    "a port deleted, as its server hears of it": (
        "port", ["Deleting port {id}", (2, "Device {id} no longer exists at agent ovs-agent-c1")], "deleted", [],
    ),
    "a port being deleted": (
        "port", ["Deleting port {id}", (2, "Provisioning complete for port {id} triggered by entity L2.")],
        "deleting", ["delete"],
    ),
    "a port unplugged": (
        "port", ["Bound port: {id}, host: c1", (2, "Device {id} no longer exists at agent ovs-agent-c1")], "bound", [],
    ),
    "a port that nova is told to be deleted": (
        "port", ["Creating event network-vif-deleted:{id} for instance " + OTHER + " on c1"], "deleted", [],
    ),
    "an image": ("image", ["PUT /v2/images/{id}/file 204"], "active", []),
    "an image that is imported": (
        "image", ["Image {id} status changing from queued to importing", "Image {id} status changing from importing to active"],
        "active", [],
    ),
    "an image deleted": ("image", ["DELETE /v2/images/{id} 204"], "deleted", []),
    "a load balancer": (
        "loadbalancer", ["Creating load balancer '{id}'...", "Mark ACTIVE in DB for load balancer id: {id}"],
        "active", [],
    ),
    "a load balancer being changed": ("loadbalancer", ["Updating load balancer '{id}'..."], "pending_update", ["update"]),
    "a load balancer that failed": (
        "loadbalancer",
        ["Creating load balancer '{id}'...",
         "Flow 'octavia-create-loadbalancer-flow-{id}' (f) transitioned into state 'REVERTED' from state 'RUNNING'"],
        "error", [],
    ),
    "a failover": (
        "loadbalancer",
        ["Failing over amphora in load balancer '{id}'...", "Failover of load balancer {id} completed successfully."],
        "active", [],
    ),
    "a load balancer deleted": (
        "loadbalancer",
        ["DELETE /v2/lbaas/loadbalancers/{id} 204", "Deleting load balancer '{id}'...",
         "Mark DELETED in DB for load balancer id: {id}"], "deleted", [],
    ),
    "a load balancer that is not there any more": (
        "loadbalancer", ["Deleting load balancer '{id}'...", (2, "GET /v2/lbaas/loadbalancers/{id} 404")],
        "deleted", [],
    ),
    "a stack": (
        "stack",
        ["Stack CREATE IN_PROGRESS (web): Stack CREATE started", 'creating Server "a" Stack "web" [{id}]',
         "Stack CREATE COMPLETE (web): Stack CREATE completed successfully"], "create_complete", [],
    ),
    "a stack that failed": (
        "stack",
        ['creating Server "a" Stack "web" [{id}]', "Stack CREATE FAILED (web): Resource CREATE failed: boom"],
        "create_failed", [],
    ),
    "a stack deleted": (
        "stack",
        ["DELETE /v1/p/stacks/web/{id} 204", "Stack DELETE IN_PROGRESS (web): Stack DELETE started",
         "Stack DELETE COMPLETE (web): Stack DELETE completed successfully",
         "Stack UPDATE IN_PROGRESS (web): Stack UPDATE started"], "delete_complete", [],
    ),
    "a node": (
        "node",
        ['Node {id} moved to provision state "deploying" from state "available"; target provision state is "active"',
         'Node {id} moved to provision state "wait call-back" from state "deploying"; target provision state is "active"',
         'Node {id} moved to provision state "active" from state "deploying"; target provision state is "None"'],
        "active", [],
    ),
    "a node that failed": (
        "node",
        ['Node {id} moved to provision state "deploying" from state "available"; target provision state is "active"',
         'Node {id} moved to provision state "deploy failed" from state "deploying"; target provision state is "active"'],
        "deploy failed", [],
    ),
    "a node being cleaned": (
        "node",
        ['Node {id} moved to provision state "deleting" from state "active"; target provision state is "available"',
         "Successfully unprovisioned node {id} with instance None.",
         'Node {id} moved to provision state "clean wait" from state "cleaning"; target provision state is "available"'],
        "clean wait", ["clean"],
    ),
    "a node deleted": ("node", ["Successfully deleted node {id}."], "deleted", []),
    "a share": (
        "share", ["GET /v2/shares/{id} 200", "Share instance " + OTHER + " created successfully."], "available", [],
    ),
    "a share extended": (
        "share",
        ["POST /v2/shares/{id}/action 202", "Extend share request issued successfully.",
         "Extend share completed successfully."], "available", [],
    ),
    "a share deleted": (
        "share", ["DELETE /v2/shares/{id} 202", "Share instance " + OTHER + ": deleted successfully."], "deleted", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_resources(name: str) -> None:
    kind, messages, *wanted = OTHERS[name]
    assert told(kind, *messages) == tuple(wanted)


@pytest.mark.parametrize("change", [*CHANGES, *NAMELESS], ids=lambda one: one.pattern)
def test_what_tells_of_a_failure_is_no_success(change: Change) -> None:
    failure = re.search(r"(?i)fail(?!over|ing over)|abort|error|cancel|unexpected", change.pattern)
    if change.moment in ("fails", "failed", "reverts"):
        assert lives._FAILURE.search(change.pattern)
    else:
        assert not failure or change.operation == ""  # only a state


def test_nova_says_to_which_state_an_instance_goes_back_where_it_failed() -> None:
    message = "Setting instance to ACTIVE state.: nova.exception.InstanceInvalidState: no"
    assert [c.moment for c in lives.changes_of_message("instance", message)] == ["fails"]
    assert lives.says_failed(message)


def test_an_end_belongs_to_the_caller_of_its_request() -> None:
    caller = "req-00000001-0000-4000-8000-000000000000"
    head = "2026-03-10 10:00:{:06.3f} 7 INFO {} [{} u p - - -] {}\n"
    rows = rows_of([
        head.format(1, "nova.compute.manager", caller, f"Attaching volume {ID} to /dev/vdb"),
        head.format(2, "cinder.volume.manager", f"{caller} req-00000002-0000-4000-8000-000000000000",
                    "attachment_update completed successfully."),
    ])  # fmt: skip
    assert (rows[ID]["state"], rows[ID]["unfinished"]) == ("in-use", [])


def test_a_build_that_failed_is_failed_also_without_request_ids() -> None:
    messages = (
        "Instance failed to spawn: boom",
        "Terminating instance",
        "Took 0.20 seconds to deallocate network for instance.",
    )
    rows = rows_of([line(n, "instance", text, "-") for n, text in enumerate(messages)])
    assert (rows[ID]["state"], rows[ID]["unfinished"]) == ("error", [])


def test_an_end_that_might_be_of_two_volumes_is_of_none() -> None:
    rows = rows_of([
        *(line(n, "volume", "Attaching volume {id} to /dev/vdb", 1, id_) for n, id_ in ((1, ID), (2, OTHER))),
        line(3, "volume", "Attach volume completed successfully.", 1),
        line(4, "volume", "Attach volume completed successfully.", 2),
    ])  # fmt: skip
    assert [row["unfinished"] for row in rows.values()] == [["attach"], ["attach"]]


def test_stacks_of_one_request_are_told_apart_by_their_names() -> None:
    rows = rows_of(
        [
            line(1, "stack", 'creating Server "a" Stack "web" [{id}]'),
            line(2, "stack", 'creating Server "a" Stack "web-inner" [{id}]', id_=OTHER),
            line(
                3, "stack", "Stack CREATE COMPLETE (web-inner): Stack CREATE completed successfully"
            ),
            line(4, "stack", "Stack CREATE FAILED (web): boom"),
            line(
                5, "stack", "Stack CREATE COMPLETE (alone): Stack CREATE completed successfully", 2
            ),
        ]
    )
    assert {id_: row["state"] for id_, row in rows.items()} == {
        ID: "create_failed", OTHER: "create_complete", "alone": "create_complete",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"volume-{ID}", "volume"),
        (f"snapshot-{ID} is busy", "snapshot"),
        (f"[instance: {ID}]", "instance"),
        (f"instance-0000002a ({ID})", "instance"),
        (f"/var/lib/nova/instances/{ID}_del", "instance"),
        (f"/servers/{OTHER[:8]}/os-volume_attachments/{ID}", "volume"),
        (f"load balancer id: {ID}", "loadbalancer"),
        (f"loadbalancer {ID}", "loadbalancer"),
        (f"backup_id: {ID}", "backup"),
        (f"Volume with id: {ID}", "volume"),
        (f"network-vif-plugged:{ID}", "port"),
        (f"Resource Port deleted: {ID}", "port"),
        (f"Device {ID} no longer exists at agent a", "port"),
        (f"/v1/p/stacks/web/{ID}/resources", "stack"),
        (f'Stack "web" [{ID}]', "stack"),
        (f"Share instance {ID}", None),
        (f"share server '{ID}'", None),
        (f"volumes {ID}-events", None),
        (f"network {ID}", None),
        (f"Resource Network deleted: {ID}", None),
        (f"device_id {ID}", None),
        (f"on device {ID}", None),
    ],
)
def test_an_id_is_known_in_all_its_spellings(text: str, kind: str | None) -> None:
    found = pc.extract_regex(pa.array([text]), lives.NAMED)[0].as_py()
    assert (found and lives.kind_and_label(found["named"])[0]) == kind
    assert found is None or found["id"] == ID


# -- what holds for every life -------------------------------------------------------------------

CHANGES_OF_INSTANCES = st.lists(
    st.tuples(st.sampled_from([c for c in CHANGES if c.kind == "instance"]), st.none() | st.sampled_from("abc")),
    max_size=30,
)  # fmt: skip


def life_of(changes: list[tuple[Any, str | None]], kind: str = "instance") -> Iterator[Life]:
    """Yield a life after each of these changes, a second apart."""
    life = Life(kind)
    for n, (change, request) in enumerate(changes):
        life.take((n * 1_000_000, request, change.operation, change.moment, change.state))
        yield life


@given(CHANGES_OF_INSTANCES)
def test_no_state_follows_a_deletion(changes: list[tuple[Any, str | None]]) -> None:
    seen = [(life.state, life.unfinished) for life in life_of(changes)]
    if ("deleted", []) in seen:
        assert set(map(str, seen[seen.index(("deleted", [])) :])) == {"('deleted', [])"}


@given(CHANGES_OF_INSTANCES)
def test_what_is_unfinished_has_begun(changes: list[tuple[Any, str | None]]) -> None:
    begun = set()
    for life, (change, _) in zip(life_of(changes), changes, strict=True):
        if change.moment in ("begins", "begins?", "claims", "asked"):
            begun.add(change.operation)
        assert set(life.unfinished) <= begun


WHOLE = [(kind, [*messages]) for kind, messages, _, open_ in OTHERS.values() if not open_]
WHOLE += [("instance", [*messages]) for messages, _, open_ in INSTANCES.values() if not open_]


@given(st.data())
def test_what_ended_is_finished_however_resources_mix(data: st.DataObject) -> None:
    """Each life keeps its order; those of different resources come in any interleaving."""
    chosen = data.draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=5))
    waiting, requests = [], 0
    for n, (kind, messages) in enumerate(chosen, 1):
        id_ = str(uuid.UUID(int=n + (4 << 76) + (8 << 60)))
        request = 0
        queue = []
        for message in messages:
            request, text = message if isinstance(message, tuple) else (request, message)
            text = text.replace(OTHER, str(uuid.UUID(int=1000 + n + (4 << 76) + (8 << 60))))
            queue.append((kind, text, 100 * n + request, id_))
        waiting.append(queue)
        requests += len(queue)
    lines = []
    for second in range(requests):
        queue = data.draw(st.sampled_from([queue for queue in waiting if queue]))
        kind, text, request, id_ = queue.pop(0)
        make = call if re.fullmatch(r"[A-Z]+ /\S+ \d+", text) else line
        lines.append(make(10 * second, kind, text, request, id_))
    ids = {str(uuid.UUID(int=n + (4 << 76) + (8 << 60))) for n in range(1, len(chosen) + 1)}
    assert {id_: row["unfinished"] for id_, row in rows_of(lines).items() if id_ in ids} == {
        id_: [] for id_ in ids
    }


def test_each_operation_that_begins_can_end() -> None:
    table = (*CHANGES, *NAMELESS, *CALLS)
    for change in table:
        if change.moment in ("begins", "begins?", "claims") and change.kind != "instance":
            ends = ("ends", "ends?", "ended", "seen")
            named = ("*", change.operation)
            assert any(
                o.kind == change.kind and o.operation in named and o.moment in ends for o in table
            ), change


def test_patterns_are_those_of_both_engines() -> None:
    for change in (*CHANGES, *NAMELESS, *CALLS):
        pc.match_substring_regex(pa.array([""]), change.pattern)
        assert not re.search(change.pattern, ""), change
    assert not [*lives.changes_of_message("volume", "Terminating instance")]
