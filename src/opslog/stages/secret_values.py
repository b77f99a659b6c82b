"""Where a value ends that a name says is a secret, in any notation."""

from __future__ import annotations

import re

from opslog.stages.pseudonyms import KEYED

_PREFIX = re.compile(r"(?:![\w!]+[ \t]+|string\(\d{1,5}\)[ ])?(?:[ubrfUBRF]{1,2}(?=['\"]))?")
_CLOSE = r"(?=\Z|[\s,;:)\]}}>/<&|#\\]|{other}(?:\Z|[\s,;:)\]}}\\>]))"
_BEHIND = {
    quote: re.compile(_CLOSE.format(other="[" + "'\"`".replace(quote, "") + "]"))
    for quote in "'\"`"
}
_IN_QUOTES = {quote: re.compile(rf"{quote}|\\", re.DOTALL) for quote in "'\"`"}
_BRACKET = re.compile(r"[\[({\])}'\"]")
_OPENING = {"[": "]", "(": ")", "{": "}"}
_PLAIN = re.compile(
    r"""(?:[^\s'"<>,;&)}\]\\]
    |\\(?![nrt"'\s])
    |[<>](?=[^\s<>/'"])
    |,(?=[^\s'"])(?![\w.-]{1,40}[=:])
    |;(?=[^\s'"])(?![\w.-]{1,40}[=:])
    |&(?=[^\s'"&])(?![\w.-]{1,40}=)
    |[)}\]](?=[^\s'"<>,;:.)}\]\\])
    |['"](?=[^\s'"<>,;:)}\]\\])
    )+""",
    re.VERBOSE,
)
_SHELL = re.compile(r"""(?:[^\s'"|;&]|(?<=\S)['"](?=[^\s'"]))+""")
_LINE = re.compile(r"[^\r\n]*")
_DUMPED = re.compile(r"[ \t]*\blog_opt_values(?:[ ]\S+)?[ \t]*(?=[\r\n]|\Z)")
"""What oslo.log writes behind the value of an option."""
_KEPT = re.compile(
    r"""(?ix) \s* (?:
    | none | null | nil | nan | undefined | unset | true | false | yes | no | on | off | ~ | -+
    | log_opt_values | n/?a | [^\w\s]{1,2}
    | \*+ | x{3,} | \.{3,} | <[\w:\ ?-]*>
    | \[?(?:redacted|masked|hidden|sanitized|filtered)\]?
    | \{?(?:SHA\w{0,4}|SSHA)\}?[:}\$]\S* | sha256:\S*
    | % \(\w+\) s | %s | \$\{[^}]*\} | \$\([\w.]+\)
    | (?-i:\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+)) | \{\{.*\}\} | \{[a-z_]{0,20}\}
    | (?:str|string|bytes|integer|int|bool|boolean|object|secret|password|token
      |credentials?|optional|required
      |enabled|disabled
      |present|absent|missing|empty|valid|invalid|expired|unknown
      |bearer|basic|digest|default)
    | 0x[0-9a-f]{1,16} | function | lambda
    | (?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+)\s.*
    | -----BEGIN\ (?:CERTIFICATE|PUBLIC\ KEY)-----.*
    ) \s* [.,;:!]? \s*""",
    re.DOTALL,
)
_SCHEMA = re.compile(
    r"""["']type["']\s*:\s*\[?\s*["'](?:string|object|null|boolean|integer|array|number)["']"""
)
_MASKED = re.compile(rf"['\"]?{KEYED}(?=['\"]?(?:[\s,;)}}\]&]|\Z))")
_ENDS_EMPTY = re.compile(r"[\s)\]}'\"]|[,;:](?:\s|\Z)")
_TEMPLATE = re.compile(
    r"(?:\$\{[^}\s]*\}|\{\{[^}\n]*\}\}|%\(\w+\)s|\(\*[\w.]+\)\((?:nil|0x[0-9a-f]+)\))(?=[\s,;'\"&)}]|\Z)"
    r"|<key:\""  # CSI's secrets, of which the key is none
    r"|<[A-Za-z_][\w.]*[ ](?:\(|object at |at 0x)"  # an object of Python
)
_PATH = re.compile(
    r"(?:file://)?/(?:etc|var|opt|home|root|usr|run|tmp|srv|secrets?|lib|dev)(?:/[\w.@+-]+)+/?"
)
_SHORT = 2000
"""Characters of a list or object that may hold no secret."""
_MOST_QUOTES = 256
"""Quotes within a secret; after more, all that follows counts to it."""
_ITEM = re.compile(r"[^\s,'\"\[\]{}():]+")

_STOP = frozenset([
    "a", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "between", "but",
    "by", "can", "cannot", "character", "characters", "contains", "could", "did", "do", "does",
    "doesn't", "don't", "during", "expected", "expires", "expiring", "failed", "fails", "field",
    "for", "from", "given", "had", "has", "have", "if", "in", "incorrect", "into", "invalid",
    "is", "isn't", "it", "its", "length", "lengths", "may", "might", "minimum", "maximum",
    "must", "needs", "neither", "nor", "not", "of", "on", "only", "option", "or", "our",
    "please", "policy", "required", "same", "should", "shorter", "longer", "since", "some",
    "such", "than", "that", "the", "their", "them", "then", "there", "these", "this", "those",
    "to", "too", "try", "unable", "unexpected", "unsupported", "until", "use", "used", "user",
    "using", "value", "was", "were", "when", "where", "which", "while", "will", "with",
    "without", "would", "wrong", "you", "your",
])  # fmt: skip
"""First words of what is said about a secret; no secret begins with them and a blank."""

_WORD = re.compile(r"[(\[]?([A-Za-z']+)[,.:;]?(?=\s|\Z)")


def is_kept(value: str) -> bool:
    """Return whether ``value`` is none of a secret: nothing, a flag, a placeholder, a hash."""
    return _KEPT.fullmatch(value) is not None or _PATH.fullmatch(value) is not None


def is_said(text: str, at: int) -> bool:
    """Return whether a sentence goes on at ``at``, and no value begins."""
    word = _WORD.match(text, at, at + 20)
    return word is not None and word[1].lower() in _STOP


def quoted_end(text: str, at: int, quote: str) -> int:
    """Return where the closing quote of the text that begins at ``at`` stands, or the text's end.

    A quote is the closing one where something else may follow; secrets hold quotes.
    """
    first = -1
    if text.startswith(quote * 2, at):  # three quotes
        end = text.find(quote * 3, at + 2)
        if end >= 0:
            return end
    pattern, behind = _IN_QUOTES[quote], _BEHIND[quote]
    inner = 0
    while inner < _MOST_QUOTES and (match := pattern.search(text, at)) is not None:
        if match[0] == "\\":
            at = match.end() + 1
            continue
        if (other := text[match.end() : match.end() + 1]) in "'\"" and text.startswith(
            f"{other}{quote}{other}{quote}", match.end()
        ):
            at = match.end() + 4  # a shell's way to write the quote
            continue
        if behind.match(text, match.end()):
            return match.start()
        if first < 0:
            first = match.start()
        inner += 1
        at = match.end()
    return len(text) if first < 0 or inner == _MOST_QUOTES else first


def bracket_end(text: str, at: int) -> int:
    """Return the end behind the bracket that closes the one at ``at``, or the text's end."""
    depth = 0
    while (match := _BRACKET.search(text, at)) is not None:
        char = match[0]
        at = match.end()
        if char in "'\"":
            at = min(quoted_end(text, at, char) + 1, len(text))
        elif char in _OPENING:
            depth += 1
        else:
            depth -= 1
            if depth <= 0:
                return at
    return len(text)


def value_at(
    text: str,
    at: int,
    enclosing: str = "",
    words: bool = False,
    line: bool = False,
    shell: bool = False,
) -> tuple[int, int] | None:
    """Return where the value that begins at ``at`` stands, without its quotes; None for no secret.

    ``enclosing`` is the quote before the name, if it closes behind the value; with
    ``words`` a plain value may have several; with ``line`` it is all of a line, with
    ``shell`` what a shell takes for one word.
    """
    if _MASKED.match(text, at):
        return None
    prefix = _PREFIX.match(text, at)
    at = prefix.end() if prefix else at
    if at >= len(text):
        return None
    char = text[at]
    if char in "'\"`" and char != enclosing:
        begin = at + 1
        if (
            text.startswith(char * 2, at)
            and not text.startswith(char * 3, at)
            and (at + 2 >= len(text) or _BEHIND[char].match(text, at + 2))
        ):
            return None
        end = quoted_end(text, begin, char)
        if text.startswith(char * 2, begin):
            begin += 2
        behind = text.startswith(char * 3, end) or _BEHIND[char].match(text, end + 1)
        if text.startswith(char, end) and not behind:
            # The quote does not close the value: it is the secret's, or pieces are put together.
            rest = _PLAIN.match(text, end + 1)
            stop = quoted_end(text, at, enclosing) if enclosing else rest.end() if rest else end
            return _found(text, at, max(end, stop))
        return _found(text, begin, end)
    if char == enclosing:
        other = "'" if char == '"' else '"'
        written = f"{char}{other}{char}{other}{char}"
        if text.startswith(written, at):  # a shell's way to write the quote
            closing = re.compile(rf"{written}(?=\s|{char}?(?:\s|\Z))").search(text, at + 5)
            end = closing.start() if closing else quoted_end(text, at + 5, char)
            return _found(text, at + 5, end)
        if at + 1 >= len(text) or _ENDS_EMPTY.match(text, at + 1):
            return None
        return _found(text, at + 1, quoted_end(text, at + 1, char))
    if enclosing:
        return _found(text, at, quoted_end(text, at, enclosing))
    if line:
        match = _LINE.match(text, at)
        return _found(text, at, match.end()) if match else None
    if _TEMPLATE.match(text, at):
        return None
    if char in _OPENING and not text.startswith("{SHA", at):
        end = bracket_end(text, at)
        inner = text[at:end]
        if len(inner) < _SHORT and (
            _SCHEMA.search(inner) or all(map(is_kept, _ITEM.findall(inner)))
        ):
            return None
        # What is joined to the bracket belongs to the value.
        rest = _PLAIN.match(text, end)
        return at, rest.end() if rest else end
    if words:
        match = _LINE.match(text, at)
        end = match.end() if match else at
        dumped = _DUMPED.search(text, at, end)
        end = dumped.start() if dumped else end
        stripped = len(text[at:end].rstrip())
        return _found(text, at, at + stripped)
    match = (_SHELL if shell else _PLAIN).match(text, at)
    if match is None:
        return None
    end = match.end()
    while end > at and text[end - 1] in ".:!?," and end == len(text.rstrip()) and end - at > 12:
        end -= 1
    return _found(text, at, end)


def _found(text: str, begin: int, end: int) -> tuple[int, int] | None:
    return None if is_kept(text[begin:end]) else (begin, end)
