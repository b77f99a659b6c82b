"""A comparison as one HTML page that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from opslog.compare.finding import Comparison, Consequence, Finding
from opslog.compare.text import extent_text, time_text
from opslog.model.version import __version__
from opslog.stats.page_style import STYLE
from opslog.terminal.escape import escaped
from opslog.terminal.words import NOT_MASKED, count

_STYLE = STYLE + "li { margin: .1em 0; } ol, ul { margin: .3em 0; padding-left: 1.5em; }\n"
_MOST_NAMES = 5


def page(found: Comparison, paths: Sequence[str], masked: bool = False) -> str:
    """Return the page; ``paths`` are those of the bad records.

    It says so where secrets are not ``masked``.
    """
    of = " ".join(paths[:_MOST_NAMES])
    if len(paths) > _MOST_NAMES:
        of += f" and {len(paths) - _MOST_NAMES:,} more"
    good = [] if found.good is None else [f"<p>good: {_text(extent_text(found.good))}</p>"]
    return "\n".join([
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">',
        '<meta name="generator" content="opslog why">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(of)}: why</title>\n<style>\n{_STYLE}</style>",
        f"<h1>{count(len(found.findings), 'finding')}</h1>",
        f"<p>of {_text(of)}: {_text(extent_text(found.bad))}</p>",
        *good,
        *(line for one in found.findings for line in _finding(one)),
        *(f"<p>{_text(text)}</p>" for text in found.left_out),
        f"<p>opslog {__version__}; times are UTC.</p>",
        *([] if masked else [f"<p>{NOT_MASKED}</p>"]),
        "</html>\n",
    ])  # fmt: skip


def _finding(one: Finding) -> Iterator[str]:
    yield f'<h2 class="w">{one.rank}. {_text(one.kind)}: {_text(one.text)}</h2>'
    if one.quote:
        yield f'<div class="w"><code>{_text(one.quote)}</code></div>'
    where = [time_text(one.first) if one.first else "", one.host or "", one.request_id or ""]
    if one.source is not None:
        where.append(f"{one.source}:{one.source_offset}")
    yield f'<div class="w dim">{_text(" · ".join(filter(None, where)))}</div>'
    if one.consequences:
        more = one.following - len(one.consequences)
        shown = "".join(map(_consequence, one.consequences))
        rest = f"<li>and {count(more, 'other')}</li>" if more > 0 else ""
        yield f"<details><summary>then {one.following:,}</summary><ul>{shown}{rest}</ul></details>"
    if one.next:
        yield f'<div class="w"><code>$ {_text(one.next)}</code></div>'


def _consequence(one: Consequence) -> str:
    where = f"{one.source}:{one.source_offset}" if one.source else ""
    said = f"{_text(one.kind)}: {_text(one.text)}"
    return f'<li class="w">{said} <span class="dim">{_text(where)}</span></li>'


def _text(text: str) -> str:
    return escape(escaped(text))
