"""A story as one page for a browser: it needs no network, and runs nothing that logs may hold.

Logs are hostile: their text stands in the page as JSON without a character that
could end it, is set as text only, and the page's policy lets no other script run
than its own.  Its parts lie in the folder ``browser``.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from opslog.model.services import service_of_program
from opslog.model.severity import ERROR
from opslog.terminal.words import NOT_MASKED
from opslog.trace.folding import StoryRow, rows_of
from opslog.trace.lifeline import Lifeline, lifeline
from opslog.trace.plain import plain
from opslog.trace.story import Story

PARTS = Path(__file__).with_name("browser")
"""The folder of the page, its style and its scripts."""

_SCRIPTS = ("text.js", "axis.js", "chart.js", "records.js", "start.js")
_STORY = 'const story = JSON.parse(document.getElementById("data").textContent);'
_HARMFUL = re.compile("[<>&\u2028\u2029]")


def page(story: Story, gap: float, masked: bool = False) -> str:
    """Return the page: findings, requests on one axis, and all records with their lines as read.

    It says so where secrets are not ``masked``.
    """
    style = "\n" + _part("style.css")
    script = "\n".join(['\n"use strict";', _STORY, *map(_part, _SCRIPTS)])
    values = {
        "STYLE": style,
        "STYLE_DIGEST": _digest(style),
        "SCRIPT": script,
        "SCRIPT_DIGEST": _digest(script),
        "NOTICE": "" if masked else f"<p>{NOT_MASKED}</p>\n",
        "TITLE": html.escape(f"opslog trace {story.id}"),
        "DATA": _embedded(_data(story, gap)),
    }
    return re.sub("%([A-Z_]+)%", lambda match: values[match[1]], _part("page.html"))


def _data(story: Story, gap: float) -> dict[str, Any]:
    """Return the story as the scripts read it; times are seconds since 1970."""
    life = lifeline(story)
    rows = _operations(story, life) if life else []
    rows += [_row(story, row) for row in rows_of(story)]
    spans = [span for row in rows for span in _spans(row)]
    return {
        **plain(story, gap, original=True),
        "requests": sum(1 for _ in story.tree()),
        "task": len(story.requests) == 1 and story.requests[0].task,
        "life": life and {"kind": life.kind, "state": life.state},
        "begin": min((begin for begin, _ in spans), default=None),
        "end": max((end for _, end in spans), default=None),
        "rows": rows,
    }


def _row(story: Story, row: StoryRow) -> dict[str, Any]:
    kind = "calls" if row.count > 1 else "process" if row.process else "request"
    return {
        "kind": kind,
        "name": row.name,
        "target": row.call.target if row.call and row.count == 1 else None,
        "id": row.id,
        "service": _service(story, row),
        "hosts": row.hosts,
        "status": row.status,
        "bad": row.status_severity,
        "seconds": row.seconds,
        "severity": row.severity,
        "records": row.records,
        "spans": [[_seconds(begin), _seconds(end)] for begin, end in row.spans],
        "rows": [_row(story, one) for one in row.rows],
    }


def _operations(story: Story, life: Lifeline) -> list[dict[str, Any]]:
    """Return the operations of a resource as rows of the page; their records are the request's."""
    records: dict[str, list[int]] = {}
    for number, record in enumerate(story.records):
        if record.request_id is not None:
            records.setdefault(record.request_id, []).append(number)
    return [
        {
            "kind": "operation",
            "name": one.label,
            "target": None,
            "id": one.request,
            "service": life.kind,
            "hosts": [],
            "status": None,
            "bad": 0,
            "seconds": one.seconds,
            "severity": ERROR if one.failed else 0,
            "records": records.get(one.request or "", []),
            "spans": [[_seconds(time) for time in one.span]],
            "rows": [],
        }
        for one in life.operations
    ]


def _service(story: Story, row: StoryRow) -> str:
    """Return the service of a row as its records call it, else as its program is called."""
    names = (story.records[number].service_name for number in row.records)
    return next(filter(None, names), service_of_program(row.service) or row.service)


def _spans(row: dict[str, Any]) -> list[list[float]]:
    return [*row["spans"], *(span for one in row["rows"] for span in _spans(one))]


def _seconds(time: datetime) -> float:
    return time.timestamp()


def _part(name: str) -> str:
    return (PARTS / name).read_text("utf-8")


def _embedded(value: dict[str, Any]) -> str:
    """Return JSON that may stand inside of a script element."""
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value))


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
