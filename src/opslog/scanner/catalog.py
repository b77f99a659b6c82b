"""The shipped formats, and catalogs: formats compiled together.

Shipped formats are the TOML files of ``formats/``: installed as ``opslog/formats``, beside
``src/`` in a checkout or an editable install.  Those of users (checking/user_formats.py) are
tried before them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from opslog.model.errors import FormatError
from opslog.scanner import built
from opslog.scanner.compiled import CompiledFormats

if TYPE_CHECKING:
    from opslog.language.format import Format


def folder() -> Path:
    """Return the folder of the shipped formats; raises FormatError if it is missing."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "formats", package.parents[1] / "formats"):
        if place.is_dir():
            return place
    raise FormatError(str(package / "formats"), "folder", "the shipped formats are missing")


def user_folder() -> Path:
    """Return the folder of a user's formats, in ``$XDG_CONFIG_HOME``; it may be absent."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(config, "opslog", "formats")


@cache
def shipped() -> tuple[Format, ...]:
    """Return the shipped formats with their samples, in the order in which they are tried."""
    return _in_order(samples=True)


@cache
def without_samples() -> tuple[Format, ...]:
    """Return the shipped formats without samples and rejects, which no run needs."""
    return _in_order(samples=False)


def _in_order(samples: bool) -> tuple[Format, ...]:
    # start-up: most runs find them compiled
    from opslog.language.format_file import load
    from opslog.scanner.order import in_order

    return in_order(load(path, samples) for path in folder().glob("*.toml"))


@dataclass(frozen=True, eq=False)
class Catalog:
    """A set of formats, ready to scan lines and the messages inside them."""

    lines: CompiledFormats
    messages: CompiledFormats

    @classmethod
    def of(cls, formats: Iterable[Format]) -> Catalog:
        """Compile ``formats``; a later one replaces an earlier one of the same name.

        Raises LayoutError for a layout that cannot be scanned.
        """
        from opslog.scanner.compilation import compiled  # start-up: most runs compile nothing

        named = {one.name: one for one in formats}
        return cls(
            compiled(tuple(one for one in named.values() if one.applies_to == "line")),
            compiled(tuple(one for one in named.values() if one.applies_to == "message")),
        )

    @classmethod
    @cache
    def default(cls) -> Catalog:
        """Return the catalog of the shipped formats: as it was built, else compiled once."""
        parts = built.load(folder())
        return cls.of(without_samples()) if parts is None else cls(*parts)

    @classmethod
    def build(cls) -> None:
        """Compile the shipped formats and write what ``default`` reads instead of doing so."""
        catalog = cls.of(without_samples())
        for one in shipped():
            for sample in one.samples:
                program = catalog.lines if one.applies_to == "line" else catalog.messages
                built.learn(program.program, sample.text.encode())
        for part in (catalog.lines, catalog.messages):
            part.program.prepare()
        built.write(folder(), (catalog.lines, catalog.messages))

    @classmethod
    def beside_shipped(cls, own: Iterable[Format]) -> Catalog:
        """Return the catalog of ``own`` formats, tried in their order, then the shipped ones.

        Of several formats of one name the first counts.
        """
        named: dict[str, Format] = {}
        for one in (*own, *without_samples()):
            named.setdefault(one.name, one)
        return cls.of(named.values())

    def __reduce__(self) -> tuple[Callable[..., Catalog], tuple[object, ...]]:
        """Pickle the formats: the program is compiled from them again where they arrive."""
        if self is Catalog.default():
            return _default, ()  # a plain function: cloudpickle does not take cached methods
        return Catalog.of, ((*self.lines.formats, *self.messages.formats),)


def _default() -> Catalog:
    return Catalog.default()
