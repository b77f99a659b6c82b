"""``opslog config``: what the config files say, and which files these are."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from opslog.cli.complaints import complain
from opslog.cli.parser import Commands
from opslog.config import files
from opslog.config.settings import Settings
from opslog.model.errors import OpslogError
from opslog.terminal.escape import escaped
from opslog.terminal.style import terminal_width
from opslog.terminal.table import table

_EXAMPLES = """\
examples:
  opslog config                                  # what is set, where, and where was looked
  OPSLOG_CONFIG=site.toml opslog config          # the same of another file than the user's
  opslog filter --no-config nova-compute.log     # a run without any of it
"""


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "config",
        help="show what the config files say",
        description="Show what is set in config files, in which file and line, and where was "
        "looked for them. All is checked, named filters, too. Exits with 2 if anything is wrong.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print settings and files; return the exit code."""
    user = files.user_file()
    settings = Settings.load(user) if files.is_wanted(user) else Settings()
    width = terminal_width()
    print("\n".join(table([*_places(user, settings)], width)))
    if rows := [*_rows(settings)]:
        print()
        print("\n".join(table([("setting", "from", "value"), *rows], width)))
    code = 0
    for name in settings.filters:
        try:
            settings.check(name)
        except OpslogError as error:
            complain(error)
            code = 2
    return code


def _places(user: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each path that is looked at, and what was found; of folders only where one is."""
    yield escaped(files.shown(user)), "read" if user in settings.files else "not there"
    trusted = {os.path.realpath(one.value) for one in settings.trusted}
    for path in filter(os.path.exists, files.folder_files()):
        folder = os.path.dirname(path)
        told = (
            "read" if path in settings.files
            else "not read: a nearer one is" if folder in trusted
            else f'not read: if the folder is yours, add trusted = ["{files.shown(folder)}"] to '
            f"{files.shown(user)}"
        )  # fmt: skip
        yield escaped(files.shown(path)), escaped(told)


def _rows(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the place and the value of each setting."""
    said = [
        *settings.timezone.values(),
        *([] if settings.display_timezone is None else [settings.display_timezone]),
        *settings.filters.values(),
        *settings.formats,
        *settings.trusted,
    ]
    for one in said:
        name = " ".join(one.keys)
        yield escaped(name), escaped(one.place), escaped(files.shown(one.value))
