"""What happened to one request, or to one resource: its story.

- search.py: the records that belong to an id.
- story.py: the requests, calls, gaps and the first error they tell of.
- errors.py: which error was the first.
- waterfall.py, page.py, plain.py, otlp.py: it, for a terminal, a browser, programs, OpenTelemetry.
- requests.py, resources.py, lives.py: all requests, or resources, of some logs: a row each.
"""

from opslog.trace.requests import requests, sorted_requests
from opslog.trace.resources import resources, sorted_resources
from opslog.trace.search import trace
from opslog.trace.story import Story

__all__ = ["Story", "requests", "resources", "sorted_requests", "sorted_resources", "trace"]
