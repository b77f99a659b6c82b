"""Tests of significance: whether what differs between two runs may be chance.

Each returns a probability: how often a difference as great comes about where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, lgamma, log, log1p, sqrt

CERTAIN = 0.01
"""The greatest probability with which a difference of requests is told."""

_EXACT = 5_000
"""Cases up to which sums are exact; beyond that the normal distribution stands for them."""


def fisher(hits: int, cases: int, other_hits: int, other_cases: int) -> float:
    """Return how probable it is that ``hits`` of ``cases`` are as many or more by chance.

    They are compared with those of others (Fisher's exact test, one-sided).
    """
    every, every_hit = cases + other_cases, hits + other_hits
    if not cases or not other_cases:
        return 1.0
    most = min(cases, every_hit)
    if every > _EXACT:
        mean = cases * every_hit / every
        spread = mean * (every - every_hit) / every * other_cases / max(1, every - 1)
        return _tail(hits - 0.5 - mean, spread)
    whole = _choose(every, cases)
    found = sum(
        exp(_choose(every_hit, k) + _choose(every - every_hit, cases - k) - whole)
        for k in range(hits, most + 1)
        if cases - k <= every - every_hit
    )
    return min(1.0, found)


def more_often(count: int, other: int, ratio: float) -> float:
    """Return how probable it is that ``count`` is as great or greater by chance.

    ``other`` is how often the same was counted elsewhere, ``ratio`` how much more is expected
    here (an exact test of two Poisson rates, one-sided).
    """
    share, every = ratio / (1 + ratio), count + other
    if count <= 0 or share <= 0:
        return 1.0
    if share >= 1:
        return 1.0
    if every > _EXACT:
        return _tail(count - 0.5 - every * share, every * share * (1 - share))
    return min(
        1.0,
        sum(
            exp(_choose(every, k) + k * log(share) + (every - k) * log1p(-share))
            for k in range(count, every + 1)
        ),
    )


def greater(values: Sequence[float], others: Sequence[float]) -> float:
    """Return how probable it is that ``values`` are as much greater than ``others`` by chance.

    The test of Mann and Whitney, one-sided, with ties, by the normal distribution; with
    fewer than four on a side nothing is said (1).
    """
    if min(len(values), len(others)) < 4:
        return 1.0
    ranked = sorted([(value, True) for value in values] + [(value, False) for value in others])
    ranks, ties, at = 0.0, 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        ranks += sum(mine for _, mine in ranked[at:end]) * (at + end + 1) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    n, m, every = len(values), len(others), len(ranked)
    wins = ranks - n * (n + 1) / 2
    spread = n * m / 12 * (every + 1 - ties / (every * (every - 1)))
    return _tail(wins - n * m / 2 - 0.5, spread)


def adjusted(probabilities: Sequence[float]) -> list[float]:
    """Return each probability as it counts where so many were asked for (Benjamini, Hochberg)."""
    count, least = len(probabilities), 1.0
    found = [1.0] * count
    order = sorted(range(count), key=lambda number: probabilities[number])
    for rank in range(count, 0, -1):
        number = order[rank - 1]
        least = min(least, probabilities[number] * count / rank)
        found[number] = least
    return found


def median(values: Sequence[float]) -> float:
    """Return the middle one of some values, of two the mean; 0 of none."""
    if not values:
        return 0.0
    ranked, half = sorted(values), len(values) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def _choose(count: int, some: int) -> float:
    """Return the logarithm of in how many ways some of ``count`` can be chosen."""
    return lgamma(count + 1) - lgamma(some + 1) - lgamma(count - some + 1)


def _tail(above: float, variance: float) -> float:
    """Return how much of a normal distribution lies so far above its middle, or farther."""
    if variance <= 0:
        return 1.0 if above <= 0 else 0.0
    return erfc(above / sqrt(2 * variance)) / 2
