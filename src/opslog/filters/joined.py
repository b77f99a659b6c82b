"""Many conditions joined to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from opslog.model.errors import FilterError

if TYPE_CHECKING:
    import pyarrow.compute as pc

MOST_CONDITIONS = 1000
"""Conditions of one filter."""


def joined(
    join: Callable[[pc.Expression, pc.Expression], pc.Expression],
    conditions: Iterable[pc.Expression],
) -> pc.Expression:
    """Join conditions pair by pair; raises FilterError if they are too many.

    Arrow goes down an expression by recursion, and takes joined ones for a chain.
    """
    left = list(conditions)
    if len(left) > MOST_CONDITIONS:
        raise FilterError(
            f"{len(left):,}",
            f"expected at most {MOST_CONDITIONS:,} conditions (many values go into one, with in "
            "or isin), found",
        )
    while len(left) > 1:
        pairs = [join(a, b) for a, b in zip(left[::2], left[1::2], strict=False)]
        left = pairs + left[len(pairs) * 2 :]
    return left[0]
