"""Where secrets stand in a text, and in texts within it: behind names, by shape, as arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opslog.stages import commands, directives, encodings, secret_contexts, shapes
from opslog.stages._suspects import ANYWHERE, NAME, URL, Suspects
from opslog.stages.pseudonyms import Pseudonym
from opslog.stages.secret_names import TRIGGERS, is_secret
from opslog.stages.secret_values import (
    is_kept,
    is_said,
    quoted_end,
    value_at,
)

_SIGN = re.compile(r"(?:\[\d{0,3}\])?[ \t]{0,40}(?:=>|:=|->|[:=]{1,2})[ \t+]{0,40}")
_COMMA = re.compile(r"[ \t]{0,4},\s{0,9}")
_BLANK = re.compile(r"[ \t]{1,9}")
_THEN_VALUE = re.compile(
    r"""["']?\s{0,40}[,\s]\s{0,40}(?:-v|--value|["']?(?:value|val)["']?\s{0,9}[:=])\s{0,9}"""
)
_OLD_BLOCK = re.compile(r"[ \t]*(?:[|>][+-]?\d?[ \t]*)?(?:\#[^\n]*)?\r?\n")
_AT_LINE = re.compile(r"(?:\A|[\n\r]|\]\s|\\n|\s-\s)[\s|>+*#-]{0,80}(?:export\s|set\s)?['\"]?\Z")
_TAG = re.compile(r"<[\w:.-]{0,80}\Z")
_CONTENT = re.compile(r"[^<]*")
_WORD_BEFORE = re.compile(r"[A-Za-z]{2,}[ \t]\Z")
_RANDOM = re.compile(r"(?=\S{0,300}\d)(?=\S{0,300}[A-Za-z])\S{8,}|\S{24,}")
_NOT_OF_TOKEN = re.compile(
    r"0x[0-9a-f]{1,16}\b|\d{4}-\d\d-\d\d[T ]\d\d:|\d{1,6}(?=[\s,;)}\]&]|\Z)"
    r"|['\"]?[^\w\s]{1,3}['\"](?:\s|\Z)"
)
_COUNT = re.compile(r"\d{1,6}(?=[\s,;)}\]&]|\Z)")
_BARE = frozenset(
    {"token", "tokens", "secret", "secrets", "pin", "sid", "sig", "community", "kg", "otp"}
)
_COOKIE_OF_FLOW = re.compile(r"0x[0-9a-fA-F]+|\d+\b")
_SCHEME = re.compile(r"(?i)(?:basic|bearer|digest|negotiate|token|aws)[ \t]{1,9}(?=\S)")
_CREDENTIALS = re.compile(r"(?i)(?:authorization|cookies?)\Z")
_WORDY = re.compile(
    r"(?i)(?:invalid|incorrect|wrong|bad|missing|expir(?:ing|ed)|unexpected|unknown|unsupported|no"
    r"|the|a|empty|weak|your|generated?|new|for|of|error)[ \t]+\Z"
)
_LOWER = re.compile(r"[a-z]+(?:[\s.,;]|\Z)")

_PSEUDONYM = re.compile(r"<secret:[0-9a-f]{8}>")
_KEY_OF = re.compile(r"(?i)(?:secret|private|api|encryption|access|auth|shared)[ ]\Z")
_SAID = re.compile(
    r"(?:string\s+)?(?:(?:for|of) (?:(?:the )?user )?[\w.@-]{1,64}[: ]\s{0,3})?"
    r"(?:(?:(?:is|was|has been) )?(?:set |changed |reset )?(?:is|was|to)[: ]\s{0,3})?"
)
"""What may stand between a name and a value in a sentence; nothing, too."""
_MIXED = re.compile(
    r"""['"]?(?![0-9a-f]{8}-[0-9a-f]{4}-|req-|\d{4}-|0x|/|https?:)(?=[^\s'"]*\d)(?=[^\s'"]*[A-Z])"""
    r"""(?=[^\s'"]*[a-z])[\w.+/=!@#$%^&*~-]{8,}['"]?(?=[\s,;.)]|\Z)"""
)
"""A word that no sentence has: letters of both kinds, and digits."""
_AUTH = re.compile(r"(?i)auth['\"]?\s?[:=]\s?['\"]?\Z")
_USER_AND = re.compile(r"[\w.@$-]{1,64}:\S{4,}")
"""What Docker has in base64 for a registry."""

_JSON_NAME = re.compile(r"""(\\*")\s{0,8}:\s{0,8}\Z""")
"""What stands before a value in JSON, with the sign that texts have there."""

_MOST_LAYERS = 48

_NAMES, _SHAPES = list(TRIGGERS), list(shapes.SHAPES)
_URLS, _WORDS, _COMMANDS = (
    list(shapes.URLS),
    [*shapes.WORDS, *secret_contexts.WORDS, *directives.WORDS],
    list(commands.WORDS),
)
_ALL = [*_NAMES, *_SHAPES, *_URLS, *_WORDS, *_COMMANDS]
SUSPECTS = Suspects([
    *((word.encode(), NAME) for word in _NAMES),
    *((word.encode(), shapes.SHAPES[word]) for word in _SHAPES),
    *((word.encode(), URL) for word in _URLS),
    *((word.encode(), ANYWHERE) for word in (*_WORDS, *_COMMANDS)),
])  # fmt: skip
"""Suspects every text with a secret."""
_BEHIND_NAMES = len(_NAMES)
_BEHIND_SHAPES = _BEHIND_NAMES + len(_SHAPES)
_BEHIND_URLS = _BEHIND_SHAPES + len(_URLS)
_BEHIND_WORDS = _BEHIND_URLS + len(_WORDS)

Span = tuple[int, int]


def masked(text: str, pseudonym: Pseudonym) -> str:
    """Return ``text`` with pseudonyms in place of secrets."""
    found = find(text)
    if not found:
        return text
    out, at = [], 0
    for begin, end, secret in found:
        whole = text[begin] in "[{" and _JSON_NAME.search(text, max(0, begin - 24), begin)
        quote = whole[1] if whole else ""  # JSON stays JSON
        out += [text[at:begin], quote, pseudonym(secret), quote]
        at = end
    return "".join([*out, text[at:]])


def find(text: str, deep: int = 4) -> list[tuple[int, int, str]]:
    """Return where secrets stand in ``text``, and what they are without their encoding.

    In order, none touching another.  Encodings in encodings are undone one after the
    other, and base64 is looked into ``deep`` times.
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
    behind = 0
    for number, begin, end in hits:
        found: Iterator[Span] = iter(())
        if number < 0:
            rest.add("base64")
        elif begin < behind:
            continue  # in a secret
        elif number < _BEHIND_NAMES:
            while end > begin and text[end - 1] in ".-":
                end -= 1
            name = text[begin:end]
            if is_secret(name) or (
                name.lower() in ("key", "keys") and _KEY_OF.search(text, max(0, begin - 12), begin)
            ):
                found = _named(text, begin, end, name.strip("-."))
            if "oken" in name:
                yield from shapes.uuid_token(text, text.find("oken", begin) - 1)
        elif number < _BEHIND_SHAPES:
            found = shapes.shaped(text, _ALL[number], begin)
        elif number < _BEHIND_URLS:
            if _ALL[number] == "://":
                found = shapes.authority(text, end)
        else:
            rest.add("words" if number < _BEHIND_WORDS else "commands")
        for span in found:
            behind = max(behind, span[1])
            yield span
    if "words" in rest:
        yield from shapes.worded(text)
        yield from directives.spans(text)
        for begin, end in secret_contexts.names(text):
            yield from _named(text, begin, end, text[begin:end])
    if "commands" in rest:
        yield from commands.spans(text)
    if deep and "base64" in rest:
        for begin, end, decoded in encodings.of_base64(text):
            named = _AUTH.search(text, max(0, begin - 30), begin)
            if find(decoded, deep - 1) or (named and _USER_AND.fullmatch(decoded)):
                yield begin, end


def _place(data: bytes, at: int) -> int:
    return len(data[:at].decode(errors="surrogatepass"))


def _named(text: str, begin: int, end: int, name: str) -> Iterator[Span]:
    """Yield where the secret stands that the name between ``begin`` and ``end`` is of."""
    if begin and _PSEUDONYM.match(text, begin - 1):
        return
    option = text[begin] == "-"
    quote = text[begin - 1] if begin and text[begin - 1] in "'\"`" else ""
    closed = bool(quote) and text.startswith(quote, end)
    at = end + 1 if closed else end
    if text.startswith("]", at) and begin > 1:
        at += 1
    sign = _SIGN.match(text, at)
    if sign is not None and sign[0].startswith(":") and begin and text[begin - 1] == "/":
        return  # a file's name, and what is wrong with it
    if sign is not None:
        yield from _assigned(text, begin, sign, name, "" if closed else quote, closed)
    elif text.startswith(">", at):
        yield from _element(text, begin, at + 1, name, closed)
    elif begin and _TAG.search(text, max(0, begin - 90), begin):
        tag = text.find(">", at, at + 1000)
        if tag > 0 and text[tag - 1] != "/" and text[begin - 1] != "/":
            yield from _element(text, begin, tag + 1, name, False)
    elif not option and (then := _THEN_VALUE.match(text, at)) is not None:
        found = value_at(text, then.end())
        if found:
            yield found
    elif closed and (comma := _COMMA.match(text, at)) is not None:
        yield from _paired(text, begin, comma.end(), name, option, quote)
    elif (blank := _BLANK.match(text, at)) is not None:
        yield from _behind_blank(text, blank.end(), name, option, closed)


def _assigned(
    text: str, begin: int, sign: re.Match[str], name: str, enclosing: str, closed: bool
) -> Iterator[Span]:
    at = sign.end()
    spaced = sign[0][-1] in " \t"
    if at >= len(text):
        return
    block = _OLD_BLOCK.match(text, at)
    if block is not None:
        if not closed and "=" not in sign[0]:
            yield from _block(text, begin, block.end())
        return
    before = text[max(0, begin - 90) : begin]
    at_line = not closed and _AT_LINE.search(before) is not None
    lower = name.lower()
    if lower.endswith("cookie") and _COOKIE_OF_FLOW.match(text, at):
        return
    if _CREDENTIALS.search(lower):
        scheme = _SCHEME.match(text, at)
        if scheme:
            at = scheme.end()
        if not closed and text[at] not in "'\"[({":
            if text[at] in "ub" and text[at + 1 : at + 2] in ("'", '"'):
                pass
            elif not is_said(text, at):
                found = value_at(text, at, enclosing, line=not enclosing)
                if found:
                    yield found
                return
        elif scheme is None and text[at] in "'\"":
            inner = _SCHEME.match(text, at + 1)
            found = value_at(text, at)
            if found:
                yield (max(found[0], inner.end()) if inner else found[0]), found[1]
            return
    if not closed and not enclosing:
        if spaced and is_said(text, at):
            return
        if spaced and _WORDY.search(before) and _LOWER.match(text, at):
            return
        if lower in _BARE or lower.rpartition(".")[2] in _BARE:
            if _NOT_OF_TOKEN.match(text, at) and not (spaced and at_line and len(text) - at > 20):
                return
            if spaced and not at_line and text[at] not in "'\"[({" and not _RANDOM.match(text, at):
                return
        quoted = spaced and lower == "token" and text[at] in "'\""
        if quoted and _WORD_BEFORE.search(before) and not _RANDOM.match(text, at + 1):
            return
    elif lower in ("token", "tokens") and _NOT_OF_TOKEN.match(text, at):
        return
    if lower.endswith(("token", "tokens")) and _COUNT.match(text, at):
        return
    # A token or a key has no blanks.
    words = spaced and at_line and not lower.endswith(("token", "tokens", "key"))
    found = value_at(text, at, enclosing, words=words)
    if found is None:
        return
    yield found
    if words and found[1] - found[0] > 40:
        yield from _folded(text, begin, found[1])


def _indent(text: str, begin: int) -> int:
    line = max(text.rfind("\n", 0, begin), text.rfind("\r", 0, begin)) + 1
    return begin - line if not text[line:begin].strip(" -'\"") else 0


def _folded(text: str, begin: int, end: int) -> Iterator[Span]:
    """Yield the further lines of a plain value in YAML."""
    yield from _block(text, begin, end + 1, plain=True) if text.startswith("\n", end) else ()


def _block(text: str, begin: int, at: int, plain: bool = False) -> Iterator[Span]:
    """Yield the lines of a block in YAML: those that are further to the right than the name."""
    indent = _indent(text, begin)
    first = last = -1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        blanks = len(line) - len(line.lstrip())
        item = not plain and line.lstrip().startswith("- ") and blanks >= indent
        if line.strip() and blanks <= indent and not item:
            break
        if line.strip():
            first = at + blanks if first < 0 else first
            last = end
        at = end + 1
    if first >= 0 and not is_kept(text[first:last]):
        yield first, last


def _element(text: str, begin: int, at: int, name: str, closed: bool) -> Iterator[Span]:
    """Yield the content of an element of XML."""
    tag = _TAG.search(text, max(0, begin - 90), begin)
    if tag is None and not closed:
        return
    if begin and text[begin - 1] == "/":
        return
    end = -1
    if tag is not None:
        opened = tag[0][1:] + name
        end = text.find(f"</{opened}", at)
    if end < 0:
        match = _CONTENT.match(text, at)
        end = match.end() if match else at
    if end > at and not is_kept(text[at:end]):
        yield at, end


def _paired(text: str, begin: int, at: int, name: str, option: bool, quote: str) -> Iterator[Span]:
    """Yield the value behind a name in a list of arguments or a pair."""
    found = value_at(text, at)
    if found is None or (text.startswith("-", found[0]) and len(text) > found[0] + 2 and option):
        return
    if option:
        yield found
        return
    opening = text[max(0, begin - 4) : begin].rstrip("'\"`ub ")[-1:]
    value = text[found[0] : found[1]]
    if text[at] not in "'\"ubUB[({":
        return
    if re.fullmatch(r"-[A-Za-z]|--[a-z-]+", value):  # oslo.utils: 'password', '-v', 'x'
        further = _COMMA.match(text, found[1] + 1)
        then = value_at(text, further.end()) if further else None
        if then:
            yield then
    elif opening == "(" or (opening == "," and text[at] == "["):
        yield found
    elif opening == "[":
        behind = text[found[1] + 1 : found[1] + 2]
        plain = re.fullmatch(r"[a-z_]+", value) is not None
        if behind == "]" and ("-" in name or not plain):
            yield found


def _behind_blank(text: str, at: int, name: str, option: bool, closed: bool) -> Iterator[Span]:
    if option:
        if not text.startswith("-", at) and not is_said(text, at):
            found = value_at(text, at, shell=True)
            if found:
                yield found
        return
    dash = re.match(r"--?[A-Za-z]+[ \t]+", text[at : at + 40])
    if dash is not None and not closed:
        found = value_at(text, at + dash.end())
        if found and dash[0].startswith("-v"):
            yield found
    elif text[at] in "'\"" and (name.lower() not in _BARE or _RANDOM.match(text, at + 1)):
        end = quoted_end(text, at + 1, text[at])
        if end < len(text) and not is_kept(text[at + 1 : end]) and " " not in text[at + 1 : end]:
            yield at + 1, end
    elif (said := _SAID.match(text, at)) is not None:
        found = value_at(text, said.end())
        if found and _MIXED.match(text, found[0]):
            yield found
