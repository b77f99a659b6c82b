"""What messages say of the lives of resources: one line for each change, as the services print it.

The patterns (RE2, and Python's) were taken from the sources of the services, Kilo to 2026.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Moment: TypeAlias = Literal[
    "begins", "ends", "fails", "is", "seen", "part", "claims", "begins?", "ends?", "ended",
    "failed", "during", "idle", "reverts", "asked",
]  # fmt: skip
"""What happens to the operation.

begins, ends, fails: it does, whatever was known before.
is: no operation, only a state.
ended, failed, during: it ends, fails, or goes on with another state, if it had begun; else
    nothing is said.
begins?, ends?: the same words are printed when another operation cleans up behind itself: they
    count unless their request began or ended another operation.
claims: creation begins, unless the resource was in use before (a resize claims, too).
part: the request belongs to the operation, which neither begins nor ends.
seen: the hypervisor saw the state: it ends the operation if that is open; it counts if no
    operation is open, and none ended just before, whose late echo it may be.
idle: the state, and that no operation is open.
reverts: the operations of the request end, and the state is what it was before.
asked: an API took the request; what no host holds, the API deletes itself.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A change in a life: what becomes of an operation, and the state from then on, if told."""

    kind: str
    operation: str
    """Its name; ``*``: every one that is open."""
    moment: Moment
    state: str = ""
    """In parentheses: only if none was known when the operation began, else that one."""
    pattern: str = ""
    """Of the message that says so, empty for a notification.

    Its groups ``operation``, ``state`` and ``label`` (another name of the resource) are told by
    the message.
    """


def _of(kind: str, *rows: tuple[str, Moment, str, str]) -> Iterator[Change]:
    return (Change(kind, *row) for row in rows)


_LIFECYCLE = r"\(Lifecycle (?:Event|Notification)\)"
_RELEASED = r'^Lock \S+ "?released"? by "?nova\.compute\.manager\.\S*'
_SHARE = r"Share instance (?P<label>[0-9a-f-]{36}):?"
_STACK = r"^Stack (?P<state>(?P<operation>[A-Z]+)"
_PROVISION = r'moved to provision state "(?P<state>'

CHANGES: tuple[Change, ...] = (
    # nova: compute/manager.py, compute/claims.py, virt/libvirt/driver.py, scheduler/utils.py
    *_of("instance",
        ("create", "claims", "building", r"Attempting claim(?: on|:)|Claim successful"),
        ("create", "begins", "building", r"Starting instance\.\.\."),
        ("create", "during", "active", r"Instance spawned successfully"),
        ("create", "ends", "active", r"Took [\d.]+ seconds to build instance"),
        ("create", "fails", "error", r"Instance failed to spawn|Build of instance \S+ aborted"),
        ("create", "fails", "error", r"Failed to build and run instance|Unexpected build failure"),
        ("create", "fails", "error", r"Instance build timed out|Build of instance \S+ was re-"),
        ("*", "fails", "error", r"Setting instance vm_state to ERROR"),
        ("*", "fails", "", r"Setting instance to (?P<state>[A-Z_]+)(?: state|$)"),
        ("*", "failed", "", r"Setting instance back to (?P<state>\w+) after"),
        ("*", "reverts", "", r"Successfully reverted task state from .+ on failure"),
        ("*", "idle", "", r"with vm_state (?P<state>[\w-]+) and task_state None"),
        ("", "is", "", r"while it is in vm_state (?P<state>[\w-]+)"),
        ("reboot", "begins", "", r"Rebooting instance"),
        ("reboot", "ends", "active", r"Instance (?:soft )?rebooted successfully"),
        ("reboot", "failed", "", r"Reboot failed but instance|disappeared during reboot"),
        ("reboot", "fails", "error", r"^Cannot reboot instance"),
        ("stop", "begins", "", r"Stopping instance; current|Going to try to stop instance"),
        ("stop", "seen", "stopped", r"Instance (?:shutdown successfully|already shutdown)"),
        ("stop", "seen", "stopped", r"Instance is already powered off"),
        ("stop", "seen", "stopped", rf"VM Stopped {_LIFECYCLE}"),
        ("", "is", "stopped", r"nstance shutdown by itself"),
        ("rescue", "begins", "", r"^Rescuing$"),
        ("rescue", "ended", "rescued", rf"VM (?:Started|Resumed) {_LIFECYCLE}"),
        ("rescue", "fails", "error", r"Error trying to Rescue Instance"),
        ("unrescue", "begins", "", r"^Unrescuing$"),
        ("unrescue", "ended", "active", rf"VM (?:Started|Resumed) {_LIFECYCLE}"),
        ("start", "begins", "", r"Going to try to start instance"),
        ("start", "ended", "active", r"^Checking state\b|Instance rebooted successfully"),
        ("start", "seen", "active", rf"VM (?:Started|Resumed) {_LIFECYCLE}"),
        ("pause", "begins", "", r"^Pausing$"),
        ("pause", "seen", "paused", rf"VM Paused {_LIFECYCLE}"),
        ("unpause", "begins", "", r"^Unpausing$"),
        ("unpause", "seen", "active", rf"VM Resumed {_LIFECYCLE}"),
        ("suspend", "begins", "", r"^Suspending$"),
        ("suspend", "seen", "suspended", rf"VM Suspended {_LIFECYCLE}"),
        ("resume", "begins", "", r"^Resuming$"),
        ("resume", "seen", "active", rf"VM (?:Started|Resumed) {_LIFECYCLE}"),
        ("migrate", "begins", "", r"^Migrating$"),
        ("migrate", "ended", "resized", r"Instance (?:spawned|running) successfully"),
        ("migrate", "ended", "resized", r"finish_migration finished successfully"),
        ("confirm_resize", "begins", "active", r"Going to confirm migration"),
        ("confirm_resize", "begins", "active", r"Automatically confirming migration"),
        ("confirm_resize", "begins", "active", r"Confirming resize on source"),
        ("confirm_resize", "during", "", r"is powered off\. Setting vm_state to '(?P<state>\w+)'"),
        ("revert_resize", "begins", "", r"Swapping old allocation on|Reverting resize on"),
        ("revert_resize", "ends", "", r"Updating instance to original state: '(?P<state>\w+)'"),
        ("revert_resize", "ended", "active", r"finish_revert_migration finished successfully"),
        ("live_migration", "begins", "", r"Took [\d.]+ seconds for pre_live_migration"),
        ("live_migration", "begins", "", r"Starting (?:monitoring of )?live.migration"),
        ("live_migration", "begins", "", r"live_migration\(\)\.\.\."),
        ("live_migration", "begins", "", r"Going to try to live migrate instance"),
        ("live_migration", "part", "", r"_post_live_migration\(\)|Post operation of migration"),
        ("live_migration", "ends", "(active)", r"Migration operation has completed"),
        ("live_migration", "ends", "(active)", r"Migrating instance to \S+ finished successfully"),
        ("live_migration", "ends", "(active)", r"Live migration .*(?:complete|finish)"),
        ("live_migration", "failed", "", r"[Ll]ive [Mm]igration fail|Pre live migration failed"),
        ("live_migration", "failed", "", r"Migration operation (?:has aborted|was cancelled)"),
        ("live_migration", "failed", "", r"^Migration of instance .* unexpectedly failed"),
        ("evacuate", "begins", "", r"^Evacuating instance"),
        ("evacuate", "ended", "active", r"Instance spawned successfully"),
        ("evacuate", "part", "", r"as it has been evacuated from this host"),
        ("rebuild", "begins", "", r"^Rebuilding instance"),
        ("rebuild", "ended", "active", r"Instance spawned successfully"),
        ("shelve", "begins", "", r"^Shelving$"),
        ("shelve", "ended", "shelved", r"Snapshot image upload complete|^Shelve offloading$"),
        ("shelve_offload", "begins", "", r"^Shelve offloading$"),
        ("shelve_offload", "ended", "shelved_offloaded", r"Deleted allocations for instance"),
        ("shelve_offload", "ended", "shelved_offloaded", r"Instance destroyed successfully"),
        ("unshelve", "begins", "", r"^Unshelving$"),
        ("unshelve", "ended", "active", r"Instance spawned successfully"),
        ("unshelve", "failed", "", r"Instance failed to spawn"),
        ("snapshot", "begins", "", r"^instance snapshotting"),
        ("snapshot", "ended", "", r"Took [\d.]+ seconds to snapshot|image upload complete"),
        ("snapshot", "failed", "", r"Failed to snapshot image|disappeared while taking snapshot"),
        ("delete", "begins?", "deleting", r"Terminating instance"),
        ("delete", "ends?", "deleted", r"Took [\d.]+ seconds to deallocate network"),
        ("delete", "ends?", "deleted", r"Deletion of \S+_del complete|Deletion of \S+ complete"),
        ("delete", "ends", "deleted", r"Instance deleted and does not have host field"),
        ("delete", "ends", "deleted", r"is marked as DELETED but|been marked deleted already"),
        ("delete", "ends", "deleted", r"deleting from database|disappeared during terminate"),
    ),
    # cinder: volume/manager.py, volume/flows, backup/manager.py; nova's attaching
    *_of("volume",
        ("create", "begins", "creating", r"being created|Creating volume"),
        ("create", "ends", "available", r"[Cc]reated (?:volume )?successfully|Created volume"),
        ("create", "fails", "error", r"create failed|[Ff]ailed to create|Unable to create volume"),
        ("attach", "begins", "attaching", r"Attaching volume|Attach volume request issued"),
        ("attach", "fails", "available", r"Failed to attach"),
        ("detach", "begins", "detaching", r"Detaching volume|Detach volume request issued"),
        ("detach", "begins", "detaching", r"Attempting to driver detach volume"),
        ("detach", "begins", "detaching", r"Detach volume \S+ from mountpoint"),
        ("detach", "fails", "in-use", r"Failed to detach volume"),
        ("delete", "begins", "deleting", r"Deleting volume|[Vv]olume \S+: deleting"),
        ("delete", "ends", "deleted", r"[Dd]eleted (?:volume )?successfully"),
        ("delete", "ends", "deleted", r"[Ss]uccessfully deleted volume"),
        ("delete", "ended", "deleted", r"Tried to delete volume \S+ but it no longer exists"),
        ("extend", "begins", "extending", r"volume \S+: extending"),
        ("extend", "ends", "available", r"volume \S+: extended successfully"),
        ("extend", "fails", "error_extending", r"Error trying to extend volume"),
        ("retype", "ended", "", r"retyped successfully"),
        ("manage", "fails", "error_managing", r"manage failed"),
        ("restore", "begins", "restoring-backup", r"Restore backup started"),
        ("restore", "ends", "available", r"Finished restoring backup|Restore backup finished"),
        ("restore", "fails", "error_restoring", r"to volume \S+ failed|to error_restoring"),
        ("restore", "failed", "error", r"Canceled restoring backup"),
    ),
    *_of("snapshot",
        ("create", "begins", "creating", r"napshot \S+: creating"),
        ("create", "ends", "available", r"created successfully|Create snapshot completed"),
        ("create", "fails", "error", r"create failed|failed on creation"),
        ("delete", "begins", "deleting", r"napshot \S+: deleting"),
        ("delete", "ends", "deleted", r"deleted successfully|has been deleted"),
        ("delete", "ends", "deleted", r"[Ss]uccessfully deleted snapshot"),
        ("delete", "fails", "available", r"Delete snapshot failed"),
    ),
    *_of("backup",
        ("create", "begins", "creating", r"Create backup started"),
        ("create", "ends", "available", r"Create backup finished|Created share backup"),
        ("create", "fails", "error", r"Create backup (?:failed|aborted)"),
        ("create", "fails", "error", r"[Ff]ailed to create share backup"),
        ("create", "fails", "error", r"Resetting backup \S+ to error|backup \S+ to error"),
        ("restore", "begins", "restoring", r"Restore backup started"),
        ("restore", "ends", "available", r"Finished restoring backup"),
        ("restore", "fails", "available", r"Canceled restoring backup"),
        ("restore", "ends", "available", r"Restore backup finished"),
        ("restore", "ends", "available", r"[Bb]ackup \S+ restored successfully"),
        ("restore", "ends", "available", r"to available \(was restoring"),
        ("restore", "fails", "available", r"Restoring backup \S+ to volume \S+ failed"),
        ("restore", "fails", "available", r"[Ff]ailed to restore backup"),
        ("delete", "begins", "deleting", r"Delete backup started|Resuming delete on backup"),
        ("delete", "ends", "deleted", r"Delete backup finished|backup \S+ deleted"),
        ("delete", "fails", "error", r"ailed to delete share backup"),
    ),
    # neutron: plugins/ml2, db/provisioning_blocks.py; nova's external events
    *_of("port",
        ("bind", "begins", "binding", r"Attempting to bind port|Refusing to bind port"),
        ("bind", "begins", "binding", r"Attempt \d+ to bind port"),
        ("bind", "ends", "bound", r"Bound port|[Pp]ort \S+ updated\. Details"),
        ("bind", "fails", "error", r"[Ff]ailed to bind port|Failed to commit binding results"),
        ("*", "idle", "active", r"[Ss]etting status for \S+ to UP|reached status ACTIVE"),
        ("*", "idle", "active", r"network-vif-plugged|Provisioning complete for port"),
        ("", "is", "", r"Current status of the port \S+ is: \w+; New status is: (?P<state>\w+)"),
        ("", "is", "down", r"network-vif-unplugged"),
        ("delete", "begins", "deleting", r"^Deleting port"),
        ("delete", "ends", "deleted", r"[Dd]eleted port|[Pp]ort \S+ (?:was |has been )?deleted"),
        ("delete", "ends", "deleted", r"^Resource Port deleted: "),
        ("delete", "ended", "deleted", r"^Device \S+ no longer exists at agent "),
        ("delete", "ends", "deleted", r"network-vif-deleted|Neutron deleted interface"),
        ("delete", "ends", "deleted", r"for port \(\S+\), after_delete"),
    ),
    # glance: async_/flows/api_image_import.py
    *_of("image",
        ("", "is", "", r"status changing from \S+ to (?P<state>\w+)"),
        ("import", "fails", "error", r"failed to import image"),
    ),
    # octavia: controller/queue, controller/worker, common/base_taskflow.py
    *_of("loadbalancer",
        ("create", "begins", "pending_create", r"Creating load balancer"),
        ("update", "begins", "pending_update", r"Updating load balancer"),
        ("failover", "begins", "pending_update", r"Failing over amphora in load balancer"),
        ("delete", "begins", "deleting", r"Deleting load balancer"),
        ("delete", "begins", "deleting", r"Mark PENDING DELETE in DB for load balancer"),
        ("delete", "ends", "deleted", r"Mark DELETED in DB for load balancer"),
        ("*", "ends", "active", r"Mark ACTIVE in DB for load balancer"),
        ("failover", "ends", "active", r"Failover of load balancer \S+ completed"),
        ("*", "fails", "error", r"failover exception|loadbalancer \S+ ERROR|into state 'REVERTED'"),
    ),
    # ironic: conductor/task_manager.py, conductor/manager.py, deployments.py, cleaning.py
    *_of("node",
        ("deploy", "begins", "", rf'{_PROVISION}deploying|wait call-back|deploy hold)"'),
        ("clean", "begins", "", rf'{_PROVISION}cleaning|clean wait|clean hold)"'),
        ("undeploy", "begins", "", rf'{_PROVISION}deleting)"'),
        ("inspect", "begins", "", rf'{_PROVISION}inspecting|inspect wait)"'),
        ("rescue", "begins", "", rf'{_PROVISION}rescuing|rescue wait)"'),
        ("unrescue", "begins", "", rf'{_PROVISION}unrescuing)"'),
        ("service", "begins", "", rf'{_PROVISION}servicing|service wait|service hold)"'),
        ("verify", "begins", "", rf'{_PROVISION}verifying)"'),
        ("adopt", "begins", "", rf'{_PROVISION}adopting)"'),
        ("*", "ends", "", rf'{_PROVISION}active|available|manageable|enroll|rescue)"'),
        ("*", "fails", "", rf'{_PROVISION}error|[a-z ]+ failed)"'),
        ("deploy", "ended", "active", r"Successfully deployed node"),
        ("undeploy", "ended", "", r"Successfully unprovisioned node"),
        ("clean", "ended", "", r"cleaning complete|Automated cleaning is disabled"),
        ("delete", "ends", "deleted", r"Successfully deleted node"),
    ),
    # manila: share/manager.py
    *_of("share",
        ("create", "ends", "available", r"[Ss]hare (?:replica )?\S+:? created successfully"),
        ("create", "fails", "error", r"failed on creation"),
        ("delete", "ends", "deleted", r"[Ss]hare \S+:? (?:deferred )?deleted successfully"),
        ("migrate", "begins", "", r"migration of share|Received request to finish Share Migration"),
        ("migrate", "ends", "", r"Share Migration for share \S+ completed succ"),
        ("migrate", "fails", "", r"Share Migration for share \S+ was cancel"),
        ("unmanage", "ends", "deleted", r"unmanaged successfully"),
    ),
)  # fmt: skip
"""What a message says of each resource that it names; all rows that fit count, in this order."""

NAMELESS: tuple[Change, ...] = (
    *_of("instance",
        ("stop", "ended", "stopped", rf"{_RELEASED}\.do_stop_instance"),
        ("reboot", "ended", "active", rf"{_RELEASED}\.do_reboot_instance"),
        ("confirm_resize", "ended", "", rf"{_RELEASED}\.do_confirm"),
        ("confirm_resize", "ended", "", r"^Deleted allocation for migration \S+$"),
        ("shelve", "ended", "shelved", rf"{_RELEASED}\.do_shelve_instance"),
        ("shelve_offload", "ended", "shelved_offloaded", rf"{_RELEASED}\.do_shelve\w*_instance"),
        ("unshelve", "ended", "active", rf"{_RELEASED}\.do_unshelve_instance"),
        ("delete", "ended", "deleted", rf"{_RELEASED}\.do_terminate_instance"),
    ),
    *_of("volume",
        ("create", "begins", "creating", r"Create volume request issued"),
        ("create", "ends", "available", r"Created volume successfully"),
        ("create", "fails", "error", r"Failed to schedule_create_volume"),
        ("create", "fails", "error", r"Failed to run task cinder\.scheduler\.flows\.create_volume"),
        ("attach", "begins", "attaching", r"^Attach volume request issued"),
        ("attach", "ends", "in-use", r"Attach volume completed successfully"),
        ("attach", "ends", "in-use", r"attachment_update completed successfully"),
        ("detach", "begins", "detaching", r"^Detach volume request issued"),
        ("detach", "begins", "detaching", r"^Begin detaching volume completed"),
        ("detach", "ends", "available", r"Detach volume completed successfully"),
        ("detach", "ended", "available", r"Terminate volume connection completed successfully"),
        ("detach", "fails", "in-use", r"Roll detaching of volume completed|Detach volume failed"),
        ("attach", "ended", "in-use", rf"{_RELEASED}\.do_attach_volume"),
        ("detach", "ended", "available", rf"{_RELEASED}\.do_detach_volume"),
        ("detach", "ended", "available", r"Volume detach called, but volume not attached"),
        ("delete", "begins", "deleting", r"Delete volume request issued"),
        ("delete", "ends", "deleted", r"(?:Deleted volume|Delete volume completed) successfully"),
        ("delete", "fails", "error_deleting", r"Unable to delete busy volume"),
        ("extend", "begins", "extending", r"Extend volume request issued"),
        ("extend", "ends", "(available)", r"Extend volume completed successfully"),
        ("extend", "fails", "error_extending", r"Extend volume failed|Failed to extend volume"),
        ("retype", "begins", "", r"Retype volume request issued"),
        ("retype", "ends", "", r"Retype volume completed successfully"),
        ("migrate", "begins", "", r"Migrate volume request issued"),
        ("migrate", "ends", "", r"[Mm]igrate volume completed successfully"),
        ("manage", "begins", "managing", r"Manage volume request issued"),
        ("manage", "ends", "available", r"Manage existing volume completed successfully"),
    ),
    *_of("snapshot",
        ("create", "begins", "creating", r"Snapshot (?:force )?create request issued"),
        ("create", "ends", "available", r"Create snapshot completed successfully"),
        ("delete", "begins", "deleting", r"Snapshot delete request issued"),
        ("delete", "ends", "deleted", r"Delete snapshot completed successfully"),
        ("delete", "fails", "available", r"Delete snapshot failed"),
    ),
    *_of("share",
        ("create", "ends", "available", r"^Share instance created successfully"),
        ("create", "ends", "available", rf"{_SHARE} created successfully"),
        ("create", "fails", "error", rf"{_SHARE} failed on creation"),
        ("delete", "ends", "deleted", rf"{_SHARE} (?:deferred )?deleted successfully"),
        ("delete", "ends", "deleted", rf"{_SHARE} had its deletion deferred"),
        ("extend", "begins", "extending", r"Extend share request issued"),
        ("extend", "ends", "available", r"Extend share completed successfully"),
        ("extend", "fails", "extending_error", r"Extend share failed"),
        ("shrink", "begins", "shrinking", r"Shrink share .*request issued"),
        ("shrink", "ends", "available", r"Shrink share completed successfully"),
    ),
    *_of("stack",
        ("", "begins", "", rf"{_STACK} IN_PROGRESS) \((?P<label>.+?)\)"),
        ("", "ends", "", rf"{_STACK} COMPLETE) \((?P<label>.+?)\)"),
        ("", "fails", "", rf"{_STACK} FAILED) \((?P<label>.+?)\)"),
    ),
)  # fmt: skip
"""What a message says of a resource that it does not name: its request, or a label, tells which."""

CALLS: tuple[Change, ...] = (
    *_of("instance",
        ("delete", "asked", "deleting", r"^DELETE \S+/servers/[0-9a-f-]{36} 20[24]$"),
        # Of all actions only confirmResize is answered so.
        ("confirm_resize", "begins", "active", r"^POST \S+/servers/[0-9a-f-]{36}/action 204$"),
    ),
    *_of("volume",
        ("delete", "begins", "deleting", r"^DELETE \S+/volumes/[0-9a-f-]{36} 202$"),
    ),
    *_of("snapshot",
        ("delete", "begins", "deleting", r"^DELETE \S+/snapshots/[0-9a-f-]{36} 202$"),
    ),
    *_of("backup",
        ("delete", "begins", "deleting", r"^DELETE \S+/backups/[0-9a-f-]{36} 202$"),
    ),
    *_of("share",
        ("delete", "begins", "deleting", r"^DELETE \S+/shares/[0-9a-f-]{36} 202$"),
    ),
    *_of("port",
        ("delete", "ends", "deleted", r"^DELETE \S+/ports/[0-9a-f-]{36}(?:\.json)? 204$"),
    ),
    *_of("image",
        ("delete", "ends", "deleted", r"^DELETE \S+/images/[0-9a-f-]{36} 20[04]$"),
        ("upload", "ends", "active", r"^PUT \S+/images/[0-9a-f-]{36}/file 20[04]$"),
    ),
    *_of("loadbalancer",
        ("delete", "begins", "deleting", r"^DELETE \S+/loadbalancers/[0-9a-f-]{36}(?:\?\S*)? 204$"),
    ),
    *_of("stack",
        ("delete", "begins", "delete_in_progress", r"^DELETE \S+/stacks/[^/ ]+/[0-9a-f-]{36} 204$"),
    ),
    *_of("node",
        ("delete", "ends", "deleted", r"^DELETE \S+/nodes/[0-9a-f-]{36} 204$"),
    ),
    *_of("instance",
        ("delete", "ended", "deleted", r"^GET \S+/servers/[0-9a-f-]{36} 404$"),
    ),
    *_of("volume",
        ("delete", "ended", "deleted", r"^GET \S+/volumes/[0-9a-f-]{36} 404$"),
    ),
    *_of("snapshot",
        ("delete", "ended", "deleted", r"^GET \S+/snapshots/[0-9a-f-]{36} 404$"),
    ),
    *_of("backup",
        ("delete", "ended", "deleted", r"^GET \S+/backups/[0-9a-f-]{36} 404$"),
    ),
    *_of("share",
        ("delete", "ended", "deleted", r"^GET \S+/shares/[0-9a-f-]{36} 404$"),
    ),
    *_of("loadbalancer",
        ("delete", "ended", "deleted", r"^GET \S+/loadbalancers/[0-9a-f-]{36} 404$"),
    ),
    *_of("stack",
        ("delete", "ended", "delete_complete", r"^GET \S+/stacks/(?:[^/ ]+/)?[0-9a-f-]{36} 404$"),
    ),
)  # fmt: skip
"""What an answered call (``METHOD path status``) says of the resource that its path names."""
