"""A table of a TOML file, whose errors say where in the file it stands."""

from __future__ import annotations

from typing import Any

from opslog.model.errors import FormatError


class TomlTable:
    """One table; its methods read a key, and raise FormatError if its value is wrong."""

    def __init__(self, data: dict[str, Any], path: str, place: str = "") -> None:
        self.data = data
        self.path = path
        self.place = place
        self.known: set[str] = set()

    def wrong(self, key: str, reason: str, hint: str = "") -> FormatError:
        """Return the error that ``key`` is wrong."""
        return FormatError(self.path, f"{self.place}{key}", reason, hint)

    def text(self, key: str, default: str | None = None) -> str:
        """Return the text of ``key``, or ``default`` if it is absent and has one."""
        self.known.add(key)
        value = self.data.get(key, default)
        if not isinstance(value, str):
            found = "nothing" if value is None else repr(value)
            raise self.wrong(key, f"expected a text, found {found}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts that ``key`` lists, or the one it is; none if it is absent."""
        self.known.add(key)
        value = self.data.get(key, [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
            raise self.wrong(key, f"expected a key or a list of keys, found {value!r}")
        return tuple(found)

    def flag(self, key: str) -> bool:
        """Return whether ``key`` is true; it is false if absent."""
        self.known.add(key)
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, f"expected true or false, found {value!r}")
        return value

    def table(self, key: str, *known: str) -> TomlTable:
        """Return the table ``key``, which must be there; with ``known``, other keys are refused."""
        self.known.add(key)
        value = self.data.get(key)
        if not isinstance(value, dict):
            found = "nothing" if value is None else repr(value)
            raise self.wrong(key, f"expected a table, [{self.place}{key}], found {found}")
        return self._inner(value, key, known)

    def tables(self, key: str, *known: str) -> list[TomlTable]:
        """Return the tables of the array ``key``; with ``known``, other keys are refused."""
        self.known.add(key)
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"expected [[{key}]]")
        return [self._inner(item, f"{key}[{i}]", known) for i, item in enumerate(value)]

    def _inner(self, value: dict[str, Any], key: str, known: tuple[str, ...]) -> TomlTable:
        reader = TomlTable(value, self.path, f"{self.place}{key}.")
        if known:
            reader.only(*known)
        return reader

    def only(self, *known: str) -> None:
        """Raise FormatError for a key that is not in ``known`` and has not been read."""
        self.known.update(known)
        self.refuse_unknown()

    def refuse_unknown(self) -> None:
        """Raise FormatError for a key that has not been read."""
        for key in self.data:
            if key not in self.known:
                raise self.wrong(
                    key, f"unknown key; expected one of {', '.join(sorted(self.known))}"
                )
