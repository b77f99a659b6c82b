"""What a text may be made of, byte by byte: sets of bytes, one behind the other.

The scanner follows them on the first bytes of a line to rule out layouts (scanner/prefix.py).
Atoms may allow more texts than the type they stand for, never fewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

ANY = (1 << 256) - 1
"""All bytes, as a set: bit n of the number stands for byte n."""


def byte_set(characters: str) -> int:
    """Return the set of the ASCII characters of a class such as ``0-9A-F_-``, as bits."""
    found, at = 0, 0
    while at < len(characters):
        first = last = ord(characters[at])
        at += 1
        if characters[at : at + 1] == "-" and at + 1 < len(characters):
            last = ord(characters[at + 1])
            at += 2
        found |= (2 << last) - (1 << first)
    return found


class Atom(NamedTuple):
    """One byte of a set, or any number of them from one on; it may be absent."""

    bytes: int
    repeats: bool = False
    absent: int = 0
    """If it is not 0, how many atoms from this one on may be absent together."""


Atoms: TypeAlias = tuple[Atom, ...]
"""What a text is made of, one atom behind the other."""


def one(characters: str, absent: int = 0) -> Atom:
    """Return an atom of one byte."""
    return Atom(byte_set(characters), absent=absent)


def many(characters: str, absent: int = 0) -> Atom:
    """Return an atom of one or more bytes."""
    return Atom(byte_set(characters), True, absent)


ANYTHING = Atom(ANY, True, 1)
"""Any number of any bytes, also none."""


def spelled(text: bytes) -> Atoms:
    """Return the atoms of a text that stands for itself."""
    return tuple(Atom(1 << byte) for byte in text)


def first_bytes(texts: Iterable[Atoms]) -> int:
    """Return the bytes one of which each of the texts begins with; all if none need be there."""
    found = 0
    for atoms in texts:
        at, more = 0, True
        while more and at < len(atoms):
            found |= atoms[at].bytes
            more = atoms[at].absent > 0
            at += atoms[at].absent
        if more:
            return ANY
    return found
