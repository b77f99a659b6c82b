"""Where the secret stands that a name names: behind signs, in elements, pairs, cells, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opslog.stages.pseudonyms import KEYED
from opslog.stages.secret_values import is_kept, is_said, quoted_end, value_at

_SIGN = re.compile(
    r"(?:\[\d{0,3}\])?[ \t\xa0]{0,40}(?:=>|:=|->|[:=]{1,2}|[\uff1a\uff1d])[ \t+\xa0]{0,40}"
)
_COMMA = re.compile(r"[ \t]{0,4},\s{0,9}")
_BLANK = re.compile(r"[ \t]{1,9}(?!\Z)")
_THEN_VALUE = re.compile(
    r"""["']?\s{0,40}[,\s]\s{0,40}"""
    r"""(?:["']\w{1,20}["']:[ ]?["'][^"'\n]{0,40}["'],\s{0,9}){0,3}"""  # what else is said of it
    r"""(?:-v|--value|["']?(?:value|val)["']?\s{0,9}[:=])\s{0,9}"""
)
_OLD_BLOCK = re.compile(r"[ \t]*(?:[|>][+-]?\d?[ \t]*)?(?:\#[^\n]*)?\r?\n")
_AT_LINE = re.compile(r"(?:\A|[\n\r]|\]\s|\\n|\s-\s)[\s|>+*#-]{0,80}(?:export\s|set\s)?['\"]?\Z")
_LATER = re.compile(r"\s{0,80}(?=(?:string\(\d{1,5}\)[ ])?['\"\[({])")
_FORM = re.compile(r"(?:\r?\n){2}")
_CELL = re.compile(
    r"[ \t]{0,80}\|[ \t]{0,9}([^|\s][^|\n]{0,2000}?)[ \t]{0,200}\|[ \t]*(?:\r?\n|\Z)"
)
_FIRST_CELL = re.compile(r"(?:\A|[\r\n])[ \t]{0,9}\|[ \t]{0,9}\Z")
_TAG = re.compile(r"<[\w:.-]{0,80}\Z")
_CONTENT = re.compile(r"[^<]*")
_WORD_BEFORE = re.compile(r"[A-Za-z]{2,}[ \t]\Z")
_RANDOM = re.compile(r"(?=\S{0,300}\d)(?=\S{0,300}[A-Za-z])\S{8,}|\S{24,}")
_COUNT = re.compile(
    r"\d{1,6}(?=\s|\Z|[,;&](?:[\s'\"]|\Z|[\w.-]{1,40}[=:])|[)}\]]{1,9}[,;.:]?(?:[\s'\"]|\Z))"
)
_ENCLOSED_COUNT = {
    quote: re.compile(rf"\d{{1,6}}(?={quote}|\Z|(?:\s|[,;&]\s?)[\w.-]{{1,40}}[=:])")
    for quote in "'\"`"
}
_NOT_OF_TOKEN = re.compile(
    rf"0x[0-9a-f]{{1,16}}\b|\d{{4}}-\d\d-\d\d[T ]\d\d:|{_COUNT.pattern}"
    r"|(?:(['\"])[^\w\s'\"]{1,3}\1|[^\w\s'\"]{1,3}['\"])(?:\s|\Z)"
)
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
_PSEUDONYM = re.compile(KEYED)
_SAID = re.compile(
    r"(?:string\s+)?(?:(?:is |was |has been )?(?:auto-)?generated )?"
    r"(?:(?:for|of) (?:(?:the )?(?:user|account|database) )?"
    r"['\"]?[\w.@-]{1,64}['\"]?[: ]\s{0,3})?"
    r"(?:(?:(?:is|was|has been) )?(?:set |changed |reset )?(?:is|was|to)[: ]\s{0,3})?(?:now )?"
)
"""What may stand between a name and a value in a sentence; nothing, too."""
_MIXED = re.compile(
    r"""['"]?(?![0-9a-f]{8}-[0-9a-f]{4}-|req-|\d{4}-|0x|/|https?:)(?=[^\s'"]*\d)(?=[^\s'"]*[A-Z])"""
    r"""(?=[^\s'"]*[a-z])[\w.+/=!@#$%^&*~-]{8,}['"]?(?=[\s,;.)]|\Z)"""
)
"""A word that no sentence has: letters of both kinds, and digits."""
_LAST_WORD = re.compile(
    r"""['"]?(?![0-9a-f]{8}-[0-9a-f]{4}-|req-|\d{4}-|0x|/|https?:)(?=[^\s'"]*[A-Za-z])"""
    r"""(?=[^\s'"]*[\d!#$%^&*;@?])[^\s'"]{4,}['"]?[ \t]*(?:[\r\n]|\Z)"""
)
"""The last word of a line, that is no word of a language."""
_HEX = re.compile(r"[0-9a-f]{16,}\b")
_CELL_OF_TAB = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{4,}")
_OF_ERLANG = re.compile(r",\s{0,3}(?:<<)?(?=[\"'])")
_EXCEPTION = re.compile(
    r"(?:[a-z_]\w*\.){1,8}(?:(?<=exceptions\.)|(?<=exception\.)|(?=\w*(?:Error|Exception|Timeout)\b))"
    r"[A-Z][A-Za-z]+(?=[:(\s]|\Z)|[A-Z][A-Za-z]*(?:Error|Exception|Timeout): "
)
_OF_VIRSH = re.compile(r"\bsecret-[\w-]+['\"]?,?[ ]['\"]?\Z")
"""Commands whose option says which secret is meant."""
_USER_SLASH = re.compile(r"(?i)\b(?:user(?:name)?|login|id)/\Z")
_VERSION = re.compile(r"\d+\.\d")
_FOLDER = re.compile(r"(?:/[\w.@+-]+)+/?(?=[\s'\",;]|\Z)")
_CONVERTER = re.compile(r"<(?:string|int|path|uuid|float|any):\Z")
"""A part of a route, in Flask's notation."""
_ORDER = re.compile(r"(?i)\b(?:first|second|third|next|last|final|one|each|single)[ ]\Z")
_RESULT = re.compile(
    r"(?:\d{1,3}|done|ok|skipped|started|finished|completed?|failed|test_\w*)(?=[\s,;.)]|\Z)"
)
_KIND_OF = re.compile(
    r"(?i)\b(?:client|shared|app|api|access|auth|refresh|bearer|session|consumer)[ ]\Z"
)
_WITH_DIGIT = re.compile(r"(?=\S{0,80}\d)(?!\d{1,6}\b)\S{5,}")

Span = tuple[int, int]


def named(text: str, begin: int, end: int, name: str) -> Iterator[Span]:
    """Yield where the secret stands that the name between ``begin`` and ``end`` is of."""
    if begin and _PSEUDONYM.match(text, begin - 1):
        return
    option = text[begin] == "-"
    if option and name == "secret" and _OF_VIRSH.search(text, max(0, begin - 40), begin):
        return
    quote = text[begin - 1] if begin and text[begin - 1] in "'\"`" else ""
    closed = bool(quote) and text.startswith(quote, end)
    at = end + 1 if closed else end
    if text.startswith("]", at) and begin > 1:
        at += 1
    sign = _SIGN.match(text, at)
    if sign is not None and sign[0].startswith(":") and text[begin - 1 : begin] == "/":
        of_user = _USER_SLASH.search(text, max(0, begin - 12), begin)
        if of_user is None:
            return  # a file's name, and what is wrong with it
    if sign is not None and sign[0] == "==" and _VERSION.match(text, sign.end()):
        return
    if sign is not None and name in ("PWD", "OLDPWD") and _is_folder(text, begin, sign.end()):
        return
    if sign is not None:
        yield from _assigned(text, begin, sign, name, "" if closed else quote, closed)
    elif text.startswith(">", at):
        yield from _element(text, begin, at + 1, name, closed)
    elif begin and _TAG.search(text, max(0, begin - 90), begin):
        tag = text.find(">", at, at + 1000)
        if tag > 0 and text[tag - 1] != "/" and text[begin - 1] != "/":
            yield from _element(text, begin, tag + 1, name, False)
    elif closed and (form := _FORM.match(text, at)) is not None:
        found = value_at(text, form.end(), line=True)
        if found:
            yield found
    elif (cell := _CELL.match(text, at)) and _FIRST_CELL.search(text, max(0, begin - 12), begin):
        if not is_kept(cell[1]):
            yield cell.span(1)
    elif not option and (then := _THEN_VALUE.match(text, at)) is not None:
        found = value_at(text, then.end())
        if found:
            yield found
    elif begin and text[begin - 1] == "{" and (erlang := _OF_ERLANG.match(text, at)) is not None:
        found = value_at(text, erlang.end())
        if found:
            yield found
    elif closed and (comma := _COMMA.match(text, at)) is not None:
        yield from _paired(text, begin, comma.end(), name, option, quote)
    elif (blank := _BLANK.match(text, at)) is not None:
        if text[at] == "\t" and not closed and _CELL_OF_TAB.match(text, blank.end()):
            found = value_at(text, blank.end())
            if found:
                yield found
        else:
            yield from _behind_blank(text, blank.end(), name, option, closed)


def _is_folder(text: str, begin: int, at: int) -> bool:
    """Return whether a shell's variable has a folder; in ODBC it is a password's name."""
    return text[begin - 1 : begin] != ";" and _FOLDER.match(text, at) is not None


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
        elif (
            closed and (later := _LATER.match(text, at)) and (value := value_at(text, later.end()))
        ):
            yield value
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
        if spaced and (is_said(text, at) or _EXCEPTION.match(text, at)):
            return
        if lower == "pass" and spaced and (_ORDER.search(before) or _RESULT.match(text, at)):
            return
        if spaced and _WORDY.search(before) and _LOWER.match(text, at):
            return
        kind = spaced and _KIND_OF.search(before) and _WITH_DIGIT.match(text, at)
        if not kind and (lower in _BARE or lower.rpartition(".")[2] in _BARE):
            if _NOT_OF_TOKEN.match(text, at) and not (spaced and at_line and len(text) - at > 20):
                return
            if spaced and not at_line and text[at] not in "'\"[({" and not _RANDOM.match(text, at):
                return
        quoted = spaced and lower == "token" and text[at] in "'\""
        if quoted and _WORD_BEFORE.search(before) and not _RANDOM.match(text, at + 1):
            return
    elif not enclosing and lower in ("token", "tokens") and _NOT_OF_TOKEN.match(text, at):
        return
    count = _ENCLOSED_COUNT[enclosing] if enclosing else _COUNT
    if lower.endswith(("token", "tokens", "secrets")) and count.match(text, at):
        return
    # A token or a key has no blanks.
    words = spaced and at_line and not lower.endswith(("token", "tokens", "key"))
    found = value_at(text, at, enclosing, words=words)
    if found is None:
        return
    if words and before.rstrip().endswith("\\n") and (end := text.find("\\n", *found)) > 0:
        found = found[0], end  # a line of a text that is encoded
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
    if (tag is None and not closed) or (tag is not None and _CONVERTER.match(tag[0])):
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
    elif text[at] in "ub" and text[at + 1 : at + 2] in ("'", '"'):
        found = value_at(text, at)
        if found and " " not in text[found[0] : found[1]]:
            yield found
    elif text[at] in "'\"" and (name.lower() not in _BARE or _RANDOM.match(text, at + 1)):
        end = quoted_end(text, at + 1, text[at])
        if end < len(text) and not is_kept(text[at + 1 : end]) and " " not in text[at + 1 : end]:
            yield at + 1, end
    elif (said := _SAID.match(text, at)) is not None:
        found = value_at(text, said.end())
        if found and (
            _MIXED.match(text, found[0])
            or (said[0] and _LAST_WORD.match(text, found[0]))
            or ("pass" in name.lower() and _HEX.match(text, found[0]))
        ):
            yield found
