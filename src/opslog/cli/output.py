"""Where the records go and how they are written: the options that say so."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from opslog.cli import flags, values, writing
from opslog.cli.complaints import complain
from opslog.model import names
from opslog.model.errors import OpslogError, SinkError
from opslog.outputs import sinks
from opslog.outputs.marks import Marks
from opslog.outputs.output import STDOUT
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.events.words import InWords
    from opslog.outputs.rolling import Roll


def add(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    output = command.add_argument_group("output")
    output.add_argument(
        "-o", "--output", metavar="PATH", default=STDOUT,
        help="write to PATH; its suffix (.jsonl, .parquet, .arrow, .csv, .tsv, .txt) decides the "
        "format, .gz or .zst behind it compresses; "
        "a folder, or a name that ends with a slash, gets new files for this run; "
        "otlp://HOST[:PORT] is a receiver of OpenTelemetry's logs",
    )  # fmt: skip
    kind = output.add_mutually_exclusive_group()
    kind.add_argument(
        "--to", choices=[kind for kind in sinks.FORMATS if kind != "count"],
        help="output format; original: the lines as they were read (default: text on a terminal, "
        "with --columns tsv, else jsonl)",
    )  # fmt: skip
    kind.add_argument(
        "-c", "--count", dest="to", action="store_const", const="count",
        help="write only the number of records kept",
    )  # fmt: skip
    output.add_argument(
        "--roll", metavar="SIZE,TIME",
        help="in a folder: begin a new file at a size, at a time after the first record, or at "
        "whichever comes first (128MiB, 5m, 128MiB,5m)",
    )  # fmt: skip
    output.add_argument(
        "--partition-by", type=values.names, metavar="KEYS",
        help="in a folder: a subfolder for each service, host or date (UTC), named as in Hive: "
        "service,date makes DIR/service=nova/date=2026-03-10/",
    )  # fmt: skip
    writing.add(output)
    output.add_argument(
        "--columns", type=values.columns, metavar="NAMES",
        help="write these columns only, in this order (`opslog schema` lists them): "
        "timestamp,severity_text,body",
    )  # fmt: skip
    flags.add_names(output)
    flags.add_original(output)
    output.add_argument(
        "--root", action="store_true",
        help="add a column with the request that began it all, over all services",
    )  # fmt: skip
    output.add_argument(
        "--full",
        action="store_true",
        help="in text: whole tracebacks and request ids, notifications as they were sent",
    )
    flags.add_display_timezone(output)
    flags.add_color(output)
    output.add_argument(
        "--no-pager", action="store_true",
        help="write text to the terminal itself, not to the program that PAGER names",
    )  # fmt: skip


def target(options: argparse.Namespace) -> sinks.Target:
    """Return what the options say; raises SinkError where they do not say enough."""
    kind = options.to or sinks.format_of(options.output)
    terminal = options.output == STDOUT and os.isatty(1)
    if kind is None and options.output != STDOUT:
        raise SinkError(
            options.output,
            "cannot tell the output format from this name: "
            "use a suffix .jsonl, .parquet, .arrow, .csv, .tsv or .txt, or --to",
        )
    kind = kind or (("tsv" if options.columns else "text") if terminal else "jsonl")
    _refuse_idle(options, kind)
    return sinks.Target(
        options.output,
        kind,
        names=options.names,
        columns=options.columns,
        colored=flags.colored(options, terminal),
        full=options.full,
        width=terminal_width() if terminal else 0,
        zone=flags.display_zone(options, terminal=terminal) if kind == "text" else None,
        marks=_marks(options) if kind == "text" else None,
        words=words(options) if kind == "text" and terminal and not options.grep else None,
        roll=_roll(options.roll),
        keys=_keys(options.partition_by),
        overwrite=options.overwrite,
        warn=complain,
    )


def words(options: argparse.Namespace) -> InWords | None:
    """Return what says notifications in words on a terminal, nothing with ``--full``."""
    if options.full:
        return None
    from opslog.events.words import InWords  # start-up: only for a terminal

    return InWords()


def is_shown(target: sinks.Target) -> bool:
    """Return whether the records are text on a terminal."""
    return target.kind == "text" and target.path == STDOUT and os.isatty(1)


def _marks(options: argparse.Namespace) -> Marks | None:
    if not options.grep or options.invert_match:
        return None
    return Marks(tuple(options.grep), options.ignore_case)


def _roll(given: str | None) -> Roll | None:
    if given is None:
        return None
    from opslog.outputs.rolling import Roll  # start-up: most runs write no folder

    return Roll.parse(given)


def _keys(given: tuple[str, ...] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    from opslog.outputs.partition import keys_of

    return keys_of(given)


_TEXT = ("text",)
_TABLES = sinks.CHOOSING


def _refuse_idle(options: argparse.Namespace, kind: str) -> None:
    """Raise OpslogError for an option that has no effect on an output of ``kind``."""
    for flag, given, kinds in (
        ("--full", options.full, _TEXT),
        ("--color always", options.color == "always", _TEXT),
        ("--display-timezone", options.display_timezone is not None, _TEXT),
        (f"--names {options.names}", options.names != names.OPSLOG, _TABLES),
        ("--columns", options.columns is not None, _TABLES),
        ("--original", options.original and kind != "otlp", _TABLES),
        ("--root", options.root and kind != "otlp", _TABLES),
    ):
        if given and kind not in kinds:
            raise OpslogError(
                f"{flag}: has no effect on {kind}: expected --to {'|'.join(kinds)}, or leave it out"
            )
