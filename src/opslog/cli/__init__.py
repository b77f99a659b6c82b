"""The command: one module for each of its subcommands.

Exit codes are grep's: 0 something was kept, 1 nothing was, 2 trouble.  Data
goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import import_module
from types import FrameType

from opslog.cli import complaints, standard_streams
from opslog.cli.complaints import complain, complain_of_sources
from opslog.cli.parser import CommandParser, with_implied, with_signed_values
from opslog.inputs.paths import STDIN
from opslog.model.errors import OpslogError, SinkError, SourceErrors
from opslog.model.version import __version__
from opslog.outputs.output import STDOUT
from opslog.process.stop import Terminated

_MODULES = {
    "filter": "filter",
    "trace": "trace",
    "requests": "lists",
    "resources": "lists",
    "fluentd": "fluentd",
    "stats": "stats",
    "events": "events",
    "sql": "sql",
    "why": "why",
    "diff": "why",
    "doctor": "doctor",
    "explain": "explain",
    "formats": "formats",
    "config": "config",
    "schema": "schema",
    "completion": "completion",
}
"""The module of each command."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    standard_streams.prepare()
    complaints.begin()
    code = _code_of(lambda: _run(sys.argv[1:] if arguments is None else arguments))
    # Python would say at its end what cannot be written, with a code of its own.
    return _code_of(_flush) or code


def _run(arguments: list[str]) -> int:
    arguments = _prepared(arguments)
    options = parser(*arguments[:1]).parse_args(arguments)
    if _has_no_input(options, arguments):
        with redirect_stdout(sys.stderr), suppress(SystemExit):
            parser(arguments[0]).parse_args([arguments[0], "--help"])
        raise OpslogError("expected files or folders, or logs in a pipe, found this terminal")
    signal.signal(signal.SIGTERM, _terminate)
    from opslog.cli import settings, writing  # start-up: --version writes nothing

    settings.load(options)
    writing.check_standard_output(options)
    complain_of_sources(options)
    try:
        code: int = options.run(options)
    finally:
        if vars(options).get("mask"):
            from opslog.cli import stages  # start-up: most runs mask nothing

            stages.report(options)
    return code


def _has_no_input(options: argparse.Namespace, arguments: list[str]) -> bool:
    """Return whether a command would read a terminal, which nobody asked for."""
    unnamed = getattr(options, "paths", None) == [STDIN] and STDIN not in arguments
    return unnamed and os.isatty(0)


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


def parser(first: str = "") -> CommandParser:
    """Return the parser of the command, with all its subcommands.

    ``first`` is the first argument: where it is a subcommand, or asks for no more than the
    version, the parser has no other subcommand, and their modules need not be imported.
    """
    whole = CommandParser(
        prog="opslog",
        description="The logs of any OpenStack deployment as typed records.",
        epilog="`opslog COMMAND --help` says more, with examples.  Without a command, "
        "files and options are those of `filter`: opslog --severity ERROR nova-compute.log",
    )
    whole.add_argument("--version", action="version", version=f"opslog {__version__}")
    commands = whole.add_subparsers(
        prog=whole.prog,  # argparse would ask for the width of the terminal to find it
        required=True,
        metavar="COMMAND",
    )
    if first != "--version":
        names = [_MODULES[first]] if first in _MODULES else dict.fromkeys(_MODULES.values())
        for name in names:
            module = import_module(f"opslog.cli.{name}")
            if name == "completion":
                module.add(commands, parser)
            else:
                module.add(commands)
    return whole


def _prepared(arguments: list[str]) -> list[str]:
    return with_implied(with_signed_values(_with_command(arguments)))


def _with_command(arguments: list[str]) -> list[str]:
    """Name the command that is left out: help alone, ``filter`` for files and its options."""
    first = arguments[0] if arguments else "--help"
    if first == "help":
        return [*arguments[1:2], "--help"]
    if not arguments or first in (*_MODULES, "-h", "--help", "--version"):
        return arguments or [first]
    if first.startswith("-") or set("/.*?[") & set(first) or os.path.exists(first):
        return ["filter", *arguments]
    return arguments


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
