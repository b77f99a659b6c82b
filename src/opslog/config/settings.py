"""What files of settings say, read, checked and put together."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opslog.config.files import VARIABLE, is_named, shown, trusted_file
from opslog.config.keys import BY_NAME, kind_of
from opslog.config.lines import line_of
from opslog.filters import query
from opslog.inputs.paths import FOLDER_SETTINGS
from opslog.model.errors import ConfigError, FilterError, OpslogError
from opslog.model.zones import Zone

_NAME = re.compile("[A-Za-z0-9_-]+")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class File:
    """A file of settings, as it was read."""

    path: str
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, path: str) -> File:
        """Read a file; raises ConfigError for one that cannot be read, or is not TOML."""
        try:
            with open(path, encoding="utf-8", newline="") as opened:
                text = opened.read().replace("\r\n", "\n")
        except OSError as error:
            hint = f"; correct or unset {VARIABLE}, which names it" if is_named(path) else ""
            raise ConfigError(shown(path), 0, f"{error.strerror or error}{hint}") from None
        except UnicodeDecodeError:
            raise ConfigError(shown(path), 0, "expected text in UTF-8, found other bytes") from None
        try:
            return cls(path, text, tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            at = _AT_LINE.search(str(error))
            line = int(at[1]) if at and at[1] else text.count("\n") + 1 if at else 1
            reason = _AT_LINE.sub("", str(error))
            raise ConfigError(shown(path), line, f"expected TOML, found none: {reason}") from None

    def wrong(self, keys: tuple[str, ...], reason: str) -> ConfigError:
        """Return the error that what ``keys`` says is wrong."""
        return ConfigError(
            shown(self.path), line_of(self.text, keys), f"{'.'.join(keys)}: {reason}"
        )


class Setting(NamedTuple):
    """A value, and where it was said."""

    value: str
    file: File
    keys: tuple[str, ...]

    @property
    def place(self) -> str:
        """The file and the line."""
        return f"{shown(self.file.path)}:{line_of(self.file.text, self.keys)}"


@dataclass(slots=True)
class Settings:
    """What the files say together; of two that say the same the later one counts."""

    files: list[str] = field(default_factory=list)
    timezone: dict[str, Setting] = field(default_factory=dict)
    """By pattern, in the order in which they count; ``*`` is for all others."""
    display_timezone: Setting | None = None
    filters: dict[str, Setting] = field(default_factory=dict)
    formats: list[Setting] = field(default_factory=list)
    """In the order in which they are tried: the later file's before."""
    trusted: list[Setting] = field(default_factory=list)

    @classmethod
    def load(cls, user: str) -> Settings:
        """Read the user's file, and that of the trusted folder around the current one.

        Raises ConfigError, which names file and line, for a key or a value that cannot be.
        Whether filters are conditions is told when they are used, or by ``check``.
        """
        settings = cls()
        settings._add(File.read(user), of_user=True)
        trusted = tuple(one.value for one in settings.trusted)
        if (folder := trusted_file(trusted)) is not None:
            settings._add(File.read(folder), of_user=False)
        return settings

    def conditions(self) -> dict[str, str]:
        """Return the text of each named filter."""
        return {name: one.value for name, one in self.filters.items()}

    def check(self, name: str) -> None:
        """Raise OpslogError for a named filter that is no condition."""
        try:
            query.parse(f"@{name}", named=self.conditions())
        except FilterError as error:
            raise OpslogError(f"{self.place_of(error)}: {error}") from None

    def place_of(self, error: FilterError) -> str:
        """Return where the condition stands that an error of a ``--where`` is about."""
        one = self.filters.get(error.named)
        return f"{one.place}: @{error.named}" if one is not None else "--where"

    def _add(self, file: File, of_user: bool) -> None:
        known = [name for name, key in BY_NAME.items() if of_user or not key.user_only]
        for name, value in file.data.items():
            if name not in known:
                raise file.wrong((name,), _unknown(name, known))
            key = BY_NAME[name]
            if kind_of(value) not in key.kinds:
                raise file.wrong((name,), f"expected {key.accepts}, found {_told(value)}")
            if isinstance(value, dict):
                for inner, one in value.items():
                    if kind_of(one) != "text":
                        raise file.wrong(
                            (name, inner), f"expected a text in quotes, found {_told(one)}"
                        )
        self.files.append(file.path)
        self._add_zones(file)
        for name, condition in file.data.get("filters", {}).items():
            keys = ("filters", name)
            if not _NAME.fullmatch(name):
                raise file.wrong(
                    keys, "expected a name of letters, digits, _ and -, as in @name: rename it"
                )
            self.filters[name] = Setting(condition, file, keys)
        self.formats[:0] = [_format(file, path) for path in file.data.get("formats", [])]
        self.trusted += [_folder(file, path) for path in file.data.get("trusted", [])]

    def _add_zones(self, file: File) -> None:
        said = file.data.get("timezone", {})
        zones = {"*": said} if isinstance(said, str) else said
        if "*" in zones:
            self.timezone.clear()  # it is for all: also for those another file has patterns for
        for pattern, name in zones.items():
            keys = ("timezone",) if isinstance(said, str) else ("timezone", pattern)
            _check_zone(file, keys, name)
            whole = os.path.expanduser(pattern)
            self.timezone.pop(whole, None)
            self.timezone[whole] = Setting(name, file, keys)
        if (name := file.data.get("display-timezone")) is not None:
            _check_zone(file, ("display-timezone",), name)
            self.display_timezone = Setting(name, file, ("display-timezone",))


def _check_zone(file: File, keys: tuple[str, ...], name: str) -> None:
    try:
        Zone(name)
    except OpslogError as error:
        raise file.wrong(keys, str(error)) from None


def _format(file: File, path: str) -> Setting:
    whole = os.path.join(os.path.dirname(file.path), os.path.expanduser(path))
    if not os.path.exists(whole):
        raise file.wrong(
            ("formats",),
            f"expected a format file or a folder of them, found nothing at {shown(whole)}: "
            "correct the path, or leave it out",
        )
    return Setting(whole, file, ("formats",))


def _folder(file: File, path: str) -> Setting:
    whole = os.path.expanduser(path)
    if not os.path.isabs(whole):
        raise file.wrong(("trusted",), f"expected whole paths from / or ~/, found {path!r}")
    return Setting(whole, file, ("trusted",))


def _unknown(name: str, known: Collection[str]) -> str:
    if name in BY_NAME:
        return (
            f"expected it in the user's own file, found it in {FOLDER_SETTINGS}: a folder does not "
            "say which others are trusted; move it there"
        )
    near = difflib.get_close_matches(name.lower().replace("_", "-"), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"expected one of {', '.join(sorted(known))}, found {name!r}{hint}"


def _told(value: object) -> str:
    """Return a value as TOML has it, as far as it is told in few words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        odd = [one for one in value if kind_of(one) != "text"]
        return f"a list with {_told(odd[0])}" if odd else "a list"
    return "a table" if isinstance(value, dict) else repr(value)
