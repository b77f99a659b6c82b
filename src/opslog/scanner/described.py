"""All there is to say of a catalog's formats, leaves and nodes: few runs ask for it."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from opslog.scanner.trees import unpickled

if TYPE_CHECKING:
    from opslog.language.format import Format
    from opslog.scanner.leaf import Leaf


class Description(NamedTuple):
    """The formats and leaves of a catalog, and what each node of its program expects."""

    formats: tuple[Format, ...]
    leaves: tuple[Leaf, ...]
    expected: tuple[tuple[str, str], ...]


class Described:
    """A description, packed until it is asked for; its format files then lie in ``folder``."""

    def __init__(self, whole: Description | bytes, folder: str = "") -> None:
        self._whole = whole
        self._folder = folder

    @property
    def whole(self) -> Description:
        """The description."""
        if isinstance(self._whole, bytes):
            # Two threads may come here together: each finds the same.
            found: Description = unpickled(self._whole)
            formats = (
                replace(one, path=os.path.join(self._folder, one.path)) for one in found.formats
            )
            self._whole = found._replace(formats=tuple(formats))
        return self._whole

    def packed(self) -> Described:
        """Return the same, packed; the format files by their names alone."""
        formats = (replace(one, path=os.path.basename(one.path)) for one in self.whole.formats)
        whole = self.whole._replace(formats=tuple(formats))
        return Described(pickle.dumps(whole, pickle.HIGHEST_PROTOCOL))

    def in_folder(self, folder: str) -> Described:
        """Return what ``packed`` returned, of format files in this folder."""
        return Described(self._whole, folder)
