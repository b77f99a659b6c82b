"""Causes that clients sent along: the ids in the headers of their calls, until the answer comes.

A client prints its call with the header that names what caused it, then the answer with the id
of the called request.  The header is what the service was told; the context of the thread may be
one left behind.  Call and answer are told by one process, by one logger, and mostly in one
context; where another request took the thread over in between, the URL tells which call it is.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

MOST = 4096
"""Writers whose calls are remembered."""

_OPEN = 64
"""Calls of a writer that may be open at once; more are told by several threads."""

_LONGEST = 60_000_000
"""Microseconds within which a call may be answered in another context than its own."""

Writer: TypeAlias = tuple[str, int | None, str]
"""Source, process id, logger."""


@dataclass(slots=True)
class _Call:
    context: str
    url: str
    cause: str
    time: int | None
    answered: bool = False


class SentCauses:
    """Remembers by writer which calls are open, and which cause was sent with each.

    A context is the request id that a record carries, empty for none; times are microseconds
    since the epoch, None if unknown.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._calls: OrderedDict[Writer, list[_Call]] = OrderedDict()
        self.forgotten = 0
        """Writers that were forgotten with calls that had no answer yet."""

    def send(self, writer: Writer, context: str, url: str, cause: str, time: int | None) -> None:
        """Take a call and the cause that its header names."""
        calls = self._calls.pop(writer, [])
        calls = [one for one in calls if not one.answered or one.context != context][1 - _OPEN :]
        self._calls[writer] = [*calls, _Call(context, url, cause, time)]
        if len(self._calls) > self._most:
            _, oldest = self._calls.popitem(last=False)
            self.forgotten += any(not one.answered for one in oldest)

    def answer(self, writer: Writer, context: str, url: str | None, time: int | None) -> str | None:
        """Return the cause sent with the call that is answered: empty without one, None in doubt.

        Without a ``url`` it is the open call of the context.
        """
        calls = self._calls.get(writer, [])
        own = [one for one in calls if one.context == context]
        if url is not None:
            fitting = [one for one in own if one.url == url]
        else:
            fitting = [one for one in own if not one.answered]
        if not fitting:
            others = [one for one in calls if _may_end(one, time)]
            if url is None:
                return None if others else ""
            fitting = [one for one in others if one.url == url]
        if not fitting:
            return ""
        fitting[0].answered = True
        causes = {one.cause for one in fitting}
        return causes.pop() if len(causes) == 1 else None

    def open_writers(self, cause: str) -> list[str]:
        """Return the request ids in whose context a call with this cause waits for its answer."""
        found = (
            one.context
            for calls in self._calls.values()
            for one in calls
            if one.context and one.cause == cause and not one.answered
        )
        return list(dict.fromkeys(found))


def _may_end(call: _Call, time: int | None) -> bool:
    """Return whether an open call of another context may be answered at this time."""
    if call.answered or call.time is None or time is None:
        return False
    return 0 <= time - call.time <= _LONGEST
