"""A traceback logged as the repr of the list of its lines is read as Python would read it."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from opslog import Normalizer

HEAD = "2026-03-10 10:00:00.000 7 ERROR heat.engine.resource [-] failed: "
FIRST = "Traceback (most recent call last):\n"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("'\"\\\nxuU0'"))


def stacktrace(text: str) -> str | None:
    """Return the stack trace of the one record that a line makes."""
    normalizer = Normalizer()
    batches = [*normalizer.feed(f"{HEAD}{text}\n".encode()), *normalizer.close()]
    [found] = [row for batch in batches for row in batch["exception_stacktrace"].to_pylist()]
    assert found is None or isinstance(found, str)
    return found


@given(st.lists(TEXTS), st.sampled_from([repr, ascii]))
def test_the_lines_are_those_that_python_reads(
    texts: list[str], printed: type[repr] | type[ascii]
) -> None:
    lines = [FIRST, *texts]
    assert stacktrace(printed(lines)) == "".join(lines).rstrip("\n")


@given(st.lists(TEXTS), st.data())
def test_of_a_list_that_is_cut_the_whole_lines_are_read(
    texts: list[str], data: st.DataObject
) -> None:
    text = ascii([FIRST, *texts])
    cut = text[: data.draw(st.integers(len(ascii([FIRST])) - 1, len(text)))]
    whole = [FIRST]
    for count in range(len(texts) + 1):
        start = ascii([FIRST, *texts[:count]])[:-1]
        if cut.startswith(start):
            whole = ast.literal_eval(f"{start}]")
    assert stacktrace(cut) == "".join(whole).rstrip("\n")


def test_python_2_marks_its_texts() -> None:
    assert stacktrace(r"[u'Traceback (most recent call last):\n', u'A: \xe9\u20ac']") == (
        "Traceback (most recent call last):\nA: é€"
    )
