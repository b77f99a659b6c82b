"""Which formats come closest to a line, and where each of them stops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from opslog.scanner.catalog import Catalog
from opslog.scanner.compiled import CompiledFormats


@dataclass(frozen=True, slots=True)
class Miss:
    """A format that does not take a line."""

    format: Annotated[str, "the format"]
    begin: Annotated[int, "up to which byte it takes the line"]
    expected: Annotated[str, "what it expects there"]


class NearMisses:
    """Tries lines on each format alone; these are compiled when they are first asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @cached_property
    def _alone(self) -> list[tuple[str, CompiledFormats]]:
        return [(one.name, Catalog.of([one]).lines) for one in self._catalog.lines.formats]

    def of(self, line: bytes, most: int) -> tuple[Miss, ...]:
        """Return the formats that take most of a line, though not all of it; the closest first."""
        found = []
        for name, compiled in self._alone:
            leaf, _, far, failed = compiled.program.probe(line)
            if leaf >= 0 or far <= 0 or failed < 0:
                continue
            found.append(Miss(name, far, ", then ".join(filter(None, compiled.expected[failed]))))
        found.sort(key=lambda one: -one.begin)
        return tuple(found[:most])
