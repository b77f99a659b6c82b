"""``opslog formats``: list, show, check and learn formats."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from opslog.cli import flags, writing
from opslog.cli.parser import Commands, did_you_mean
from opslog.language.format import Format
from opslog.language.format_file import load
from opslog.model.errors import FormatError, OpslogError, SourceError
from opslog.outputs.collision import refuse_named
from opslog.outputs.output import STDOUT
from opslog.outputs.own_kinds import NOTHING
from opslog.outputs.whole_file import check_replaceable, write_whole
from opslog.scanner import catalog
from opslog.terminal.escape import escaped
from opslog.terminal.style import terminal_width
from opslog.terminal.table import table

_EXAMPLES = """\
examples:
  opslog formats                                         # what there is
  opslog formats show oslo.text                          # layouts, patterns, samples, columns
  opslog formats check site.toml                         # does the file read its samples?
  opslog formats learn -o ~/.config/opslog/formats/nova.toml /etc/nova/nova.conf
"""


def add(commands: Commands) -> None:
    """Add the command and its own subcommands."""
    command = commands.add_parser(
        "formats",
        help="list, show, check and learn formats",
        description="List the known formats; show, check or learn one.",
        epilog=_EXAMPLES,
    )
    flags.add_no_config(command)
    flags.add_formats(command)
    command.set_defaults(run=_list)
    actions = command.add_subparsers(metavar="ACTION")
    action = actions.add_parser(
        "show",
        help="show layouts, patterns, samples and columns",
        description="Show a format: its layouts, the same as regular expressions, its samples "
        "with their values, and the columns it fills.",
        epilog="examples:\n  opslog formats show oslo.text\n"
        "  opslog formats --formats site.toml show site.audit\n",
    )
    action.add_argument("name", metavar="NAME", help="the format's name")
    action.set_defaults(run=_show)
    action = actions.add_parser(
        "check",
        help="check that format files read their samples",
        description="Check format files. Exits with 0 if all are right, 1 if one is not, "
        "2 if one cannot be read.",
        epilog="examples:\n  opslog formats check ~/.config/opslog/formats/*.toml\n",
    )
    action.add_argument("files", nargs="+", metavar="FILE", help="format files")
    action.set_defaults(run=_check)
    action = actions.add_parser(
        "learn",
        help="print the format file of a service's configuration",
        description="Read a service's configuration as the service does and print the format "
        "file of the logs it writes. Exits with 1 if a shipped format reads them already.",
        epilog="examples:\n"
        "  opslog formats learn -o ~/.config/opslog/formats/nova.toml /etc/nova/nova.conf\n"
        "  opslog formats learn --name nova /usr/share/nova/nova-dist.conf /etc/nova/nova.conf\n",
    )
    action.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="such as nova.conf, or Swift's proxy-server.conf; later ones win",
    )
    action.add_argument(
        "--name", metavar="NAME", help="the format's name (default: as the first file)"
    )
    action.add_argument(
        "-o", "--output", metavar="PATH", default=STDOUT,
        help="write the format file to PATH (default: standard output)",
    )  # fmt: skip
    writing.add(action)
    action.set_defaults(run=_learn)


def _all(options: argparse.Namespace) -> list[Format]:
    """Return the formats in use, by name; of one name the first counts."""
    from opslog.checking.user_formats import user_formats

    named: dict[str, Format] = {}
    for one in [*user_formats(flags.formats(options)), *catalog.shipped()]:
        named.setdefault(one.name, one)
    return sorted(named.values(), key=lambda one: one.name)


def _list(options: argparse.Namespace) -> int:
    formats = _all(options)
    shipped = catalog.shipped()
    rows = [(f.name, "shipped" if f in shipped else f.path, escaped(f.title)) for f in formats]
    print("\n".join(table(rows, terminal_width())))
    return 0


def _show(options: argparse.Namespace) -> int:
    formats = {one.name: one for one in _all(options)}
    if options.name not in formats:
        raise OpslogError(
            "NAME: expected a format (`opslog formats` lists them), found "
            f"{options.name!r}{did_you_mean(options.name, formats)}"
        )
    from opslog.checking.description import description

    print("\n".join(description(formats[options.name], terminal_width() or 100)))
    return 0


def _check(options: argparse.Namespace) -> int:
    from opslog.checking.check import check

    _refuse_chosen(options, "check")
    code = 0
    for file in options.files:
        try:
            with open(file, "rb"):
                pass
        except OSError as error:
            raise SourceError(file, error.strerror or str(error)) from None
        try:
            one = load(Path(file))
            check(one)
        except FormatError as error:
            print(f"opslog: {error}", file=sys.stderr)
            code = 1
        else:
            count = len(one.samples)
            print(f"{file}: {one.name} reads its {count} sample{'s' if count > 1 else ''}")
    return code


def _learn(options: argparse.Namespace) -> int:
    from opslog.checking.learn import learn
    from opslog.checking.toml_text import to_toml

    _refuse_chosen(options, "learn")
    if options.output != STDOUT:
        refuse_named(options.output, options.files)
        check_replaceable(options.output, NOTHING, options.overwrite)
    data = learn(options.files, options.name)
    if data is None:
        print(
            "opslog: nothing to learn: shipped formats read these lines (oslo.json and "
            "oslo.fluent JSON, swift.proxy those of Swift's own template)",
            file=sys.stderr,
        )
        return 1
    write_whole(options.output, to_toml(data).encode(), NOTHING, options.overwrite)
    return 0


def _refuse_chosen(options: argparse.Namespace, action: str) -> None:
    for flag, given in (("--formats", options.formats), ("--oslo-config", options.oslo_config)):
        if given:
            raise OpslogError(
                f"{flag}: has no effect on formats {action}: expected only FILE, leave it out"
            )
