"""Text for people: what it takes of a terminal is counted in cells, not in characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.terminal.cells import cells, padded, shortened, wrapped
from opslog.terminal.style import RED, Style
from opslog.terminal.table import table

CHARACTERS = "ab -,日本ｶカ한e\u0301\u200b\u200d\ufe0f👍🏽각\u1100\u1161\u11a8\u0e01\u0e31\xad"
TEXTS = st.text(CHARACTERS, max_size=40)
WORDS = st.text(CHARACTERS.replace(" ", ""), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("", 0),
        ("nova", 4),
        ("größe", 5),
        ("e\u0301", 1),  # an accent is drawn over its letter
        ("日本語", 6),
        ("ｶﾅ", 2),  # half width
        ("\uff21\uff22", 4),  # full width
        ("한국", 4),
        ("\u1112\u1161\u11ab", 2),  # one syllable of three parts
        ("\u0e01\u0e31\u0e19", 2),  # a Thai vowel stands above
        ("\u0915\u094d", 1),
        ("a\u200bb\u200dc\ufeff", 3),  # nothing is shown between
        ("co\xadop", 5),
        ("👍", 2),
        ("\x1b[1;31mnova\x1b[0m", 4),
        ("\x1b[2m日本\x1b[0m", 4),
    ],
)
def test_cells_are_those_a_terminal_shows(text: str, taken: int) -> None:
    assert cells(text) == taken


@given(text=TEXTS, width=st.integers(3, 30))
def test_what_is_shortened_fits_and_says_so(text: str, width: int) -> None:
    short = shortened(text, width)
    assert cells(short) <= width
    if short != text:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
        assert cells(short) >= width - 1  # not more was cut than a wide character


@given(text=TEXTS, width=st.integers(3, 20))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    few = wrapped(text, width, most=2)
    assert few == lines or (len(few) == 2 and few[1].endswith("…") and cells(few[1]) <= width)


@given(words=st.lists(WORDS, max_size=6), width=st.integers(3, 20))
def test_whole_words_stay_whole(words: list[str], width: int) -> None:
    text = " ".join(words)
    assert " ".join(wrapped(text, width, whole_words=True)) == text


@given(rows=st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1), right=st.sets(st.integers(0, 2)))
def test_columns_of_a_table_are_aligned_whatever_is_in_them(
    rows: list[tuple[str, str, str]], right: set[int]
) -> None:
    sizes = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    style = Style(True)
    for colored in (False, True):
        shown = [(style(RED if colored else "", one), *rest) for one, *rest in rows]
        for row, line in zip(shown, table(shown, right=right), strict=True):
            aligned = (
                padded(c, size, n in right)
                for n, (c, size) in enumerate(zip(row, sizes, strict=True))
            )
            assert line == "  ".join(aligned).rstrip()


def test_the_last_column_is_wrapped_where_there_is_room_for_words() -> None:
    rows = [("name", "meaning"), ("id", "what a record is known by, in all of 日本")]
    assert table(rows, 30) == [
        "name  meaning",
        "id    what a record is known",
        "      by, in all of 日本",
    ]
    assert (
        table(rows, 20)
        == table(rows)
        == [
            "name  meaning",
            "id    what a record is known by, in all of 日本",
        ]
    )
