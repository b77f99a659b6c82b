"""``opslog fluentd``: a child of Fluentd, events in and events of records out."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opslog import names, schema, zones
from opslog.cli import formats as formats_command
from opslog.cli import keep, reading
from opslog.errors import OpslogError, SinkError
from opslog.harmless import harmless_lines
from opslog.logs import read
from opslog.output import STDOUT, Output
from opslog.stop import at_end_of_input
from opslog.zones import Times

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from opslog.fluentd import Child, Streams

KINDS = ("json", "msgpack", "tsv", "ltsv")
_TEXT = "text"

_EXAMPLES = """\
examples:
  opslog fluentd --from msgpack --to msgpack            # for @type exec_filter
  opslog fluentd --field log --stream-key container_id --severity WARNING
  opslog fluentd --from tsv --keys tag,time,message --to json --log-file /var/log/opslog.log
  journalctl -f -o short-iso-precise | opslog fluentd --from text --to msgpack  # for @type exec
"""


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "fluentd",
        help="be a child of Fluentd: events in, events of records out",
        description="Read Fluentd's events from standard input, put their lines together to "
        "records, tag by tag, keep the records asked for and write them as events to standard "
        "output. Exits with 0 when the input ends or on SIGTERM.",
        epilog=_EXAMPLES,
    )
    keep.add(command)
    events = command.add_argument_group("events")
    events.add_argument(
        "--from", dest="read", choices=[*KINDS, _TEXT], default="json",
        help="how events are read, as <format> says it; text: lines, not events (default: json)",
    )  # fmt: skip
    events.add_argument(
        "--to", dest="write", choices=KINDS, default="json",
        help="how events are written, as <parse> says it (default: json)",
    )  # fmt: skip
    events.add_argument(
        "--keys", metavar="NAMES", default="",
        help="with --from tsv: its keys, with commas between, as <format> says them",
    )  # fmt: skip
    events.add_argument(
        "--to-keys", metavar="NAMES", default="",
        help="with --to tsv: its keys, as <parse> says them",
    )  # fmt: skip
    events.add_argument(
        "--field", metavar="NAME", default="message",
        help="the field that holds the line (default: message)",
    )  # fmt: skip
    events.add_argument(
        "--tag-key", metavar="NAME", default="tag",
        help="the field that holds the tag; lines of different tags never join (default: tag)",
    )  # fmt: skip
    events.add_argument(
        "--stream-key", metavar="NAME", action="append", default=[],
        help="a field, such as container_id, by which the lines of one tag are told apart, too; "
        "may be given again",
    )  # fmt: skip
    reading.add_hold(events)
    events.add_argument(
        "--names", choices=names.SPELLINGS, default=names.OPSLOG,
        help="names of the columns (default: opslog)",
    )  # fmt: skip
    events.add_argument(
        "--original", action="store_true", help="add the column of the lines as read"
    )
    reading.add_times(command.add_argument_group("reading"))
    formats_command.add_options(command)
    command.add_argument(
        "--log-file", metavar="FILE",
        help="append to FILE what went wrong and, at the end, what was counted; "
        "Fluentd shows nobody the standard error of a child",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Work until the input ends; return the exit code."""
    with at_end_of_input() as stop, _log(options.log_file) as say:
        try:
            streams, child = _made(options)
            say("started")
            child.run(stop)
        except OpslogError as error:
            say(str(error))
            raise
        say(_told(streams))
    return 0


def _made(options: argparse.Namespace) -> tuple[Streams, Child]:
    _refuse_wrong(options)
    logs = read(
        timezone=zones.stated(options.timezone),
        year=options.year,
        hold=options.hold,
        formats=formats_command.chosen(options),
    )
    try:
        from opslog.fluentd import Child, Shape, Streams, Wanted

        taken = (options.field,) if options.read == _TEXT else _names(options.keys)
        source = Shape("tsv" if options.read == _TEXT else options.read, taken).decoder()
        target = Shape(options.write, _names(options.to_keys)).encoder()
    except ModuleNotFoundError as error:
        raise OpslogError(
            f"events need the package {error.name}, which is not installed: "
            "pip install 'opslog[fluentd]'"
        ) from None
    streams = Streams(
        Wanted(
            logs.catalog,
            Times.of(logs.timezone, logs.year),
            keep.filter_of(options),
            field=options.field,
            keys=(options.tag_key, *options.stream_key),
            names=options.names,
            original=options.original,
            hold=logs.hold,
        ),
        lambda: datetime.now(UTC),
    )
    return streams, Child(streams, source, target, Output(STDOUT))


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _refuse_wrong(options: argparse.Namespace) -> None:
    for flag, keys, kind_flag, kind in (
        ("--keys", options.keys, "--from", options.read),
        ("--to-keys", options.to_keys, "--to", options.write),
    ):
        if kind == "tsv" and not keys:
            raise OpslogError(f"{kind_flag} tsv: expected {flag} with the names of its values")
        if keys and kind != "tsv":
            raise OpslogError(f"{flag}: has no effect on {kind_flag} {kind}: leave it out")
    if options.read == "tsv" and options.field not in _names(options.keys):
        raise OpslogError(f"--field {options.field}: expected one of --keys {options.keys}")
    if options.limit is not None:
        raise OpslogError("-n: events have no end: leave it out")
    if options.tag_key in names.spelled(schema.names(options.original), options.names):
        raise OpslogError(
            f"--tag-key {options.tag_key}: a column has this name, which would take the tag's "
            "place: let <inject> and <extract> call it tag"
        )


@contextmanager
def _log(path: str | None) -> Iterator[Callable[[str], None]]:
    """Give what writes a line into the file, if there is one; raises SinkError."""
    if path is None:
        yield lambda text: None
        return
    try:
        file = open(path, "a", encoding="utf-8", errors="replace")  # noqa: SIM115
    except OSError as error:
        raise SinkError(path, error.strerror or str(error)) from None

    def say(text: str) -> None:
        now = datetime.now(UTC).isoformat(" ", "seconds")
        print(f"{now} opslog[{os.getpid()}]: {harmless_lines(text)}", file=file, flush=True)

    with file:
        yield say


def _told(streams: Streams) -> str:
    """Return what was counted, on a line."""
    counts = streams.counts
    told = (
        f"ended: {counts.events} events ({counts.begun} began a record, {counts.joined} continued "
        f"one, {counts.marked} went through marked), {counts.records} records, {counts.kept} kept"
    )
    late = (f"; {name}: out of time on {n} lines" for name, n in streams.stats.timeouts.items())
    return told + "".join(late)
