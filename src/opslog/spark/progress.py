"""How far contents were read: the offset of a stream, as Spark's checkpoint keeps it."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from opslog.following.content import MARK_BYTES, Fingerprint, Position
from opslog.inputs.paths import FileId
from opslog.model.errors import OpslogError

_VERSION = 1
_DIGEST = 8
"""Bytes of a digest: an offset tells of thousands of files."""

Offset = dict[str, Any]
"""What Spark keeps: a dict that JSON can write."""


def fingerprint(data: bytes) -> Fingerprint:
    """Return what is remembered of bytes."""
    return Fingerprint.of(data, _DIGEST)


@dataclass(frozen=True, slots=True)
class Progress:
    """A content and how far it was read.

    ``path`` is its name in records, ``name`` where its ``file`` was found last.  All before
    ``position`` was read, ``dated`` is as in Extent.  What is ``whole`` lies compressed, or in
    another encoding: it was read to its end, and the position is that in the file as it lies there.
    """

    path: str
    name: str
    file: FileId
    position: Position
    dated: int = -1
    whole: bool = False

    @property
    def offset(self) -> int:
        """Before it all was read."""
        return self.position.offset


@dataclass(frozen=True, slots=True)
class Progresses:
    """All contents, by numbers that stay theirs.

    ``changed`` is the last change of any file when the contents were looked for (nanoseconds of
    the epoch), ``next`` the number of the next content.
    """

    contents: Mapping[int, Progress] = field(default_factory=dict)
    changed: int = 0
    next: int = 0

    def offset(self) -> Offset:
        """Return what Spark keeps: the same of the same progress."""
        rows = json.dumps([_row(*each) for each in self.contents.items()], separators=(",", ":"))
        packed = b64encode(zlib.compress(rows.encode())).decode()
        return {
            "version": _VERSION, "changed": self.changed, "next": self.next, "files": packed,
        }  # fmt: skip

    @classmethod
    def of(cls, offset: Offset) -> Progresses:
        """Return what an offset says; raises OpslogError for one that is none of opslog's."""
        if offset.get("version") != _VERSION:
            raise OpslogError(
                f"checkpoint: expected an offset of version {_VERSION}, found "
                f"{offset.get('version')!r}; use the opslog that wrote it, or a new checkpoint"
            )
        try:
            rows = json.loads(zlib.decompress(b64decode(offset["files"])))
            return cls(dict(map(_content, rows)), offset["changed"], offset["next"])
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise OpslogError(
                f"checkpoint: expected an offset that opslog wrote, found a damaged one ({error}); "
                "use a copy of the checkpoint, or a new one"
            ) from None

    def with_files(self, contents: dict[int, Progress], changed: int, next_: int) -> Progresses:
        """Return what is known now: this, if no content has changed."""
        if contents == self.contents:
            return self
        return replace(self, contents=contents, changed=changed, next=next_)


def _row(number: int, one: Progress) -> list[object]:
    start, offset, mark = one.position
    return [
        number, one.path, one.name if one.name != one.path else 0, *one.file,
        start.size, start.digest, offset, mark.digest,
        offset - one.dated if one.dated >= 0 else -1, int(one.whole),
    ]  # fmt: skip


def _content(row: list[Any]) -> tuple[int, Progress]:
    number, path, name, device, inode, size, start, offset, mark, back, whole = row
    position = Position(
        Fingerprint(size, start), offset, Fingerprint(min(offset, MARK_BYTES), mark)
    )
    dated = offset - back if back >= 0 else -1
    return number, Progress(path, name or path, FileId(device, inode), position, dated, bool(whole))
