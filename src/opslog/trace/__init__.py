"""What happened to one request, or to one resource: its story.

- search.py: the records that belong to an id.
- story.py: the requests, calls, gaps and the first error they tell of.
- errors.py: which error was the first.
- folding.py: its rows, with calls that only read again and again folded.
- lifeline.py: the operations of the resource it is of.
- waterfall.py, summary.py (story_text.py, axis.py): it, for a terminal.
- page.py, browser/: it, for a browser.
- plain.py, otlp.py: it, for programs, OpenTelemetry.
- requests.py, resources.py, lives.py: all requests, or resources, of some logs: a row each.
"""

from opslog.trace.requests import requests, sorted_requests
from opslog.trace.resources import resources, sorted_resources
from opslog.trace.search import trace
from opslog.trace.story import Story

__all__ = ["Story", "requests", "resources", "sorted_requests", "sorted_resources", "trace"]
