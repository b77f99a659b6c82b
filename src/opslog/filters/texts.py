"""Texts of which some columns must have one: names and ids, as most filters ask for.

The engine compares them without Arrow, as it compares bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import or_
from typing import TYPE_CHECKING, Self

from opslog.filters import arrow
from opslog.filters.joined import joined
from opslog.model import arrays
from opslog.model.arrow import pa
from opslog.model.errors import FilterError

if TYPE_CHECKING:
    import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Texts:
    """One of ``columns`` must have one of these texts, as a whole or as its beginning."""

    columns: tuple[str, ...]
    whole: tuple[bytes, ...] = ()
    beginnings: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, columns: tuple[str, ...], names: Sequence[str]) -> Self | None:
        """Return what ``names`` ask for; None where ``*`` or ``?`` stands elsewhere than at an end.

        Raises FilterError for a name that is no text.
        """
        if any(set("*?") & set(name.removesuffix("*")) for name in names):
            return None
        whole = tuple(checked(name).encode() for name in names if not name.endswith("*"))
        beginnings = tuple(checked(name[:-1]).encode() for name in names if name.endswith("*"))
        return cls(columns, whole, beginnings)

    def expression(self) -> pc.Expression:
        """Return the condition that one of the columns has one of them."""
        condition = joined(or_, self._conditions())
        return arrow.call("coalesce", condition, arrow.constant(arrays.boolean(False)))

    def _conditions(self) -> Iterator[pc.Expression]:
        texts = arrow.compute.SetLookupOptions(arrays.texts(_decoded(self.whole)))
        for column in map(arrow.column, self.columns):
            yield arrow.call("is_in", column, options=texts)
            for text in _decoded(self.beginnings):
                beginning = arrow.compute.MatchSubstringOptions(text)
                yield arrow.call("starts_with", column.cast(pa.string()), options=beginning)


def _decoded(texts: tuple[bytes, ...]) -> list[str]:
    return [text.decode() for text in texts]


def checked(value: str) -> str:
    """Return ``value``; raises FilterError if no column of text can hold it."""
    try:
        value.encode()
    except (AttributeError, UnicodeEncodeError):
        raise FilterError(str(value), "expected text, found") from None
    return value
