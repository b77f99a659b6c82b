"""Routes: what the targets of requests have in common when ids and numbers differ.

``http://ctl1:8774/v2.1/servers/5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a?a=b`` is of
``/v2.1/servers/{id}``.  A part of a path with a digit is an id, but for versions
(``v2.1``) and dates, which are versions of the metadata service.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa

LONGEST = 200
"""Characters of a route; what is longer is cut."""

_AROUND = r"^[a-z][a-z0-9+.-]*://[^/?#]*|[?#].*$|/+$"
_UUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_VERSION = re.compile(r"v\d+(?:\.\d+)?|\d{4}-\d\d-\d\d|ec2|\{id\}(?:\.json|\.xml)?", re.ASCII)
_SUFFIX = re.compile(r"\.(?:json|xml)$")
_SWIFT = re.compile(
    r"(/v1(?:\.0)?|/[^/]+/\d+)/(?:(?:AUTH|KEY|SERVICE)_|\.(?:expiring|misplaced)_objects)[^/]*(/[^/]*)?(/.*)?",
    re.DOTALL,
)
"""Of the proxy, or of a storage server: device and partition stand before the account."""

_DIGIT = re.compile(r"[0-9]|^CUSTOM_")


def routes(targets: pa.Array) -> pa.DictionaryArray:
    """Return the route of each target; null stays null."""
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(targets, _AROUND, "")
    plain = pc.replace_substring_regex(plain, _UUID, "{id}").dictionary_encode()
    found = [route(path) for path in plain.dictionary.to_pylist()]
    return pa.array(found, pa.string()).take(plain.indices).dictionary_encode()


def route_of(target: str) -> str:
    """Return the route of one target, as ``routes`` does."""
    return route(re.sub(_UUID, "{id}", re.sub(_AROUND, "", target)))


@lru_cache(maxsize=65536)
def route(path: str) -> str:
    """Return the route of a path without host and query."""
    if swift := _SWIFT.fullmatch(path):
        begin = "/v1" if swift[1].startswith("/v1") else "/{device}/{partition}"
        inside = "/{container}" if swift[2] else ""
        return f"{begin}/{{account}}{inside}{'/{object}' if swift[3] else ''}"
    return "/".join(map(_part, path.split("/")))[:LONGEST] or "/"


def _part(text: str) -> str:
    if not _DIGIT.search(text) or _VERSION.fullmatch(text):
        return text
    suffix = _SUFFIX.search(text)
    return "{id}" + (suffix[0] if suffix else "")
