"""A story as one page for a browser: it needs no network, and runs nothing that logs may hold.

Logs are hostile: their text stands in the page as JSON without a character that
could end it, is set as text only, and the page's policy lets no other script run
than its own.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from opslog.trace.plain import plain
from opslog.trace.story import Story

_TEMPLATE = Path(__file__).with_name("page.html")
_HARMFUL = re.compile("[<>&\u2028\u2029]")


def page(story: Story, gap: float) -> str:
    """Return the page: findings, waterfall, and records to be filtered with their lines as read."""
    text = _TEMPLATE.read_text("utf-8")
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    script = re.search("<script>(.*?)</script>", text, re.DOTALL)
    assert style
    assert script
    values = {
        "STYLE": _digest(style[1]),
        "SCRIPT": _digest(script[1]),
        "TITLE": html.escape(f"opslog trace {story.id}"),
        "DATA": _embedded(plain(story, gap, original=True)),
    }
    return re.sub("%(STYLE|SCRIPT|TITLE|DATA)%", lambda match: values[match[1]], text)


def _embedded(value: dict[str, Any]) -> str:
    """Return JSON that may stand inside of a script element."""
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value))


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
