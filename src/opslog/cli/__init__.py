"""The command: one module for each of its subcommands.

Exit codes are grep's: 0 something was kept, 1 nothing was, 2 trouble.  Data
goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

from opslog.cli import (
    complaints,
    completion,
    doctor,
    events,
    filter,  # noqa: A004  the command's name
    fluentd,
    formats,
    lists,
    schema,
    stages,
    standard_streams,
    stats,
    trace,
    writing,
)
from opslog.cli.complaints import complain, complain_of_sources
from opslog.cli.parser import CommandParser, with_signed_values
from opslog.model.errors import OpslogError, SinkError, SourceErrors
from opslog.model.version import __version__
from opslog.outputs.output import STDOUT
from opslog.process.stop import Terminated


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    standard_streams.prepare()
    complaints.begin()
    code = _code_of(lambda: _run(sys.argv[1:] if arguments is None else arguments))
    # Python would say at its end what cannot be written, with a code of its own.
    return _code_of(_flush) or code


def _run(arguments: list[str]) -> int:
    options = parser().parse_args(_prepared(arguments))
    signal.signal(signal.SIGTERM, _terminate)
    writing.check_standard_output(options)
    complain_of_sources(options)
    code: int = options.run(options)
    return code


def _flush() -> int:
    sys.stdout.flush()
    return 0


def _code_of(step: Callable[[], int]) -> int:
    """Return the exit code of ``step``, and say what went wrong in it."""
    try:
        return step()
    except SystemExit as end:  # after --help, or what argparse said was wrong
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        # The reader has gone: nothing to say.
        standard_streams.discard_output()
        return 0
    except Terminated:
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SourceErrors as group:
        for error in group.exceptions:
            complain(error)
    except OpslogError as error:
        if isinstance(error, SinkError) and error.path == STDOUT:
            standard_streams.discard_output()  # said once
        complain(error)
    except OSError as error:
        complain(error)
    return 2


def parser() -> CommandParser:
    """Return the parser of the command with all its subcommands."""
    whole = CommandParser(
        prog="opslog",
        description="The logs of any OpenStack deployment as typed records.",
        epilog="`opslog COMMAND --help` says more, with examples.",
    )
    whole.add_argument("--version", action="version", version=f"opslog {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for module in (filter, trace, lists, fluentd, stats, events, doctor, formats, schema):
        module.add(commands)
    completion.add(commands, parser)
    return whole


def _prepared(arguments: list[str]) -> list[str]:
    return [stages.with_window(argument) for argument in with_signed_values(arguments)]


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
