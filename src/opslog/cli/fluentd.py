"""``opslog fluentd``: a child of Fluentd, events in and events of records out."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opslog.cli import conditions, counts, flags, stages, values, writing
from opslog.cli.parser import Commands
from opslog.logs import Logs, read
from opslog.model import names, schema
from opslog.model.errors import OpslogError
from opslog.outputs.metrics import MetricsFile
from opslog.outputs.output import OutputStream
from opslog.outputs.own_kinds import METRICS
from opslog.process.report import at_signal, on_stderr
from opslog.process.stop import at_end_of_input

if TYPE_CHECKING:
    from opslog.fluentd import Streams
    from opslog.fluentd.log import LogFile
    from opslog.fluentd.masking import Masking
    from opslog.fluentd.staged import Staged

KINDS = ("json", "msgpack", "tsv", "ltsv")
_TEXT = "text"
_FIELD, _TAG = "message", "tag"

_EXAMPLES = """\
examples:
  opslog fluentd --from msgpack --to msgpack            # for @type exec_filter
  opslog fluentd --field log --stream-key container_id --severity WARNING
  opslog fluentd --from tsv --keys tag,time,message --to json --log-file /var/log/opslog.log
  opslog fluentd --dedup=5m --rate-limit 100/s --mask --metrics /var/lib/node_exporter/opslog.prom
  journalctl -f -o short-iso-precise | opslog fluentd --from text --to msgpack  # for @type exec
"""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "fluentd",
        help="run as a child of Fluentd: events in, records out as events",
        description="Read Fluentd's events from standard input, put the lines of each tag together "
        "into records, keep the records asked for and write them as events to standard output. "
        "Exits with 0 when the input ends or on SIGTERM.",
        epilog=_EXAMPLES,
    )
    conditions.add(command, limit=None)
    stages.add(command)
    events = command.add_argument_group("events")
    events.add_argument(
        "--from", dest="read", choices=[*KINDS, _TEXT], default="json",
        help="format of the events read, as in <format>; text: lines, not events (default: json)",
    )  # fmt: skip
    events.add_argument(
        "--to", dest="write", choices=KINDS, default="json",
        help="format of the events written, as in <parse> (default: json)",
    )  # fmt: skip
    events.add_argument(
        "--keys", type=values.names, metavar="NAMES", default=(),
        help="with --from tsv: its keys, with commas between, as in <format>",
    )  # fmt: skip
    events.add_argument(
        "--to-keys", type=values.names, metavar="NAMES", default=(),
        help="with --to tsv: its keys, with commas between, as in <parse>",
    )  # fmt: skip
    events.add_argument(
        "--field", metavar="NAME", default=_FIELD,
        help="the field that holds the line (default: message)",
    )  # fmt: skip
    events.add_argument(
        "--tag-key", metavar="NAME", default=_TAG,
        help="the field that holds the tag; lines of different tags never join (default: tag)",
    )  # fmt: skip
    events.add_argument(
        "--stream-key", metavar="NAME", action="append", default=[],
        help="a field, such as container_id, that separates the lines of one tag further; "
        "may be given again",
    )  # fmt: skip
    flags.add_hold(events)
    flags.add_names(events)
    flags.add_original(events)
    flags.add_times(command.add_argument_group("reading"))
    flags.add_formats(command)
    command.add_argument(
        "--log-file", metavar="FILE",
        help="append errors to FILE and, at the end, what was counted; "
        "Fluentd does not show the standard error of a child",
    )  # fmt: skip
    flags.add_metrics(command)
    writing.add(command)
    command.set_defaults(run=run, threads=1)
    command.on_error = _log_wrong_option


def run(options: argparse.Namespace) -> int:
    """Work until the input ends; return the exit code."""
    from opslog.fluentd.log import open_log

    log_file = writing.Named("--log-file", options.log_file)
    metrics = writing.Named("--metrics", options.metrics, METRICS)
    if options.log_file is not None:
        writing.check(options, log_file)  # before it is opened
    with at_end_of_input() as stop, open_log(options.log_file, options.overwrite) as log:
        try:
            writing.check(options, log_file, metrics)
            mask = stages.mask_of(options)
            if mask is not None:
                log.mask = mask.text
            _work(options, stop, log)
        except OpslogError as error:
            log.say(str(error))
            raise
    return 0


def _log_wrong_option(arguments: list[str], message: str) -> None:
    """Append what is wrong with the arguments to the log file, if they name one."""
    from opslog.fluentd.log import open_log

    for flag, value in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, joined = flag.partition("=")
        path = joined or value
        if name == "--log-file" and path:
            with suppress(OpslogError), open_log(path, overwrite=False) as log:
                log.say(message)


def _work(options: argparse.Namespace, stop: int, log: LogFile) -> None:
    _refuse_wrong(options)
    logs = read(original=options.original, hold=options.hold, **flags.reading(options))
    logs = stages.piped(logs, conditions.filter_of(options), options)
    try:
        from opslog.fluentd import Child, Shape

        taken = (options.field,) if options.read == _TEXT else options.keys
        source = Shape("tsv" if options.read == _TEXT else options.read, taken).decoder()
        target = Shape(options.write, options.to_keys).encoder()
        streams, staged = _streams(logs, options)
    except ModuleNotFoundError as error:
        raise OpslogError(
            f"events need the package {error.name}, which is not installed: "
            "pip install 'opslog[fluentd]'"
        ) from None
    stats = streams.stats
    counted = None
    if options.metrics is not None:
        counted = MetricsFile(options.metrics, stats, streams.counts.counters, options.overwrite)
    watch = None if counted is None else counted.tick
    child = Child(streams, source, target, OutputStream(), staged=staged, watch=watch)

    def so_far() -> str:
        return f"so far: {_summary(streams)}\n{counts.table(stats)}"

    log.say("started")
    say = on_stderr if options.log_file is None else log.say
    try:
        with at_signal(so_far, say):
            child.run(stop)
    finally:
        if counted is not None:
            try:
                counted.write()
            except OpslogError as error:
                log.say(str(error))
    for told in stages.let_go(stats):
        say(told)
    log.say(f"ended: {_summary(streams)}")


def _streams(logs: Logs, options: argparse.Namespace) -> tuple[Streams, Staged | None]:
    """Return what makes records of events and, if there are stages, what puts them through."""
    from opslog.fluentd import Streams, Wanted

    masking: Masking | None = None
    wanted = Wanted(
        logs._pass.catalog,
        logs._pass.times,
        logs._pass.where,
        field=options.field,
        keys=(options.tag_key, *options.stream_key),
        names=options.names,
        original=logs._original,
        hold=logs._pass.hold,
    )
    if logs._stages:
        from opslog.fluentd.masking import Masking
        from opslog.fluentd.staged import Staged

        if (mask := stages.mask_of(options)) is not None:
            masking = Masking(mask)
        staged = Staged(logs._stages, wanted.columns, wanted.names, masking)
        wanted = replace(wanted, staged=staged, masking=masking)
    return Streams(wanted, lambda: datetime.now(UTC)), wanted.staged


def _refuse_wrong(options: argparse.Namespace) -> None:
    for flag, keys, kind_flag, kind in (
        ("--keys", options.keys, "--from", options.read),
        ("--to-keys", options.to_keys, "--to", options.write),
    ):
        if kind == "tsv" and not keys:
            raise OpslogError(f"{kind_flag} tsv: expected {flag} with the names of its values")
        if keys and kind != "tsv":
            raise OpslogError(f"{flag}: has no effect on {kind_flag} {kind}: leave it out")
    if options.read == "tsv":
        given = [("--field", options.field), *(("--stream-key", k) for k in options.stream_key)]
        for flag, name in given:
            if name not in options.keys:
                raise OpslogError(
                    f"{flag}: expected one of --keys {','.join(options.keys)}, found {name!r}"
                )
    if options.read == _TEXT:
        for flag, idle in (
            ("--field", options.field != _FIELD),
            ("--tag-key", options.tag_key != _TAG),
            ("--stream-key", options.stream_key),
        ):
            if idle:
                raise OpslogError(f"{flag}: has no effect on --from text: leave it out")
    (original,) = names.spelled(["original"], options.names)
    if options.original and options.write == "tsv" and original not in options.to_keys:
        raise OpslogError(f"--original: expected {original} among --to-keys, or leave it out")
    if options.tag_key in names.spelled(schema.names(options.original), options.names):
        raise OpslogError(
            f"--tag-key: expected a name that no column has, found {options.tag_key!r}; "
            "let <inject> and <extract> call it tag"
        )


def _summary(streams: Streams) -> str:
    """Return what was counted, on a line."""
    seen, stats = streams.counts, streams.stats
    dropped = dict(stages.dropped(stats))
    told = (
        f"{seen.events} events ({seen.begun} began a record, {seen.joined} continued "
        f"one, {seen.marked} went through marked"
        + (f", {seen.waiting} wait" if seen.waiting else "")
        + f"), {stats.records} records ({stats.kept} kept, "
        f"{stats.records - stats.kept - sum(dropped.values())} filtered out"
        + "".join(f", {count} dropped by {flag}" for flag, count in dropped.items())
        + ")"
    )
    late = (f"; {name}: out of time on {n} lines" for name, n in stats.timeouts.items())
    if seen.closed:
        told += (
            f"; more than {streams.most:,} tags at a time: {seen.closed:,} times the longest "
            "unused one was closed; lines that continue its last record are records of their own"
        )
    return told + "".join(late)
