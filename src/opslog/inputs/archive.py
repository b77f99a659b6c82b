"""Tar archives: their members are sources like the files of a folder, read as they lie in it.

An archive is read once, from its beginning to its end; nothing is unpacked to disk, and only
one member is open at a time.  A member is called ARCHIVE!/NAME.  Links and what is no file are
passed by: what a link leads to is in the archive under its own name, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

from opslog.inputs.given import INSIDE
from opslog.inputs.paths import Sources
from opslog.inputs.source import Source
from opslog.inputs.tables import ReadOn, Tables
from opslog.inputs.tar import HEAD_BYTES, Member
from opslog.model.errors import SourceError
from opslog.process.stop import Stop

if TYPE_CHECKING:
    from tarfile import TarInfo

LONGEST_HEADER = 1 << 20
"""Bytes of all that stands before a member: its name, its attributes, its map of holes."""

LONGEST_NAME = 4096
"""Characters of a member's name: no path of a file is longer."""

DEEPEST = 2
"""Archives within each other whose members are read."""

_STEP = 8 << 20
"""Bytes that are gone past at once."""

_ROOT = re.compile(r"\A(?:\.?/)+")
"""How names begin that mean the same without: all lie in the archive."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How what lies in archives is opened: what cannot be read is told to ``failed``.

    What ``stop`` is requested with is raised.
    """

    failed: Callable[[SourceError], None]
    stop: Stop | None = None
    of_tables: Tables | None = None

    def sources(self, source: Source) -> Iterator[Source]:
        """Yield an opened source itself or, of an archive, its members that are files.

        Those of an archive in it are among them; if its name tells one member, or a folder in it,
        only these are.  A member is open until the next one is asked for.
        """
        if not source.is_archive:
            if source.inside:
                self.failed(SourceError(source.name, f"{source.file} is no tar archive"))
            else:
                yield source
            return
        wanted, found = source.name if source.inside else "", False
        for one in self._members(source, source.file, wanted, DEEPEST):
            found = True
            yield one
        if wanted and not found:
            self.failed(SourceError(wanted, f"no file in {source.file} is called so, or below it"))

    def _members(self, archive: Source, called: str, wanted: str, deep: int) -> Iterator[Source]:
        try:
            for info, stored in _Tape(archive, self.stop).headers():
                name = f"{called}{INSIDE}{_ROOT.sub('', info.name)}"
                if len(info.name) > LONGEST_NAME:
                    self.failed(
                        SourceError(
                            archive.name,
                            f"a file in it was not read: its name has {len(info.name):,} "
                            f"characters, expected at most {LONGEST_NAME:,}",
                        )
                    )
                elif _is_wanted(name, wanted):
                    try:
                        member = Member(archive, info, stored)
                    except OSError as error:
                        self.failed(SourceError(name, str(error)))
                        continue
                    yield from self._opened(name, member, wanted, deep - 1)
                    if member.broken:
                        return
        except SourceError as error:
            self.failed(error)

    def _opened(self, name: str, member: Member, wanted: str, deep: int) -> Iterator[Source]:
        """Yield a member, or those of the archive that it is."""
        source = Source(name, self.stop, self.of_tables, member)
        try:
            if source.is_archive and deep:
                yield from self._members(source, name, wanted, deep)
            elif source.is_archive:
                self.failed(
                    SourceError(name, f"was not read: an archive in {DEEPEST} others; unpack it")
                )
            elif not wanted.startswith(name + INSIDE):
                yield source
        finally:
            source.close()


def several(sources: Sources) -> bool:
    """Return whether records may be of several files: an archive's are.

    Of what can be read only once that is not known before.
    """
    if len(sources.names) != 1 or sources.readable_once():
        return len(sources.names) > 1
    try:
        with sources.standard_input_kept():
            source = Source(sources.names[0])
            try:
                return source.is_archive
            finally:
                source.close()
    except SourceError:
        return False  # reading it says so


def _is_wanted(name: str, wanted: str) -> bool:
    """Return whether a member, or what may lie in it, is what is wanted, or lies below that."""
    folder = wanted.rstrip("/")
    return (
        not wanted
        or name == wanted
        or name.startswith((f"{folder}/", f"{folder}{INSIDE}"))
        or folder.startswith(f"{name}{INSIDE}")
    )


@dataclass(slots=True)
class _Tape:
    """The bytes of an archive as tarfile asks for them, from place to place, only on.

    What a header makes it read is bounded.
    """

    archive: Source
    stop: Stop | None
    left: int = LONGEST_HEADER
    last: bytes = b""
    """The block that was read last."""
    mode: str = field(default="rb", init=False)

    def headers(self) -> Iterator[tuple[TarInfo, int]]:
        """Yield the files in it, and how many bytes it has of each; raises SourceError."""
        import tarfile  # start-up: most runs read no archive

        try:
            tar = tarfile.TarFile(fileobj=cast("IO[bytes]", self), encoding="utf-8")
            while (info := tar.next()) is not None:
                # What it keeps would grow with the archive.
                tar.members.clear()  # type: ignore[attr-defined]
                if told := tar.pax_headers:
                    tar.pax_headers = {key: told[key] for key in tarfile.PAX_FIELDS if key in told}
                stored = tar.offset - info.offset_data
                if min(info.size, stored) < 0:
                    raise tarfile.ReadError("a negative size")
                if info.isreg() or info.type not in tarfile.SUPPORTED_TYPES:
                    yield info, stored
                self.left = LONGEST_HEADER
        except (tarfile.TarError, RecursionError, ValueError, OverflowError) as error:
            raise self._damaged(str(error)) from None
        self._check_end()

    def _check_end(self) -> None:
        """Raise SourceError if the archive goes on behind its end, or has none."""
        if len(self.last) < HEAD_BYTES:
            raise self._damaged("it ends too early")
        if self.last.strip(b"\0"):
            raise self._damaged("no header where one was expected")
        while data := ReadOn(self.archive.read_into).read(_STEP):
            self._go_on()
            if data.strip(b"\0"):
                raise SourceError(
                    self.archive.name,
                    "something follows the end of the tar archive; it was not read",
                )

    def _damaged(self, how: str) -> SourceError:
        return SourceError(
            self.archive.name,
            f"damaged tar archive at byte {self.tell():,} ({how}); what stands before was read",
        )

    def _go_on(self) -> None:
        if self.stop:
            self.stop.check()

    def tell(self) -> int:
        """Return where it is."""
        return self.archive.offset

    def seek(self, offset: int) -> None:
        """Go on at a place, or at the end if there is none; raises SourceError."""
        if offset < self.tell():
            raise self._damaged("a size that cannot be")
        if self.archive.can_seek:
            self.archive.seek(min(offset, self.archive.size))
            return
        before = -1
        while before < self.tell() < offset:
            before = self.tell()
            self.archive.seek(min(offset, before + _STEP))
            self._go_on()

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer at the end; raises SourceError."""
        self.left -= count
        if self.left < 0:
            raise self._damaged(f"a header of more than {LONGEST_HEADER:,} bytes")
        self.last = ReadOn(self.archive.read_into).read(count)
        return self.last
