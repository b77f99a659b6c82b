"""Names and ids are compared without Arrow, and that keeps what Arrow would keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_bounds import ORDINARY, read

from any_logs import LINES, REQUEST
from opslog import F, FilterError
from opslog.filters.filter import Filter
from opslog.filters.texts import Texts

COLUMNS = st.lists(
    st.sampled_from(
        ["service_name", "program", "host_name", "logger", "request_id", "body", "user_id"]
    ),
    min_size=1, max_size=3, unique=True,
).map(tuple)  # fmt: skip
NAMES = st.lists(
    st.sampled_from(
        ["nova", "nova.*", "nova.compute", "nova-api", "a.b", "*", "", REQUEST, "req-7822cfee*",
         "h", "\ufffd*", "j\né", "u", "is late", "color", "é*"]
    ),
    max_size=4,
)  # fmt: skip
LOGS = st.lists(st.one_of(st.sampled_from(ORDINARY), LINES), max_size=40).map(b"\n".join)


@given(log=LOGS, columns=COLUMNS, names=NAMES, source=st.sampled_from(["", "nova-api.log"]))
def test_what_is_kept_is_what_arrow_would_keep(
    log: bytes, columns: tuple[str, ...], names: list[str], source: str
) -> None:
    texts = Texts.of(columns, names)
    assert texts is not None
    kept, _ = read(log, source=source, where=Filter.having(texts))
    assert kept.equals(read(log, source=source, where=texts.expression())[0])


@given(log=LOGS, columns=COLUMNS, names=NAMES)
def test_it_is_one_condition_among_others(
    log: bytes, columns: tuple[str, ...], names: list[str]
) -> None:
    texts = Texts.of(columns, [*names, "nova.compute"])
    assert texts is not None
    loud, bare = Filter.of(F.severity >= "WARNING"), Filter.of(F.request_id.is_null())
    every = Filter.having(texts) & loud & bare
    wanted = texts.expression() & loud.expression & bare.expression
    assert read(log, where=every)[0].equals(read(log, where=wanted)[0])
    assert read(log, where=~every)[0].equals(read(log, where=~wanted)[0])


@pytest.mark.parametrize("name", ["a*b", "?", "n?va*", "**"])
def test_what_only_a_pattern_tells_is_no_text(name: str) -> None:
    assert Texts.of(("logger",), ["nova", name]) is None


def test_what_no_column_can_hold_is_told() -> None:
    with pytest.raises(FilterError, match="expected text"):
        Texts.of(("logger",), ["\udcff*"])
