"""``opslog`` and ``python -m opslog`` are the command."""

from __future__ import annotations

import gc
import sys

from opslog.process.stop import block_sigterm


class WithoutPandas:
    """Finds no pandas: Arrow imports it, where it is installed, to ask of a list whether it is its.

    That takes longer than all else in a short run, and the command has no use for it.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Raise ModuleNotFoundError for pandas; others are to look for anything else."""
        if name == "pandas":
            raise ModuleNotFoundError("the command does without pandas", name=name)


def main() -> int:
    """Run the command and return its exit code."""
    if sys.argv[1:2] == ["fluentd"]:
        # Fluentd may end its child at once, and what is imported here takes a fifth of a second.
        block_sigterm()
    sys.meta_path.insert(0, WithoutPandas)
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
