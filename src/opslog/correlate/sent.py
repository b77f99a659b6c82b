"""Causes that clients sent along: the ids in the headers of their calls, until the answer comes.

A client prints its call with the header that names what caused it, then the answer with the id
of the called request.  The header is what the service was told; the context of the thread may be
one left behind.  Call and answer are told by one process, by one logger, in one context.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

MOST = 4096
"""Writers whose calls are remembered."""

_OPEN = 16
"""Calls of a writer that may be open at once; more are told by several threads."""

Writer: TypeAlias = tuple[str, int | None, str, str]
"""Source, process id, logger, request id of the context (empty: none)."""


@dataclass(slots=True)
class _Call:
    url: str
    cause: str
    answered: bool = False


class SentCauses:
    """Remembers by writer which calls are open, and which cause was sent with each."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._calls: OrderedDict[Writer, list[_Call]] = OrderedDict()

    def send(self, writer: Writer, url: str, cause: str) -> None:
        """Take a call and the cause that its header names."""
        calls = [one for one in self._calls.pop(writer, ()) if not one.answered][1 - _OPEN :]
        self._calls[writer] = [*calls, _Call(url, cause)]
        if len(self._calls) > self._most:
            self._calls.popitem(last=False)

    def answer(self, writer: Writer, url: str | None) -> str | None:
        """Return the cause sent with the call that is answered: empty without one, None in doubt.

        Without a ``url`` it is the writer's open call.
        """
        calls = self._calls.get(writer, [])
        if url is not None:
            fitting = [one for one in calls if one.url == url]
        else:
            fitting = [one for one in calls if not one.answered]
        if not fitting:
            return ""
        fitting[0].answered = True
        causes = {one.cause for one in fitting}
        return causes.pop() if len(causes) == 1 else None

    def open_writers(self, cause: str) -> list[str]:
        """Return the request ids in whose context a call with this cause waits for its answer."""
        return [
            writer[3]
            for writer, calls in self._calls.items()
            if writer[3] and any(one.cause == cause and not one.answered for one in calls)
        ]
