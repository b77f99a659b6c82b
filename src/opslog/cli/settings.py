"""What files of settings have to do with a run: they are read before it, and a terminal is told."""

from __future__ import annotations

import argparse
import os

from opslog.cli import flags
from opslog.cli.complaints import complain
from opslog.config import files
from opslog.inputs.paths import FOLDER_SETTINGS, expand
from opslog.inputs.remote import is_url
from opslog.model.zones import Zones


def load(options: argparse.Namespace) -> None:
    """Have the settings of the files there are for a command that reads them.

    A terminal is told which of them count in this run.  Raises ConfigError for a wrong one.
    """
    if getattr(options, "no_config", True):
        return
    user = files.user_file()
    if files.is_wanted(user):
        from opslog.config.settings import Settings  # start-up: most runs have none

        options.settings = Settings.load(user)
    if os.isatty(2):
        _tell(options)


def _tell(options: argparse.Namespace) -> None:
    settings = flags.settings_of(options)
    here = os.path.abspath(FOLDER_SETTINGS) if os.path.exists(FOLDER_SETTINGS) else None
    if here is not None and here not in (settings.files if settings else ()):
        complain(f"{FOLDER_SETTINGS}: not read, as its folder is not trusted: see `opslog config`")
    if settings is None:
        return
    if settings.timezone and hasattr(options, "timezone"):
        zones = flags.timezone(options)
        sources = expand(tuple(path for path in _paths(options) if not is_url(path)))
        counting = {Zones(zones).said_for(name)[0] for name in sources}
        for pattern, one in settings.timezone.items():
            if pattern in counting and zones.get(pattern) == one.value:
                complain(f"times without an offset are of {one.value}: {one.place}")
    if where := getattr(options, "where", None):
        from opslog.filters.query import used  # start-up: most runs have no condition

        for name in dict.fromkeys(n for text in where for n in used(text, settings.conditions())):
            one = settings.filters[name]
            complain(f"@{name} is {' '.join(one.value.split())}: {one.place}")


def _paths(options: argparse.Namespace) -> list[str]:
    """Return all paths that are read as logs."""
    return [*options.paths, *(path for good in getattr(options, "good", ()) for path in good)]
