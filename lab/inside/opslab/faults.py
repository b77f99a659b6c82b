"""How a boot fails, by the beginning of the server's name, and the words of the hypervisor that
would fail so.
"""

ALWAYS = "internal error: qemu unexpectedly closed the monitor: cannot allocate guest memory"
ONCE = "Failed to connect to the hypervisor monitor"
ABORT = "device configuration is not supported"

BY_NAME = {"bad-": ALWAYS, "flaky-": ONCE, "abort-": ABORT}


def of(name: str) -> str | None:
    """Return what the hypervisor says to a server of this name; None where it boots."""
    return next((words for start, words in BY_NAME.items() if name.startswith(start)), None)
