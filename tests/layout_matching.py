"""A layout matched by the scanner and by its regular expression; lines near what types accept."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from hypothesis import strategies as st

from opslog.language.hole_types import HoleType
from opslog.language.layout import Layout
from opslog.language.layout_parser import parse
from opslog.language.layout_regex import compiled
from opslog.scanner._prefix import MOST_BRANCHES
from opslog.scanner._program import Program
from opslog.scanner.compiler import Compiler
from opslog.scanner.instructions import Instructions
from opslog.scanner.leaf import CatalogEntry
from opslog.scanner.prefix import Forest
from opslog.scanner.slots import CONSTANT, SLOT
from opslog.scanner.trie import Node, insert, number

OTHER = parse("\x01\x01 another layout")


@lru_cache(maxsize=1)
def compiler_of(layout: Layout) -> tuple[Compiler, Program, Forest]:
    """Return the layout compiled behind another one, and its own automaton of first bytes.

    The first tree of a program is always tried: the layout stands in another one, so that the
    automaton has its say.
    """
    compiler = Compiler(())
    compiler.add(CatalogEntry(OTHER, 0, 0))
    compiler.add(CatalogEntry(layout, 0, 1))
    roots: list[Node] = []
    for order, variant in enumerate(layout.variants):
        insert(roots, Instructions().steps(variant, layout.vocabulary), order)
    number(roots, MOST_BRANCHES)
    return compiler, compiler.program(), Forest(roots, len(roots))


def scan(layout: Layout, line: bytes) -> dict[str, bytes] | None:
    """Match one line with the scanner; return its captures."""
    compiler, program, forest = compiler_of(layout)
    leaf, spans, _, _ = program.probe(line)
    if leaf < 0:
        return None
    assert leaf > 0, "no line begins as the other layout does"
    state = 0
    for byte in line.lstrip(b"\0"):
        state, _ = forest.step(state, byte)
    assert forest.branches[state] > 1, "what takes a line is not ruled out by its bytes"
    return {
        name: line[slice(*spans[slot & SLOT])]
        for name, slot in compiler.leaves[leaf].slots.items()
        if not slot & CONSTANT
    }


def match(layout: Layout, line: bytes) -> dict[str, bytes] | None:
    """Match one line with the regular expression; return its captures."""
    found = compiled(layout).match(line)
    if found is None:
        return None
    captures = {}
    for group, value in found.groupdict().items():
        for name in group.split("_or_"):
            if value is not None:
                captures["severity_text" if name == "severity" else name] = value
    return captures


FRAGMENTS = st.sampled_from(
    [
        "2024-02-29 12:30:45", "2023-02-30T23:59:60", ".5", ",123", ".123.456", "Z", "+02:00", "-0530",
        "03/Nov/2016 14:58:55", "Feb 29 12:30:45", "Nov  3 12:30:45", "Jun 3 1:2:3", "0211 19:03:31", "161109  9:25:42",
        "161109 19:25:42", "31", " 1", "10", "32", "2 3", "I", "trace1", "trace", "trace9", "#", "##", "<191>", "192", "<13>", "07", "-1", "0", "INFO", "WARNING", "WARNINGS", "TRACE", "req-", "req-1-a", "None", "-", "[a@1]", '[a b="c"]', '[x@9 b="\\]" c="',
        "0123456789abcdef" * 2, "0123456789abcdef" * 4, "5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a",
        "tx0123456789abcdef01234-0123456789", "tx0123456789abcdef01234-0123456789-x.y",
        "x", "a.b_c-d", "/usr/lib/x.py", "<string>", "x.go", ".go", ":", ": ", " ", "  ", "[", "]", "] ", "[-]", "\"",
        "\x1b[00m", "#033[1;2m", "^[[0m", "^[", "#033", "1", "12345678901234567890", "3.14", "http://a/b",
        "https://", "GET", ":8080", "\\\"", "-1", "10.0.0.1,<local>", "\t", "é", "\x00", "\\", "{", "}", "g", "ERROR nova.x ", "error", "[Info", "<WARN>", "debug:", "Critical] ", "error-handler", "dbg ",
    ]
)  # fmt: skip
"""Text that comes near what types accept, so that both agree where it matters."""

LINES = st.one_of(
    st.lists(FRAGMENTS, max_size=12).map("".join).map(str.encode), st.binary(max_size=40)
).filter(lambda line: b"\n" not in line and not line.startswith(OTHER.text[:1].encode()))


@cache
def texts(hole: HoleType, after: str) -> st.SearchStrategy[bytes]:
    """Return texts that the type's regular expression matches, or that come near."""
    greedy = re.sub(r"(?<=[*+?}])\+", "", hole.regex_before(after)).replace("(?>", "(?:")
    right = st.from_regex(re.compile(greedy.encode(), re.DOTALL), fullmatch=True)
    near = st.one_of(right, right, FRAGMENTS.map(str.encode))
    return near.map(lambda text: text.replace(b"\n", b""))
