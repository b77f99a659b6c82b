"""``opslog`` and ``python -m opslog`` are the command."""

from __future__ import annotations

import gc
import sys

from opslog.process.stop import block_sigterm


def main() -> int:
    """Run the command and return its exit code."""
    if sys.argv[1:2] == ["fluentd"]:
        # Fluentd may end its child at once, and what is imported here takes a fifth of a second.
        block_sigterm()
    # What is imported is never garbage: no search for garbage looks at it.
    gc.disable()
    from opslog.cli import main as command

    gc.freeze()
    gc.enable()
    code = command()
    gc.freeze()  # what is left needs no search for garbage: the process ends
    return code


if __name__ == "__main__":
    raise SystemExit(main())
