"""Pairs in any order: what Go's libraries write is read back, alone and inside envelopes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import opslog, records

TIME = "2025-05-14T11:23:26.123456Z"
LEVELS = {"debug": 5, "info": 9, "warn": 13, "error": 17, "INFO+2": 11, "DEBUG-4": 1, "odd": None}
OWN = (
    "time",
    "level",
    "msg",
    "logger",
    "ts",
    "t",
    "lvl",
    "message",
    "event",
    "error",
    "err",
    "timestamp",
)
ENVELOPES = {
    "none": "{}",
    "syslog": "May 14 11:23:26 ctl1 containerd[700]: {}",
    "rsyslog": "2025-05-14T11:23:26.123456+00:00 ctl1 containerd[700]: {}",
    "cri": "2025-05-14T11:23:26.123456789Z stderr F {}",
    "docker": "json",
}


def quoted(text: str, always: bool) -> str:
    """A value as strconv.Quote prints it, where the writer quotes."""
    if not always and text and all(c > " " and c.isprintable() and c not in '"=' for c in text):
        return text
    escapes = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\a": r"\a", "\b": r"\b", "\f": r"\f", "\v": r"\v",
               '"': r"\"", "\\": r"\\"}  # fmt: skip
    out = ""
    for c in text:
        if c in escapes:
            out += escapes[c]
        elif c.isprintable():
            out += c
        elif ord(c) < 128:
            out += f"\\x{ord(c):02x}"
        else:
            out += f"\\u{ord(c):04x}" if ord(c) < 65536 else f"\\U{ord(c):08x}"
    return f'"{out}"'


def wrapped(envelope: str, line: str) -> str:
    if envelope == "docker":
        return json.dumps({"log": line + "\n", "stream": "stderr", "time": TIME})
    return ENVELOPES[envelope].format(line)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
keys = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.\-]{0,8}", fullmatch=True).filter(
    lambda key: key not in (*OWN, "stream")
)


@given(
    st.dictionaries(keys, texts, max_size=6),
    texts,
    st.sampled_from(sorted(LEVELS)),
    st.sampled_from(sorted(ENVELOPES)),
    st.booleans(),
    st.data(),
)
def test_what_is_written_is_read_back(
    others: dict[str, str], text: str, level: str, envelope: str, always: bool, data: st.DataObject
) -> None:
    pairs = {"time": TIME, "level": level, "msg": text, "logger": "core"} | others
    order = data.draw(st.permutations(list(pairs)))
    # The first key is what tells the line: it begins with a letter.
    order.sort(key=lambda key: not key.isidentifier() or key[0] == "_")
    line = " ".join(f"{key}={quoted(pairs[key], always)}" for key in order)
    [row] = records(wrapped(envelope, line) + "\n", year=2025)
    assert row["format"] == "logfmt"
    assert row["timestamp"] == datetime(2025, 5, 14, 11, 23, 26, 123456, UTC)
    assert row.get("severity_number") == LEVELS[level]
    assert row["severity_text"] == level
    assert row["body"] == text
    assert row["logger"] == "core"
    nulls = ["", "-", "None", *([] if always else ["null", "{}", "[]"])]
    kept = {key: value for key, value in others.items() if value not in nulls}
    assert kept.items() <= row.get("attributes", {}).items()
    if envelope in ("syslog", "rsyslog"):
        assert (row["host_name"], row["program"]) == ("ctl1", "containerd")
    if envelope == "none":
        assert kept == row.get("attributes", {})


@given(st.text('ab= "\\\t\u00fc1', max_size=30))
def test_a_line_that_is_not_pairs_to_its_end_is_no_logfmt(text: str) -> None:
    [row] = records(f"time={TIME} level=info msg=x {text}\n")
    assert (row.get("format") == "logfmt") == independent(text.rstrip(" "))


def independent(text: str) -> bool:
    """Whether a text is pairs."""
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        begin = at
        while at < len(text) and text[at] not in '= "\t':
            at += 1
        if at == begin or text[at : at + 1] != "=":
            return False
        at += 1
        if text[at : at + 1] == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
            if at >= len(text):
                return False
            at += 1
        else:
            while at < len(text) and text[at] != " ":
                at += 1
        if at < len(text) and text[at] != " ":
            return False
    return True


def test_a_key_stands_once_in_the_attributes() -> None:
    line = f"time={TIME} level=info msg=x stream=own stream=other a=1 a=2"
    [row] = records(json.dumps({"log": line + "\n", "stream": "stderr", "time": TIME}) + "\n")
    assert row["attributes"] == {
        "stream": "own",
        "logfmt.stream": "other",
        "a": "1",
        "logfmt.a": "2",
        "container.docker.timestamp": TIME,
        "container.docker.stream": "stderr",
    }
    found = opslog("filter", "-", stdin=f"{line}\n".encode()).stdout
    pairs = json.loads(found, object_pairs_hook=list)
    keys = [key for key, _ in dict(pairs)["attributes"]]
    assert keys == ["stream", "logfmt.stream", "a", "logfmt.a"]


@pytest.mark.parametrize(
    "line",
    [
        "May 14 11:23:26 ctl1 app[7]: level=info msg=x",
        "2024-05-06 07:08:09.123 12 INFO nova.api [-] time=2025-05-14T11:23:26Z level=info msg=x",
        "level=info msg=x",
        "x" * 40 + f"={TIME}",
        f"time={TIME} level=info msg=x " + "a=b " * 100,
    ],
)
def test_other_lines_with_pairs_are_no_logfmt(line: str) -> None:
    [row] = records(f"{line}\n", year=2025)
    assert row.get("format") != "logfmt"


@pytest.mark.parametrize("value", ["{0", "[x", "{[", "}{"])
@pytest.mark.parametrize(
    "line", ["time={} level=info msg=x A={}", '{{"time":"{}","level":"info","msg":"x","A":"{}"}}']
)
def test_two_bytes_that_begin_like_an_object_or_a_list_are_a_value(line: str, value: str) -> None:
    [row] = records(line.format(TIME, value) + "\n")
    assert row["attributes"] == {"A": value}
