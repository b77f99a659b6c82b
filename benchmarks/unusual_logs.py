"""Logs that are unlike others: many names, nothing said, very short and very long lines.

    python benchmarks/unusual_logs.py KIND SIZE_MB PATH

The same size gives the same bytes.  How many records a log holds is counted when it is
written, and stands beside it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import uniform
from cache import once, truth_path, written
from uniform import Values

VERSION = 1
"""Part of a cached file's name: to be raised when the bytes change."""

_BLANK_LINES = 10_000
"""Blank lines that are one record at most."""
_PIECE = 1 << 20
"""A longer line is cut into pieces of this length, each a record."""
_LIST = [
    "Traceback (most recent call last):\\n",
    *(
        f'  File "/usr/lib/python3/dist-packages/heat/engine/{name}.py", line {line}, in {name}\\n'
        f"    return self._do_{name}(resource, *args, **kwargs)\\n"
        for name, line in [("scheduler", 330), ("resource", 902), ("stack", 1217), ("client", 88)]
    ),
]

_Pieces: TypeAlias = Iterator[tuple[str, int]]
"""Parts of a log, each with the number of its records."""


def _oslo(values: Values, logger: str, text: str, level: str = "INFO") -> str:
    time = f"{values.time('%Y-%m-%d %H:%M:%S')}.{values.micros // 1000 % 1000:03d}"
    return f"{time} {values.number()} {level} {logger} [req-{_uuid(values)}] {text}"


def _uuid(values: Values) -> str:
    digits = values.of(values.hexes)
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def _said(values: Values) -> str:
    return values.message(["Took {n} seconds to build instance {hex}.", "GET {ip} status: {n}"])


def _syslog(values: Values, host: str, program: str) -> str:
    return f"{values.time('%b %e %H:%M:%S')} {host} {program}: {_said(values)}"


def _traceback_lists(values: Values, number: int) -> str:
    items = [*_LIST, f"ValueError: no resource {values.of(values.hexes)}\\n"]
    text = ", ".join(f"'{item}'" for item in items)
    return _oslo(values, "heat.engine.resource", f"[{text}]", "ERROR")


def _loggers(values: Values, number: int) -> str:
    return _oslo(values, f"some.module_{number}", _said(values))


def _json_loggers(values: Values, number: int) -> str:
    time = values.time("%Y-%m-%d %H:%M:%S")
    return json.dumps({
        "message": _said(values), "asctime": time, "name": f"module_{number}.api",
        "levelname": "INFO", "levelno": 20, "created": values.micros / 1e6,
        "process": values.number(), "hostname": f"cmp-{number}", "context": {}, "extra": {},
    })  # fmt: skip


def _hosts(values: Values, number: int) -> str:
    return _syslog(values, f"cmp-{number}", f"nova-compute[{values.number()}]")


def _programs(values: Values, number: int) -> str:
    return _syslog(values, "cmp-1", f"worker-{number}[{values.number()}]")


def _bare_times(values: Values, number: int) -> str:
    return f"{values.time('%Y-%m-%d %H:%M:%S')}.{values.micros // 1000 % 1000:03d}"


def _empty_oslo(values: Values, number: int) -> str:
    return f"{_bare_times(values, number)} {values.number()} INFO nova.compute.manager [-] "


def _empty_syslog(values: Values, number: int) -> str:
    return f"{values.time('%b %e %H:%M:%S')} cmp-{number % 40} nova-compute[{values.number()}]: "


def _nuls(values: Values, number: int) -> str:
    return "\0" * 300 * (number % 2) + _oslo(values, "nova.virt", f"\0\0{_said(values)}\0")


def _nested(values: Values, number: int) -> str:
    inner = _oslo(values, "nova.compute.manager", _said(values))
    stamp = f"{values.time('%Y-%m-%dT%H:%M:%S')}.000000000Z"
    docker = json.dumps({"log": f"{inner}\n", "stream": "stderr", "time": stamp})
    return f"{values.time('%b %e %H:%M:%S')} cmp-{number % 40} dockerd[7]: {docker}"


_LINES: dict[str, Callable[[Values, int], str]] = {
    "traceback-lists": _traceback_lists, "loggers": _loggers, "json-loggers": _json_loggers,
    "hosts": _hosts, "programs": _programs, "bare-times": _bare_times,
    "empty-oslo": _empty_oslo, "empty-syslog": _empty_syslog, "nuls": _nuls, "nested": _nested,
}  # fmt: skip
"""Logs of which each line is a record."""


def _lines(kind: str) -> _Pieces:
    values = Values()
    for number in itertools.count():
        values.tick()
        yield f"{_LINES[kind](values, number)}\n", 1


def _short() -> _Pieces:
    while True:
        yield "a\n" * 1000, 1000


def _blank() -> _Pieces:
    for number in itertools.count():
        yield "\n" * 1000, 1000 * number % _BLANK_LINES == 0


def _long(size: int) -> _Pieces:
    values = Values()
    text = values.of(values.hexes) + " "
    while True:
        values.tick()
        line = _oslo(values, "nova.virt.libvirt.driver", text * (size // len(text)))
        yield f"{line}\n", -(-len(line) // _PIECE)


def _alternating() -> _Pieces:
    values = Values()
    others = [uniform.lines(kind) for kind in uniform.KINDS if kind != "secrets"]
    while True:
        for other in others:
            yield next(other).decode(), 1
        for kind in ("loggers", "json-loggers", "nested"):
            values.tick()
            yield f"{_LINES[kind](values, 0)}\n", 1


_LOGS: dict[str, Callable[[], _Pieces]] = {
    **{kind: lambda kind=kind: _lines(kind) for kind in _LINES},  # type: ignore[misc]
    "two-bytes": _short, "blank-lines": _blank, "lines-100kb": lambda: _long(100_000),
    "lines-1mb": lambda: _long(1_000_000), "lines-10mb": lambda: _long(10_000_000),
    "alternating": _alternating,
}  # fmt: skip
KINDS = tuple(_LOGS)


def write(kind: str, size: int, path: Path) -> int:
    """Write at least ``size`` bytes of ``kind``; return the number of records."""
    written = records = 0
    with path.open("wb") as file:
        for text, count in _LOGS[kind]():
            written += file.write(text.encode())
            records += count
            if written >= size:
                break
    truth_path(path).write_text(f"{records}\n")
    return records


def cached(kind: str, megabytes: int, folder: Path) -> tuple[Path, int]:
    """Return a log and the number of its records, written on first use."""
    path = once(__file__, kind, megabytes, folder / f"{kind}-{megabytes}mb-v{VERSION}.log")
    return path, int(truth_path(path).read_text())


def main() -> None:
    """Write the log asked for."""
    written("Write a log unlike others.", KINDS, write)


if __name__ == "__main__":
    main()
