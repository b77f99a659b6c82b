"""The shipped formats as the build compiled them, so that start-up need not.

The file is a pickle, which runs as code when it is read: it stands among the package's own
modules, and nobody but who may write these may write it.  It is not used unless the format
files and the modules that compile them are those it was made of.
"""

from __future__ import annotations

import mmap
import os
import pickle
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from opslog.kernel._block import Block
from opslog.scanner._program import Program
from opslog.scanner._scan import scan
from opslog.scanner.compiled import CompiledFormats
from opslog.scanner.trees import unpickled

FILE = Path(__file__).with_name("catalog.built")

_ROOMS = ("model", "language", "scanner")
"""Where the modules are that say what the file holds."""

_OTHER_DIGITS = bytes.maketrans(b"0123456789", b"3456789012")

Parts: TypeAlias = tuple[CompiledFormats, CompiledFormats]
"""The formats of lines, and those of messages."""


def load(folder: Path) -> Parts | None:
    """Return the formats in ``folder`` as they were built, None if they were not, or changed."""
    try:
        with FILE.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    made_of = fingerprint(folder)
    if data[: len(made_of)] != made_of:
        return None
    lines, messages = unpickled(memoryview(data)[len(made_of) :])
    return _placed(lines, folder), _placed(messages, folder)


def learn(program: Program, text: bytes) -> None:
    """Let a program read a text, and the same with other digits: it knows such beginnings then."""
    data = text + b"\n" + text.translate(_OTHER_DIGITS) + b"\n"
    block = Block(len(data))
    block.reset(0)
    block.room(len(data))[:] = data
    block.filled(len(data))
    scan(program, block, len(data))


def write(folder: Path, parts: Parts) -> None:
    """Write the formats of ``folder``, which are compiled, for ``load``."""
    packed = tuple(replace(part, described=part.described.packed()) for part in parts)
    data = fingerprint(folder) + pickle.dumps(packed, pickle.HIGHEST_PROTOCOL)
    # At once, as another start may read it meanwhile.
    partial = FILE.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(FILE)


def fingerprint(folder: Path) -> bytes:
    """Return what changes with the format files in ``folder`` and the modules that compile them."""
    package = Path(__file__).parents[1]
    places = [(folder, ".toml"), *((package / room, ".py") for room in _ROOMS)]
    found = 0
    for place, ending in places:
        for name in sorted(os.listdir(place)):
            if name.endswith(ending):
                found = zlib.crc32(name.encode(), found)
                with open(place / name, "rb", buffering=0) as file:
                    found = zlib.crc32(file.read(), found)
    return b"%08x\n" % found


def _placed(compiled: CompiledFormats, folder: Path) -> CompiledFormats:
    """Return the formats with the paths that their files have here."""
    return replace(compiled, described=compiled.described.in_folder(str(folder)))
