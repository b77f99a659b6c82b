"""Secrets are taken out before anything is written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.model.arrays import texts
from opslog.stages import passwords, secrets
from opslog.stages.pseudonyms import Pseudonym, keyed, stars
from opslog.stages.rows import ints

_COLUMNS = (
    "body", "exception_type", "exception_message", "exception_stacktrace", "http_target",
    "original",
)  # fmt: skip
_SHORTEST = 8
"""Characters of a secret that is searched for where nothing else tells it."""

_ESCAPED = re.compile(r"(?<!\\)\\+([\"'/])")


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces secrets in messages, tracebacks, targets, attributes and lines as read.

    What ``oslo_utils.strutils.mask_password`` finds, then tokens in headers and
    URLs, tokens known by their shape, passwords of URLs and private keys.  ``***``
    stands for them; with a ``key``, ``<secret:...>`` with eight digits: the same
    for equal secrets, and nothing to anybody without the key.  Raises OpslogError
    where oslo.utils is not installed.
    """

    key: bytes | None = field(default=None, repr=False)
    pseudonym: Pseudonym = field(init=False, repr=False, compare=False)
    """Makes of a text that is a secret as a whole what stands for it."""
    words: str = field(init=False, repr=False, compare=False)
    """A pattern (RE2) found in every text that ``text`` may change."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pseudonym", stars if self.key is None else keyed(self.key))
        object.__setattr__(self, "words", f"{passwords.words()}|{secrets.WORDS}")

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield all records, masked."""
        for batch in batches:
            named = self._named(batch)
            for name in _COLUMNS:
                place = batch.schema.get_field_index(name)
                if place >= 0:
                    column = self._column(_without(batch.column(place), named))
                    batch = batch.set_column(place, batch.schema.field(place), column)
            yield self._attributes(batch)

    def text(self, text: str) -> str:
        """Return ``text``, masked."""
        masked = self._once(text)
        plain = _ESCAPED.sub(r"\1", masked)
        if plain != masked:  # JSON in JSON: no rule knows quotes behind backslashes
            unescaped = self._once(plain)
            return masked if unescaped == plain else unescaped
        return masked

    def _once(self, text: str) -> str:
        return secrets.masked(passwords.masked(text, self.pseudonym), self.pseudonym)

    def _named(self, batch: pa.RecordBatch) -> dict[int, list[tuple[str, str]]]:
        """Return by row the secrets in attributes that are one by name, and what stands for each.

        They may also stand in the line, where nothing but their place tells.
        """
        import pyarrow.compute as pc

        column = batch.column("attributes")
        ends = ints(column.offsets)
        found = pc.indices_nonzero(pc.match_substring_regex(column.keys, secrets.NAMES))
        rows: dict[int, list[tuple[str, str]]] = {}
        for entry in found.to_pylist():
            row = bisect_right(ends, entry) - 1
            secret = column.items[entry].as_py()
            if 0 <= row < len(batch) and secret and len(secret) >= _SHORTEST:
                rows.setdefault(row, []).append((secret, self.pseudonym(secret)))
        return rows

    def _column(self, column: pa.Array) -> pa.Array:
        """Return the column with the texts masked that may hold a secret."""
        import pyarrow.compute as pc

        if column.null_count == len(column):
            return column
        found = pc.match_substring_regex(column, self.words).fill_null(False)
        rows = ints(pc.indices_nonzero(found).cast(pa.int64()))
        return _changed(column, dict.fromkeys(rows, self.text))

    def _attributes(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow.compute as pc

        place = batch.schema.get_field_index("attributes")
        column = batch.column(place)
        named = pc.indices_nonzero(pc.match_substring_regex(column.keys, secrets.NAMES))
        whole = dict.fromkeys(named.to_pylist(), self.pseudonym)
        values = self._column(_changed(column.items, whole))
        if values is column.items:
            return batch
        attributes = pa.MapArray.from_arrays(column.offsets, column.keys, values)
        return batch.set_column(place, batch.schema.field(place), attributes)


def _without(column: pa.Array, named: dict[int, list[tuple[str, str]]]) -> pa.Array:
    """Return the column with the secrets of each row replaced."""

    def replacing(found: list[tuple[str, str]]) -> Callable[[str], str]:
        def change(text: str) -> str:
            for secret, name in found:
                text = text.replace(secret, name)
            return text

        return change

    return _changed(column, {row: replacing(found) for row, found in named.items()})


def _changed(column: pa.Array, changes: dict[int, Callable[[str], str]]) -> pa.Array:
    """Return the column with the texts of some rows changed; null stays null."""
    import pyarrow.compute as pc

    rows = {row: change for row, change in sorted(changes.items()) if column[row].is_valid}
    if not rows:
        return column
    flags = bytearray(len(column))
    for row in rows:
        flags[row] = 1
    mask = pa.Array.from_buffers(pa.uint8(), len(column), [None, pa.py_buffer(flags)]).cast("bool")
    old = column.filter(mask).to_pylist()
    each = zip(rows.values(), old, strict=True)
    if pa.types.is_string(column.type):
        return pc.replace_with_mask(column, mask, texts([change(text) for change, text in each]))
    # Bytes that are no text stay what they are.
    new = [
        change(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        for change, data in each
    ]
    return pc.replace_with_mask(column, mask, pa.array(new, pa.binary()))
