"""The command: one module for each of its subcommands.

Exit codes are grep's: 0 something was kept, 1 nothing was, 2 trouble.  Data
goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from types import FrameType

from opslog.cli import completion
from opslog.cli import filter as filter_command
from opslog.cli import formats as formats_command
from opslog.cli import schema as schema_command
from opslog.errors import OpslogError
from opslog.version import __version__


class _Terminated(KeyboardInterrupt):
    """SIGTERM, handled as an interrupt is."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code: int = options.run(options)
        return code
    except BrokenPipeError:
        # The reader has gone: nothing to say.  Python would say it when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _Terminated:
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except ExceptionGroup as group:
        for error in group.exceptions:
            _complain(error)
        return 2
    except OpslogError as error:
        _complain(error)
        return 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command with all its subcommands."""
    whole = argparse.ArgumentParser(
        prog="opslog",
        description="The logs of any OpenStack deployment as typed records.",
        epilog="`opslog COMMAND --help` says more, with examples.",
    )
    whole.add_argument("--version", action="version", version=f"opslog {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    filter_command.add(commands)
    formats_command.add(commands)
    schema_command.add(commands)
    completion.add(commands, parser)
    return whole


def _joined(arguments: list[str]) -> list[str]:
    """Join --timezone with a western offset, which argparse would take for a flag."""
    out: list[str] = []
    for argument in arguments:
        if out and out[-1] == "--timezone" and re.fullmatch(r"-\d\d:?\d\d", argument):
            out[-1] = f"--timezone={argument}"
        else:
            out.append(argument)
    return out


def _complain(error: BaseException) -> None:
    print(f"opslog: {error}", file=sys.stderr)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated
