"""Secrets are taken out before anything is written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from opslog.model.arrays import binaries, texts
from opslog.model.arrow import pa
from opslog.outputs.jsonl import JsonlSink
from opslog.outputs.sink import Sink
from opslog.reading.direct import Writer
from opslog.rows._jsonl import JsonLines
from opslog.rows.fingerprint import NAME, with_fingerprints
from opslog.rows.kept import Kept
from opslog.stages import secrets
from opslog.stages.pseudonyms import Pseudonym, keyed, stars
from opslog.stages.rows import coded, indices, ints, text_bytes, with_dictionary
from opslog.stages.secret_names import is_secret
from opslog.stages.secret_values import is_kept

_SHORTEST = 8
"""Characters of a secret that is searched for where nothing else tells it."""

_KEY_BEGINS = re.compile(
    r"-----BEGIN [0-9A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----(?![\s\S]*-----END )"
)
_KEY_LINE = re.compile(r"\s*(?:[A-Za-z0-9+/]{4,}={0,2}|(?:Proc-Type|DEK-Info|Comment): .*|)\s*")
_KEY_LINES = 200
"""Records after the first line of a private key among which its other lines are looked for."""

KeyLines = dict[str | None, int]
"""By source, among how many further records lines of a private key may be."""

Replaced = dict[int, list[tuple[str, str]]]
"""By row, what is a secret there and what stands for it."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces secrets in every column of texts, in attributes and in lines as read.

    A secret is what a name says is one, whatever its notation and encoding, what
    has the shape of one, and what commands and URLs are given as one.  ``***``
    stands for it; with a ``key``, ``<secret:...>`` with eight digits: the same
    for equal secrets, and nothing to anybody without the key.
    """

    key: bytes | None = field(default=None, repr=False)
    pseudonym: Pseudonym = field(init=False, repr=False, compare=False)
    """Makes of a text that is a secret as a whole what stands for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pseudonym", stars if self.key is None else keyed(self.key))

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield all records, masked."""
        keys: KeyLines = {}
        for batch in batches:
            yield self.batch(batch, keys)

    def batch(self, batch: pa.RecordBatch, keys: KeyLines) -> pa.RecordBatch:
        """Return the next batch of a run, masked; ``keys`` is the run's own."""
        known = self._named(batch)
        self._key_lines(batch, keys, known)
        for place, kind in enumerate(batch.schema):
            column = batch.column(place)
            if pa.types.is_map(kind.type):
                masked = self._attributes(column)
            elif pa.types.is_dictionary(kind.type):
                masked = with_dictionary(column, self._column)
            elif pa.types.is_string(kind.type) or kind.name == "original":
                masked = self._column(_without(column, known))
            else:
                continue
            if masked is not column:
                batch = batch.set_column(place, kind, masked)
        # That of a text with a secret would tell whether one has guessed it.
        return with_fingerprints(batch) if NAME in batch.schema.names else batch

    def writer(self, sink: Sink) -> Writer | None:
        """Return what masks records and writes them to ``sink`` without all their columns."""
        return MaskedLines(self, sink) if isinstance(sink, JsonlSink) else None

    def table(self, table: pa.Table) -> pa.Table:
        """Return the table, masked: texts, and texts in lists and structures."""
        columns = [self._nested(column) for column in table.columns]
        return pa.Table.from_arrays(columns, schema=table.schema)

    def _nested(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = column.type
        if pa.types.is_string(kind):
            return pa.chunked_array([self._column(chunk) for chunk in column.chunks], kind)
        if pa.types.is_nested(kind) or pa.types.is_dictionary(kind):
            found = self.plain(column.to_pylist())
            return pa.chunked_array([pa.array(found, kind)])
        return column

    def plain(self, value: Any) -> Any:
        """Return the value, of JSON or a dataclass, masked: texts in it, and by names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                key: self.value(key, item)
                if isinstance(item, str) and isinstance(key, str)
                else self.plain(item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return type(value)(self.plain(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            found = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
            return replace(value, **self.plain(found))
        return value

    def text(self, text: str) -> str:
        """Return ``text``, masked."""
        if not secrets.SUSPECTS.text(text.encode(errors="surrogatepass")):
            return text
        return secrets.masked(text, self.pseudonym)

    def value(self, name: str, text: str) -> str:
        """Return the value of what is called ``name``, masked: as a whole if that is a secret's."""
        if is_secret(name):
            return text if not text or is_kept(text) else self.pseudonym(text)
        return self.text(text)

    def _named(self, batch: pa.RecordBatch) -> Replaced:
        """Return the secrets in attributes that are one by name.

        They may also stand in the line, where nothing but their place tells.
        """
        column = batch.column("attributes")
        found = _of_secrets(column)
        rows: Replaced = {}
        if not found:
            return rows
        ends = ints(column.offsets)
        for entry in found:
            row = bisect_right(ends, entry) - 1
            secret = column.items[entry].as_py()
            if (
                0 <= row < len(batch)
                and secret
                and len(secret) >= _SHORTEST
                and not is_kept(secret)
            ):
                rows.setdefault(row, []).append((secret, self.pseudonym(secret)))
        return rows

    def _key_lines(self, batch: pa.RecordBatch, keys: KeyLines, known: Replaced) -> None:
        """Add the lines of private keys that are records of their own.

        ``keys`` says by source among how many further records lines of one may be.
        """
        import pyarrow.compute as pc

        body = batch.column("body")
        held = text_bytes(body)
        if not keys and (held is None or b"PRIVATE KEY" not in held[1].tobytes()):
            return
        begins = pc.match_substring(body, "PRIVATE KEY").fill_null(False)
        if not keys and not begins.true_count:
            return
        begun = begins.to_pylist()
        sources = batch.column("source")
        for row in range(0 if keys else begun.index(True), len(batch)):
            source = sources[row].as_py()
            if not begun[row] and source not in keys:
                continue
            text = body[row].as_py() or ""
            if begun[row] and _KEY_BEGINS.search(text):
                keys[source] = _KEY_LINES
            elif source in keys:
                keys[source] -= 1
                if "-----END " in text or not keys[source]:
                    del keys[source]
                elif text.strip() and _KEY_LINE.fullmatch(text):
                    line = text.strip()
                    known.setdefault(row, []).append((line, self.pseudonym(line)))

    def _column(self, column: pa.Array) -> pa.Array:
        """Return the column with the texts masked that may hold a secret."""
        held = text_bytes(column)
        if held is None:
            return column
        rows = secrets.SUSPECTS.rows(*held, column.offset, len(column))
        return _changed(column, dict.fromkeys(rows, self._suspect))

    def _suspect(self, text: str) -> str:
        return secrets.masked(text, self.pseudonym)

    def _attributes(self, column: pa.MapArray) -> pa.MapArray:
        whole: dict[int, Callable[[str], str]] = dict.fromkeys(_of_secrets(column), self._whole)
        values = self._column(_changed(column.items, whole))
        if values is column.items:
            return column
        return pa.MapArray.from_arrays(column.offsets, column.keys, values)

    def _whole(self, text: str) -> str:
        return text if is_kept(text) else self.pseudonym(text)


class MaskedLines:
    """One run of a mask into JSON lines, text by text.

    Of columns are the records of a block with an attribute of a secret's name, whose value may
    stand in other columns, too, and those among which may be lines of a private key, which look
    like nothing.
    """

    def __init__(self, mask: Mask, sink: JsonlSink) -> None:
        self._mask = mask
        self._sink = sink
        self._keys: KeyLines = {}
        self._text = lru_cache(maxsize=1024)(mask.text)

    def encode(self, kept: Kept) -> tuple[Kept, JsonLines | None]:
        """Return the records and, if they need not be columns, their lines; any thread."""
        if any(self._text(text) != text for text in kept.fixed()):
            return kept, None
        return kept, self._sink.changed(kept, secrets.SUSPECTS, self._changed)

    def write(self, encoded: tuple[Kept, JsonLines | None]) -> None:
        """Write the records, in order; raises SinkError."""
        kept, lines = encoded
        if lines is None or kept.source in self._keys:
            lines = self._sink.of_batch(self._mask.batch(kept.batch(), self._keys))
        self._sink.write(lines)

    def _changed(self, data: bytes) -> bytes | None:
        """Return a text masked; None if a private key begins in it, whose lines are in others."""
        text = data.decode(errors="surrogateescape")
        if "PRIVATE KEY" in text and _KEY_BEGINS.search(text):
            return None
        return secrets.masked(text, self._mask.pseudonym).encode(errors="surrogateescape")


def _of_secrets(column: pa.MapArray) -> list[int]:
    """Return which entries of the attributes have the name of a secret."""
    if not len(column.keys):
        return []
    numbers, names = coded(column.keys)
    secret = {number for number, name in enumerate(names) if name is not None and is_secret(name)}
    return [entry for entry, number in enumerate(numbers) if number in secret] if secret else []


def _without(column: pa.Array, known: Replaced) -> pa.Array:
    """Return the column with the secrets of each row replaced."""

    def replacing(found: list[tuple[str, str]]) -> Callable[[str], str]:
        def change(text: str) -> str:
            for secret, name in found:
                text = text.replace(secret, name)
            return text

        return change

    return _changed(column, {row: replacing(found) for row, found in known.items()})


def _changed(column: pa.Array, changes: dict[int, Callable[[str], str]]) -> pa.Array:
    """Return the column with the texts of some rows changed; null stays null."""
    import pyarrow.compute as pc

    rows = sorted(changes)
    if column.null_count:
        rows = [row for row in rows if column[row].is_valid]
    if not rows:
        return column
    old = column.take(indices(rows)).to_pylist()
    each = zip(map(changes.__getitem__, rows), old, strict=True)
    new: list[Any]
    if pa.types.is_string(column.type):
        new = [change(text) for change, text in each]
    else:  # Bytes that are no text stay what they are.
        new = [
            change(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")
            for change, data in each
        ]
    if new == old:
        return column
    flags = bytearray(len(column))
    for row in rows:
        flags[row] = 1
    mask = pa.Array.from_buffers(pa.uint8(), len(column), [None, pa.py_buffer(flags)]).cast("bool")
    changed = texts(new) if pa.types.is_string(column.type) else binaries(new)
    return pc.replace_with_mask(column, mask, changed)
