"""What several tests need: text in, records out, by the library's own doors."""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forked import Commands
from opslog import Normalizer
from opslog.model import schema

ROOT = Path(__file__).resolve().parents[1]


def table(data: bytes, cuts: Iterable[int] = (), **options: Any) -> pa.Table:
    """Normalise ``data``, fed in pieces cut at the given offsets."""
    normalizer = Normalizer(**options)
    batches, start = [], 0
    for end in (*sorted(cuts), len(data)):
        batches += normalizer.feed(data[start:end])
        start = end
    batches += normalizer.close()
    return pa.Table.from_batches(batches, schema.arrow_schema(options.get("original", False)))


def records(text: str | bytes, **options: Any) -> list[dict[str, Any]]:
    """Normalise text and return each record's values without the nulls."""
    data = text.encode() if isinstance(text, str) else text
    return [
        {k: dict(v) if k == "attributes" else v for k, v in row.items() if v not in (None, [])}
        for row in table(data, **options).to_pylist()
    ]


def plain(found: pa.Table) -> pa.Table:
    """Return a table as values alone: how they are encoded or cut in chunks does not show."""
    columns = [
        pc.cast(column, pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in found.columns
    ]
    return pa.table(columns, names=found.column_names).combine_chunks()


def opslog(
    *arguments: str, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command and return what it said."""
    said = _commands().run_bytes(*arguments, cwd=cwd or Path.cwd(), stdin=stdin)
    return subprocess.CompletedProcess(["opslog", *arguments], *said)


@functools.cache
def _commands() -> Commands:
    commands = Commands()
    atexit.register(commands.close)
    return commands


def wait_until_idle(process: subprocess.Popen[bytes]) -> None:
    """Return once the process sleeps, and has used no time for a while."""
    end, idle, before = time.monotonic() + 60, 0, ""
    while idle < 20:
        _, _, state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")
        idle = idle + 1 if state == before and state.split()[0] == "S" else 0
        before = state
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


def on_terminal(width: int, *arguments: str, stdin: bytes = b"", **variables: str) -> str:
    """Run the command on a terminal of ``width`` columns and return what that shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, width, 0, 0))
    own = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "COLUMNS")}
    with subprocess.Popen(
        [sys.executable, "-m", "opslog", *arguments], stdin=subprocess.PIPE, stdout=theirs,
        env=own | {"TERM": "xterm", "TZ": "UTC", "PAGER": ""} | variables,
    ) as command:  # fmt: skip
        os.close(theirs)
        assert command.stdin
        command.stdin.write(stdin)
        command.stdin.close()
        shown = b""
        with suppress(OSError):  # Linux says so at the end
            while read := os.read(ours, 65536):
                shown += read
    os.close(ours)
    assert command.returncode == 0
    return shown.decode().replace("\r\n", "\n")
