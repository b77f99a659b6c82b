"""A format from the log_msg_template in the configuration of Swift's proxy server.

The rules of PasteDeploy say which template the proxy-logging filters of the files have.
Layouts are derived from it (language/swift.py), and samples are printed with it as Swift does.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from opslog.checking.check import check
from opslog.checking.sample_reader import SampleReader
from opslog.language.format_file import from_dict
from opslog.language.swift import DEFAULT, FIELDS, TemplateField, derive, pieces
from opslog.model import schema
from opslog.model.errors import FormatError, LayoutError, SwiftTemplateError

OPTION = "log_msg_template"
_FILTERS = ("proxy_logging", "proxy_logging:filter_factory")
_SHIPPED = (DEFAULT, DEFAULT.rpartition(" ")[0], DEFAULT.rpartition(" {policy_index}")[0])
"""Templates whose lines the shipped swift.proxy reads."""


def templates(files: Sequence[str]) -> list[str] | None:
    """Return the templates of a Swift proxy's configuration, each once, None if it is none.

    A later file wins, and folders stand for their ``*.conf``.  Raises FormatError
    for a value with a ``%`` that PasteDeploy could not read.
    """
    parser = configparser.ConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    plain = [
        path
        for file in map(Path, files)
        for path in (sorted(file.glob("*.conf")) if file.is_dir() else [file])
    ]
    try:
        for path in plain:
            with path.open(encoding="utf-8") as file:
                parser.read_file(file)
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
    place = {"here": str(plain[-1].parent), "__file__": str(plain[-1])} if plain else {}
    filters = [name for name in parser.sections() if _logs(parser, name)]
    try:
        return list(dict.fromkeys(_template(parser, name, place) for name in filters)) or None
    except configparser.InterpolationError as error:
        reason = " ".join(str(error).split())
        raise FormatError(", ".join(files), OPTION, reason, "write %% for %") from None


def _logs(parser: configparser.ConfigParser, name: str) -> bool:
    """Whether a section is a filter that logs requests."""
    used = [parser.get(name, key, raw=True, fallback="") for key in ("use", "paste.filter_factory")]
    return any(value.rpartition("#")[2].rpartition(".")[2] in _FILTERS for value in used)


def _template(parser: configparser.ConfigParser, name: str, place: dict[str, str]) -> str:
    """Return a filter's template: what it sets, else what [DEFAULT] says, else its own."""
    for key in (f"set {OPTION}", OPTION):
        options = parser.defaults() if key == OPTION and OPTION in parser.defaults() else None
        if options is not None or parser.has_option(name, key):
            section = "DEFAULT" if options is not None else name
            return parser.get(section, key, vars=place)
    return DEFAULT


def learn_swift(files: Sequence[str], found: list[str], name: str | None) -> dict[str, Any] | None:
    """Return the data of a format file for lines of the templates ``found`` in ``files``.

    None if the shipped formats read them.  Raises SwiftTemplateError where no
    layout can.
    """
    own = [template for template in found if template not in _SHIPPED]
    if not own:
        return None
    place = ", ".join(files)
    layouts: dict[str, str] = {}
    details: dict[str, str] = {}
    samples = []
    for template in own:
        try:
            derived = derive(template)
        except SwiftTemplateError as error:
            raise SwiftTemplateError(error.template, error.column, error.reason, place) from None
        layouts |= dict.fromkeys(derived.layouts, template)
        details |= dict.fromkeys(derived.details, template)
        samples += list(_samples(template))
    data: dict[str, Any] = {
        "name": name or Path(files[0]).stem,
        "title": f"Swift's access lines as {place} configures them",
        "level": "INFO",
        "zone": "utc",
        "layouts": [{"layout": layout} for layout in layouts],
        "details": [{"layout": layout} for layout in details],
        "samples": samples,
    }
    try:
        reader = SampleReader(from_dict(data, place))
    except LayoutError as error:
        reason = f"cannot be read back: {error.reason}"
        template = (layouts | details).get(error.layout, own[0])
        raise SwiftTemplateError(template, 0, reason, place) from None
    for sample in samples:
        for record in reader.records(sample["line"]):
            if record["timestamp"]:
                sample["expect"] = {"timestamp": record["timestamp"], **sample["expect"]}
    check(from_dict(data, place))
    return data


# -- what Swift prints ----------------------------------------------------------------

_PROJECT = "42ecbcd09f3140af87501a40b03aebb9"
_VALUES = {
    "client_ip": "192.0.2.50", "remote_addr": "10.1.0.2", "domain": "swift.example.org",
    "method": "GET", "protocol": "HTTP/1.1", "status_int": "200", "wire_status_int": "200",
    "path": f"/v1/AUTH_{_PROJECT}/photos/a%20b.jpg?format=json",
    "account": f"AUTH_{_PROJECT}", "container": "photos",
    "object": "a b.jpg", "referer": "http://www.example.org/", "user_agent": "curl (x)",
    "auth_token": "gAAAAABo1x2y3z4w...", "bytes_recvd": "17", "bytes_sent": "512",
    "client_etag": '"d41d8cd9"', "transaction_id": "txdd303f0a04264ca9b9921-005c794669",
    "headers": "Accept: */*\nHost: swift.example.org", "request_time": "0.0038",
    "ttfb": "0.0027", "source": "SLO", "log_info": "x-delete-at:1", "policy_index": "1",
    "access_user_id": "AKIAIOSFODNN7EXAMPLE", "pid": "42",
}  # fmt: skip
_HASH = "{MD5}900150983cd24fb0d6963f7d28e17f72"
_ALWAYS = (
    "method", "path", "account", "protocol", "status_int", "request_time", "transaction_id", "pid"
)  # fmt: skip
"""Fields of the shorter sample."""
_MOMENTS = (
    datetime(2026, 3, 10, 10, 0, 0, 123456, UTC), datetime(2026, 3, 9, 8, 5, 6, 654321, UTC)
)  # fmt: skip


def _samples(template: str) -> Iterator[dict[str, Any]]:
    """Yield a sample of a request with all values, and one with those that none lacks."""
    found = list(pieces(template))
    for moment, fields in zip(_MOMENTS, (tuple(_VALUES), _ALWAYS), strict=True):
        line, expect = "", dict[str, Any]()
        for piece in found:
            value = piece if isinstance(piece, str) else _printed(piece, moment, fields)
            line += value
            if isinstance(piece, str) or piece.name not in FIELDS or value == "-":
                continue
            column = FIELDS[piece.name][0]
            if column in schema.BY_NAME and not (piece.part and f"{{{piece.name}}}" in template):
                kind = {"int64": int, "float64": float}.get(schema.BY_NAME[column].kind, str)
                expect[column] = kind(unquote(value))
            if piece.text in ("path", "account"):
                expect["project_id"] = _PROJECT
        if "{transaction_id}" not in template:
            line += f" (txn: {_VALUES['transaction_id']})"
            expect["request_id"] = _VALUES["transaction_id"]
        yield {"line": line, "expect": expect}


def _printed(field: TemplateField, moment: datetime, fields: tuple[str, ...]) -> str:
    """Return what Swift prints for a field: ``-`` for one that is not of ``fields``."""
    if field.name not in FIELDS:
        return quote(_time(field.part, moment), safe=":/{}")
    if field.name not in fields:
        return "-"
    return quote(_HASH if field.part else _VALUES[field.name], safe=":/{}")


def _time(part: str, moment: datetime) -> str:
    seconds, fraction = str(int(moment.timestamp())), f"{moment.microsecond:06d}000"
    named = {
        "": f"{seconds}.{fraction}", "s": seconds,
        "ms": fraction[:3], "us": fraction[:6], "ns": fraction,
        "datetime": moment.strftime("%d/%b/%Y/%H/%M/%S"),
        "iso8601": moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "asctime": moment.ctime(), "c": moment.ctime(),
    }  # fmt: skip
    return named[part] if part in named else moment.strftime(f"%{part}")
