"""Swift's log_msg_template: lines printed as Swift prints them are read back."""

from __future__ import annotations

import hashlib
import string
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import opslog, records
from opslog.checking.check import check
from opslog.checking.learn import learn
from opslog.checking.toml_text import to_toml
from opslog.language import swift
from opslog.language.format_file import from_dict, load
from opslog.model.errors import FormatError, SwiftTemplateError
from opslog.scanner.catalog import Catalog

# -- what Swift does, restated from swift/common/utils/logs.py ---------------------------


class Quoted(string.Formatter):
    def format_field(self, value: Any, spec: str) -> str:
        return quote(super().format_field(value, spec), ":/{}") if value else "-"


class Anonymized(str):
    @property
    def anonymized(self) -> str:
        return f"{{MD5}}{hashlib.md5(self.encode()).hexdigest()}" if self else self


class Time:
    def __init__(self, stamp: float) -> None:
        self.stamp = stamp
        self.struct = time.gmtime(stamp)

    def __str__(self) -> str:
        return f"{self.stamp:.9f}"

    def __getattr__(self, part: str) -> str:
        seconds, _, fraction = str(self).partition(".")
        exact = {"s": seconds, "ms": fraction[:3], "us": fraction[:6], "ns": fraction}
        forms = {"datetime": "%d/%b/%Y/%H/%M/%S", "iso8601": "%Y-%m-%dT%H:%M:%S"}
        if part == "asctime":
            return time.asctime(self.struct)
        if part in exact:
            return exact[part]
        return datetime(*self.struct[:6], tzinfo=UTC).strftime(forms.get(part, f"%{part}"))


TEXTS = {
    "client_ip": "client_address", "remote_addr": "network_peer_address",
    "domain": "server_address", "path": "http_target", "account": "swift_account",
    "container": "swift_container", "object": "swift_object", "referer": "http_referer",
    "user_agent": "user_agent", "headers": "http_request_headers", "client_etag": "http_etag",
    "access_user_id": "access_user_id", "auth_token": "auth_token", "source": "swift_source",
    "log_info": "swift_log_info",
}  # fmt: skip
OTHERS = {
    "method": "http_method", "protocol": "network_protocol_version", "status_int": "http_status",
    "wire_status_int": "wire_status_int", "bytes_recvd": "http_request_size",
    "bytes_sent": "http_response_size", "transaction_id": "request_id",
    "request_time": "duration", "policy_index": "policy_index", "ttfb": "ttfb",
    "pid": "process_pid",
}  # fmt: skip
COUNTS = st.one_of(st.none(), st.integers(0, 10**15))
VALUES = st.fixed_dictionaries(
    {
        **{field: st.one_of(st.none(), st.text(st.characters(codec="utf-8"))) for field in TEXTS},
        "path": st.text(st.characters(codec="utf-8")).map("/".__add__),
        "method": st.sampled_from(["GET", "PUT", "OPTIONS"]),
        "protocol": st.sampled_from(["HTTP/1.0", "HTTP/1.1"]),
        "status_int": st.integers(100, 599),
        "wire_status_int": st.integers(100, 599),
        "bytes_recvd": COUNTS,
        "bytes_sent": COUNTS,
        "transaction_id": st.from_regex(r"tx[0-9a-f]{21}-[0-9a-f]{10}(-qt[0-9]?)?", fullmatch=True),
        "request_time": st.floats(0, 1e6).map(lambda seconds: f"{seconds:.4f}"),
        "policy_index": st.one_of(st.none(), st.integers(0, 9).map(str)),
        "ttfb": st.floats(0, 1e3),
        "pid": st.integers(1, 2**22),
    }
)
STAMPS = st.integers(0, 3 * 10**15).map(lambda micros: micros / 10**6)  # %x has two-digit years
DATES = {
    "{%}": 1, "{%.s}.{%.ns}": 1, "{%.Y}-{%.m}-{%.d}T{%.X}.{%.us}": 1,
    "{%.s}": 10**6, "{%.datetime}": 10**6, "{%.iso8601}Z": 10**6, "{%.asctime}": 10**6,
    "{%.c}": 10**6, "{%.x} {%.X}": 10**6, "{%.d}/{%.b}/{%.Y}:{%.H}:{%.M}:{%.S} {%.Z}": 10**6,
    "{%.iso8601}.{%.ms}": 10**3,
}  # fmt: skip
"""Times, and the microseconds that each tells apart."""


def printed(template: str, values: dict[str, Any], start: float, end: float) -> str:
    given = {k: Anonymized(v or "") if k in swift.ANONYMIZABLE else v for k, v in values.items()}
    line = Quoted().format(template, **given, start_time=Time(start), end_time=Time(end))
    identity = values["transaction_id"]
    return line if identity in line else f"{line} (txn: {identity})"


def written(folder: Path, template: str, more: str = "") -> Path:
    path = folder / "proxy-server.conf"
    escaped = template.replace("%", "%%")
    path.write_text(
        f"[filter:proxy-logging]\nuse = egg:swift#proxy_logging\nlog_msg_template = {escaped}\n{more}"
    )
    return path


@given(
    fields=st.lists(st.sampled_from([*TEXTS, *OTHERS]), max_size=8, unique=True),
    date=st.sampled_from(sorted(DATES)),
    field=st.sampled_from(["start_time", "end_time"]),
    separators=st.lists(st.sampled_from([" ", " | ", "\t", ", ", ' "', "=[", "]§ "]), min_size=9),
    at=st.integers(0, 8),
    values=VALUES,
    stamp=STAMPS,
)
def test_what_swift_prints_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[str],
    date: str,
    field: str,
    separators: list[str],
    at: int,
    values: dict[str, Any],
    stamp: float,
) -> None:
    parts = [f"{{{name}}}" for name in fields]
    parts.insert(at, date.replace("%", field))
    template = "".join(
        text for pair in zip(parts, separators, strict=False) for text in pair
    ).rstrip()
    data = learn([written(tmp_path_factory.getbasetemp(), template)])
    assert data is not None
    line = printed(template, values, stamp, stamp)
    assert "\n" not in line
    [row] = records(line + "\n", catalog=Catalog.of([from_dict(data, "own")]))
    assert row["format"] == "proxy-server"
    seconds, _, fraction = str(Time(stamp)).partition(".")  # as printed: a float is no decimal
    micros = int(seconds + fraction[:6]) // DATES[date] * DATES[date]
    assert round(row["timestamp"].timestamp() * 10**6) == micros
    for name in fields:
        column = TEXTS.get(name) or OTHERS[name]
        value = values[name]
        read = row.get(column, row.get("attributes", {}).get(column))
        if name == "protocol":
            value = value.removeprefix("HTTP/")
        elif name in ("request_time", "ttfb"):
            value, read = (value and float(value)) or None, (read and float(read)) or None
        elif name in OTHERS:
            value, read = str(value or None), str(read)
        if value in ("-", "None", "", None, "0", 0):
            assert read in ("None", None, "0"), name
        else:
            assert read == value, name


PARTS = [
    "asctime",
    "datetime",
    "iso8601",
    "s",
    "ms",
    "us",
    "ns",
    "a",
    "A",
    "b",
    "B",
    "c",
    "d",
    "H",
    "I",
    "j",
    "m",
    "M",
    "p",
    "S",
    "U",
    "w",
    "W",
    "x",
    "X",
    "y",
    "Y",
    "Z",
]
FULL: dict[str, Any] = {name: f"a {name}" for name in TEXTS} | {
    "method": "GET", "protocol": "HTTP/1.0", "status_int": 200, "wire_status_int": 200,
    "bytes_recvd": 1, "bytes_sent": 2, "transaction_id": "tx1", "request_time": "0.5000",
    "policy_index": "0", "ttfb": 1.5e-05, "pid": 7,
}  # fmt: skip
START, END = 1773050706.5, 1773136800.25


def attributes_of(template: str, folder: Path) -> dict[str, str]:
    data = learn([written(folder, template)])
    assert data is not None
    line = printed(template, FULL, START, END)
    [row] = records(line + "\n", catalog=Catalog.of([from_dict(data, "own")]))
    assert row["timestamp"].timestamp() == END
    attributes: dict[str, str] = row["attributes"]
    return attributes


def test_every_part_of_a_time_is_read(tmp_path: Path) -> None:
    template = " ".join(f"<{{start_time.{part}}}>" for part in PARTS)
    found = attributes_of(f"{template} {{end_time}}", tmp_path)
    assert found == {f"start_time_{part}": getattr(Time(START), part) for part in PARTS}


def test_a_hash_stands_beside_its_value(tmp_path: Path) -> None:
    fields = [f"{{{field}}} {{{field}.anonymized}}" for field in sorted(swift.ANONYMIZABLE)]
    found = attributes_of(" ".join(["{end_time}", *fields]), tmp_path)
    for field in swift.ANONYMIZABLE:
        assert found[f"{TEXTS[field]}_anonymized"] == Anonymized(FULL[field]).anonymized


def test_a_value_printed_twice_is_kept_once(tmp_path: Path) -> None:
    found = attributes_of("{end_time} {ttfb} {end_time} {ttfb} {end_time.H}", tmp_path)
    assert found == {"ttfb": "1.5e-05", "end_time": "1773136800.250000000", "end_time_H": "10"}


def test_a_learned_format_is_a_file_that_reads_lines_of_syslog(tmp_path: Path) -> None:
    # The example of Swift's own documentation.
    path = written(
        tmp_path,
        "{client_ip.anonymized} {remote_addr.anonymized} {start_time.iso8601} "
        "{end_time.H}:{end_time.M} {method} acc:{account} cnt:{container} obj:{object.anonymized}",
    )
    data = learn([path], "site.swift")
    assert data is not None
    file = tmp_path / "swift.toml"
    file.write_text(to_toml(data))
    form = load(file)
    check(form)
    line = (
        "Mar 10 10:00:00 proxy1 proxy-server: {MD5}aa {MD5}bb 2026-03-10T10:00:00 10:01 PUT "
        "acc:AUTH_42ec cnt:a%20b obj:{MD5}cc (txn: tx1-02)\n"
    )
    [row] = records(line, catalog=Catalog.beside_shipped([form]))
    assert (row["format"], row["host_name"], row["request_id"], row["project_id"]) == (
        "site.swift", "proxy1", "tx1-02", "42ec"
    )  # fmt: skip
    assert row["client_address"] == "{MD5}aa"
    assert row["attributes"]["swift_container"] == "a b"
    result = opslog("filter", "--oslo-config", str(path), stdin=line.encode())
    assert b'"format":"proxy-server"' in result.stdout


@pytest.mark.parametrize(
    ("template", "column", "reason"),
    [
        ("{method} {path}{client_ip}", 15, "{path} and {client_ip} have no text between them: expected text"),
        ("{method} {client_ip}:{pid}", 20, "':' may be of {client_ip} or of the text behind it: expected text"),
        ("{end_time}0 {path}", 10, "'0' may be of {end_time} or of the text behind it: expected text"),
        ("{method}{protocol}", 8, "'H' may be of {method} or of the text behind it: expected text"),
        ("{client_ip} {path} {referer}", 0, "any words look like its lines: expected a time, "),
        ("{method} {nothing}", 9, "Swift has no field 'nothing': expected one of client_ip, "),
        ("{method} {}", 9, "Swift has no field '': expected one of client_ip, "),
        ("{end_time.never}", 0, "a time has no part 'never': expected one of s, ms, us, "),
        ("{method.anonymized}", 0, "Swift cannot print {method.anonymized}: expected {method}"),
        ("{client_ip.upper}", 0, "Swift cannot print {client_ip.upper}: expected {client_ip}"),
        ("{method} {path!r}", 9, "expected {field}, {time.part} or {field.anonymized}, without ! and :"),
        ("{method} {path:>9}", 9, "expected {field}, {time.part} or {field.anonymized}, without ! and :"),
        ("{method} {path", 9, "expected {field}, {time.part} or {field.anonymized}, without ! and :"),
        ("{method} " + "{pid} " * 64, 0, "cannot be read back: more than 64 parts"),
        ("{end_time} " + "{method} " * 64 + "{path}", 0, "cannot be read back: more than 64 parts"),
        ("{method}\n  {path}", 8, "expected one line: Swift would print #012 between several"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_back_is_pointed_at(
    template: str, column: int, reason: str, tmp_path: Path
) -> None:
    path = written(tmp_path, template)
    result = opslog("formats", "learn", str(path))
    message, shown, caret, hint = result.stderr.decode().splitlines()
    assert (result.returncode, result.stdout) == (2, b"")
    assert message.startswith(f"opslog: {path}: log_msg_template: {reason}")
    assert shown == "  " + template.partition("\n")[0].rstrip()
    assert caret == " " * (2 + column) + "^"
    assert "write a format for these lines" in hint
    with pytest.raises(SwiftTemplateError):
        learn([path])


@pytest.mark.parametrize("ends", ["{access_user_id}", "{policy_index}", "{end_time}"])
def test_the_shipped_format_reads_swifts_own_template(ends: str, tmp_path: Path) -> None:
    template = swift.DEFAULT.partition(ends)[0] + ends
    path = written(tmp_path, template)
    assert learn([path]) is None
    result = opslog("formats", "learn", str(path))
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"nothing to learn" in result.stderr


@given(values=VALUES, stamp=STAMPS)
def test_the_shipped_format_is_that_of_swifts_own_template(
    values: dict[str, Any], stamp: float
) -> None:
    line = printed(swift.DEFAULT, values, stamp, stamp)
    derived = swift.derive(swift.DEFAULT)
    own = from_dict(
        {
            "name": "swift.proxy", "title": "derived", "level": "INFO", "zone": "utc",
            "layouts": [{"layout": layout} for layout in derived.layouts],
            "details": [{"layout": layout} for layout in derived.details],
        },
        "own",
    )  # fmt: skip
    assert records(line + "\n") == records(line + "\n", catalog=Catalog.of([own]))


OWN = "{end_time} {method} {path}"


def test_the_configuration_is_read_as_pastedeploy_reads_it(tmp_path: Path) -> None:
    def layouts(text: str) -> list[str]:
        (tmp_path / "proxy.conf").write_text(text)
        data = learn([tmp_path / "proxy.conf"])
        return [] if data is None else [item["layout"] for item in data["layouts"]]

    uses = "use = egg:swift#proxy_logging\n"
    own = list(swift.derive(OWN).layouts)
    other = list(swift.derive("{pid} {method}").layouts)
    default = f"[DEFAULT]\nlog_msg_template = {OWN}\n"
    assert layouts(f"{default}[filter:a]\n{uses}") == own
    # What [DEFAULT] says holds against a filter's own value, but not against "set".
    assert layouts(f"{default}[filter:a]\n{uses}log_msg_template = {{pid}} {{method}}\n") == own
    assert (
        layouts(f"{default}[filter:a]\n{uses}set log_msg_template = {{pid}} {{method}}\n") == other
    )
    factory = "paste.filter_factory = swift.common.middleware.proxy_logging:filter_factory\n"
    both = f"[filter:a]\n{uses}log_msg_template = {OWN}\n[filter:b]\n{factory}"
    assert layouts(f"{both}log_msg_template = {{pid}} {{method}}\n") == own + other
    assert layouts(both) == own  # the other has Swift's own
    with pytest.raises(FormatError, match=r"log_msg_template: .*write %% for %"):
        layouts(f"[filter:a]\n{uses}log_msg_template = {{pid}}% {{method}}\n")


def test_files_of_a_folder_are_merged(tmp_path: Path) -> None:
    folder = tmp_path / "proxy-server.conf.d"
    folder.mkdir()
    (folder / "10.conf").write_text("[filter:proxy-logging]\nlog_msg_template = {pid} {method}\n")
    data = learn([written(tmp_path, OWN), folder])
    assert data is not None
    assert [item["layout"] for item in data["layouts"]] == list(
        swift.derive("{pid} {method}").layouts
    )
