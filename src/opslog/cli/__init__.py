"""The command: one module for each of its subcommands.

Exit codes are grep's: 0 something was kept, 1 nothing was, 2 trouble.  Data
goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from collections.abc import Callable
from types import FrameType

from opslog.cli import completion, stages, standard_streams
from opslog.cli import doctor as doctor_command
from opslog.cli import events as events_command
from opslog.cli import filter as filter_command
from opslog.cli import fluentd as fluentd_command
from opslog.cli import formats as formats_command
from opslog.cli import requests as requests_command
from opslog.cli import resources as resources_command
from opslog.cli import schema as schema_command
from opslog.cli import stats as stats_command
from opslog.cli import trace as trace_command
from opslog.cli.complaints import complain, complain_of_sources
from opslog.cli.parser import Parser
from opslog.model.errors import OpslogError, SinkError, SourceErrors
from opslog.model.version import __version__
from opslog.outputs.output import STDOUT
from opslog.process.stop import Terminated


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    standard_streams.prepare()
    code = _code_of(lambda: _run(sys.argv[1:] if arguments is None else arguments))
    # Python would say at its end what cannot be written, with a code of its own.
    return _code_of(_flush) or code


def _run(arguments: list[str]) -> int:
    options = parser().parse_args(_joined(arguments))
    signal.signal(signal.SIGTERM, _terminate)
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


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command with all its subcommands."""
    whole: argparse.ArgumentParser = Parser(
        prog="opslog",
        description="The logs of any OpenStack deployment as typed records.",
        epilog="`opslog COMMAND --help` says more, with examples.",
    )
    whole.add_argument("--version", action="version", version=f"opslog {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    filter_command.add(commands)
    trace_command.add(commands)
    requests_command.add(commands)
    resources_command.add(commands)
    fluentd_command.add(commands)
    stats_command.add(commands)
    events_command.add(commands)
    doctor_command.add(commands)
    formats_command.add(commands)
    schema_command.add(commands)
    completion.add(commands, parser)
    return whole


def _joined(arguments: list[str]) -> list[str]:
    """Join a zone or a time that begins with a minus, which argparse would take for a flag.

    And give ``--dedup`` its window, for which argparse would take what follows.
    """
    out: list[str] = []
    for argument in arguments:
        flag = out[-1] if out else ""
        if flag in ("--timezone", "--since", "--until") and re.match(r"-\d", argument):
            out[-1] = f"{flag}={argument}"
        else:
            out.append(stages.stated(argument))
    return out


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
