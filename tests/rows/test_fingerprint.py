"""An error has one id, whatever its form, and another error has another one."""

from __future__ import annotations

import json
import logging
import re
import sys
import tempfile
import tomllib
from array import array
from functools import partial
from hashlib import blake2b
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oslo_log import formatters, handlers

import opslog
from helpers import ROOT
from opslog.rows._fingerprint import fingerprints_of
from opslog.rows.fingerprint import OF, fingerprints
from oslo_records import (  # noqa: F401
    NastyError,
    formatter,
    log_records,
    sets,
    utc,
)

NOW = 1_773_136_807.791


def ids(data: bytes) -> list[str]:
    """Return the fingerprints of what is read."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return opslog.read(file.name).to_table(["fingerprint"])["fingerprint"].to_pylist()


# -- what oslo.log writes ----------------------------------------------------------------


class Journal:
    """What oslo.log's handler for the journal sends it."""

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}

    def send(self, message: str, **fields: Any) -> None:
        """Take note of an entry as journald does."""
        self.sent = {"MESSAGE": message, **{key: str(value) for key, value in fields.items()}}


def journal(record: logging.LogRecord, text: logging.Formatter) -> dict[str, str]:
    """Return the entry of a record in the journal."""
    before = handlers.journal, handlers.syslog
    handlers.journal = Journal()
    try:
        handler = handlers.OSJournalHandler(facility=1)
        handler.setFormatter(text)
        handler.emit(record)
        return {
            **handlers.journal.sent,
            "__REALTIME_TIMESTAMP": str(int(record.created * 1e6)),
            "_HOSTNAME": "ctl1",
        }
    finally:
        handlers.journal, handlers.syslog = before


def export(entry: dict[str, str]) -> bytes:
    """Return an entry in the journal's own format."""
    out = b"__CURSOR=s=1;i=1\n"
    for key, value in entry.items():
        data = value.encode()
        if b"\n" in data:
            out += key.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
        else:
            out += key.encode() + b"=" + data + b"\n"
    return out + b"\n"


def syslog(text: str) -> bytes:
    """Return lines as a syslog daemon writes them."""
    return "".join(
        f"2026-03-10T10:00:07.791+00:00 ctl1 nova-compute[42]: {line}\n"
        for line in text.split("\n")
    ).encode()


def forms(record: logging.LogRecord) -> dict[str, bytes]:
    """Return a record as oslo.log, and who stands behind it, write it."""
    text = formatter({})
    said = text.format(record)
    entry = journal(record, text)
    return {
        "text": said.encode() + b"\n",
        "JSON": formatters.JSONFormatter().format(record).encode() + b"\n",
        "fluent": json.dumps(formatters.FluentFormatter().format(record)).encode() + b"\n",
        "journal as JSON": json.dumps(entry).encode() + b"\n",
        "journal's export": export(entry),
        "syslog": syslog(said),
    }


def logged(message: str, *args: Any, raised: Exception | None, given: bool = True,
           level: int = logging.ERROR) -> dict[str, bytes]:  # fmt: skip
    """Log a message where something was raised, told or not."""
    own = logging.LogRecord("nova.compute.manager", level, "/x.py", 7, message, args, None)
    own.created, own.msecs, own.process = NOW, 791.0, 42
    own.context = None
    if raised is None:
        return forms(own)
    try:
        raise raised
    except Exception:
        if given:
            own.exc_info = sys.exc_info()
        return forms(own)


CASES = {
    "plain": {"message": "disk %s is full", "args": ("vda",), "raised": None},
    "traceback": {"message": "Exception during build", "raised": NastyError("no host")},
    "no message": {"message": "", "raised": NastyError("no host")},
    "its text": {"message": "no host", "raised": NastyError("no host")},
    "its summary": {"message": "Failed: KeyError: 'a'", "raised": KeyError("a")},
    "no text": {"message": "Failed", "raised": NastyError()},
    "lines": {"message": "Failed", "raised": NastyError("one\ntwo: 3\n\nfour")},
    "lines said": {"message": "Failed\nbadly", "raised": NastyError("one")},
    "not told": {"message": "Failed", "raised": OSError(12, "no memory"), "given": False},
    "nothing told": {"message": "", "raised": OSError(12, "no memory"), "given": False},
    "left out": {"message": "Failed", "raised": KeyError("a"), "given": False},
    "warning": {"message": "Failed", "raised": NastyError("x"), "level": logging.WARNING},
    "info": {"message": "Failed", "raised": NastyError("x"), "level": logging.INFO},
    "group": {"message": "Failed", "raised": ExceptionGroup("all", [ValueError("a"), KeyError(1)])},
}


@pytest.mark.parametrize("case", CASES)
def test_an_error_has_one_id_in_every_form(case: str) -> None:
    given: dict[str, Any] = dict(CASES[case])
    found = {
        form: ids(data)
        for form, data in logged(given.pop("message"), *given.pop("args", ()), **given).items()
    }
    assert all(len(one) == 1 for one in found.values()), found
    assert len({one for [one] in found.values()}) == 1, found


def test_errors_with_other_numbers_are_one() -> None:
    some = [logged("took %s s", n, raised=NastyError(f"port {n} is gone")) for n in (7, 8)]
    assert len({one for each in some for data in each.values() for one in ids(data)}) == 1


def test_two_exceptions_of_one_place_are_two() -> None:
    raised = [NastyError("no host"), NastyError("no disk"), OSError("no host"), None]
    for told in (True, False):
        found = [
            {one for data in logged("Failed", raised=one, given=told).values() for one in ids(data)}
            for one in raised
        ]
        assert [len(each) for each in found] == [1] * len(raised)
        assert len(set.union(*found)) == len(raised)


@settings(max_examples=60)
@given(pair=log_records())
def test_whatever_is_logged_has_one_id_as_text_and_as_json(pair: Any) -> None:
    record, _ = pair
    assume(not record.stack_info)
    if record.exc_info:
        # Of what Python takes for the end of a line, JSON keeps none.
        assume(not re.search(r"[^\S \n]|[\x1c-\x1f]", str(record.exc_info[1])))
    data = forms(record)
    found = [ids(data[form]) for form in ("text", "JSON", "fluent")]
    assert found[0] == found[1] == found[2], data


# -- what the kernel says ----------------------------------------------------------------

VALUE = re.compile(r"""(?:\b[ub]|\B)(?:'[^'\n]*'|"[^"\n]*")\B|\w*\d\w*(?:[-.:]+\w+)*""", re.ASCII)
FRAME = re.compile(r'[ |+]*File "([^"]*)", line [0-9]+, in (.*)')
BLANKS = " \t\n\v\f\r\x1c\x1d\x1e\x1f"


def template(text: str) -> str:
    return VALUE.sub("<*>", text)


def depth(line: str) -> int:
    return len(line) - len(line.lstrip(" |+"))


def is_deeper(depth_of_frame: int, line: str) -> bool:
    return depth(line) > depth_of_frame


def frames(traceback: str) -> str:
    """Return files and functions, then the template of what was raised."""
    lines = [line.rstrip(BLANKS) for line in traceback.split("\n") if line.rstrip(BLANKS)]
    found = [(place, FRAME.fullmatch(line)) for place, line in enumerate(lines)]
    names, below = "", lines
    for place, frame in found:
        if frame:
            path = frame[1].split("/site-packages/")[-1].split("/dist-packages/")[-1]
            names += f"{path} {frame[2]}\n"
            deeper = partial(is_deeper, depth(lines[place]))
            below = [*dropwhile(deeper, lines[place + 1 :])]
    return names + template("\n".join(below))


def said(body: str, kind: str, message: str, traceback: str, summary: str) -> str:
    """Return the body that every form has."""
    if not traceback:
        body = f"{body}: {summary}" if summary not in ("", "-") else body
    elif kind:
        raised = f": {kind}: {message}" if message else f": {kind}"
        ends = {raised[:at].rstrip(BLANKS) for at, c in enumerate(raised + "\n") if c == "\n"}
        while end := next((one for one in sorted(ends, key=len) if body.endswith(one)), ""):
            body = body.removesuffix(end)
    return body.rstrip(BLANKS)


def oracle(severity: int | None, service: str, logger: str, body: str, kind: str, message: str,
           traceback: str, summary: str) -> str:  # fmt: skip
    parts = [str(severity or ""), service, logger, kind]
    parts += [template(said(body, kind, message, traceback, summary)), frames(traceback)]
    whole = b"".join(
        str(len(part.encode())).encode() + b":" + part.encode() if part else b"-" for part in parts
    )
    return blake2b(whole, digest_size=8).hexdigest()


PIECES = st.sampled_from(
    ["File ", '"', 'File "/a/site-packages/b.py", line 3, in f', "E: m", ": ", "E", "\n", "  ", "| ",
     "7", "x", "é", "'", "-", "\t", '    File "c.py", line 12, in <module>', "m", "    code", "/dist-packages/"]
)  # fmt: skip
PROSE = st.lists(PIECES, max_size=12).map("".join)
ROW = st.tuples(
    st.none() | st.integers(1, 24), st.sampled_from(["", "nova"]), st.sampled_from(["", "nova.api"]),
    PROSE, st.sampled_from(["", "E"]), st.sampled_from(["", "m", "m\nm", "m: 7"]), PROSE, PROSE,
)  # fmt: skip


def batch_of(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    """Return rows as columns; what is empty is null."""
    *columns, summaries = ([row[place] or None for row in rows] for place in range(8))
    kinds = [pa.uint8(), *[pa.string()] * 6]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    attributes = [[("error_summary", one)] if one else [] for one in summaries]
    arrays.append(pa.array(attributes, pa.map_(pa.string(), pa.string())))
    return pa.RecordBatch.from_arrays(arrays, names=OF)


@given(rows=st.lists(ROW, min_size=1, max_size=6), start=st.integers(0, 3))
def test_a_fingerprint_is_what_it_is_said_to_be(rows: list[tuple[Any, ...]], start: int) -> None:
    found = fingerprints(batch_of(rows).slice(start)).to_pylist()
    assert found == [oracle(*row) for row in rows[start:]]


@pytest.mark.parametrize("size", [1, 100, 120, 128, 129, 256, 1000])
def test_long_texts_have_fingerprints_too(size: int) -> None:
    row = (17, "nova", "l" * size, "b", "", "", "", "")
    assert fingerprints(batch_of([row])).to_pylist() == [oracle(*row)]


def test_an_id_is_the_same_in_every_run() -> None:
    row = (17, "nova", "nova.compute.manager", "took 3 s", "", "", "", "")
    assert fingerprints(batch_of([row])).to_pylist() == ["9cc6804210708247"]


@pytest.mark.parametrize(
    "columns",
    [[], [(array("i", [0]), b"")] * 7, [(array("i", [0, 5]), b"abc")] * 7,
     [(array("i", [1, 0]), b"abc")] * 7],
)  # fmt: skip
def test_offsets_that_are_not_of_the_texts_are_refused(columns: Any) -> None:
    with pytest.raises(ValueError, match=r"offsets|columns"):
        fingerprints_of(bytes(1), columns)


def test_rows_and_columns_have_the_same_fingerprints(tmp_path: Path) -> None:
    lines = [
        line for path in sorted((ROOT / "formats").glob("*.toml"))
        for sample in tomllib.loads(path.read_text()).get("samples", ())
        for line in sample["line"].encode().splitlines(keepends=True)
    ]  # fmt: skip
    log = tmp_path / "all.log"
    log.write_bytes(b"\n".join(lines))
    logs = opslog.read(log)
    [batch] = logs.to_table().combine_chunks().to_batches()
    found = logs.to_table(["fingerprint"])["fingerprint"].to_pylist()
    assert fingerprints(batch).to_pylist() == found
    stored = tmp_path / "all.jsonl"
    for columns in (None, [*batch.schema.names, "fingerprint"]):
        logs.write(stored, "jsonl", columns=columns)
        again = opslog.read(stored).to_table(["fingerprint"])["fingerprint"].to_pylist()
        assert again == found
