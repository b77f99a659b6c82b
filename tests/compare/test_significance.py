"""The tests of significance, beside what can be counted out."""

from __future__ import annotations

from itertools import combinations
from math import comb, isclose

from hypothesis import given
from hypothesis import strategies as st

from opslog.compare.significance import adjusted, fisher, greater, more_often

_FEW = st.integers(0, 6)


@given(_FEW, _FEW, _FEW, _FEW)
def test_fisher_counts_all_ways_to_choose_the_cases(a: int, b: int, c: int, d: int) -> None:
    cases = [True] * (a + c) + [False] * (b + d)
    if not a + b or not c + d:
        assert fisher(a, a + b, c, c + d) == 1
        return
    ways = [sum(some) for some in combinations(cases, a + b)]
    share = sum(hits >= a for hits in ways) / len(ways)
    assert isclose(fisher(a, a + b, c, c + d), share, abs_tol=1e-9)


@given(st.integers(1, 20), st.integers(0, 20))
def test_equal_rates_are_coins_that_are_thrown(count: int, other: int) -> None:
    every = count + other
    share = sum(comb(every, k) for k in range(count, every + 1)) / 2**every
    assert isclose(more_often(count, other, 1.0), share, abs_tol=1e-9)


def test_what_is_always_greater_is_hardly_chance() -> None:
    assert greater(range(10, 20), range(10)) < 0.001 < 0.4 < greater(range(10), range(10))


@given(st.lists(st.floats(0, 1), max_size=8))
def test_what_is_asked_for_often_counts_less(chances: list[float]) -> None:
    assert all(
        one >= chance - 1e-12 for one, chance in zip(adjusted(chances), chances, strict=True)
    )
