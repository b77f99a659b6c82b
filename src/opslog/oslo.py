"""oslo.log's options to layouts.

oslo.log's formats are %-format strings in a service's configuration
(oslo_log/_options.py).  ``derive`` turns one set of them into the layouts of
the lines they print, as oslo.log's ContextFormatter uses them:

- a record with a request id prints logging_context_format_string, any other
  logging_default_format_string;
- at level DEBUG, " " and logging_debug_format_suffix follow;
- each line of a traceback follows behind logging_exception_prefix.

The shipped oslo formats are this function applied to every default there was;
a deployment's own configuration goes through the same function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

from opslog.errors import LayoutError, OsloOptionError
from opslog.layout import RUNS, parse


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


@dataclass(frozen=True, slots=True)
class Derived:
    """Layout texts by role; ``tails`` are pairs (layout, only at DEBUG).

    ``fallbacks`` are heads that keep the whole identity as one text: names may
    hold blanks, identity may be missing or ``None``; the request id must survive.
    """

    heads: tuple[str, ...]
    fallbacks: tuple[str, ...]
    tracebacks: tuple[str, ...]
    tails: tuple[tuple[str, bool], ...]


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
_IDENTITY: dict[str, str] = {
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
_UNNAMED = {"levelno": "int", "msecs": "int", "relativeCreated": "number"}

_DIRECTIVE = re.compile(r"%(?:\((\w+)\)([-#0+ ]*)(\d*)(?:\.\d+)?([a-zA-Z])|(.?))")
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_ISO_DATES = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%F %T", "%FT%T"}

# Pieces of a layout under construction: literal text as such, holes in braces.
_Pieces: TypeAlias = list[str]


def derive(options: OsloOptions, resources: bool = False) -> Derived:
    """Return the layouts of every line that ``options`` make oslo.log print.

    With ``resources`` a ``[type-UUID] `` behind the context is a resource even
    where no %(resource)s is configured, and any other ``[name] `` is text even
    where one is.  Raises OsloOptionError naming the
    option that no deterministic layout can read.
    """
    derived = _derive(options, resources)
    _check(options, derived)
    return derived


def _derive(options: OsloOptions, resources: bool) -> Derived:
    heads: list[str] = []
    fallbacks: list[str] = []
    tails: list[tuple[str, bool]] = []
    suffix = _Translation(options, "logging_debug_format_suffix").pieces
    for option in _in_order(options):
        translation = _Translation(options, option, resources=resources)
        if "{body:rest}" not in translation.pieces:
            raise OsloOptionError(option, getattr(options, option), "expected %(message)s in it")
        at = translation.pieces.index("{body:rest}") + 1
        head, tail = translation.pieces[:at], translation.pieces[at:]
        if any("error_summary" in piece for piece in tail):
            tail = []  # free text behind free text: it stays at the end of the body
        while tail and tail[0] == "{~}":
            tail = tail[1:]  # a colour reset behind the message is removed with its colours
        heads.append(_join(head))
        fallbacks += _fallback(head)
        if suffix:
            tails.append((_join([*tail, " ", *suffix]), True))
        if tail:
            tails.append((_join(tail), False))
        _refuse_loose_tail(options, option, tails)
    prefix = _Translation(options, "logging_exception_prefix").pieces
    tracebacks = []
    if prefix:
        tracebacks.append(_join([*prefix, "{body:rest}"]))
        without_blank = _join([p for p in prefix if not p.startswith("{?")])
        if without_blank.endswith(" "):
            # Editors and copies strip the blank behind which the text is empty.
            tracebacks.append(without_blank.rstrip(" "))
    return Derived(_unique(heads), _unique(fallbacks), _unique(tracebacks), _unique(tails))


def shipped(sets: Iterable[OsloOptions]) -> Derived:
    """Return the layouts of many option sets together, each once.

    Where two sets print lines of the same shape, and one reads ids where the
    other reads names, the value's shape decides.
    """
    alls = [_derive(options, resources=True) for options in sets]
    heads: dict[str, str] = {}
    for layout in (head for one in alls for head in one.heads):
        shape = _shape(layout)
        heads[shape] = _merge(heads[shape], layout) if shape in heads else layout
    return Derived(
        tuple(heads.values()),
        _unique(f for one in alls for f in one.fallbacks),
        _unique(t for one in alls for t in one.tracebacks),
        _unique(t for one in alls for t in one.tails),
    )


def _in_order(options: OsloOptions) -> tuple[str, str]:
    """Return the two formats, first the one whose lines the other might take for its own.

    A bracket without a key ("[-]") tells a line without a context at once;
    without one such a line is only told by what it lacks.
    """
    both = ("logging_context_format_string", "logging_default_format_string")
    default = _COLOUR.sub("", options.logging_default_format_string).replace("%(color)s", "")
    return (both[1], both[0]) if re.search(r"\[[^%\]]*\]", default) else both


class _Translation:
    """One option's %-format as pieces of a layout."""

    def __init__(self, options: OsloOptions, option: str, resources: bool = False) -> None:
        self.options = options
        self.option = option
        self.text: str = getattr(options, option)
        self.resources = resources
        self.timed = False
        self.pieces: _Pieces = []
        self._translate(self._expand_identity(self.text))
        self.pieces = _tidy(self.pieces)

    def refuse(self, reason: str) -> OsloOptionError:
        return OsloOptionError(self.option, self.text, reason)

    def _expand_identity(self, text: str) -> str:
        identity = self.options.logging_user_identity_format
        return text.replace("%(user_identity)s", identity)

    def _translate(self, text: str) -> None:
        position = 0
        while position < len(text):
            match = _DIRECTIVE.search(text, position)
            literal = text[position : match.start()] if match else text[position:]
            self.pieces += _literal(literal)
            if match is None:
                return
            position = match.end()
            if match[5] is not None:
                if match[5] != "%":
                    raise self.refuse(f"unsupported format at {text[match.start() :][:8]!r}")
                self.pieces.append("%")
            else:
                position = self._key(match, text)

    def _key(self, match: re.Match[str], text: str) -> int:
        key, flags, width, conversion = match[1], match[2], match[3], match[4]
        if conversion in "ra":
            raise self.refuse(f"%({key}){conversion} prints a quoted form, use %({key})s")
        if width and "0" not in flags and key != "msecs":
            self._padded(key, "-" in flags, width)
            return match.end()
        if key in ("asctime", "isotime", "created"):
            return self._time(key, match.end(), text)
        self.pieces += self._hole(key)
        return match.end()

    def _padded(self, key: str, left: bool, width: str) -> None:
        name, _, kind = "".join(self._hole(key)).strip("{}").partition(":")
        kind = {"text": "token", "token?": "token", "source": "token"}.get(kind, kind)
        if kind != "token" and kind not in RUNS:
            raise self.refuse(f"a padded %({key})s cannot be told from its padding")
        self.pieces.append(f"{{{name}:{kind}{'<' if left else '>'}{width}}}")

    def _hole(self, key: str) -> _Pieces:
        if key == "message":
            return ["{body:rest}"]
        if key in ("instance", "resource"):
            return self._resource(key)
        if key in ("color", "reset_color"):
            return ["{~}"]
        if key in _UNNAMED:
            return [f"{{:{_UNNAMED[key]}}}"]
        name, kind = _KEYS.get(key, (_IDENTITY.get(key, key), "token?"))
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
        self.pieces.append(f"{{{name}:{kind}}}")
        return position

    def _resource(self, key: str) -> _Pieces:
        pieces = []
        formats = {self.options.instance_format, self.options.instance_uuid_format}
        for text in sorted(formats) if key == "instance" else ():
            inner = _DIRECTIVE.sub(
                lambda m: "{resource_id:token}" if m[1] in ("uuid", "id") else f"{{{m[1]}:token}}",
                text.replace("{", "{{").replace("}", "}}"),
            )
            if inner:
                pieces.append(f"{{?{{resource_type=instance}}{inner}}}")
        if key == "resource" or self.resources:
            pieces.append("{?[{resource_type:resource}-{resource_id:uuid}] }")
        if key == "resource" and not self.resources:
            pieces.append("{?[{resource_name:token}] }")
        return pieces


def _literal(text: str) -> _Pieces:
    pieces = []
    for part in _COLOUR.split(text):
        if _COLOUR.fullmatch(part):
            pieces.append("{~}")
        elif part:
            pieces.append(part.replace("{", "{{").replace("}", "}}"))
    return pieces


def _tidy(pieces: _Pieces) -> _Pieces:
    """Merge literals and colours that stand together."""
    out: _Pieces = []
    for piece in pieces:
        if piece == "{~}" and out and out[-1] == "{~}":
            continue
        if out and not _is_hole(piece) and not _is_hole(out[-1]):
            out[-1] += piece
        elif piece:
            out.append(piece)
    pieces = [piece for piece in out if piece]
    if pieces and pieces[-1].endswith(":text}"):
        pieces[-1] = pieces[-1].replace(":text}", ":token}")  # nothing follows that could end it
    return pieces


def _is_hole(piece: str) -> bool:
    return piece.startswith("{") and not piece.startswith("{{")


def _join(pieces: Sequence[str]) -> str:
    return "".join(pieces)


def _fallback(head: _Pieces) -> list[str]:
    """Return the head with all identity behind the request id as one text, if it has any."""
    named = {f"{{{name}:token?}}" for name in _IDENTITY.values()}
    places = [i for i, piece in enumerate(head) if piece in named]
    start = next((i + 1 for i, p in enumerate(head) if p.startswith("{request_id")), None)
    if not places or start is None or places[0] <= start:
        return []
    stop = places[-1] + 1
    while stop < len(head) and head[stop] == "{~}":
        stop += 1
    if stop == len(head) or _is_hole(head[stop]):
        return []
    return [_join([*head[: places[0]], "{user_identity:text}", *head[stop:]])]


def _shape(layout: str) -> str:
    """Return the layout without colours and the names of its holes: what it accepts."""
    return re.sub(r"\{[a-z_|]*(?=[:}])", "{", layout.replace("{~}", ""))


_ID_OR_NAME = {"user_id": "user_name", "project_id": "project_name"}


def _merge(first: str, second: str) -> str:
    """Combine two layouts of one shape: ids of one, names of the other, by the value's shape.

    If colours may stand in the lines of either, they may in those of both.
    """
    names = re.compile(r"\{([a-z_|]+):")
    ours, theirs = names.findall(first), names.findall(second)
    merged = second if "{~}" in second else first
    for our, their in zip(ours, theirs, strict=True):
        if _ID_OR_NAME.get(our) == their or _ID_OR_NAME.get(their) == our:
            pair = f"{our}|{their}" if our in _ID_OR_NAME else f"{their}|{our}"
            merged = re.sub(rf"\{{(?:{our}|{their}):", f"{{{pair}:", merged)
    return merged


def _unique(items: Iterable[str] | Iterable[tuple[str, bool]]) -> tuple:  # type: ignore[type-arg]
    return tuple(dict.fromkeys(items))


def _refuse_loose_tail(options: OsloOptions, option: str, tails: list[tuple[str, bool]]) -> None:
    for tail, _ in tails:
        if not tail.startswith(" "):
            raise OsloOptionError(
                option,
                getattr(options, option),
                "what follows %(message)s must begin with a blank to be told from it",
            )


def _check(options: OsloOptions, derived: Derived) -> None:
    for option, layouts in (
        ("logging_context_format_string", [*derived.heads, *derived.fallbacks]),
        ("logging_exception_prefix", derived.tracebacks),
        ("logging_debug_format_suffix", [tail for tail, _ in derived.tails]),
    ):
        for layout in layouts:
            try:
                parse(layout)
            except LayoutError as error:
                raise OsloOptionError(
                    option, getattr(options, option), f"cannot be read back: {error.reason}"
                ) from None


def options_from(values: dict[str, str]) -> OsloOptions:
    """Return the options with ``values`` (option name to text) in place of defaults.

    Raises KeyError for a name that is not an option.
    """
    unknown = set(values) - set(OPTION_NAMES)
    if unknown:
        raise KeyError(*sorted(unknown))
    return replace(OsloOptions(), **values)
