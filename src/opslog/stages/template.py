"""What messages and tracebacks have in common when their values differ.

A template is a message in which each value stands as ``<*>``: quoted text, and
words with a digit together with what is joined to them (numbers, times,
addresses, ids).  A fingerprint is a number made from the template and what else
tells errors apart; the same on every machine and in every run.
"""

from __future__ import annotations

import re
from hashlib import blake2b

import pyarrow as pa

from opslog.model.arrays import texts
from opslog.stages.rows import coded

_VALUE = r"""(?:\b[ub]|\B)(?:'[^'\n]*'|"[^"\n]*")\B|\w*\d\w*(?:[-.:]+\w+)*"""
"""RE2: its time is linear in the text."""

_FRAME = re.compile(r'^[ |+]*File "([^"\n]*)", line \d+, in (.*)$', re.MULTILINE)


def templates(messages: pa.Array) -> pa.Array:
    """Return the template of each message; null stays null."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(messages, _VALUE, "<*>")


def frames(traceback: str) -> str:
    """Return the files and functions a Python traceback names, without lines and places.

    Of what names none, the template.
    """
    found = _FRAME.findall(traceback)
    if not found:
        return str(templates(texts([traceback]))[0])
    return "\n".join(f"{_installed(path)} {function}" for path, function in found)


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

    Of severity, service, logger, the message's template, the exception's type
    and the traceback's frames.
    """
    columns = [
        coded(batch.column(name))
        for name in ("severity_number", "service_name", "logger", "exception_type")
    ]
    columns.append(coded(templates(batch.column("body"))))
    numbers, traces = coded(batch.column("exception_stacktrace"))
    columns.append((numbers, [None if trace is None else frames(trace) for trace in traces]))
    known: dict[tuple[int, ...], str] = {}
    out = []
    for key in zip(*(numbers for numbers, _ in columns), strict=True):
        found = known.get(key)
        if found is None:
            parts = (values[number] for number, (_, values) in zip(key, columns, strict=True))
            found = known[key] = fingerprint(*parts)
        out.append(found)
    return out
