"""``opslog why`` and ``opslog diff``: what made a run go wrong, beside good ones."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from opslog.cli import conditions, flags, progress, stages, writing
from opslog.cli.complaints import complain
from opslog.cli.parser import CommandParser, Commands
from opslog.logs import Logs, read
from opslog.model.errors import OpslogError
from opslog.model.stats import Stats
from opslog.outputs import own_kinds
from opslog.outputs.output import STDOUT, OutputStream
from opslog.outputs.whole_file import write_whole
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.compare import Comparison
    from opslog.compare.draft import Draft

_WHY = """\
examples:
  opslog why failed/logs                             # what failed first, and what came of it
  opslog why failed/logs --good passed/logs          # what is other than in a good run
  opslog why failed/logs --good run1 --good run2     # than in several: of each --good is a run
  opslog why --since today --good-since yesterday --good-until today /var/log
  opslog why --html why.html failed/logs --good passed/logs
  opslog why --json failed/logs --good passed/logs | jq -r 'select(.rank <= 3) | .text'
"""
_DIFF = """\
examples:
  opslog diff before/logs after/logs        # what is new, gone, slower, more or fails
  opslog diff /var/log/host1 /var/log/host2
"""

_PAGE = own_kinds.page("why")
_AROUND = timedelta(seconds=5)
_MOST_PATHS = 8
"""Paths of a command to type next; more are not worth to be read."""


def add(commands: Commands) -> None:
    """Add both commands and their options."""
    command = commands.add_parser(
        "why",
        help="show why a run went wrong, compared with good ones",
        description="Compare a bad run, day or host with good ones as requests and operations: "
        "which call is missing, slower, new or first to fail, and which messages and errors are "
        "new, more or gone. The most likely cause comes first, with what came of it. Without "
        "--good: the first failures, and what they name.",
        epilog=_WHY,
    )
    flags.add_reading(command)
    group = conditions.add(command, limit=None)
    group.add_argument(
        "--good", nargs="+", action="append", metavar="PATH", default=[],
        help="files, folders or globs of a good run; may be given again: each is a run of its own",
    )  # fmt: skip
    group.add_argument(
        "--good-since", metavar="TIME",
        help="of good runs, in place of --since; without --good the paths are those of the bad run",
    )  # fmt: skip
    group.add_argument("--good-until", metavar="TIME", help="likewise, in place of --until")
    _add_output(command)
    command.set_defaults(run=_why)
    command = commands.add_parser(
        "diff",
        help="show how two runs, days or hosts differ",
        description="Compare two runs, days or hosts as `opslog why` does, and tell what is only "
        "in the first one as what is only in the second.",
        epilog=_DIFF,
    )
    flags.add_reading(command)
    conditions.add(command, limit=None)
    _add_output(command)
    command.set_defaults(run=_diff)


def _add_output(command: CommandParser) -> None:
    shown = command.add_argument_group("output")
    flags.add_top(shown, "in text: findings to show")
    shown.add_argument(
        "--json", action="store_true",
        help="one JSON object a finding, all of them; its keys are documented",
    )  # fmt: skip
    shown.add_argument(
        "--html", metavar="FILE", help="also write a page as one file that needs no network"
    )
    stages.add_mask(shown)
    writing.add(shown)
    flags.add_color(shown)
    flags.add_exit_zero(command, "there is nothing to tell")
    flags.add_no_progress(command)


def _why(options: argparse.Namespace) -> int:
    bad = _logs(options, options.paths, options.since, options.until)
    given: list[list[str]] = options.good
    times = options.good_since, options.good_until
    if not given and times != (None, None):
        given = [options.paths]
    try:
        good = [_logs(options, paths, *times) for paths in given]
    except OpslogError as error:  # the same times of other options
        said = str(error).replace("--since", "--good-since").replace("--until", "--good-until")
        raise OpslogError(said) from None
    return _run(options, bad, good, options.paths)


def _diff(options: argparse.Namespace) -> int:
    if len(options.paths) != 2:
        raise OpslogError(f"diff: expected two paths, found {len(options.paths)}")
    first, second = (_logs(options, [path], options.since, options.until) for path in options.paths)
    return _run(options, second, [first], options.paths[1:], both=True)


def _logs(
    options: argparse.Namespace, paths: Sequence[str], since: str | None, until: str | None
) -> Logs:
    """Return the wanted records of some paths."""
    own = argparse.Namespace(**{**vars(options), "since": since, "until": until})
    wanted = conditions.filter_of(own)
    logs = stages.masked(read(*paths, **flags.reading(options)), options)
    return logs if wanted is None else logs.filter(wanted)


def _run(
    options: argparse.Namespace,
    bad: Logs,
    good: Sequence[Logs],
    paths: Sequence[str],
    both: bool = False,
) -> int:
    from opslog.compare import compare  # start-up: no other command needs it

    if options.color == "always" and options.json:
        raise OpslogError("--color always: has no effect on --json: leave it out")
    writing.check(
        options,
        writing.Named("--html", options.html, _PAGE),
        writing.Named("--json", STDOUT if options.json else None, stdout=True),
    )
    stats = Stats()
    shown = progress.Progress(tuple(paths), stats, progress.wanted(options, apart=True))
    unread: list[Exception] = []
    mask = stages.mask_of(options)

    def following(draft: Draft) -> str | None:
        command = next_command(draft, paths)
        return command if mask is None or command is None else mask.text(command)

    try:
        found = compare(bad, good, stats, shown.watch, following, unread, both)
    finally:
        shown.close()
    if unread and (not stats.bytes or (found.good is not None and not found.good.records)):
        raise unread[0]
    _print(found, options, paths)
    for error in unread:
        complain(error)
    if unread:
        return 2
    return 0 if found.findings or options.exit_zero else 1


def next_command(draft: Draft, paths: Sequence[str]) -> str | None:
    """Return the command that shows more of what a draft tells; None without."""
    if draft.request is not None:
        if len(paths) > _MOST_PATHS:
            return f"opslog trace {shlex.quote(draft.request)} PATH..."
        return shlex.join(["opslog", "trace", draft.request, *paths])
    if draft.source is None:
        return None
    command = ["opslog", "filter", "--to", "text"]
    if draft.first is not None:
        time = datetime.fromtimestamp(draft.first / 1e6, UTC)
        command += [f"--since={_time(time - _AROUND)}", f"--until={_time(time + _AROUND)}"]
    return shlex.join([*command, draft.source])


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _print(found: Comparison, options: argparse.Namespace, paths: Sequence[str]) -> None:
    if options.html is not None:
        from opslog.compare.page import page

        mask = stages.mask_of(options)
        named = paths if mask is None else [*map(mask.text, paths)]
        text = page(found, named, masked=mask is not None).encode("utf-8", "replace")
        write_whole(options.html, text, _PAGE, options.overwrite)
    if options.json:
        import json

        output = OutputStream()
        for one in found.findings:
            # A name of a file may hold bytes that are no text.
            line = json.dumps(one.as_dict(), ensure_ascii=False)
            output.write(f"{line}\n".encode("utf-8", "replace"))
    else:
        from opslog.compare.text import CompareText

        shown = CompareText(flags.colored(options), terminal_width()).render(found, options.top)
        OutputStream().write(f"{shown}\n".encode("utf-8", "replace"))
