"""``opslog filter``: read logs, keep some records, write them."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from dataclasses import replace

from opslog.cli import (
    conditions,
    counts,
    flags,
    output,
    pager,
    progress,
    span,
    stages,
    values,
    writing,
)
from opslog.cli.complaints import complain
from opslog.cli.parser import Commands
from opslog.inputs.archive import several
from opslog.inputs.paths import Sources
from opslog.model.errors import OpslogError, SinkError
from opslog.model.stats import Stats
from opslog.outputs import sinks
from opslog.outputs.metrics import MetricsFile
from opslog.outputs.output import STDOUT, is_receiver
from opslog.outputs.own_kinds import CHECKPOINT, METRICS
from opslog.process.report import at_signal
from opslog.process.stop import at_signals

_EXAMPLES = """\
examples:
  opslog filter nova-compute.log                     # text on a terminal, JSON lines in a pipe
  zcat nova-api.log.1.gz | opslog filter             # from a pipe; files may be compressed, too
  opslog filter --severity WARNING /var/log/neutron  # warnings and above of a folder's logs
  opslog filter --request req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce /var/log/*/*.log
  opslog filter --severity ERROR --full -n 1 nova-compute.log  # the first error, all of it
  opslog filter -c --severity ERROR '/var/log/**/*.log'        # how many errors there are
  opslog filter -f --severity ERROR '/var/log/*/*.log'         # until it is stopped
  opslog filter --status 5xx --with-requests /var/log/*/*.log  # all of what a failure was part of
  opslog filter -o nova.parquet --timezone Europe/Berlin nova-compute.log
  opslog filter -o lake/ --to parquet --roll 128MiB,5m --partition-by service,date -
  opslog filter --grep Traceback -B 3 --mask nova-api.log      # what came before; no secrets
  opslog filter --dedup=5m --rate-limit 100/s nova-compute.log # what repeats, told once
  opslog filter --names ecs nova-compute.log > nova.jsonl      # for Elasticsearch
"""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "filter",
        help="read logs, keep some records, write them",
        description="Read logs, keep the records asked for and write them as text, JSON lines, "
        "Parquet or an Arrow stream.",
        epilog=_EXAMPLES,
    )
    kept = conditions.add(command)
    kept.add_argument(
        "--tail", type=values.number(0), metavar="N", help="the last N of these records"
    )
    conditions.add_related(kept)
    stages.add(command)
    output.add(command)
    group = flags.add_reading(command)
    group.add_argument(
        "--merge", action=argparse.BooleanOptionalAction,
        help="sort the records of all files by time (text on a terminal is, unless --no-merge)",
    )  # fmt: skip
    group.add_argument(
        "-f", "--follow", action="store_true",
        help="keep reading as files grow, are rotated and appear; begin at their start, or at a "
        "checkpoint",
    )  # fmt: skip
    group.add_argument(
        "--checkpoint", metavar="FILE",
        help="with -f: store in FILE how far the files were read, and continue there next time",
    )  # fmt: skip
    group.add_argument(
        "--from-end", action="store_true",
        help="with -f: skip what is in the files already, unless a checkpoint knows them",
    )  # fmt: skip
    flags.add_hold(group)
    flags.add_index(group)
    command.add_argument(
        "--stats", action="store_true", help="print on standard error what was read and kept"
    )
    flags.add_metrics(command)
    flags.add_exit_zero(command)
    flags.add_no_progress(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, keep and write what the options say; return the exit code."""
    _refuse(options)
    writing.check(
        options,
        writing.Named("-o", options.output, stdout=True),
        writing.Named("--metrics", options.metrics, METRICS),
        writing.Named("--checkpoint", options.checkpoint, CHECKPOINT),
        follow=options.follow,
    )
    target = output.target(options)
    on_screen = output.is_shown(target) and not options.follow
    many = on_screen and several(Sources.of(tuple(options.paths)))
    logs = flags.logs(
        options,
        original=options.original or "original" in (options.columns or ()),
        root=options.root or "root_request_id" in (options.columns or ()),
        skip=not (options.stats or options.metrics),
        merge=many if options.merge is None else options.merge,
        hold=options.hold,
        follow=options.follow,
        checkpoint=options.checkpoint,
        from_end=options.from_end,
    )
    logs, wanted = conditions.related(logs, conditions.filter_of(options), options)
    logs = stages.piped(logs, wanted, options)
    if options.limit is not None:
        logs = logs.limit(options.limit)
    if options.tail is not None:
        logs = logs.tail(options.tail)
    target = replace(target, files=many)
    if follow := logs._pass.follow:
        _raise_open_files()
        logs = logs._changed(follow=replace(follow, warn=complain, metrics=options.metrics))
        target = replace(target, append=options.checkpoint is not None and target.path != STDOUT)
        timed = target.roll is not None and target.roll.seconds is not None
        if options.checkpoint is not None and sinks.is_folder(target.path) and not timed:
            raise OpslogError(
                "--checkpoint with a folder: it can tell only what is in complete files; add a "
                "time after which they end: --roll 128MiB,5m"
            )
    stats = Stats()
    bar = not options.follow and progress.wanted(options, options.output != STDOUT)
    shown = progress.Progress(tuple(options.paths), stats, bar)
    counted = None
    if options.metrics is not None:
        counted = MetricsFile(options.metrics, stats, overwrite=options.overwrite)

    def watch(position: int) -> None:
        shown.watch(position)
        if counted is not None:
            counted.tick(time.monotonic())

    paged = pager.paged(on_screen and not options.no_pager)
    try:
        with paged, at_signals() as stop, at_signal(lambda: counts.table(stats)):
            logs._changed(stop=stop)._write(target, stats, watch)
    except KeyboardInterrupt:
        if not options.follow:  # that has no other end
            _tell_stopped(target, stats)
        if not (options.follow and options.exit_zero):
            raise
    finally:
        shown.close()
        if counted is not None:
            _write(counted)
        if options.stats:
            print(counts.table(stats), file=sys.stderr)
        elif lost := stats.dropped.get("RateLimit"):
            print(f"opslog: --rate-limit: {lost:,} record(s) dropped", file=sys.stderr)
        for told in stages.let_go(stats):
            print(f"opslog: {told}", file=sys.stderr)
        counts.tell_forgotten(stats, "their records count as requests of their own")
        for name, count in sorted(stats.timeouts.items()):
            print(
                f"opslog: {name}: a regex of this format ran out of time on {count:,} line(s), "
                "which count as lines it does not match",
                file=sys.stderr,
            )
    wanted_none = 0 in (options.limit, options.tail)
    if not (stats.kept or options.follow or wanted_none) and os.isatty(2):
        span.tell_reach(logs, target.zone, stats.bytes)
    return 0 if stats.kept or options.exit_zero else 1


def _refuse(options: argparse.Namespace) -> None:
    """Raise OpslogError for options that cannot go together."""
    if options.follow and options.merge:
        raise OpslogError(
            "-f and --merge: what is followed has no end before which it could be put in the order "
            "of time; leave out one of them"
        )
    for flag, given in (
        ("--checkpoint", options.checkpoint is not None),
        ("--from-end", options.from_end),
    ):
        if given and not options.follow:
            raise OpslogError(f"{flag}: has no effect without -f; add it, or leave this out")
    if options.tail is not None and (options.follow or options.limit is not None):
        raise OpslogError(
            "--tail and -n are the two ends of the same records: leave out one of them"
            if options.limit is not None
            else "-f and --tail: what is followed has no end; leave out --tail, or use --from-end"
        )
    if options.checkpoint is not None and options.limit is not None:
        raise OpslogError(
            "-n and --checkpoint: what follows the last record would count as read; "
            "leave out one of them"
        )


def _raise_open_files() -> None:
    """Let the process open as many files as it may: there may be many to follow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _tell_stopped(target: sinks.Target, stats: Stats) -> None:
    """Say what a file holds of a run that was stopped."""
    if target.path == STDOUT:
        return
    if sinks.is_whole(target.path, target.kind) and not sinks.is_folder(target.path):
        told = "stopped; not written, because it would not be complete"
    elif is_receiver(target.path):
        told = "stopped"  # a second signal may have ended a request
    else:
        told = f"stopped; the {stats.kept:,} record(s) kept until then were written"
    complain(f"{target.path}: {told}")


def _write(counted: MetricsFile) -> None:
    """Write the metrics at the end; what keeps them from it does not harm the records."""
    try:
        counted.write()
    except SinkError as error:
        complain(error)
