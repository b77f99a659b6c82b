"""The table of hole types: an entry is all that a type needs."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import ROOT
from layout_matching import FRAGMENTS, match, scan, texts
from opslog.checking.check import check
from opslog.checking.sample_reader import SampleReader
from opslog.language.atoms import ANY, Atoms, byte_set, first_bytes, many, spelled
from opslog.language.format_file import from_dict
from opslog.language.hole_types import HOLE_TYPES, HoleType, hole_type
from opslog.language.layout_parser import parse
from opslog.language.layout_regex import regex_of
from opslog.language.timestamps import DIRECTIVES
from opslog.model.errors import LayoutError
from opslog.model.severity import VOCABULARIES

sys.path.insert(0, str(ROOT / "docs"))
import generate

BEFORE = st.sampled_from(["", "<", "é", "x ", "-"])
BEHIND = st.sampled_from(
    ["", "", "", "", " ", "] ", "[", "-", ":", ".", "é", "g", "0", "\x1b", '"', ">"]
)


@st.composite
def layouts_and_lines(draw: st.DrawFn, name: str) -> tuple[str, str, list[bytes]]:
    """Draw a layout around a hole of a type, a vocabulary, and lines that come near it."""
    hole = hole_type(name)
    before, behind = draw(BEFORE), draw(BEHIND)
    width = draw(st.sampled_from(["", "", "<1", "<9", ">9", "<40", ">40"])) if hole.paddable else ""
    kept = ["timestamp"] if name not in HOLE_TYPES else ["a", "program"]
    layout = f"{before}{{{draw(st.sampled_from(['', *kept]))}:{name}{width}}}{behind}"
    if draw(st.booleans()):
        layout += "{b:token?}" if draw(st.booleans()) else "{body:rest}"
    vocabulary = draw(st.sampled_from(sorted(VOCABULARIES)))
    lines = []
    for _ in range(6):
        text = draw(texts(hole, behind)) if hole.regex else draw(words(vocabulary))
        near = [text[:-1], text + text[-1:], text[:1] + text]
        text = draw(st.sampled_from([text, text, text, *near]))
        blanks = b" " * draw(st.sampled_from([0, 0, 1, 9 - len(text), 40 - len(text)]))
        text = draw(st.sampled_from([text, blanks + text, text + blanks]))
        rest = draw(st.one_of(st.just(""), FRAGMENTS)).encode()
        lines.append(before.encode() + text + behind.encode() + rest)
    # An empty line is taken by no layout.
    return layout, vocabulary, [line for line in lines if line.strip(b"\0")]


def words(vocabulary: str) -> st.SearchStrategy[bytes]:
    """Return level words, and what they may begin."""
    ends = st.sampled_from(["", "", "s", "1", "#", "-"])
    word = st.sampled_from(sorted(VOCABULARIES[vocabulary]))
    return st.tuples(word, ends).map(lambda parts: "".join(parts).encode())


@pytest.mark.parametrize(
    "name",
    [*HOLE_TYPES, "iso", "iso-msecs", "iso-zone", *(f"%d.%m|%{letter}" for letter in DIRECTIVES)],
)
@settings(max_examples=settings().max_examples // 4)
@given(st.data())
def test_scanner_and_regex_agree_on_every_type_before_and_behind_any_literal(
    name: str, data: st.DataObject
) -> None:
    text, vocabulary, lines = data.draw(layouts_and_lines(name))
    try:
        layout = parse(text, vocabulary)
    except LayoutError:
        return
    for line in lines:
        assert scan(layout, line) == match(layout, line)


VOWELS = HoleType(
    "vowels", "vowels", "[aeiou]++", "run", (many("aeiou"),), 1 << 30, member="[aeiou]", vague=True
)
DIGITS = HoleType("digit", "a digit", "[0-9]", "run", (many("0-9"),), 1, fills=("int64", "float64"))
ENCODED = HoleType(
    "letters", "letters, kept decoded", "[a-z%0-9]++", "run", (many("a-z%0-9"),), 1 << 30,
    change="percent",
)  # fmt: skip


def test_a_type_is_one_entry_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in (VOWELS, DIGITS, ENCODED):
        monkeypatch.setitem(HOLE_TYPES, entry.name, entry)
    text = "{timestamp:iso} {a:vowels<4}|{?{http_status:digit} }{b:letters} {body:rest}"
    one = from_dict(
        {
            "name": "own",
            "title": "own",
            "layouts": [{"layout": text}],
            "samples": [
                {
                    "line": "2026-03-10T10:00:00Z ae  |7 x%41 y",
                    "expect": {"http_status": 7, "attributes": {"a": "ae", "b": "xA"}, "body": "y"},
                }
            ],
        },
        "own.toml",
    )
    check(one)  # the scanner takes the line; values are kept, decoded and numbers
    layout = one.layouts[0].layout
    for line in (
        b"2026-03-10T10:00:00Z ae  |7 x y",
        b"2026-03-10T10:00:00Z aeiou|x y",
        b"x ae  |7 x y",
    ):
        assert scan(layout, line) == match(layout, line)
    assert "[aeiou]" in regex_of(layout)
    far, missing = SampleReader(one).stop("2026-03-10T10:00:00Z xy")
    assert (far, missing) == (21, "matched up to here; expected a (vowels), then '|'")
    assert "| `vowels` | vowels |" in generate.types()
    with pytest.raises(
        LayoutError, match=r"digit cannot be filled up with blanks: expected one of .*vowels"
    ):
        parse("{a:digit<4}")


@given(st.text("09afAF.:_-", min_size=1), st.characters(codec="ascii"))
def test_a_set_of_bytes_is_the_class_of_a_regular_expression(text: str, character: str) -> None:
    characters = text.replace("-", "") + "0-9a-f-"
    found = byte_set(characters) >> ord(character) & 1
    assert bool(found) == bool(re.fullmatch(f"[{characters}]", character))


@pytest.mark.parametrize(
    ("atoms", "first"),
    [
        (spelled(b"ab"), byte_set("a")),
        ((many("0-9", absent=1), *spelled(b"x")), byte_set("0-9x")),
        ((many("0-9", absent=1),), ANY),
        ((), ANY),
    ],
)
def test_what_texts_begin_with_is_known_unless_they_may_be_empty(atoms: Atoms, first: int) -> None:
    assert first_bytes([atoms]) == first
