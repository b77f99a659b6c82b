"""What happened to one request, or to one resource: its story.

- search.py, neighbours.py: the records that belong to an id.
- story.py, spans.py, clocks.py: the requests, calls and gaps they tell of, on one clock.
- errors.py, quotes.py, reasons.py: which error was the first, and why a call was refused.
- folding.py: its rows, with calls that only read again and again folded.
- lifeline.py: the operations of the resource it is of.
- waterfall.py, summary.py (story_text.py, axis.py): it, for a terminal.
- page.py, browser/: it, for a browser.
- plain.py, otlp.py: it, for programs, OpenTelemetry.
- requests.py, resources.py: all requests, or resources, of some logs: a row each.
- changes.py, lives.py, nameless.py, life.py: what records say of the lives of resources.
"""

from opslog.trace.requests import requests, sorted_requests
from opslog.trace.resources import resources, sorted_resources
from opslog.trace.search import trace
from opslog.trace.story import Story

__all__ = ["Story", "requests", "resources", "sorted_requests", "sorted_resources", "trace"]
