"""A format file to begin with, for lines that no format reads."""

from __future__ import annotations

import re
from typing import Any

from opslog.checking.check import check
from opslog.language.format_file import from_dict
from opslog.language.layout_parser import parse
from opslog.language.layout_regex import compiled
from opslog.model.errors import OpslogError
from opslog.model.severity import WORDS

_KINDS = (
    "iso",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S.%f",
    "%a %b %e %H:%M:%S %Y",
    "%b %e %H:%M:%S.%f",
    "%b %e %H:%M:%S",
)
"""Kinds of times that are looked for at the beginning of a line, the longer ones first."""

_LEVEL = re.compile(rf"(?i)(?<![\w.-])({'|'.join(map(re.escape, WORDS))})(?![\w.-])")
_BEFORE_LEVEL = 40
"""Characters in front of a level word, at most."""

_VALUE = re.compile(r"[^\s\[\](){}<>|:,;=]*\d[^\s\[\](){}<>|:,;=]*")


def sketch(name: str, line: str) -> dict[str, Any] | None:
    """Return a format that reads a line, as in its TOML file; None if none can be made.

    Time and level are found; each word with a digit before the level is a value of its own.
    """
    for kind in _KINDS:
        for opening in ("", "[", "(", "<"):
            if (data := _format(name, line, opening, kind)) is None:
                continue
            try:
                check(from_dict(data, name))
            except OpslogError:
                continue
            return data
    return None


def _format(name: str, line: str, opening: str, kind: str) -> dict[str, Any] | None:
    """Return the format of a line that begins with a time of this kind, None if it does not."""
    time = f"{opening}{{timestamp:{kind}}}"
    found = compiled(parse(time + "{rest:rest}")).match(line.encode())
    if found is None or not found["rest"]:
        return None
    text = found["rest"].decode("utf-8", "replace")
    level = _LEVEL.search(text[:_BEFORE_LEVEL])
    sample: dict[str, Any] = {"line": line}
    if level is None:
        layout, body = _until_value(text)
        layout = time + layout
    else:
        before, behind = text[: level.start()], text[level.end() :]
        gap = len(behind) - len(behind.lstrip(" :]>)|-"))
        layout = time + _values(before) + "{severity}" + _literal(behind[:gap])
        body = behind[gap:]
        sample["expect"] = {"severity_text": level[1]}
    if not body:
        return None
    sample["expect"] = {**sample.get("expect", {}), "body": body}
    data: dict[str, Any] = {"name": name, "title": "…"}
    if level is not None:
        data["severity"] = "any"
    return data | {"layouts": [{"layout": layout + "{body:rest}"}], "samples": [sample]}


def _until_value(text: str) -> tuple[str, str]:
    """Return the words of a text before its first value, as a layout, and the rest."""
    value = _VALUE.search(text)
    words = text[: value.start() if value else len(text)]
    first = re.match(r"\W*(?:\w+\W+)?", words)
    assert first is not None
    return _literal(first[0]), text[first.end() :]


def _values(text: str) -> str:
    """Return a text as a layout in which each word with a digit is a value."""
    out, at = "", 0
    for number, value in enumerate(_VALUE.finditer(text), 1):
        out += _literal(text[at : value.start()]) + f"{{value{number}:text}}"
        at = value.end()
    return out + _literal(text[at:])


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
