"""Which files have settings: the user's, and that of a folder the user trusts."""

from __future__ import annotations

import os

from opslog.inputs.paths import FOLDER_SETTINGS
from opslog.scanner import catalog

VARIABLE = "OPSLOG_CONFIG"
"""Names the file that is read instead of the user's."""


def user_file() -> str:
    """Return the path of the user's file, which may be absent."""
    named = os.environ.get(VARIABLE)
    return named or str(catalog.user_folder().with_name("config.toml"))


def is_named(path: str) -> bool:
    """Return whether the variable names this file, which then must be there."""
    return os.environ.get(VARIABLE) == path


def is_wanted(path: str) -> bool:
    """Return whether the user's file is to be read: it is there, or the variable names it.

    What may not be looked at is not there: a service's user may have another's home.
    """
    return is_named(path) or os.path.isfile(path)


def folder_files() -> list[str]:
    """Return where a folder's file may be: in the current folder, and in those around it."""
    try:
        folder = os.getcwd()
    except OSError:  # it was removed
        return []
    found = [folder]
    while (outer := os.path.dirname(folder)) != folder:
        found.append(folder := outer)
    return [os.path.join(one, FOLDER_SETTINGS) for one in found]


def trusted_file(trusted: tuple[str, ...]) -> str | None:
    """Return the nearest file that is there and whose folder is a trusted one, itself."""
    folders = {os.path.realpath(folder) for folder in trusted}
    for path in folder_files() if folders else ():
        if os.path.dirname(path) in folders and os.path.isfile(path):
            return path
    return None


def shown(path: str) -> str:
    """Return a path with ``~`` for the home."""
    home = os.path.expanduser("~").rstrip("/")
    return f"~{path.removeprefix(home)}" if home and path.startswith(f"{home}/") else path
