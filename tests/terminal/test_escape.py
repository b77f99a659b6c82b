"""What reaches a terminal: everything that can be seen, and nothing else."""

from __future__ import annotations

import ast
import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from opslog.terminal.escape import escaped, escaped_lines

IGNORABLE = [
    *"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0",
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0100, 0xE01F0)),
]
"""Letters and marks that Unicode calls ignorable by default: nothing is drawn for them."""


def test_of_every_character_is_known_whether_it_can_be_seen() -> None:
    for char in map(chr, range(sys.maxunicode + 1)):
        seen = unicodedata.category(char) not in (
            "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp",
        ) and char not in IGNORABLE  # fmt: skip
        shown = escaped(char)
        assert (shown == char) == seen, hex(ord(char))
        if not seen:
            # As Python writes it, so that one can say which it was.
            assert ast.literal_eval(f"'{shown}'") == char
            assert shown.isascii()


@given(st.text())
def test_nothing_is_left_that_cannot_be_seen_and_what_can_be_stays(text: str) -> None:
    shown = escaped(text)
    assert escaped(shown) == shown
    assert shown == "".join(map(escaped, text))
    assert escaped_lines(text).split("\n") == [escaped(line) for line in text.split("\n")]


def test_scripts_are_shown_as_they_are() -> None:
    for text in (
        "größe",
        "e\u0301",
        "日本語\u3000です",
        "हिन्दी",
        "العربية",
        "שָׁלוֹם",
        "👩🏽",
        "a\xa0b",
    ):
        assert escaped(text) == text


def test_what_hides_in_text_is_shown() -> None:
    assert escaped("admin\u200b \ufeffroot") == "admin\\u200b \\ufeffroot"
    assert escaped("a\u202etxt.exe") == "a\\u202etxt.exe"
    assert escaped("ok\U000e0061\U000e007f") == "ok\\U000e0061\\U000e007f"
    assert escaped("👩\u200d💻") == "👩\\u200d💻"
    assert escaped("\x1b[2J\x9b\tx\r\n") == "\\x1b[2J\\u009b\\tx\\r\\n"
