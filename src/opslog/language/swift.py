"""Swift's log_msg_template to layouts.

Swift's proxy prints a line for each request with a template of its configuration
(proxy_logging.py): text with fields in braces, whose values are URL-quoted, or ``-`` if there
is none.  ``derive`` returns the layouts of the lines of a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from opslog.model.errors import SwiftTemplateError

DEFAULT = (
    "{client_ip} {remote_addr} {end_time.datetime} {method} {path} {protocol} {status_int} "
    "{referer} {user_agent} {auth_token} {bytes_recvd} {bytes_sent} {client_etag} "
    "{transaction_id} {headers} {request_time} {source} {log_info} {start_time} {end_time} "
    "{policy_index} {access_user_id}"
)
"""The template of Swift 2.36; that of older releases lacks the last fields."""

FIELDS: dict[str, tuple[str, str]] = {
    "client_ip": ("client_address", "percent"),
    "remote_addr": ("network_peer_address", "percent"),
    "domain": ("server_address", "percent"),
    "method": ("http_method", "capitals"),
    "path": ("http_target", "percent"),
    "account": ("swift_account", "percent"),
    "container": ("swift_container", "percent"),
    "object": ("swift_object", "percent"),
    "protocol": ("network_protocol_version", "word"),
    "status_int": ("http_status", "int?"),
    "wire_status_int": ("wire_status_int", "int?"),
    "referer": ("http_referer", "percent"),
    "user_agent": ("user_agent", "percent"),
    "auth_token": ("auth_token", "percent"),
    "bytes_recvd": ("http_request_size", "int?"),
    "bytes_sent": ("http_response_size", "int?"),
    "client_etag": ("http_etag", "percent"),
    "transaction_id": ("request_id", "token"),
    "headers": ("http_request_headers", "percent"),
    "request_time": ("duration", "number"),
    "ttfb": ("ttfb", "token"),
    "source": ("swift_source", "percent"),
    "log_info": ("swift_log_info", "percent"),
    "policy_index": ("policy_index", "int?"),
    "access_user_id": ("access_user_id", "percent"),
    "pid": ("process_pid", "int"),
}
"""The fields of a template but times: the column or attribute each fills, and its type."""

ANONYMIZABLE = {
    "client_ip", "remote_addr", "domain", "path", "referer", "user_agent", "headers",
    "client_etag", "account", "container", "object", "access_user_id",
}  # fmt: skip
"""Fields that ``.anonymized`` prints as the hash of their value."""

_TIMES = ("end_time", "start_time")
_PARTS: dict[str, str] = {
    "": "%s.%f", "s": "%s", "ms": "%f", "us": "%f", "ns": "%f",
    "datetime": "%d/%b/%Y/%H/%M/%S", "iso8601": "%Y-%m-%dT%H:%M:%S",
    "X": "%H:%M:%S", "x": "%m/%d/%y", **{part: f"%{part}" for part in "abdHmMSyYZ"},
}  # fmt: skip
"""The parts of a time, as patterns of timestamps."""
_DATED = ("asctime", "c")
_DAYS = ("%a%%20%b%%20%d%%20%H:%M:%S%%20%Y", "%a%%20%b%%20%%20%e%%20%H:%M:%S%%20%Y")
"""What these parts print: a day below 10 has a blank in place of a digit; blanks are quoted."""
_WORDS = ("A", "B", "I", "U", "W", "j", "p", "w")
"""Parts that are not enough to read a time."""

_ALPHABETS = {
    "int?": "[0-9]", "int": "[0-9]", "number": "[0-9]", "capitals": "[A-Z]",
    "word": "[0-9A-Za-z_.-]", "percent": "[0-9A-Za-z_.~:/{}%-]", "token": "[0-9A-Za-z_.~:/{}%-]",
}  # fmt: skip
"""Per type the characters that may stand in its values, as Swift quotes them."""
_TELLING = ("int?", "int", "number", "capitals")
"""Types that not every word has: a layout with one tells its lines from others."""

_PIECE = re.compile(r"(\{\{|\}\}|[^{}]+)|\{(\w*)(?:\.(\w*))?\}")


class TemplateField(NamedTuple):
    """A field of a template: its name, the part behind a dot (empty: none), and its column."""

    name: str
    part: str
    column: int

    @property
    def text(self) -> str:
        """The field as it stands in the braces."""
        return f"{self.name}.{self.part}" if self.part else self.name

    @property
    def end(self) -> int:
        """The column behind its brace."""
        return self.column + len(self.text) + 2


class SwiftLayouts(NamedTuple):
    """The texts of the layouts of a template."""

    layouts: tuple[str, ...]
    details: tuple[str, ...]
    """Layouts of the same lines, which read the project in the path or the account."""


class _Hole(NamedTuple):
    """A hole of a layout: its name (empty: not kept) and type, and what it is made of."""

    name: str
    type: str
    field: TemplateField


def pieces(template: str) -> Iterator[str | TemplateField]:
    """Yield literal text and fields; raises SwiftTemplateError for what Swift cannot print."""
    position = 0
    while position < len(template):
        match = _PIECE.match(template, position)
        if match is None:
            expected = "expected {field}, {time.part} or {field.anonymized}, without ! and :"
            raise SwiftTemplateError(template, position, expected)
        if match[1]:
            yield match[1][:1] if match[1] in ("{{", "}}") else match[1]
        else:
            field = TemplateField(match[2], match[3] or "", position)
            _refuse_unknown(template, field)
            yield field
        position = match.end()


def _refuse_unknown(template: str, field: TemplateField) -> None:
    if field.name not in FIELDS and field.name not in _TIMES:
        known = ", ".join([*FIELDS, *_TIMES])
        reason = f"Swift has no field {field.name!r}: expected one of {known}"
    elif field.name in _TIMES and field.part not in (*_PARTS, *_DATED, *_WORDS):
        parts = ", ".join(filter(None, [*_PARTS, *_DATED, *_WORDS]))
        reason = f"a time has no part {field.part!r}: expected one of {parts}"
    elif field.name in FIELDS and field.part:
        if field.part == "anonymized" and field.name in ANONYMIZABLE:
            return
        reason = f"Swift cannot print {{{field.text}}}: expected {{{field.name}}}"
    else:
        return
    raise SwiftTemplateError(template, field.column, reason)


def derive(template: str) -> SwiftLayouts:
    """Return the layouts of all lines that Swift prints with ``template``.

    Raises SwiftTemplateError if they could not be read back.
    """
    if "\n" in template:
        reason = "expected one line: Swift would print #012 between several"
        raise SwiftTemplateError(template.partition("\n")[0], template.index("\n"), reason)
    found = list(pieces(template))
    dated = any(isinstance(piece, TemplateField) and piece.part in _DATED for piece in found)
    layouts: dict[str, None] = {}
    details: dict[str, None] = {}
    for day in _DAYS if dated else _DAYS[:1]:
        holes = list(_holes(found, day))
        _refuse_ambiguous(template, holes)
        # Swift's logging adds the transaction to lines that have it not.
        end = "" if "{transaction_id}" in template else "{? (txn: {request_id:word})}"
        layout = "{service_name=swift}" + "".join(map(_written, holes)) + end
        layouts[layout] = None
        details |= dict.fromkeys(_project(holes))
    return SwiftLayouts(tuple(layouts), tuple(details))


def _holes(found: list[str | TemplateField], day: str) -> Iterator[str | _Hole]:
    """Yield the literals and holes of a layout; the parts of its time become one hole."""
    plain = {piece.name for piece in found if isinstance(piece, TemplateField) and not piece.part}
    start, stop = _time(found, day)
    used = set()
    for place, piece in enumerate(found):
        if start < place < stop:
            continue
        if isinstance(piece, str):
            yield piece
        elif start == place < stop:
            yield _Hole("timestamp", "".join(_pattern(p, day) for p in found[start:stop]), piece)
        else:
            name, kind = _name_and_type(piece, plain)
            if piece.name == "protocol":
                yield "HTTP/"
            yield _Hole("" if name in used else name, kind, piece)
            used.add(name)


def _name_and_type(field: TemplateField, plain: set[str]) -> tuple[str, str]:
    """Return what a hole for a field fills, and its type; ``plain`` fields have a hole as such."""
    if field.name in _TIMES:
        return field.text.replace(".", "_"), _type_of_part(field.part)
    name, kind = FIELDS[field.name]
    return f"{name}_anonymized" if field.part and field.name in plain else name, kind


def _type_of_part(part: str) -> str:
    if part == "":
        return "number"
    if part in ("A", "B", "Z", "a", "b", "p"):
        return "word"
    return "percent" if part in (*_DATED, "datetime", "iso8601", "X", "x") else "int"


def _pattern(part: str | TemplateField, day: str) -> str:
    if isinstance(part, str):
        return part.replace("%", "%%")
    return day if part.part in _DATED else _PARTS[part.part]


def _time(found: list[str | TemplateField], day: str) -> tuple[int, int]:
    """Return where the first complete time stands, that of the end if there is one."""
    for field in _TIMES:
        for start in range(len(found)):
            if stop := _whole(found, start, field, day):
                return start, stop
    return 0, 0


def _whole(found: list[str | TemplateField], start: int, field: str, day: str) -> int:
    """Return where the time that begins at ``start`` ends, 0 if its parts make none."""
    if isinstance(found[start], str):
        return 0
    end, known = 0, set[str]()
    for place, piece in enumerate(found[start:], start):
        if isinstance(piece, str):
            continue
        if piece.name != field or piece.part in _WORDS:
            break
        parts = set(re.findall("%([a-zA-Z])", _pattern(piece, day).replace("%%", "")))
        if known & parts or (known and "s" in parts) or ("s" in known and parts != {"f"}):
            break
        known |= parts
        if "s" in known or (known & {"d", "e"} and known & {"m", "b"}):
            end = place + 1
    return end


def _refuse_ambiguous(template: str, holes: list[str | _Hole]) -> None:
    """Refuse a template if nothing shows where a value ends, or which lines are of it."""
    for hole, after in pairwise(holes):
        if isinstance(hole, str):
            continue
        runs = "[0-9]" if hole.type.endswith(("%f", "%s")) else _ALPHABETS.get(hole.type)
        if runs is None:
            continue  # a time of a fixed width
        if isinstance(after, _Hole):
            reason = f"{{{hole.field.text}}} and {{{after.field.text}}} have no text between them"
        elif re.match(runs, after):
            reason = f"{after[0]!r} may be of {{{hole.field.text}}} or of the text behind it"
        else:
            continue
        hint = "expected text that no value holds, such as a blank"
        column = after.field.column if isinstance(after, _Hole) else hole.field.end
        raise SwiftTemplateError(template, column, f"{reason}: {hint}")
    if not any(map(_tells, holes)):
        reason = "any words look like its lines: expected a time, {method} or {status_int} in it"
        raise SwiftTemplateError(template, 0, reason)


def _tells(piece: str | _Hole) -> bool:
    if isinstance(piece, str):
        return bool(piece.strip())
    return piece.type in _TELLING or "%" in piece.type


def _written(piece: str | _Hole) -> str:
    if isinstance(piece, str):
        return piece.replace("{", "{{").replace("}", "}}")
    return f"{{{piece.name}:{piece.type}}}"


def _project(holes: list[str | _Hole]) -> list[str]:
    """Return the layout that finds the project in the account, or else in the path."""
    fields = [hole.field.text if isinstance(hole, _Hole) else "" for hole in holes]
    for field, start in (("account", ""), ("path", "/v{:number}/")):
        if field in fields:
            before = holes[: fields.index(field)]
            unnamed = [_written(s if isinstance(s, str) else s._replace(name="")) for s in before]
            return ["".join(unnamed) + start + "{:capitals}_{project_id:word}{:rest}"]
    return []
