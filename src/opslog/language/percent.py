"""One %-format of oslo.log's options as pieces of a layout.

``Translation`` reads a format string as Python's logging does.  Its pieces are the literal text
and the holes of the layout of the lines that are printed with it.  A format whose lines no
layout can read raises OsloOptionError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TypeAlias

from opslog.language import timestamps
from opslog.language.hole_types import HOLE_TYPES
from opslog.model.errors import OsloOptionError


@dataclass(frozen=True, slots=True)
class OsloOptions:
    """The options that shape a line; defaults are those of oslo.log 4.8.0 (Zed) to today."""

    logging_context_format_string: str = (
        "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s "
        "[%(global_request_id)s %(request_id)s %(user_identity)s] %(instance)s%(message)s"
    )
    logging_default_format_string: str = (
        "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s"
    )
    logging_exception_prefix: str = (
        "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s"
    )
    logging_debug_format_suffix: str = "%(funcName)s %(pathname)s:%(lineno)d"
    logging_user_identity_format: str = (
        "%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s"
    )
    instance_format: str = "[instance: %(uuid)s] "
    instance_uuid_format: str = "[instance: %(uuid)s] "
    log_date_format: str = "%Y-%m-%d %H:%M:%S"


OPTION_NAMES: tuple[str, ...] = tuple(option.name for option in fields(OsloOptions))


# How a key of a %-format is read: the column or attribute it fills and its type.
_KEYS: dict[str, tuple[str, str]] = {
    "process": ("process_pid", "int"),
    "processName": ("process_name", "text"),
    "filename": ("filename", "token"),
    "module": ("module", "token"),
    "thread": ("thread_id", "int"),
    "threadName": ("thread_name", "text"),
    "levelname": ("severity", "severity"),
    "name": ("logger", "token"),
    "funcName": ("code_function", "token"),
    "pathname": ("code_file", "source"),
    "lineno": ("code_line", "int"),
    "request_id": ("request_id", "request"),
    "global_request_id": ("global_request_id", "request?"),
    "error_summary": ("error_summary", "text"),
}

IDENTITY: dict[str, str] = {
    "user": "user_id",
    "user_id": "user_id",
    "tenant": "project_id",
    "project": "project_id",
    "project_id": "project_id",
    "domain": "domain_id",
    "domain_id": "domain_id",
    "system_scope": "system_scope",
    "user_domain": "user_domain_id",
    "user_domain_id": "user_domain_id",
    "project_domain": "project_domain_id",
    "project_domain_id": "project_domain_id",
    "user_name": "user_name",
    "project_name": "project_name",
}
"""Keys of a request's context, and the columns they fill."""

_UNNAMED = {"levelno": "int", "msecs": "int", "relativeCreated": "number"}

DIRECTIVE = re.compile(r"%(?:\((\w+)\)([-#0+ ]*)(\d*)(\.\d+)?([a-zA-Z])|(.?))")
"""``%(key)`` with flags, width, precision and conversion, or the character behind another ``%``."""

COLOR = re.compile(r"(\x1b\[[0-9;]*m)")
"""A color code as it stands in an option."""

_NO_PADDING = 15
"""A time is at least as long: a width up to this adds no blanks."""
_ISO_DATES = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%F %T", "%FT%T"}

Pieces: TypeAlias = list[str]
"""The text of a layout in pieces: literal text, and holes in braces."""


def column_of(key: str) -> str:
    """Return the column or attribute that a key of a format fills."""
    return _KEYS[key][0] if key in _KEYS else IDENTITY.get(key, key)


def keys_of(text: str) -> list[str]:
    """Return the keys of a %-format, in their order."""
    return [match[1] for match in DIRECTIVE.finditer(text) if match[1]]


class Translation:
    """The %-format of one option as ``pieces``; raises OsloOptionError.

    With ``resources`` a ``[type-UUID] `` behind the context is a resource even if no %(resource)s
    is configured.
    """

    def __init__(self, options: OsloOptions, option: str, resources: bool = False) -> None:
        self.options = options
        self.option = option
        self.text: str = getattr(options, option)
        self.resources = resources
        self.timed = False
        self.pieces: Pieces = []
        try:
            self._translate(self._expand_identity(self.text))
        except OsloOptionError:
            if "%(user_identity)s" in self.text:
                Translation(options, "logging_user_identity_format")  # raises if it is to blame
            raise
        self.pieces = _tidy(self.pieces)

    def _refuse(self, reason: str) -> OsloOptionError:
        return OsloOptionError(self.option, self.text, reason)

    def _expand_identity(self, text: str) -> str:
        identity = self.options.logging_user_identity_format
        return text.replace("%(user_identity)s", identity)

    def _translate(self, text: str) -> None:
        position = 0
        while position < len(text):
            match = DIRECTIVE.search(text, position)
            literal = text[position : match.start()] if match else text[position:]
            self.pieces += _literal(literal)
            if match is None:
                return
            position = match.end()
            if match[6] is not None:
                if match[6] != "%":
                    raise self._refuse(f"unsupported format at {text[match.start() :][:8]!r}")
                self.pieces.append("%")
            else:
                position = self._key(match, text)

    def _key(self, match: re.Match[str], text: str) -> int:
        key, flags, width, precision, conversion = match.groups()[:5]
        shown = match[0]
        if conversion in "ra":
            raise self._refuse(f"{shown} prints a quoted form, use %({key})s")
        if conversion not in "sdif":
            raise self._refuse(
                f"{shown} is not a form that can be read, use %({key})s or %({key})d"
            )
        if precision and conversion != "f":
            raise self._refuse(f"{shown} cuts the text off, use %({key})s")
        if len(width) > 2 or len(precision or "") > 3:
            raise self._refuse(f"{shown} is wider than the 99 characters that can be read")
        if set(flags) & set("+ #"):
            raise self._refuse(f"{shown} prints signs, use %({key}){conversion}")
        if key in ("asctime", "isotime", "created"):
            if int(width or 0) > _NO_PADDING:
                raise self._refuse(f"{shown} fills up the time with blanks, use %({key})s")
            return self._time(key, match.end(), text)
        if width and "0" not in flags and key != "msecs":
            self._padded(key, "-" in flags, width)
            return match.end()
        self.pieces += self._hole(key)
        return match.end()

    def _padded(self, key: str, left: bool, width: str) -> None:
        name, _, kind = "".join(self._hole(key)).strip("{}").partition(":")
        kind = {"text": "token", "token?": "token", "source": "token"}.get(kind, kind)
        if kind not in HOLE_TYPES or not HOLE_TYPES[kind].paddable:
            raise self._refuse(f"a padded %({key})s cannot be told from its padding")
        self.pieces.append(f"{{{name}:{kind}{'<' if left else '>'}{width}}}")

    def _hole(self, key: str) -> Pieces:
        if key == "message":
            return ["{body:rest}"]
        if key in ("instance", "resource"):
            return self._resource(key)
        if key in ("color", "reset_color"):
            return ["{~}"]
        if key in _UNNAMED:
            return [f"{{:{_UNNAMED[key]}}}"]
        name, kind = _KEYS.get(key, (IDENTITY.get(key, key), "token?"))
        return [f"{{{name}:{kind}}}"]

    def _time(self, key: str, position: int, text: str) -> int:
        name, self.timed = ("" if self.timed else "timestamp"), True
        if key == "isotime":
            kind = "iso"
        elif key == "created":
            kind = "%s.%f"
        else:
            kind = self.options.log_date_format
            msecs = re.compile(r"([.,])%\(msecs\)(?:03)?d").match(text, position)
            if kind in _ISO_DATES:
                kind = "iso-msecs"
                position = msecs.end() if msecs else position
            elif msecs:
                kind += f"{msecs[1]}%L"
                position = msecs.end()
        try:
            timestamps.kind(kind)
        except ValueError as error:
            date = self.options.log_date_format
            raise OsloOptionError("log_date_format", date, str(error)) from None
        self.pieces.append(f"{{{name}:{kind}}}")
        return position

    def _resource(self, key: str) -> Pieces:
        pieces = []
        formats = {self.options.instance_format, self.options.instance_uuid_format}
        for text in sorted(formats) if key == "instance" else ():
            # A message may begin with such a bracket, too.
            inner = DIRECTIVE.sub(
                lambda m: "{resource_id:uuid}" if m[1] in ("uuid", "id") else f"{{{m[1]}:token}}",
                text.replace("{", "{{").replace("}", "}}"),
            )
            if inner:
                pieces.append(f"{{?{{resource_type=instance}}{inner}}}")
        if key == "resource" or self.resources:
            pieces.append("{?[{resource_type:resource}-{resource_id:uuid}] }")
        if key == "resource" and not self.resources:
            pieces.append("{?[{resource_name:token}] }")
        return pieces


def _literal(text: str) -> Pieces:
    pieces = []
    for part in COLOR.split(text):
        if COLOR.fullmatch(part):
            pieces.append("{~}")
        elif part:
            pieces.append(part.replace("{", "{{").replace("}", "}}"))
    return pieces


def _tidy(pieces: Pieces) -> Pieces:
    """Merge literals and colors that stand together."""
    out: Pieces = []
    for piece in pieces:
        if piece == "{~}" and out and out[-1] == "{~}":
            continue
        if out and not is_hole(piece) and not is_hole(out[-1]):
            out[-1] += piece
        elif piece:
            out.append(piece)
    pieces = [piece for piece in out if piece]
    if pieces and pieces[-1].endswith(":text}"):
        pieces[-1] = pieces[-1].replace(":text}", ":token}")  # nothing follows that could end it
    return pieces


def is_hole(piece: str) -> bool:
    """Return whether a piece is a hole, not literal text."""
    return piece.startswith("{") and not piece.startswith("{{")
