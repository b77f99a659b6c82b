"""``opslog formats``: list, show, check and learn formats."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opslog.cli import table
from opslog.language.format import Format
from opslog.language.format_file import from_dict, load
from opslog.language.layout_regex import regex_of
from opslog.model import schema
from opslog.model.errors import FormatError, OpslogError, SourceError
from opslog.model.terminal import harmless
from opslog.scanner import catalog

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EXAMPLES = """\
examples:
  opslog formats                                         # what there is
  opslog formats show oslo.text                          # layouts, patterns, samples, columns
  opslog formats check site.toml                         # does the file read its samples?
  opslog formats learn /etc/nova/nova.conf > ~/.config/opslog/formats/nova.toml
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options that choose formats beside the shipped ones."""
    group = command.add_argument_group(
        "formats (before those in ~/.config/opslog/formats and the shipped ones)"
    )
    group.add_argument(
        "--formats", action="append", default=[], metavar="PATH",
        help="a folder of format files, or a format file; may be given again",
    )  # fmt: skip
    group.add_argument(
        "--oslo-config", action="append", default=[], metavar="FILE",
        help="the configuration of the service that wrote the logs (nova.conf, or Swift's "
        "proxy-server.conf), from which their format is learned; given again, the later file wins",
    )  # fmt: skip


def chosen(options: argparse.Namespace) -> list[str | os.PathLike[str] | Format]:
    """Return the formats beside the shipped ones: learned, named, then those of the user."""
    formats: list[str | os.PathLike[str] | Format] = []
    if options.oslo_config:
        from opslog.checking.learn import learn  # start-up: imports oslo.log

        data = learn(options.oslo_config)
        formats += [] if data is None else [from_dict(data, options.oslo_config[0])]
    formats += options.formats
    folder = catalog.user_folder()
    return [*formats, folder] if any(folder.glob("*.toml")) else formats


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its own subcommands."""
    command = commands.add_parser(
        "formats",
        help="list, show, check and learn formats",
        description="List the formats there are; show or check one, or learn one.",
        epilog=_EXAMPLES,
    )
    add_options(command)
    command.set_defaults(run=_list)
    actions = command.add_subparsers(metavar="ACTION")
    action = actions.add_parser(
        "show",
        help="show layouts, patterns, samples and columns",
        description="Show a format: its layouts, the regular expressions that say the same, its "
        "samples with their values, and the columns it fills.",
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
        "  opslog formats learn /etc/nova/nova.conf > ~/.config/opslog/formats/nova.toml\n"
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
    action.set_defaults(run=_learn)


def _all(options: argparse.Namespace) -> list[Format]:
    """Return the formats in use, by name; of one name the first counts."""
    from opslog.checking.user_formats import user_formats

    named: dict[str, Format] = {}
    for one in [*user_formats(chosen(options)), *catalog.shipped()]:
        named.setdefault(one.name, one)
    return sorted(named.values(), key=lambda one: one.name)


def _list(options: argparse.Namespace) -> int:
    formats = _all(options)
    shipped = catalog.shipped()
    rows = [(f.name, "shipped" if f in shipped else f.path, harmless(f.title)) for f in formats]
    print(table.table(rows, table.width()))
    return 0


def _show(options: argparse.Namespace) -> int:
    formats = {one.name: one for one in _all(options)}
    if options.name not in formats:
        known = ", ".join(formats)
        raise OpslogError(f"format {options.name!r}: expected one of {known}")
    print("\n".join(_description(formats[options.name])))
    return 0


def _description(one: Format) -> Iterable[str]:
    import textwrap

    from opslog.checking.sample_reader import SampleReader

    yield f"{one.name}: {harmless(one.title)}"
    yield f"file     {one.path}"
    yield f"reads    {'messages' if one.applies_to == 'message' else 'lines'}" + (
        "; lines that no format recognises continue its records" if one.follow_on else ""
    )
    reader = SampleReader(one)
    yield from textwrap.wrap(
        ", ".join(_columns(one, reader)), table.width() or 100,
        initial_indent="columns  ", subsequent_indent=" " * 9,
    )  # fmt: skip
    for item in (*one.layouts, *one.tails, *one.details):
        end = " (ends a message)" if item in one.tails else ""
        end = " (what else a line says)" if item in one.details else end
        text, pattern = harmless(item.layout.text), harmless(regex_of(item.layout))
        yield f"\nlayout{end}\n  {text}\nas a regex\n  {pattern}"
    for written in one.patterns:
        yield f"\nregex\n  {harmless(written.text)}"
        if written.kind is not None:
            yield f"  with a timestamp of kind {written.kind}"
    if one.json:
        yield f"\nJSON object with the keys\n  {', '.join(one.json.required)}"
    for sample in one.samples:
        yield "\nsample"
        yield from (f"  {harmless(line)}" for line in sample.text.split("\n"))
        for number, record in enumerate(reader.records(sample.text)):
            yield from (
                f"    {name} = {value!r}"
                for name, value in record.items()
                if value is not None and name not in ("format", "source", "source_offset")
            )
            if number + 1 < len(sample.expect):
                yield "    and"


def _columns(one: Format, reader: Any) -> list[str]:
    """Return the columns and attributes the format's lines can fill."""
    number = reader.compiled.formats.index(one)
    leaves = [leaf for leaf in reader.compiled.leaves if leaf.entry.format == number]
    filled = dict.fromkeys(name for leaf in leaves for name in leaf.slots)
    columns = [column.name for column in schema.COLUMNS if column.name in filled]
    return columns + [name for name in filled if name not in schema.BY_NAME]


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
    from opslog.checking.learn import learn, to_toml

    _refuse_chosen(options, "learn")
    data = learn(options.files, options.name)
    if data is None:
        print(
            "opslog: nothing to learn: shipped formats read these lines (oslo.json and "
            "oslo.fluent JSON, swift.proxy those of Swift's own template)",
            file=sys.stderr,
        )
        return 1
    print(to_toml(data), end="")
    return 0


def _refuse_chosen(options: argparse.Namespace, action: str) -> None:
    for flag, given in (("--formats", options.formats), ("--oslo-config", options.oslo_config)):
        if given:
            raise OpslogError(
                f"{flag}: has no effect on formats {action}: expected only FILE, leave it out"
            )
