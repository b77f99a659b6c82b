"""Where secrets stand in a text, and in texts within it: behind names, by shape, as arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from opslog.stages import commands, directives, encodings, secret_contexts, shapes, tables
from opslog.stages._outlines import outline
from opslog.stages._suspects import ANYWHERE, BYTES, NAME, URL, Suspects
from opslog.stages.named_secrets import named
from opslog.stages.pseudonyms import Pseudonym
from opslog.stages.secret_names import TRIGGERS, is_secret

_KEY_OF = re.compile(r"(?i)(?:secret|private|api|encryption|access|auth|shared)[ ]\Z")
_AUTH = re.compile(r"(?i)auth['\"]?\s?[:=]\s?['\"]?\Z")
_USER_AND = re.compile(r"[\w.@$-]{1,64}:\S{4,}")
"""What Docker has in base64 for a registry."""

_JSON_NAME = re.compile(r"""(\\*")\s{0,8}:\s{0,8}\Z""")
"""What stands before a value in JSON, with the sign that texts have there."""

_MOST_LAYERS = 48
_SIGNS = 2
"""Characters of what stands between a name and its value that a value before them may end with."""

_NAMES, _SHAPES = list(TRIGGERS), list(shapes.SHAPES)
_URLS, _WORDS, _COMMANDS = (
    list(shapes.URLS),
    [*shapes.WORDS, *secret_contexts.WORDS, *directives.WORDS, *encodings.WORDS],
    list(commands.WORDS),
)
_ENCODED = {
    form.lower()
    for word in _SHAPES
    for form in (quote(word, safe=""), quote_plus(word, safe=""), word.replace("$", "\\$"))
    if form != word
}
"""How the words of shapes are written in URLs, and between a shell's double quotes."""
_WORDS += sorted(_ENCODED)
_ALL = [*_NAMES, *_SHAPES, *_URLS, *_WORDS, *_COMMANDS]
SUSPECTS = Suspects([
    *((word.encode(), NAME) for word in _NAMES),
    *((word.encode(), shapes.SHAPES[word]) for word in _SHAPES),
    *((word.encode(), URL) for word in _URLS),
    *((word.encode(), ANYWHERE) for word in (*_WORDS, *_COMMANDS)),
    *((b"[%d" % digit, BYTES) for digit in range(1, 10)),
], is_secret)  # fmt: skip
"""Suspects every text with a secret."""
_BEHIND_NAMES = len(_NAMES)
_BEHIND_SHAPES = _BEHIND_NAMES + len(_SHAPES)
_BEHIND_URLS = _BEHIND_SHAPES + len(_URLS)
_BEHIND_WORDS = _BEHIND_URLS + len(_WORDS)

Span = tuple[int, int]

_MOST_KNOWN = 4096
_known: dict[bytes, list[Span]] = {}
"""By outline, where secrets stand in such texts."""


def masked(text: str, pseudonym: Pseudonym) -> str:
    """Return ``text`` with pseudonyms in place of secrets."""
    found = find(text)
    if not found:
        return text
    out, at = "", 0
    for begin, end, secret in found:
        name = pseudonym(secret)
        if text[begin] in "[{" and (whole := _JSON_NAME.search(text, max(0, begin - 24), begin)):
            name = whole[1] + name + whole[1]  # JSON stays JSON
        out += text[at:begin] + name
        at = end
    return out + text[at:]


def find(text: str) -> list[tuple[int, int, str]]:
    """Return where secrets stand in ``text``, and what they are without their encoding.

    In order, none touching another.  Where they stand in texts of one outline is found once.
    """
    data = text.encode(errors="surrogatepass")
    kind = outline(data)
    if kind is None or SUSPECTS.base64(data):
        return searched(text)
    spans = _known.get(kind)
    if spans is not None:
        return [(begin, end, text[begin:end]) for begin, end in spans]
    found = searched(text)
    if all(text[begin:end] == secret for begin, end, secret in found):
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[kind] = [(begin, end) for begin, end, _ in found]
    return found


def searched(text: str, deep: int = 4) -> list[tuple[int, int, str]]:
    """Return what ``find`` does, from this text alone.

    Encodings in encodings are undone one after the other, and base64 is looked into
    ``deep`` times.
    """
    spans: list[tuple[int, int, str]] = []
    seen = {text}
    waiting: list[tuple[str, tuple[encodings.Layer, ...]]] = [(text, ())]
    while waiting:
        inner, above = waiting.pop(0)
        for begin, end in _plain(inner, deep):
            secret = inner[begin:end]
            for layer in reversed(above):
                begin, end = layer.source(begin, end)
            spans.append((begin, end, secret))
        if len(seen) < _MOST_LAYERS:
            for layer in encodings.layers(inner):
                if layer.text not in seen:
                    seen.add(layer.text)
                    waiting.append((layer.text, (*above, layer)))
    return _joined(spans)


def _joined(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the spans in order, those that overlap as one with the longest's secret."""
    out: list[tuple[int, int, str]] = []
    longest = 0
    for begin, end, secret in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end <= begin:
            continue
        if out and begin < out[-1][1]:
            first, last, known = out[-1]
            if end - begin > longest:
                known, longest = secret, end - begin
            out[-1] = (first, max(last, end), known)
        else:
            out.append((begin, end, secret))
            longest = end - begin
    return out


def _plain(text: str, deep: int) -> Iterator[Span]:
    """Yield where secrets stand that are not encoded, and base64 of texts with secrets."""
    data = text.encode(errors="surrogatepass")
    hits = SUSPECTS.hits(data)
    if len(data) != len(text):
        hits = [(number, _place(data, begin), _place(data, end)) for number, begin, end in hits]
    rest = set()
    first = behind = 0
    of_name = False
    for number, begin, end in hits:
        found: Iterator[Span] = iter(())
        if number < 0:
            rest.add("base64")
        elif (
            number < _BEHIND_SHAPES
            and first <= begin
            and (end + _SIGNS if of_name else begin) < behind
        ):
            continue  # in a secret; what stands at its end may have a value behind it
        elif number < _BEHIND_NAMES:
            while end > begin and text[end - 1] in ".-":
                end -= 1
            name = text[begin:end]
            if is_secret(name) or (
                name.lower() in ("key", "keys") and _KEY_OF.search(text, max(0, begin - 12), begin)
            ):
                found = named(text, begin, end, name.strip("-."))
                rest.add("tables")
            if "oken" in name and is_secret(name):
                yield from shapes.uuid_token(text, text.find("oken", begin) - 1)
        elif number < _BEHIND_SHAPES:
            found = shapes.shaped(text, _ALL[number], begin)
        elif number < _BEHIND_URLS:
            if _ALL[number] == "://":
                found = shapes.authority(text, end)
        elif number < _BEHIND_WORDS or number >= len(_ALL):
            rest.add("words")
        else:
            rest.add("commands")
        for span in found:
            if span[1] > behind:
                first, behind = span
                of_name = number < _BEHIND_NAMES
            yield span
    if "tables" in rest and "\n" in text:
        yield from tables.spans(text)
    if "words" in rest:
        yield from shapes.worded(text)
        yield from directives.spans(text)
        for begin, end in secret_contexts.names(text):
            yield from named(text, begin, end, text[begin:end])
        for of_numbers in (encodings.of_audit, encodings.of_bytes) if deep else ():
            for begin, end, decoded in of_numbers(text):
                if searched(decoded, deep - 1):
                    yield begin, end
    if "commands" in rest:
        yield from commands.spans(text)
    if deep and "base64" in rest:
        for begin, end, decoded in encodings.of_base64(text):
            login = _AUTH.search(text, max(0, begin - 30), begin)
            if searched(decoded, deep - 1) or (login and _USER_AND.fullmatch(decoded)):
                yield begin, end


def _place(data: bytes, at: int) -> int:
    return len(data[:at].decode(errors="surrogatepass"))
