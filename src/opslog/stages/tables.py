"""Secrets in the columns of tables whose head names them: of clients, SQL, Markdown, CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opslog.stages.secret_names import is_secret
from opslog.stages.secret_values import is_kept

_NAME = re.compile(r"""["']?\w[\w.-]{1,40}["']?\Z""")
_FIELD = {
    sign: re.compile(rf"""(?:"(?:[^"\n]|"")*"|[^{sign}\n]*)(?:{sign}|\Z)""") for sign in ",;\t"
}
_COUNT = re.compile(r"\d{1,6}\Z")
_SHORT = 3
"""Letters of names that may be something else in the head of a table: ``sid``, ``pin``."""

Span = tuple[int, int]


def spans(text: str) -> Iterator[Span]:
    """Yield where the cells stand below the names of secrets."""
    lines: list[Span] = []
    at = 0
    for line in text.split("\n"):
        lines.append((at, at + len(line.rstrip("\r"))))
        at += len(line) + 1
    begin = 0
    while begin + 1 < len(lines):
        end = begin + 1
        for sign in "|,;\t":
            head = text[slice(*lines[begin])]
            if sign not in head:
                continue
            if sign == "|":
                around = (lines[begin - 1] if begin else (0, 0), lines[begin + 1])
                if not any(_is_rule(text[slice(*one)]) for one in around):
                    continue
            first, last = lines[begin]
            if sign != "|" and not head.endswith(("'", '"')):
                # A text in quotes begins with the head.
                first += max(head.rfind("'"), head.rfind('"')) + 1
            cells = list(_cells(text, first, last, sign))
            names = [text[slice(*cell)] for cell in cells]
            if sign != "|" and (" " in text[first:last] or not all(map(_NAME.match, names))):
                continue
            secret = [number for number, name in enumerate(names) if _is_secret(name)]
            if not secret:
                continue
            while end < len(lines):
                line = text[slice(*lines[end])]
                row = list(_cells(text, *lines[end], sign))
                if not (sign == "|" and _is_rule(line)):
                    if len(row) != len(cells):
                        break
                    for number in secret:
                        one = text[slice(*row[number])]
                        if one and not is_kept(one) and not _COUNT.match(one):
                            yield row[number]
                end += 1
            break
        begin = end


def _is_rule(line: str) -> bool:
    """Return whether the line is the one above or below the head of a table with bars."""
    return "--" in line and not line.strip("-=:+| \t\r\f\v")


def _is_secret(name: str) -> bool:
    plain = name.strip("\"' ")
    return len(plain) > _SHORT and is_secret(plain)


def _cells(text: str, begin: int, end: int, sign: str) -> Iterator[Span]:
    """Yield where the cells of a line stand, without blanks and quotes around them."""
    if sign == "|":
        while begin < end and text[begin] in " \t":
            begin += 1
        while end > begin and text[end - 1] in " \t":
            end -= 1
        begin += text.startswith("|", begin)
        end -= end > begin and text[end - 1] == "|"
    at = begin
    while at <= end:
        if sign == "|":
            stop = text.find("|", at, end)
            stop = end if stop < 0 else stop
        else:
            match = _FIELD[sign].match(text, at, end)
            if match is None:
                return
            stop = match.end() - match[0].endswith(sign)
        first, last = at, stop
        while first < last and text[first] in " \t":
            first += 1
        while last > first and text[last - 1] in " \t":
            last -= 1
        if last - first > 1 and text[first] == text[last - 1] and text[first] in "\"'":
            first, last = first + 1, last - 1
        yield first, last
        at = stop + 1
