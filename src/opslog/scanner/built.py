"""The shipped formats as the build compiled them, so that start-up need not.

The file is a pickle, which runs as code when it is read: it stands among the package's own
modules, and nobody but who may write these may write it.  It is not used unless the format
files and the modules that compile them are those it was made of.
"""

from __future__ import annotations

import gc
import os
import pickle
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from opslog.scanner.compiled import CompiledFormats

FILE = Path(__file__).with_name("catalog.built")

_ROOMS = ("model", "language", "scanner")
"""Where the modules are that say what the file holds."""

Parts: TypeAlias = tuple[CompiledFormats, CompiledFormats]
"""The formats of lines, and those of messages."""


def load(folder: Path) -> Parts | None:
    """Return the formats in ``folder`` as they were built, None if they were not, or changed."""
    try:
        data = FILE.read_bytes()
    except OSError:
        return None
    made_of = fingerprint(folder)
    if not data.startswith(made_of):
        return None
    # The objects are many, and none of them is garbage.
    collecting = gc.isenabled()
    gc.disable()
    try:
        lines, messages = pickle.loads(memoryview(data)[len(made_of) :])
    finally:
        if collecting:
            gc.enable()
    return _placed(lines, folder), _placed(messages, folder)


def write(folder: Path, parts: Parts) -> None:
    """Write the formats of ``folder``, which are compiled, for ``load``."""
    # Where it is built says nothing.
    unplaced = tuple(_placed(part, Path()) for part in parts)
    FILE.write_bytes(fingerprint(folder) + pickle.dumps(unplaced, pickle.HIGHEST_PROTOCOL))


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
    formats = tuple(replace(f, path=str(folder / Path(f.path).name)) for f in compiled.formats)
    return replace(compiled, formats=formats)
