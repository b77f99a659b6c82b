"""The layout language: one definition; scanner and regular expression agree on every line."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import ROOT
from layout_matching import LINES, match, scan
from opslog.language.hole_types import HOLE_TYPES
from opslog.language.layout_parser import parse
from opslog.language.layout_regex import compiled as regex
from opslog.model.errors import LayoutError
from opslog.model.severity import VOCABULARIES
from opslog.scanner import catalog
from opslog.scanner.catalog import Catalog
from opslog.scanner.compiler import Compiler
from opslog.scanner.leaf import CatalogEntry

HOLES = st.sampled_from(
    [f"{{{n}:{t}}}" for t in HOLE_TYPES for n in "abc" if t not in ("rest", "text", "severity")]
    + ["{severity}", "{timestamp:iso}", "{timestamp:iso-msecs}", "{timestamp:iso-zone}", "{timestamp:%d/%b/%Y %H:%M:%S}", "{~}",
       "{timestamp:%b %e %H:%M:%S}", "{:%b %e %H:%M:%S.%f}", "{:%m%d %H:%M:%S.%f}", "{:%y%m%d %k:%M:%S}", "{:%e%k%m}",
       "{:int}", "{a|b:token}", "{a:token<6}", "{b:int>5}", "{severity:severity<8}", "{severity:severity>7}", "{severity:severity<2}", "<{a:pri}>", "{:pri}", "{c:word>3}", "{?[{c:token}] }", "{?{:blanks}}", "{duration:milliseconds}",
       "{program:token}", "{host_name:token}", "{tag}", "{logger:name}", "{container_name:word<8}", "{x|program:token}",
       "{service_name:token?}", "{thread_name:addresses}", "{host_name:token} {program:token} {x:token}"]
)  # fmt: skip
LITERALS = st.sampled_from([" ", "] ", "[", "-", "] [", ": ", "é", "{{", "g", "\x1b"])


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """Draw a layout text; it may still be refused."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        parts.append(draw(HOLES))
        parts.append(draw(LITERALS))
        if draw(st.booleans()):
            parts.append("{" + draw(st.sampled_from("def")) + "}" + draw(LITERALS))
    if draw(st.booleans()):
        parts.append("{body:rest}")
    return "".join(parts)


@given(layouts(), st.lists(LINES, min_size=1, max_size=8), st.sampled_from(sorted(VOCABULARIES)))
def test_scanner_and_regex_accept_the_same_lines_with_the_same_captures(
    text: str, lines: list[bytes], vocabulary: str
) -> None:
    try:
        layout = parse(text, vocabulary)
    except LayoutError:
        return
    for line in lines:
        assert scan(layout, line) == match(layout, line)


@cache
def shipped_patterns() -> list[tuple[CatalogEntry, re.Pattern[bytes]]]:
    """The layouts that take lines, in their order, as patterns."""
    entries = {id(leaf.entry): leaf.entry for leaf in Catalog.default().lines.leaves}
    return [(e, regex(e.layout)) for e in entries.values() if e.layout.text and not e.tail]


@given(st.lists(LINES, min_size=1, max_size=20))
def test_the_first_shipped_layout_that_takes_a_line_wins(lines: list[bytes]) -> None:
    compiled = Catalog.default().lines
    for line in lines:
        leaf, _, _, _ = compiled.program.probe(line)
        wanted = next((e for e, p in shipped_patterns() if p.match(line)), None)
        found = compiled.leaves[leaf].entry if leaf >= 0 else None
        assert found is wanted


SHIPPED = [
    (form.name, item.layout)
    for form in catalog.shipped()
    for item in (*form.layouts, *form.tails, *form.details)
]


@given(st.data())
def test_every_shipped_layout_agrees_with_its_regex(data: st.DataObject) -> None:
    _, layout = data.draw(st.sampled_from(SHIPPED))
    samples = [
        line
        for form in catalog.shipped()
        for sample in form.samples
        for line in sample.text.encode().split(b"\n")
    ]
    line = data.draw(st.one_of(st.sampled_from(samples), LINES))
    if line and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(line) - 1))
        line = line[:at] + data.draw(st.binary(max_size=3)).replace(b"\n", b"") + line[at + 1 :]
    assert scan(layout, line) == match(layout, line)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("{a", 0, "expected '}' to close"),
        ("a}", 1, "expected the end of the layout, found '}'"),
        ("{?x", 3, "expected '}' to end the optional part"),
        ("{?}", 0, "must not be empty"),
        ("x {a:nonsense}", 2, "unknown type 'nonsense'"),
        ("{1a:int}", 1, "expected a name"),
        ("{timestamp:%Q}", 0, "%Q is not supported"),
        ("{timestamp:%H:%M}", 0, "does not name month and day"),
        ("{a}{b:rest}", 0, "has no type, so a literal must follow"),
        ("{a:rest} x", 0, "takes the rest, but more follows"),
        ("{a:int} {a:int}", 0, "'a' is captured twice"),
    ],
)
def test_a_wrong_layout_is_refused_where_it_is_wrong(text: str, column: int, reason: str) -> None:
    with pytest.raises(LayoutError) as caught:
        parse(text)
    assert caught.value.column == column
    assert reason in caught.value.reason
    assert str(caught.value).splitlines()[-1] == "  " + " " * column + "^"


def test_two_columns_share_a_hole_by_the_shape_of_the_value() -> None:
    layout = parse("[{user_id|user_name:token}]")
    compiler = Compiler(("user_id", "user_name"))
    compiler.add(CatalogEntry(layout, 0, 0))
    assert scan(layout, b"[x]") == {"user_id": b"x", "user_name": b"x"}
    assert sorted(compiler.leaves[0].slots) == ["user_id", "user_name"]


def test_a_probe_says_how_far_a_line_was_matched() -> None:
    compiled = catalog.Catalog.of(f for f in catalog.shipped() if f.name == "oslo.text").lines
    line = b"2022-04-19 11:24:04.123 12 LOUD nova.x [-] hi"
    leaf, _, far, node = compiled.program.probe(line)
    assert leaf == -1
    assert line[far:].startswith(b"LOUD")
    assert any("severity" in text for text in compiled.expected[node])


def test_leading_nul_bytes_do_not_hide_a_line() -> None:
    layout = parse("{process_pid:int} {body:rest}")
    assert scan(layout, b"\0\0\0" + b"7 up") == {"process_pid": b"7", "body": b"up"}
    assert match(layout, b"\0\0\0" + b"7 up") == {"process_pid": b"7", "body": b"up"}


def test_the_format_folder_of_the_checkout_is_found() -> None:
    assert catalog.folder() == ROOT / "formats"
