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
from dataclasses import dataclass, replace
from itertools import dropwhile

from opslog.language.layout_parser import parse
from opslog.language.percent import (
    COLOR,
    IDENTITY,
    OPTION_NAMES,
    OsloOptions,
    Pieces,
    Translation,
    is_hole,
)
from opslog.model.errors import LayoutError, OsloOptionError
from opslog.model.severity import VOCABULARIES


@dataclass(frozen=True, slots=True)
class OsloLayouts:
    """The texts of the layouts derived from options, by role."""

    heads: tuple[str, ...]
    fallbacks: tuple[str, ...]
    """Heads that keep the identity as one text, since names may have blanks and an identity may
    be missing: so at least the request id is read."""
    bares: tuple[str, ...]
    """Heads that look like the lines of a traceback."""
    tracebacks: tuple[str, ...]
    """What is printed before each line of a traceback, and that line."""
    tails: tuple[tuple[str, bool], ...]
    """What follows a message, and whether only at the level DEBUG."""


def derive(options: OsloOptions, resources: bool = False) -> OsloLayouts:
    """Return the layouts of all lines that oslo.log prints with ``options``.

    With ``resources`` a ``[type-UUID] `` behind the context is a resource even if no %(resource)s
    is configured, and any other ``[name] `` is text even if one is.  Raises OsloOptionError for
    an option whose lines no layout can read.
    """
    derived = _derive(options, resources)
    _check(options, derived)
    return derived


def _derive(options: OsloOptions, resources: bool) -> OsloLayouts:
    heads: list[str] = []
    fallbacks: list[str] = []
    tails: list[tuple[str, bool]] = []
    bares: list[str] = []
    suffix = Translation(options, "logging_debug_format_suffix").pieces
    prefix = Translation(options, "logging_exception_prefix").pieces
    order = _in_order(options)
    for option in order:
        head, tail = _head_and_tail(Translation(options, option, resources=resources))
        if _may_look_like_head(prefix, head):
            bares += [_join(head), *_fallback(head)]
        elif option == order[0] == "logging_context_format_string":
            # Without its own mark the other format takes what this one's head does not.
            heads += [_join(head), *_fallback(head)]
        else:
            heads.append(_join(head))
            fallbacks += _fallback(head)
        heads += _empty(head)
        if suffix:
            tails.append((_join([*tail, " ", *suffix]), True))
        if tail:
            tails.append((_join(tail), False))
        if not all(text.startswith(" ") for text, _ in tails):
            reason = "what follows %(message)s must begin with a blank to be told from it"
            raise OsloOptionError(option, getattr(options, option), reason)
    return OsloLayouts(
        _unique(heads),
        _unique(fallbacks),
        _unique(bares),
        _unique(_tracebacks(prefix)),
        _unique(tails),
    )


def _head_and_tail(translation: Translation) -> tuple[Pieces, Pieces]:
    """Return the pieces up to the message, and those that are told from its end."""
    pieces = translation.pieces
    if "{body:rest}" not in pieces:
        raise OsloOptionError(translation.option, translation.text, "expected %(message)s in it")
    behind = pieces.index("{body:rest}") + 1
    head, tail = pieces[:behind], pieces[behind:]
    if any("error_summary" in piece for piece in tail):
        tail = []  # free text behind free text: it stays at the end of the body
    # A color reset behind the message is removed with its colors.
    return head, list(dropwhile("{~}".__eq__, tail))


def _empty(head: Pieces) -> list[str]:
    """Return the layout of a head whose message is empty, if a request's bracket or [-] ends it.

    Editors and copies strip the blank behind it.  The message's further lines may have its text.
    """
    plain = [piece for piece in head[:-1] if piece != "{~}"]
    behind = len(plain)
    while behind and plain[behind - 1].startswith("{?"):
        behind -= 1
    text = _join(plain[:behind])
    if not (text.endswith("[-] ") or (text.endswith("] ") and "request_id" in text)):
        return []
    return [text[:-1] + "".join(f"{{? {p[2:-2]}}}" for p in plain[behind:] if p.endswith(" }"))]


def _tracebacks(prefix: Pieces) -> list[str]:
    """Return the layouts of a traceback's lines."""
    if not prefix:
        return []
    plain = [piece for piece in prefix if piece != "{~}"]
    without_blank = _join([piece for piece in plain if not piece.startswith("{?")])
    if not without_blank.endswith(" "):
        return [_join([*prefix, "{body:rest}"])]
    # Editors and copies strip the blank behind which the text is empty, with the colors there.
    stripped = _join(
        [
            f"{{? {piece[2:-2]}}}" if piece.endswith(" }") else piece
            for piece in _before_blank(plain)
        ]
    )
    return [stripped, _join([*prefix, "{body:rest}"])]


def _before_blank(prefix: Pieces) -> Pieces:
    """Return the pieces without the last blank that is no part of an optional one."""
    last = max(i for i, piece in enumerate(prefix) if not piece.startswith("{?"))
    return [*prefix[:last], prefix[last].rstrip(" "), *prefix[last + 1 :]]


def shipped(sets: Iterable[OsloOptions]) -> OsloLayouts:
    """Return the layouts of many sets of options together, each once.

    If two sets print lines of the same shape, one with ids where the other has names, the shape
    of the value decides which it is.
    """
    alls = [_derive(options, resources=True) for options in sets]
    heads: dict[str, str] = {}
    for layout in (head for one in alls for head in one.heads):
        key = shape(layout)
        heads[key] = _merge(heads[key], layout) if key in heads else layout
    return OsloLayouts(
        tuple(heads.values()),
        _unique(f for one in alls for f in one.fallbacks),
        _unique(b for one in alls for b in one.bares),
        _unique(t for one in alls for t in one.tracebacks),
        _unique(t for one in alls for t in one.tails),
    )


def _in_order(options: OsloOptions) -> tuple[str, str]:
    """Return the two formats, first the one whose lines layouts of the other might take.

    A bracket without a key ("[-]") that only the default format has marks a line without a
    context; without such a mark only the missing context tells the lines apart.
    """
    both = ("logging_context_format_string", "logging_default_format_string")
    context, default = (
        set(_KEYLESS.findall(COLOR.sub("", getattr(options, option)).replace("%(color)s", "")))
        for option in both
    )
    return (both[1], both[0]) if default - context else both


_KEYLESS = re.compile(r"\[[^%\]]*\]")


def _join(pieces: Sequence[str]) -> str:
    return "".join(pieces)


_WORD = re.compile(rf"\b(?:{'|'.join(VOCABULARIES['oslo'])})\b")
_SEVERITY = re.compile(r"\{[a-z_]*:severity(?:([<>])(\d+))?\}")


def _may_look_like_head(prefix: Pieces, head: Pieces) -> bool:
    """Whether a line that begins with the prefix of a traceback may look like a head."""
    if not prefix:
        return False
    shapes = [
        _unnamed("".join(p for p in pieces if not p.startswith(("{?", "{body:", "{~}"))))
        for pieces in (prefix, head)
    ]
    word = match[0] if (match := _WORD.search(shapes[0])) else "ERROR"

    def level(match: re.Match[str]) -> str:
        return word.rjust(int(match[2])) if match[1] == ">" else word.ljust(int(match[2] or 0))

    first, second = (_SEVERITY.sub(level, shape) for shape in shapes)
    # A hole that takes any word takes a number, too.
    # oslo.config strips the blank at the end of a prefix without quotes.
    return _begins_like(first, _WORD_HOLE.split(second)) or first == second.rstrip(" ")


def _begins_like(text: str, parts: list[str]) -> bool:
    """Whether a text begins with the parts, with a word or a hole between each two of them."""
    first, *others = parts
    if not text.startswith(first):
        return False
    rest = text[len(first) :]
    word = _SOLID_WORD.match(rest)
    ends = range(word.end(), 0, -1) if word else ()
    return not others or any(_begins_like(rest[end:], others) for end in ends)


_WORD_HOLE = re.compile(r"\{:(?:text|token)\}")
"""A hole that takes a word, in a layout without names."""
_SOLID_WORD = re.compile(r"[^ \[\]]+")


def _unnamed(layout: str) -> str:
    """Return the layout without the names of its holes."""
    return re.sub(r"\{[a-z_|]*(?=[:}])", "{", layout)


def _fallback(head: Pieces) -> list[str]:
    """Return the head with the identity behind the request id as one text, if it has one."""
    named = {f"{{{name}:token?}}" for name in IDENTITY.values()}
    places = [i for i, piece in enumerate(head) if piece in named]
    start = next((i + 1 for i, p in enumerate(head) if p.startswith("{request_id")), -1)
    if not places or places[0] <= start:
        return []
    stop = places[-1] + 1
    while stop < len(head) and head[stop] == "{~}":
        stop += 1
    if stop == len(head) or is_hole(head[stop]) or not head[stop].strip():
        return []  # no text behind it shows where names with blanks end
    return [_join([*head[: places[0]], "{user_identity:text}", *head[stop:]])]


def shape(layout: str) -> str:
    """Return the layout without colors and the names of its holes: what it accepts."""
    return _unnamed(layout.replace("{~}", ""))


_ID_OR_NAME = {"user_id": "user_name", "project_id": "project_name"}


def _merge(first: str, second: str) -> str:
    """Combine two layouts of one shape: if one has an id where the other has a name, either may be.

    If colors may stand in the lines of one of them, they may in those of both.
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


def _check(options: OsloOptions, derived: OsloLayouts) -> None:
    for option, layouts in (
        (
            "logging_context_format_string",
            [*derived.heads, *derived.fallbacks, *derived.bares],
        ),
        ("logging_exception_prefix", derived.tracebacks),
        ("logging_debug_format_suffix", [tail for tail, _ in derived.tails]),
    ):
        for layout in layouts:
            try:
                parse(layout)
            except LayoutError as error:
                default = "logging_default_format_string"
                if _join(Translation(options, default).pieces).startswith(layout):
                    option = default
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
