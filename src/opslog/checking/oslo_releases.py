"""Which configurations of oslo.log print the lines of a derived layout."""

from __future__ import annotations

import tomllib
from functools import cache

from opslog.language import oslo
from opslog.language.format import Format
from opslog.model.errors import OsloOptionError


def releases_of(form: Format, layout: str) -> tuple[str, ...]:
    """Return the releases, as the format's file names them, whose options give a layout."""
    if not any(item.key == "" and item.layout.text == layout for item in form.layouts):
        return ()
    return tuple(release for release, shapes in _derived(form.path) if oslo.shape(layout) in shapes)


@cache
def _derived(path: str) -> list[tuple[str, frozenset[str]]]:
    """Return the releases of a format file with the shapes of the layouts that each alone gives."""
    try:
        with open(path, "rb") as file:
            sets = tomllib.load(file).get("oslo", [])
    except (OSError, tomllib.TOMLDecodeError):
        return []
    found = []
    for one in sets:
        values = {key: value for key, value in one.items() if key != "release"}
        try:
            derived = oslo.shipped([oslo.options_from(values)])
        except OsloOptionError:
            continue
        texts = (*derived.heads, *derived.fallbacks, *derived.bares, *derived.tracebacks)
        found.append((one["release"], frozenset(map(oslo.shape, texts))))
    return found
