"""What fails for a server, by the beginning of its name, and the words of the hypervisor for it."""

BOOT = "internal error: qemu unexpectedly closed the monitor: cannot allocate guest memory"
FIRST_BOOT = "Failed to connect to the hypervisor monitor"
ABORTED_BOOT = "device configuration is not supported"
ATTACH = "Requested operation is not valid: cannot hotplug a disk into this domain"
MIGRATION = "Unable to write the disk of the domain: no space left on device"

ALWAYS, ONCE, ABORT, STIFF, STUCK = "bad-", "flaky-", "abort-", "stiff-", "stuck-"

_BOOTS = {ALWAYS: BOOT, ONCE: FIRST_BOOT, ABORT: ABORTED_BOOT}


def of(name: str) -> str | None:
    """Return why a server of this name does not boot at once; None where it does."""
    return next((words for start, words in _BOOTS.items() if name.startswith(start)), None)
