"""What messages and tracebacks have in common when their values differ.

A template is a message in which each value stands as ``<*>``: quoted text, and
words with a digit together with what is joined to them (numbers, times,
addresses, ids).  A fingerprint is a number made from the template and what else
tells errors apart; the same on every machine and in every run.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from itertools import dropwhile

import pyarrow as pa

from opslog.model.arrays import texts
from opslog.stages._repeats import together
from opslog.stages._template import templates_of
from opslog.stages.rows import codes

_FRAME = re.compile(r'^[ |+]*File "([^"\n]*)", line \d+, in (.*)$', re.MULTILINE)


def templates(messages: pa.Array) -> pa.Array:
    """Return the template of each message (string); null stays null."""
    if messages.null_count == len(messages):
        return messages
    _, offsets, data = messages.buffers()
    ends = memoryview(offsets).cast("B").cast("i")[messages.offset :]
    new_ends, texts = templates_of(ends, memoryview(data or b"").cast("B"), len(messages))
    known = messages.is_valid().buffers()[1] if messages.null_count else None
    return pa.Array.from_buffers(
        pa.string(), len(messages), [known, pa.py_buffer(new_ends), pa.py_buffer(texts)]
    )


def frames(traceback: str) -> str:
    """Return the files and functions a Python traceback names, without lines and places.

    Behind them stands the template of what was raised, as two errors may be raised in one place.
    Of what names none, the template of all.
    """
    found = list(_FRAME.finditer(traceback))
    if not found:
        return str(templates(texts([traceback]))[0])
    frame, *below = traceback[found[-1].start() :].split("\n")
    # Its code, and where in that it was, stand deeper.
    raised = "\n".join(dropwhile(lambda line: _indent(line) > _indent(frame), below))
    names = [f"{_installed(one[1])} {one[2]}" for one in found]
    return "\n".join([*names, str(templates(texts([raised]))[0])])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" |+"))


def _installed(path: str) -> str:
    """Return the path below the folder of installed packages."""
    for folder in ("/site-packages/", "/dist-packages/"):
        path = path.rpartition(folder)[2]
    return path


def fingerprint(*parts: str | int | None) -> str:
    """Return 16 hexadecimal digits made from the parts, whose order counts."""
    whole = "".join("-" if part is None else f"{len(str(part))}:{part}" for part in parts)
    return blake2b(whole.encode(), digest_size=8).hexdigest()


def fingerprints(batch: pa.RecordBatch) -> list[str]:
    """Return each record's fingerprint.

    Of severity, service, logger, the message's template, the exception's type, the traceback's
    frames and the template of what was raised.
    """
    numbers, parts = alike(batch)
    names = [fingerprint(*one) for one in parts]
    return [names[number] for number in numbers]


def alike(batch: pa.RecordBatch) -> tuple[memoryview[int], list[tuple[str | int | None, ...]]]:
    """Return each record's number (int32), and the parts of its fingerprint by number.

    Different numbers may have the same parts.
    """
    columns = [
        codes(batch.column(name))
        for name in ("severity_number", "service_name", "logger", "exception_type")
    ]
    columns.append(codes(templates(batch.column("body"))))
    columns.append(codes(batch.column("exception_stacktrace")))
    numbers, firsts = together([column for column, _ in columns], len(batch))
    *parts, traces = (
        [values[column[row]] for row in firsts]
        for column, known in columns
        for values in ([*known.to_pylist(), None],)
    )
    told = {trace: frames(trace) for trace in set(traces) if trace is not None}
    parts.append([told.get(trace) for trace in traces])
    return memoryview(numbers).cast("i"), list(zip(*parts, strict=True))
