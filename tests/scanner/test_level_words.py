"""A level word is nobody's name, whatever layout and type of hole it stands in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import records
from layout_matching import match, scan, texts
from opslog.language.format import Format
from opslog.language.format_file import from_dict
from opslog.language.layout import Capture, Layout, Literal, literals_behind
from opslog.language.layout_parser import parse
from opslog.language.layout_regex import compiled
from opslog.model.schema import NAMING
from opslog.model.severity import WORDS, vocabulary
from opslog.scanner import catalog
from opslog.scanner.catalog import Catalog

# In small letters audit is what systemd calls the kernel's audit: a name.
LEVELS = [word for word in WORDS if word != "audit"]
SPELLINGS = [
    *LEVELS, *(word.upper() for word in LEVELS), *(word.capitalize() for word in LEVELS),
    *(f"{word.upper()}:" for word in LEVELS), *(f"[{word}]" for word in LEVELS),
]  # fmt: skip
NAMES = ["error-handler", "info.d", "warnd", "errors", "x-info", "in", "ctl1", "trace0", "debug_x"]


def names_of(row: dict[str, Any]) -> set[str]:
    """What a record says of who wrote it, without brackets and colons, in small letters."""
    values = {**row.get("attributes", {}), **row}
    found = {str(value) for name, value in values.items() if name in NAMING}
    return {name.strip("[](): <>").lower() for name in found}


NAMING_FORMATS = [
    pytest.param(one, id=one.name)
    for one in catalog.shipped()
    if any(
        isinstance(part, Capture) and part.naming
        for item in (*one.layouts, *one.details)
        for part in item.layout.holes()
    )
]


def with_level_words(one: Format) -> set[bytes]:
    """The lines of a format's samples with each level word where a name stands."""
    lines = {line.encode() for sample in one.samples for line in sample.text.split("\n")}
    found = set[bytes]()
    for item in one.layouts:
        pattern = compiled(item.layout)
        for line in lines:
            match = pattern.match(line)
            for group in pattern.groupindex if match else ():
                if match and match.start(group) >= 0 and set(group.split("_or_")) & NAMING:
                    before, behind = line[: match.start(group)], line[match.end(group) :]
                    found |= {before + word.encode() + behind for word in SPELLINGS}
    return found


@pytest.mark.parametrize("one", NAMING_FORMATS)
def test_no_layout_takes_a_level_word_for_a_name(one: Format) -> None:
    lines = sorted(with_level_words(one))
    for row in records(b"\n".join(lines), year=2026):
        assert not names_of(row) & set(LEVELS), row


VARIANTS = [
    (item.layout, variant)
    for one in catalog.shipped()
    for item in (*one.layouts, *one.details)
    for variant in item.layout.variants
    if any(isinstance(part, Capture) and part.naming for part in variant)
]


@given(st.data())
def test_no_variant_of_a_layout_takes_a_level_word_for_a_name(data: st.DataObject) -> None:
    layout, variant = data.draw(st.sampled_from(VARIANTS))
    line = b""
    for part, after in zip(variant, literals_behind(variant), strict=True):
        if isinstance(part, Literal):
            line += part.text.encode()
        elif isinstance(part, Capture):
            if part.naming:
                text = data.draw(st.sampled_from(SPELLINGS)).encode()
            elif part.hole.op == "severity":
                text = data.draw(st.sampled_from(sorted(vocabulary(layout.vocabulary)))).encode()
            else:
                text = data.draw(texts(part.hole, after))
            line += text.rjust(-part.width) if part.width < 0 else text.ljust(part.width)
    assert scan(layout, line) == match(layout, line)
    for row in records(line, year=2026):
        assert not names_of(row) & set(LEVELS)


TYPES = ["text", "token", "token?", "word", "name", "percent"]


def both(layout: Layout, line: str) -> dict[str, bytes] | None:
    """What scanner and regular expression say of a line: the same."""
    found = scan(layout, line.encode())
    assert found == match(layout, line.encode())
    return found


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("column", sorted(NAMING))
def test_a_hole_of_any_type_that_names_something_refuses_level_words(
    column: str, kind: str
) -> None:
    layout = parse(f"<{{{column}:{kind}}}|{{x:token}}> {{body:rest}}")
    for word in SPELLINGS:
        assert both(layout, f"<{word}|y> text") is None
    for name in NAMES:
        found = both(layout, f"<{name}|y> text")
        assert found == {column: name.encode(), "x": b"y", "body": b"text"}


def test_blanks_that_fill_a_name_do_not_hide_a_level_word() -> None:
    for layout in ("[{program:text}] {body:rest}", "[{program:word<8}] {body:rest}"):
        assert both(parse(layout), "[ERROR   ] text") is None


@pytest.mark.parametrize("place", range(9))
def test_each_of_many_names_in_a_row_refuses_level_words(place: int) -> None:
    layout = parse(" ".join(f"{{{name}:token}}" for name in sorted(NAMING)[:9]) + " {body:rest}")
    words = [f"name{number}" for number in range(9)]
    assert both(layout, f"{' '.join(words)} text") is not None
    words[place] = "info"
    assert both(layout, f"{' '.join(words)} text") is None


def test_a_hole_that_names_nothing_takes_any_word() -> None:
    assert both(parse("<{x:token}> {body:rest}"), "<error> text") == {
        "x": b"error",
        "body": b"text",
    }


@pytest.mark.parametrize(
    "layout",
    [
        {"layout": "{timestamp:iso} <{program:token}> {body:rest}"},
        {"regex": "(?P<timestamp>[^ ]+) <(?P<program>[^>]*)> (?P<body>.*)", "timestamp": "iso"},
    ],
    ids=["layout", "regex"],
)
def test_a_format_of_ones_own_takes_no_level_word_for_a_name(layout: dict[str, str]) -> None:
    own = Catalog.of([from_dict({"name": "own", "title": "own", "layouts": [layout]}, "own.toml")])
    stamp = "2026-03-10T10:00:00Z"
    for word, program in (("error", None), ("[INFO]", None), ("error-handler", "error-handler")):
        [row] = records(f"{stamp} <{word}> text", catalog=own)
        assert row.get("program") == program
