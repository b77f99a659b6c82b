"""The command: one module for each of its subcommands.

Exit codes are grep's: 0 something was kept, 1 nothing was, 2 trouble.  Data
goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
from types import FrameType

from opslog.cli import completion, stages
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
    if sys.stderr is None:
        _open_errors()
    _prepare_output()
    options = parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    signal.signal(signal.SIGTERM, _terminate)
    try:
        complain_of_sources(options)
        code: int = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has gone: nothing to say.  Python would say it when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Terminated:
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SourceErrors as group:
        for error in group.exceptions:
            complain(error)
        return 2
    except OpslogError as error:
        complain(error)
        return 2
    except OSError as error:
        # What is not written here will not be written by Python at its end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        complain(SinkError(STDOUT, error.strerror or str(error)))
        return 2


def _open_errors() -> None:
    """Give a closed standard error a descriptor: else print() would write it among the data.

    And a file that is opened later would get its number, and what SIGUSR1 asks for.
    """
    sink = os.open(os.devnull, os.O_WRONLY)
    if sink != 2:
        os.dup2(sink, 2)
        os.close(sink)
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _prepare_output() -> None:
    """Have what cannot be said on standard output written out, and a closed one be an error."""
    if sys.stdout is None:
        # A file that is opened later would get its number; this one refuses what is written.
        sink = os.open(os.devnull, os.O_RDONLY)
        if sink != 1:
            os.dup2(sink, 1)
            os.close(sink)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


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
