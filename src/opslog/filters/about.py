"""Records about a resource: one notion for all commands.

A record is about a resource if it says so where resources are told (the brackets of a line,
a field of JSON), if it tells of a call that the resource's path names, or if its message
names the resource with its kind.  To mention an id is less: clients print the paths of
others' calls, and bookkeeping lists what there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import or_
from typing import TYPE_CHECKING

from opslog.filters import ids
from opslog.filters.fields import Fields
from opslog.filters.filter import Filter
from opslog.filters.joined import joined
from opslog.model.naming import CLIENT_LOGGERS, CLIENT_TEXTS, naming

if TYPE_CHECKING:
    import pyarrow.compute as pc

_BOOKKEEPING = r"resource_tracker|host_manager|scheduler\.client\.report|\bvirt\.fake\b"
"""A pattern (RE2) of loggers that go through all instances of a host."""

_DIGITS = "[0-9a-fA-F-]"


def about(*given: str) -> Filter:
    """Return the filter of records about one of these resources.

    Each is the id of a resource, its beginning of eight digits at least, or has ``*`` for any
    text and ``?`` for one character.  Requests are about a resource only by their own records:
    ``Filter.own`` is set.  Raises FilterError for an id that is too short.
    """
    f = Fields("UTC")
    told = ~(f.logger.matches(CLIENT_LOGGERS) | f.body.matches(CLIENT_TEXTS))
    pattern = naming("|".join(f"(?:{one})" for one in map(_pattern, given)))
    named = f.http_target.matches(pattern) | (
        f.body.matches(pattern) & ~f.logger.matches(_BOOKKEEPING)
    )
    condition = joined(or_, _marked(f, given)) | (named & told)
    needles = [one for text in given for one in (text, text.lower())]
    return replace(Filter.holding(condition, *needles), own=True)


def _marked(f: Fields, given: Iterable[str]) -> Iterator[pc.Expression]:
    """Yield the conditions that the resource of a record is one of these."""
    for text in given:
        spellings = tuple(dict.fromkeys((text, text.lower())))
        if set("*?") & set(text):
            yield from map(f.resource_id.glob, spellings)
        elif ids.is_whole(text):
            yield f.resource_id.isin(spellings)
        else:
            yield from map(f.resource_id.startswith, spellings)


def _pattern(text: str) -> str:
    """Return the pattern (RE2) of an id, of all with a beginning, or of a glob."""
    if set("*?") & set(text):
        parts = {"*": f"{_DIGITS}*", "?": _DIGITS}
        return "".join(parts.get(c) or re.escape(c) for c in text)
    return re.escape(text) if ids.is_whole(text) else f"{re.escape(text)}{_DIGITS}*"
