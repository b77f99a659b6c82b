"""A format file, which is TOML, to a Format.

It has the format's layouts (or, for oslo.log, the options they are derived from), its
severity vocabulary, how follow-on lines are told, and samples with the values they must give.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from opslog.language import oslo
from opslog.language.column_rules import (
    Refusal,
    refused_capture,
    refused_constant,
    refused_key,
    refused_name,
)
from opslog.language.format import (
    MOST_COLUMNS,
    Envelope,
    Format,
    FormatLayout,
    FormatSample,
    KeyedShape,
    Rank,
)
from opslog.language.layout import Constant, Layout, names_of
from opslog.language.layout_parser import parse
from opslog.language.layout_rules import refused_catch_all, refused_envelope
from opslog.language.pattern import Pattern, parse_pattern
from opslog.language.percent import OPTION_NAMES
from opslog.language.toml_table import TomlTable
from opslog.model import names as naming
from opslog.model import schema
from opslog.model.errors import (
    FilterError,
    FormatError,
    LayoutError,
    OpslogError,
    OsloOptionError,
)
from opslog.model.severity import LONGEST_WORD, VOCABULARIES, number, spelled

_SAMPLES = re.compile(r"^\[\[(?:samples|rejects)\]\]", re.MULTILINE)


def load(path: Path, samples: bool = True) -> Format:
    """Read a format file, or only what stands before its samples.

    Raises FormatError naming the key that is wrong.
    """
    try:
        text = path.read_text("utf-8")
        first = _SAMPLES.search(text)
        head = text[: first.start()] if first else text
        data = tomllib.loads(text if samples else head)
        if _nested(data):
            raise RecursionError
    except RecursionError:
        raise FormatError(str(path), "file", "is nested too deeply") from None
    except OSError as error:
        raise FormatError(str(path), "file", error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        reason = f"expected text in UTF-8: byte {error.start} is of none"
        raise FormatError(str(path), "file", reason) from None
    except tomllib.TOMLDecodeError as error:
        raise FormatError(str(path), "file", f"expected TOML, found {error}") from None
    return from_dict(data, str(path))


def _nested(value: Any, left: int = 32) -> bool:
    """Whether a value is nested far deeper than any that is right: dotted keys have no limit."""
    inner = list(value.values() if isinstance(value, dict) else value)
    inner = [item for item in inner if isinstance(item, (dict, list))]
    return any(left == 0 or _nested(item, left - 1) for item in inner)


def from_dict(data: dict[str, Any], path: str) -> Format:
    """Return the format that ``data`` (a parsed file) states; ``path`` is for errors."""
    reader = TomlTable(data, path)
    name = reader.text("name")
    if not name or not name.isprintable():
        raise reader.wrong("name", f"expected a name, found {name!r}")
    severity = _severity(reader)
    applies_to = reader.text("applies_to", "line")
    if applies_to not in ("line", "message"):
        raise reader.wrong("applies_to", f"expected 'line' or 'message', found {applies_to!r}")
    layouts, tails = _derived(reader, severity)
    written, patterns = _written(reader, severity)
    if patterns and applies_to == "message":
        raise reader.wrong(
            patterns[0].key, "a regex reads lines; a message format has layouts only"
        )
    result = Format(
        name=name,
        title=reader.text("title"),
        path=path,
        applies_to=applies_to,
        severity=severity,
        zone=_zone(reader),
        service=reader.text("service", ""),
        level=_level(reader),
        follow_on=reader.flag("follow_on"),
        foremost=_foremost(reader, applies_to),
        catch_all=reader.flag("catch_all"),
        layouts=layouts + written,
        tails=tails + _tails(reader, severity, applies_to),
        details=_details(reader, severity, applies_to),
        patterns=patterns,
        keyed=_keyed(reader, timed=applies_to == "line"),
        envelope=_envelope(reader),
        samples=tuple(_sample(item) for item in reader.tables("samples", "line", "expect")),
        rejects=tuple(item.text("line") for item in reader.tables("rejects", "line", "reason")),
    )
    if not (layouts or written or patterns or result.tails) and result.keyed is None:
        raise reader.wrong("layouts", "expected [[layouts]], [[oslo]], [json] or [pairs]")
    reader.refuse_unknown()
    return result


def _foremost(reader: TomlTable, applies_to: str) -> bool:
    foremost = reader.flag("foremost")
    if foremost and applies_to != "message":
        raise reader.wrong("foremost", "expected in message formats only")
    return foremost


def _zone(reader: TomlTable) -> str:
    zone = reader.text("zone", "local")
    if zone not in ("local", "utc"):
        raise reader.wrong("zone", f"expected 'local' or 'utc', found {zone!r}")
    return zone


def _severity(reader: TomlTable) -> str:
    """Return the name of the vocabulary, or the words of the format's own spelled out."""
    if not isinstance(reader.data.get("severity"), dict):
        name = reader.text("severity", "oslo")
        if name not in VOCABULARIES:
            known = ", ".join(VOCABULARIES)
            expected = f"expected one of {known}, or a table of words"
            raise reader.wrong("severity", f"{expected}; found {name!r}")
        return name
    words = {}
    table = reader.table("severity")
    for word, level in table.data.items():
        if not re.fullmatch(rf"[!-<>-~]{{1,{LONGEST_WORD}}}", word):
            expected = f"expected 1 to {LONGEST_WORD} ASCII characters, no blank or =, as printed"
            raise table.wrong(word, expected)
        try:
            words[word] = number(str(level))
        except FilterError as error:
            raise table.wrong(word, str(error)) from None
    if not words:
        raise reader.wrong("severity", "expected at least one word")
    return spelled(words)


def _level(reader: TomlTable) -> int:
    if "level" not in reader.data:
        return 0
    try:
        return number(reader.text("level"))
    except FilterError as error:
        raise reader.wrong("level", str(error)) from None


def _derived(
    reader: TomlTable, severity: str
) -> tuple[tuple[FormatLayout, ...], tuple[FormatLayout, ...]]:
    layouts: list[FormatLayout] = []
    tails: list[FormatLayout] = []
    sets = []
    for item in reader.tables("oslo", "release", *OPTION_NAMES):
        values = {name: item.text(name) for name in OPTION_NAMES if name in item.data}
        sets.append(oslo.options_from(values))
    if sets:
        try:
            derived = oslo.shipped(sets)
        except OsloOptionError as error:
            raise reader.wrong("oslo", str(error)) from None
        for rank, texts in (
            (Rank.HEAD, derived.heads),
            (Rank.FALLBACK, derived.fallbacks),
            (Rank.TRACEBACK, derived.tracebacks),
            (Rank.BARE, derived.bares),
        ):
            layouts += [
                FormatLayout(_parsed(reader, "oslo", text, severity), rank) for text in texts
            ]
        tails += [
            FormatLayout(_parsed(reader, "oslo", text, severity), debug_only=debug)
            for text, debug in derived.tails
        ]
    return tuple(layouts), tuple(tails)


def _written(
    reader: TomlTable, severity: str
) -> tuple[tuple[FormatLayout, ...], tuple[Pattern, ...]]:
    """Return the layouts and the patterns of the tables [[layouts]]."""
    layouts: list[FormatLayout] = []
    patterns: list[Pattern] = []
    for item in reader.tables("layouts"):
        key = item.place.removesuffix(".")
        if "regex" in item.data:
            item.only("regex", "timestamp")
            kind = item.text("timestamp") if "timestamp" in item.data else None
            try:
                patterns.append(parse_pattern(item.text("regex"), kind, severity, key))
            except LayoutError as error:
                raise item.wrong("regex", str(error)) from None
            for name in patterns[-1].names:
                _refuse(item, "regex", refused_name(name))
        else:
            item.only(
                "layout", "bare", "severity", "unfinished", "alone", "traceback", "second", "until"
            )
            rank = Rank.BARE if item.flag("bare") else _around(reader)
            words = _severity(item) if "severity" in item.data else severity
            layout = _parsed(item, "layout", item.text("layout"), words)
            _refuse_wrong(item, layout)
            if not reader.flag("catch_all"):
                _refuse(item, "layout", refused_catch_all(layout))
            if rank == Rank.AROUND:
                _refuse(item, "layout", refused_envelope(layout))
            layouts.append(
                FormatLayout(
                    layout,
                    rank,
                    key=key,
                    unfinished=item.flag("unfinished"),
                    alone=item.flag("alone"),
                    traceback=item.flag("traceback"),
                    second=item.flag("second"),
                    until=item.text("until", ""),
                )
            )
    return tuple(layouts), tuple(patterns)


def _around(reader: TomlTable) -> Rank:
    """Return the rank of a format's layouts: the less marks an envelope, the later it is tried."""
    if "envelope" not in reader.data:
        return Rank.HEAD
    item = reader.table("envelope")
    return Rank.HOLLOW if item.flag("hollow") else Rank.WEAK if item.flag("weak") else Rank.AROUND


def _refuse(item: TomlTable, key: str, refusal: Refusal) -> None:
    if refusal is not None:
        raise item.wrong(key, *refusal)


def _tails(reader: TomlTable, severity: str, applies_to: str) -> tuple[FormatLayout, ...]:
    """Return the layouts of what ends a message."""
    found = tuple(layout for _, layout in _more_layouts(reader, "tails", severity))
    if found and applies_to != "message":
        raise reader.wrong("tails", "expected in message formats only")
    return found


def _details(reader: TomlTable, severity: str, applies_to: str) -> tuple[FormatLayout, ...]:
    """Return the layouts of what else the lines of a record's body say."""
    found = []
    for item, one in _more_layouts(reader, "details", severity):
        if any("body" in names_of(part) for part in one.layout.holes()):
            raise item.wrong("layout", "body is filled by [[layouts]] only")
        found.append(one)
    if found and applies_to != "line":
        raise reader.wrong("details", "expected in formats of lines only")
    return tuple(found)


def _more_layouts(
    reader: TomlTable, key: str, severity: str
) -> Iterator[tuple[TomlTable, FormatLayout]]:
    """Yield the tables of an array beside [[layouts]], and the layout each has."""
    for item in reader.tables(key, "layout"):
        layout = _parsed(item, "layout", item.text("layout"), severity)
        _refuse_wrong(item, layout)
        yield item, FormatLayout(layout, key=item.place.removesuffix("."))


def _refuse_wrong(item: TomlTable, layout: Layout) -> None:
    """Refuse a layout whose values could not be kept."""
    for part in layout.holes():
        refused = refused_constant(part) if isinstance(part, Constant) else refused_capture(part)
        _refuse(item, "layout", refused)


def _parsed(reader: TomlTable, key: str, text: str, severity: str) -> Layout:
    try:
        return parse(text, severity)
    except LayoutError as error:
        raise reader.wrong(key, str(error)) from None


def _keyed(reader: TomlTable, timed: bool) -> KeyedShape | None:
    """Return the keys of [json] or [pairs]; ``timed`` says whether one must be of a time."""
    key = "pairs" if "pairs" in reader.data else "json"
    if key not in reader.data:
        return None
    if key == "pairs" and "json" in reader.data:
        raise reader.wrong("pairs", "a format has [json] or [pairs], not both")
    if key == "pairs" and not timed:
        raise reader.wrong("pairs", "expected in formats of lines only")
    if key == "json" and "names" in reader.table("json").data:
        return _stored(reader.table("json", "names"))
    item = reader.table(
        key, "required", "one_of", "columns", "constants", "epoch", "iso", "epoch_us",
        "others", "opened",
    )  # fmt: skip
    shape = KeyedShape(
        required=item.texts("required"),
        columns=_columns(item.table("columns")),
        one_of=item.texts("one_of"),
        pairs=key == "pairs",
        epoch=item.texts("epoch"),
        iso=item.texts("iso"),
        epoch_us=item.texts("epoch_us"),
        constants=_constants(item.table("constants")) if "constants" in item.data else {},
        others=item.flag("others") if "others" in item.data else timed,
        opened=item.texts("opened"),
    )
    unstamped = shape.pairs and shape.required
    if timed and "envelope" not in reader.data and not shape.times and not unstamped:
        raise item.wrong("epoch", "expected epoch, iso or epoch_us, the key of the time")
    if len(shape.columns) > MOST_COLUMNS:
        found = len(shape.columns)
        raise item.wrong("columns", f"expected at most {MOST_COLUMNS} columns, found {found}")
    for name in sorted(shape.constants.keys() & shape.columns.keys()):
        raise item.wrong(f"constants.{name}", "is a key of columns, too")
    return shape


def _stored(item: TomlTable) -> KeyedShape:
    """Return the keys of records that opslog wrote with these ``names`` (names.py)."""
    try:
        keys = naming.spelled(schema.BY_NAME, item.text("names"))
    except OpslogError as error:
        raise item.wrong("names", str(error)) from None
    paths: dict[str, tuple[str, ...]] = {
        column: (key.replace(".", "\\."),) for column, key in zip(schema.BY_NAME, keys, strict=True)
    }
    iso = paths.pop("timestamp")
    return KeyedShape(
        required=(*paths["source"], *paths["source_offset"]),
        columns=paths,
        iso=iso,
        others=False,
        stored=True,
    )


def _columns(item: TomlTable) -> dict[str, tuple[str, ...]]:
    """Return the keys of an object that may fill each column."""
    columns = {name: item.texts(name) for name in item.data}
    for name, paths in columns.items():
        if not paths:
            raise item.wrong(name, "expected a key or a list of keys, found none")
        _refuse(item, name, refused_key(name))
    return columns


def _constants(item: TomlTable) -> dict[str, str]:
    """Return the values that a format's objects imply."""
    constants = {name: item.text(name) for name in item.data}
    for name, value in constants.items():
        _refuse(item, name, refused_constant(Constant(name, value)))
    return constants


def _envelope(reader: TomlTable) -> Envelope | None:
    if "envelope" not in reader.data:
        return None
    names = tuple(one.name for one in fields(Envelope))
    item = reader.table("envelope", *names)
    return Envelope(**{name: item.flag(name) for name in names})


def _sample(item: TomlTable) -> FormatSample:
    expect = item.data.get("expect", {})
    records = expect if isinstance(expect, list) else [expect]
    if not all(isinstance(record, dict) for record in records):
        raise item.wrong("expect", f"expected expect.COLUMN = VALUE, found {expect!r}")
    return FormatSample(item.text("line"), tuple(records))
