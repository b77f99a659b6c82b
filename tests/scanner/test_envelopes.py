"""Whatever an envelope puts around a record, the record comes back as it is without."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from opslog.inputs import journal_export

Wrap = Callable[[list[str]], bytes]
"""Makes the bytes of a log in which a program wrote these lines."""

STAMP = "2026-03-01T10:00:00.123456Z"
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), include_characters="\t"),
    max_size=60,
)
UNCOLORED = TEXT.map(lambda text: text.replace("#0", "#o").replace("^[", "^"))


@st.composite
def printed(draw: st.DrawFn) -> list[str]:
    """The lines of one oslo.log record: a head, perhaps more of its message, perhaps a traceback."""
    pid = draw(st.integers(1, 99999))
    level = draw(st.sampled_from(["INFO", "WARNING", "ERROR"]))
    prefix = f"2026-03-01 10:00:00.{draw(st.integers(0, 999)):03} {pid}"
    request = f"req-{draw(st.uuids())}"
    lines = [f"{prefix} {level} nova.api [{request} u1 p1 - - -] {draw(UNCOLORED)}"]
    lines += [f"and {text}" for text in draw(st.lists(UNCOLORED, max_size=2))]
    if draw(st.booleans()):
        trace = ["Traceback (most recent call last):", '  File "/a.py", line 1, in f', "    f()",
                 f"KeyError: {draw(UNCOLORED)}"]  # fmt: skip
        lines += [f"{prefix} ERROR nova.api {text}" for text in trace]
    return lines


def records(data: bytes) -> list[dict[str, Any]]:
    normalizer = opslog.Normalizer(year=2026)
    batches = normalizer.feed(data) + normalizer.close()
    return [row for batch in batches for row in batch.to_pylist()]


def each(line: Callable[[str], str]) -> Wrap:
    """Put every line into an envelope of its own, as with what a container prints."""
    return lambda lines: "".join(f"{line(text)}\n" for text in lines).encode()


def whole(line: Callable[[str], str]) -> Wrap:
    """Put the message into one envelope, as with what is sent to syslog or the journal."""
    return lambda lines: f"{line(chr(10).join(lines))}\n".encode()


def octal(text: str) -> str:
    """Escape control characters as rsyslog does (EscapeControlCharactersOnReceive)."""
    return "".join(f"#{ord(c):03o}" if ord(c) < 32 else c for c in text)


def docker(lines: list[str], most: int) -> bytes:
    """Cut what is longer than a buffer, as the json-file driver does."""
    out = []
    for line in lines:
        pieces = [line[at : at + most] for at in range(0, len(line), most)] or [""]
        pieces[-1] += "\n"
        out += [{"log": piece, "stream": "stdout", "time": STAMP} for piece in pieces]
    return "".join(json.dumps(item) + "\n" for item in out).encode()


def cri(lines: list[str], most: int) -> bytes:
    """Cut what is longer than a buffer: P with more to follow, F at the end."""
    out = []
    for line in lines:
        pieces = [line[at : at + most] for at in range(0, len(line), most)] or [""]
        out += [f"2026-03-01T10:00:00.1234567+01:00 stdout P {piece}\n" for piece in pieces[:-1]]
        out += [f"2026-03-01T10:00:00.1234567+01:00 stdout F {pieces[-1]}\n"]
    return "".join(out).encode()


def journal_short(head: str) -> Callable[[str], str]:
    """Put a message's further lines below its first, as journalctl does."""
    return lambda text: head + text.replace("\n", "\n" + " " * len(head))


def journal_json(text: str, message: Callable[[str], Any] = str) -> str:
    entry = {"__REALTIME_TIMESTAMP": "1772359200000000", "_HOSTNAME": "ctl1", "_PID": "7",
             "SYSLOG_IDENTIFIER": "nova-api", "PRIORITY": "6", "MESSAGE": message(text)}  # fmt: skip
    return json.dumps(entry)


def exported(lines: list[str]) -> bytes:
    """Return the lines as one entry of journalctl -o export, as opslog reads it."""
    message = "\n".join(lines).encode()
    entry = b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1772359200000000\n_PID=7\n_HOSTNAME=ctl1\n"
    entry += b"SYSLOG_IDENTIFIER=nova-api\nPRIORITY=6\n"
    entry += b"MESSAGE\n" + len(message).to_bytes(8, "little") + message + b"\n\n"
    read = io.BytesIO(entry).readinto
    return b"".join(journal_export.lines(read))


def merged(lines: list[str]) -> bytes:
    """Put a log's alias between time and rest, and further lines below, as os-log-merger does."""
    head = f"{lines[0][:23]}000 [NOVA-API1] "
    return "".join(
        f"{head}{t[24:]}\n" if t.startswith("2026-") else f"{' ' * len(head)}{t}\n" for t in lines
    ).encode()


def named(lines: list[str]) -> bytes:
    """Put the file's name before each line with a time, as in the loghub data set."""
    before = "nova-api.log.1.2026-03-01_13:53:08 "
    return "".join(f"{before if t.startswith('2026-') else ''}{t}\n" for t in lines).encode()


WRAPS: dict[str, Wrap] = {
    "rfc3164": whole(lambda t: f"Mar  1 10:00:01 ctl1 nova-api[7]: {octal(t)}"),
    "rfc3164 without pid": whole(lambda t: f"Mar  1 10:00:01 ctl1 nova-api: {octal(t)}"),
    "rfc3164 on the wire": whole(lambda t: f"<142>Mar  1 10:00:01 ctl1 nova-api: {octal(t)}"),
    "rfc3164 a line each": each(lambda t: f"Mar  1 10:00:01 ctl1 nova-api[7]: {t}"),
    "rsyslog file": whole(lambda t: f"2026-03-01T10:00:01.123456+00:00 c1 n-api[7]: {octal(t)}"),
    "rsyslog forward": whole(lambda t: f"<142>2026-03-01T10:00:01.1+00:00 c1 n-api: {octal(t)}"),
    "rfc5424": whole(lambda t: f"<142>1 {STAMP} ctl1 nova-api 7 - - {octal(t)}"),
    "rfc5424 with data": whole(lambda t: f'<142>1 {STAMP} c n 7 ID [a@1 b="c"] \ufeff{octal(t)}'),
    "journal short": whole(journal_short("Mar  1 10:00:01 ctl1 nova-api[7]: ")),
    "journal short-precise": whole(journal_short("Mar 01 10:00:01.123456 ctl1 nova-api[7]: ")),
    "journal short-iso": whole(journal_short("2026-03-01T11:00:01+0100 ctl1 nova-api[7]: ")),
    "journal with-unit": whole(journal_short("Sun 2026-03-01 10:00:01 UTC c n-api.service[7]: ")),
    "journal json": whole(journal_json),
    "journal json bytes": whole(lambda t: journal_json(t, lambda m: list(m.encode()))),
    "docker": lambda lines: docker(lines, 16384),
    "docker, cut": lambda lines: docker(lines, 150),
    "cri": lambda lines: cri(lines, 16384),
    "cri, cut": lambda lines: cri(lines, 150),
    "crictl": each(lambda t: f"2026-03-01T11:00:00.1+01:00 {t}"),
    "compose": each(lambda t: f"nova_api_1  | {t}"),
    "pebble": each(lambda t: f"2026-03-01T10:00:01.123Z [wsgi-nova-api] {t}"),
    "apache 2.4": each(lambda t: f"[Sun Mar 01 10:00:01.123456 2026] [wsgi:error] [pid 7] {t}"),
    "apache 2.4, mod_wsgi 3": each(
        lambda t: f"[Sun Mar 01 10:00:01.123456 2026] [:error] [pid 7] {t}"
    ),
    "apache's %M": each(lambda t: f"2026-03-01 10:00:01.123456 {t}"),
    "docker in cri in syslog": each(
        lambda t: f"Mar  1 10:00:01 ctl1 kubelet[1]: {STAMP} stdout F "
        + json.dumps({"log": t + "\n", "stream": "stdout", "time": STAMP})
    ),
    "pebble around apache": each(lambda t: f"{STAMP} [wsgi-nova-api] 2026-03-01 10:00:01.123456 {t}"),
    "fluentd file": each(lambda t: f"2026-03-01T10:00:01+00:00\tnova\t{json.dumps({'message': t})}"),
    "fluentd stdout": each(
        lambda t: "2026-03-01 10:00:01.000000000 +0000 nova: " + json.dumps({"message": t})
    ),
    "journal export": exported,
    "kolla": whole(
        lambda t: json.dumps({"Hostname": "c", "Timestamp": "2026-03-01 10:00:01", "Payload": t})
    ),
    "os-log-merger": merged,
    "file's name": named,
    "logstash": whole(lambda t: json.dumps({"@timestamp": STAMP, "@version": "1", "message": t})),
    "logstash 1.1": whole(lambda t: json.dumps({"@timestamp": STAMP, "@message": t})),
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPS)
@given(lines=printed())
def test_the_record_inside_comes_back(name: str, lines: list[str]) -> None:
    [plain] = records("".join(f"{line}\n" for line in lines).encode())
    [wrapped] = records(WRAPS[name](lines))
    for column in plain.keys() - {"source_offset", "host_name", "program", "attributes"}:
        assert wrapped[column] == plain[column], column
    assert set(plain["attributes"]) <= set(wrapped["attributes"])


COLORED = (
    "\x1b[00;32mINFO nova.api [\x1b[01;36mNone req-{id} \x1b[00;36mdemo jane\x1b[00;32m] "
    "\x1b[01;35m\x1b[00;32m{text}\x1b[00m"
)


@pytest.mark.parametrize("escape", ["\x1b", "#033", "^["])
@pytest.mark.parametrize(
    "name",
    ["rfc3164", "rsyslog forward", "rfc5424", "journal short", "journal json", "docker", "cri"],
)
@given(identity=st.uuids(), text=UNCOLORED)
def test_colors_of_devstack_are_gone_however_they_are_written(
    name: str, escape: str, identity: Any, text: str
) -> None:
    line = COLORED.format(id=identity, text=text).replace("\x1b", escape)
    [row] = records(WRAPS[name]([line]))
    assert (row["body"], row["severity_text"], row["logger"]) == (text, "INFO", "nova.api")
    assert row["request_id"] == f"req-{identity}"
    assert (row["project_name"], row["user_name"]) == ("demo", "jane")


def test_further_lines_of_every_envelope_stay_in_the_order_they_were_written() -> None:
    inner = json.dumps(
        {
            "__REALTIME_TIMESTAMP": "1772359200000000",
            "MESSAGE": "2024-01-01 00:00:00.000 1 INFO a.b [-] one\ntwo",
        }
    )
    outer = {"log": f"{inner}\nthree\n", "stream": "stdout", "time": "2024-01-01T00:00:00Z"}
    [record] = records(json.dumps(outer).encode())
    assert record["body"] == "one\ntwo\nthree"


@pytest.mark.parametrize("head", [True, False])
def test_a_chain_of_exceptions_in_a_container_is_one_traceback(head: bool) -> None:
    trace = [
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in x',
        "KeyError: 'a'",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "x.py", line 2, in x',
        "ValueError: b",
    ]
    first = ["2026-03-10 11:00:00.112 7 ERROR nova.api [-] Failed"] if head else []
    text = "".join(f"2026-03-10T11:00:00.2Z stderr F {line}\n" for line in [*first, *trace, ""])
    [record] = records(text.encode())
    assert record["body"] == ("Failed" if head else None)
    assert (record["exception_type"], record["exception_message"]) == ("ValueError", "b")
    assert record["exception_stacktrace"] == "\n".join(trace)


def test_only_the_envelope_that_cut_a_text_goes_on_with_it() -> None:
    def docker(text: str) -> str:
        return json.dumps({"log": text + "\n", "stream": "stdout", "time": STAMP}) + "\n"

    part = docker("2026-03-01T10:00:00Z stdout P 2026-03-01 10:00:00.001 7 INFO nova.api [-] cut ")
    found = records((part + docker("2026-03-01 10:00:01.001 7 INFO nova.api [-] other")).encode())
    assert [row["body"] for row in found] == ["cut ", "other"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-03-01 10:00:01.001 7 ERROR nova.api [-] b", 0.1),
        ("ERROR b", 1.5),
        ("b", 86400),
    ],
)
def test_texts_that_docker_ended_without_a_newline_are_whole(text: str, seconds: float) -> None:
    def docker(text: str, later: float) -> str:
        moment = datetime(2026, 3, 1, 10, tzinfo=UTC) + timedelta(seconds=later)
        return json.dumps({"log": text, "stream": "stdout", "time": moment.isoformat()}) + "\n"

    head = "2026-03-01 10:00:00.001 7 INFO nova.api [-] a"
    found = records((docker(head, 0) + docker(text, seconds) + docker(text, 2 * seconds)).encode())
    assert [row["body"] for row in found] == ["a", *[text if text[0] == "E" else "b"] * 2]


def test_a_text_as_long_as_dockers_buffer_goes_on() -> None:
    line = "2026-03-01 10:00:00.001 7 INFO nova.api [-] " + "a" * 40000
    found = records(docker([line, line[:60]], 16384))
    assert [row["body"] for row in found] == ["a" * 40000, "a" * 16]


def test_a_syslog_line_may_hold_nothing() -> None:
    [row] = records(b"Mar  1 10:00:00 ctl1 nova-api[1]:\n")
    assert (row["host_name"], row["program"], row["process_pid"]) == ("ctl1", "nova-api", 1)
    assert row["body"] == ""


@pytest.mark.parametrize(
    "line", ["id | name | status", "error | disk full", "a | b", "| ens3 | True |"]
)
@pytest.mark.parametrize(
    "around",
    ["Feb  4 09:42:08 ctl1 cloud-init[294]: {}", "2026-03-01T10:00:01.123456+00:00 c1 p[7]: {}",
     "2026-03-01T10:00:00.1Z stdout F {}", '{{"message": "{}"}}'],
)  # fmt: skip
def test_a_table_in_a_message_is_no_container(around: str, line: str) -> None:
    [row] = records((around.format(line) + "\n").encode())
    assert row["body"] == line
    assert "container_name" not in dict(row["attributes"] or ())


def test_a_prefix_is_taken_off_once_and_level_words_are_none() -> None:
    named, *others = records(b"api_1 | a | b\nwarning | disk full\nERROR | b\n")
    assert (named["body"], dict(named["attributes"])) == ("a | b", {"container_name": "api_1"})
    assert all("container_name" not in dict(row["attributes"] or ()) for row in others)


def test_a_prefix_inside_syslog_stands_before_a_line_with_a_time() -> None:
    line = b"Feb  4 09:42:08 ctl1 p[9]: api_1 | 2026-03-01 10:00:00.123 7 INFO nova.api [-] up\n"
    [row] = records(line)
    assert (row["body"], dict(row["attributes"])["container_name"]) == ("up", "api_1")
