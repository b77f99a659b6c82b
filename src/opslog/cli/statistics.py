"""What was counted, as a table on standard error: at the end, or when SIGUSR1 asks."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from opslog.cli import stages
from opslog.model.stats import Stats
from opslog.model.terminal import harmless


def table(stats: Stats) -> str:
    """Return what was counted as an aligned table."""
    rows: list[tuple[str, ...]] = [("format", "records", "lines", "bytes")]
    for name in sorted(stats.formats, key=lambda name: (name is None, name)):
        counts = stats.formats[name]
        shown = "(unrecognised)" if name is None else harmless(name)
        rows.append((shown, *(f"{count:,}" for count in counts)))
    if stats.skipped_bytes:
        rows.append(("(skipped)", "", "", f"{stats.skipped_bytes:,}"))
    rows.append(("total", f"{stats.records:,}", f"{stats.lines:,}", f"{stats.bytes:,}"))
    rows += [(f"dropped by {flag}", f"{count:,}", "", "") for flag, count in stages.dropped(stats)]
    rows.append(("kept", f"{stats.kept:,}", "", ""))
    if stats.binary:
        rows.append(("files without text", f"{stats.binary:,}", "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = []
    for name, *cells in rows:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *aligned]).rstrip())
    return "\n".join(lines)


def on_stderr(text: str) -> None:
    """Write lines to standard error, whatever is being written there."""
    data = f"{text}\n".encode()
    # The descriptor itself: a signal may have come while sys.stderr is being written.
    with suppress(OSError):
        while data:
            data = data[os.write(2, data) :]


@contextmanager
def told_on_signal(
    text: Callable[[], str], say: Callable[[str], None] = on_stderr
) -> Iterator[None]:
    """Say ``text()`` whenever SIGUSR1 arrives; afterwards the signal is ignored."""

    def tell(number: int, frame: FrameType | None) -> None:
        say(text())

    signal.signal(signal.SIGUSR1, tell)
    try:
        yield
    finally:
        # One that comes late must not end what is all but done.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
