"""The request graph: which request called which, from what records say of it.

A node is the id of a request.  What records say are claims: *caller* called
*callee*.  A claim is believed as long as nothing contradicts it: no edge is
better than a wrong one.

- An id has one cause and one caller.  Of several named the one is believed
  that the others agree with, else none (a proxy hands on the id of another's
  response, a stale context claims the calls of others).
- An error's text may be repeated by others, later.  The first to tell it is
  believed, if the request it names was seen to begin shortly before.
- A task that goes on for hours or weeks under one id is no request: what it
  calls are requests of their own.
- Claims in a circle are not believed.

Memory is bounded: beyond ``most`` called requests the one that nothing was said
of for longest is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import pyarrow as pa

from opslog.correlate._links import Sightings
from opslog.correlate.links import Link, LinkCandidates, claims_in, times_of

MOST = 1 << 18
"""Requests with a caller that are remembered."""

SEEN = 1 << 17
"""Ids whose first and last time is remembered."""

_CALL, _CAUSE, _ERROR = "1", "2", "3"
_GROUPS = {"client": _CALL, "response": _CALL, "bracket": _CAUSE, "sent": _CAUSE, "error": _ERROR}
"""What a kind of link says: a caller, a cause, or an error; a lower number counts for more."""

_CLAIMS = 4
"""Claimed callers that are kept of one request."""

_DEPTH = 32
"""Calls below one another that are followed."""

_SECOND = 1_000_000
_TASK = 600 * _SECOND
"""Longest life of a request without a user, in microseconds."""

_LONG = 86400 * _SECOND
"""Longest life of any request, in microseconds: a token lives a day at most."""

_FAILED = 120 * _SECOND
"""Longest time from the beginning of a request to its caller's error, in microseconds."""

_SKEW = 5 * _SECOND
"""Longest difference between the clocks of two hosts, in microseconds."""


_Claim: TypeAlias = tuple[str, str, int | None, str]
"""A caller, the kind of its strongest link, the time of its first claim, and all its groups."""


class RequestGraph:
    """Requests and their calls, from batches in any order.

    What it answers is what is known by then; an id it knows nothing of is a
    request without calls.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = max(1, most)
        self._claims: OrderedDict[str, tuple[_Claim, ...]] = OrderedDict()
        self._calls: dict[str, dict[str, None]] = {}
        self._roots: dict[str, str] = {}
        self._seen = Sightings(SEEN)
        self.evicted = 0
        """Called requests that were forgotten."""

    def __len__(self) -> int:
        """How many requests with a caller are known."""
        return len(self._claims)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take what the records of a batch say; it has columns of links.COLUMNS."""
        self._add(claims_in(batch))
        own, cause, users = (
            batch.column(name).to_pylist() if name in batch.schema.names else [None] * len(batch)
            for name in ("request_id", "global_request_id", "user_id")
        )
        told = "user_id" in batch.schema.names
        for id_, above, user, time in zip(own, cause, users, times_of(batch), strict=True):
            if time is not None:
                if id_ is not None:
                    self._seen.see(id_, time, user is not None if told else None)
                if above is not None:
                    self._seen.see(above, time, None)

    def add_candidates(self, found: LinkCandidates) -> None:
        """Take what was found in a block of records (links.link_candidates)."""
        for batch in found.batches:
            self._add(claims_in(batch, chosen=True))
            # Of audit events, and maybe others, only the columns tell which requests they are of.
            for name in ("request_id", "global_request_id"):
                for id_, time in zip(batch[name].to_pylist(), times_of(batch), strict=True):
                    if id_ is not None and time is not None:
                        self._seen.see(id_, time, None)
        self._seen.add(found.sights)

    def _add(self, found: Iterable[tuple[str, str, str, int | None]]) -> None:
        """Take links; this is the hot part of the graph: a microsecond or two for each."""
        known, called = self._claims, self._calls
        for caller, callee, kind, time in found:
            group = _GROUPS[kind]
            claims = known.get(callee)
            if claims is None:
                known[callee] = ((caller, kind, time, group),)
                if len(known) > self._most:
                    self._evict()
            else:
                known.move_to_end(callee)
                if not self._claim(claims, caller, callee, kind, time):
                    continue
            calls = called.get(caller)
            if calls is None:
                called[caller] = {callee: None}
            else:
                calls[callee] = None
        self._roots.clear()

    def _claim(
        self, claims: tuple[_Claim, ...], caller: str, callee: str, kind: str, time: int | None
    ) -> bool:
        """Add a claim to those of a request; return whether its caller was not claimed before."""
        group = _GROUPS[kind]
        for at, (other, said, first, groups) in enumerate(claims):
            if other == caller:
                if group not in groups:
                    most = kind if group < groups else said
                    claim = (caller, most, first, groups + group)
                    self._claims[callee] = (*claims[:at], claim, *claims[at + 1 :])
                return False
        if len(claims) == _CLAIMS or (group == _ERROR and self._is_echo(callee, time)):
            return False
        self._claims[callee] = (*self._claims[callee], (caller, kind, time, group))
        return True

    def _is_echo(self, callee: str, time: int | None) -> bool:
        """Whether the same error was logged earlier; a claim by a later one is removed."""
        claims = self._claims[callee]
        for caller, _, first, groups in claims:
            if groups == _ERROR:
                if time is None or (first is not None and first <= time):
                    return True
                self._claims[callee] = tuple(claim for claim in claims if claim[0] != caller)
                self._forget_call(caller, callee)
        return False

    def _forget_call(self, caller: str, callee: str) -> None:
        calls = self._calls[caller]
        del calls[callee]
        if not calls:
            del self._calls[caller]

    def _evict(self) -> None:
        callee, claims = self._claims.popitem(last=False)
        for caller, *_ in claims:
            self._forget_call(caller, callee)
        self.evicted += 1

    def knows(self, id: str) -> bool:  # noqa: A002
        """Return whether some record named a caller of ``id``."""
        return id in self._claims

    def named_callers(self, id: str) -> list[str]:  # noqa: A002
        """Return all that some record names as the caller of ``id``, believed or not."""
        return [caller for caller, *_ in self._claims.get(id, ())]

    def named_callees(self, id: str) -> list[str]:  # noqa: A002
        """Return all that some record names as called by ``id``, believed or not."""
        return list(self._calls.get(id, ()))

    def parent(self, id: str) -> str | None:  # noqa: A002
        """Return the id of the request that called ``id``, None if none is known for sure."""
        caller = self._caller(id)
        above = caller
        for _ in range(_DEPTH):
            if above is None:
                return caller
            if above == id:
                break
            above = self._caller(above)
        return None

    def _caller(self, id: str) -> str | None:  # noqa: A002
        """Return the caller that the claims agree upon; it may be part of a circle."""
        claims = self._claims.get(id)
        if claims is None:
            return None
        if len(claims) == 1 and claims[0][3] != _ERROR:
            return claims[0][0]
        causes, calls = _callers(claims, _CAUSE), _callers(claims, _CALL)
        if len(causes) > 1:
            return None
        if causes:
            # A caller is below the cause, or it is another's word against the service's own.
            below = [caller for caller in calls if causes[0] in self._above(caller)]
            return self._deepest(below) if below else causes[0]
        if len(calls) > 1:
            tops = {self._above(caller)[-1] for caller in calls}
            return self._deepest(calls) if len(tops) == 1 else None
        if calls:
            return calls[0]
        [(caller, _, time, _)] = claims  # of errors the first one told is kept
        return caller if self._failed(id, time) else None

    def _deepest(self, callers: list[str]) -> str:
        return max(callers, key=lambda caller: len(self._above(caller)))

    def _above(self, id: str) -> list[str]:  # noqa: A002
        """Return ``id`` and its callers as far as only one of each is named."""
        chain = [id]
        while len(chain) < _DEPTH:
            claims = self._claims.get(chain[-1], ())
            callers = _callers(claims, _CAUSE) or _callers(claims, _CALL)
            if len(callers) != 1 or callers[0] in chain:
                break
            chain.append(callers[0])
        return chain

    def _failed(self, id: str, time: int | None) -> bool:  # noqa: A002
        """Whether a caller's error at ``time`` came soon enough after the request began."""
        seen = self._seen.get(id)
        return seen is not None and time is not None and -_SKEW <= time - seen[0] <= _FAILED

    def is_task(self, id: str, longest: int = _TASK) -> bool:  # noqa: A002
        """Return whether ``id`` is that of a task that goes on, not of a request.

        One in whose name nobody acts lives ``longest`` microseconds at most.
        """
        seen = self._seen.get(id)
        if seen is None:
            return False
        first, last, nobody = seen
        return last - first > (longest if nobody else _LONG)

    def root(self, id: str) -> str:  # noqa: A002
        """Return the id of the request at the top of the tree of ``id``, maybe ``id`` itself."""
        if id not in self._claims:
            return id
        known = self._roots.get(id)
        if known is not None:
            return known
        chain = [id]
        while (caller := self.parent(chain[-1])) is not None:
            if len(chain) == _DEPTH:
                return id
            if self.is_task(caller):
                break
            chain.append(caller)
        if len(self._roots) > self._most:
            self._roots.clear()
        self._roots[id] = chain[-1]
        return chain[-1]

    def children(self, id: str) -> list[str]:  # noqa: A002
        """Return the requests that ``id`` called, in the order they became known."""
        return [callee for callee in self._calls.get(id, ()) if self.parent(callee) == id]

    def members(self, id: str) -> Iterator[str]:  # noqa: A002
        """Yield all ids of the tree whose root ``id`` is: a caller before what it called."""
        found, waiting = {id}, deque([id])
        while waiting:
            caller = waiting.popleft()
            yield caller
            if self.is_task(caller):
                continue
            for callee in self.children(caller):
                if callee not in found:
                    found.add(callee)
                    waiting.append(callee)

    def edges(self) -> Iterator[Link]:
        """Yield the calls that are believed, one for each called request."""
        for callee, claims in self._claims.items():
            believed = self.parent(callee)
            for caller, kind, time, _ in claims:
                if caller == believed:
                    yield Link(caller, callee, kind, time)


def _callers(claims: tuple[_Claim, ...], group: str) -> list[str]:
    return [caller for caller, _, _, groups in claims if group in groups]
