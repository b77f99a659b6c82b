"""The request graph: which request called which, from what records say of it.

A node is the id of a request.  What records say are claims: *caller* called
*callee*.  A claim is believed as long as nothing contradicts it: no edge is
better than a wrong one.

- An id has one cause and one caller.  Of several named the one is believed
  that the others agree with, else none (a proxy hands on the id of another's
  response, a context left behind claims the calls of others).
- A service's own word for its cause is believed before what a client says,
  and that before an error's text; of claims in a circle the weakest yields.
- Between a cause that heads no record and what it caused other services stand.
  The one request of the same cause that was at work when the called one began,
  in the only service there that calls such services, is its caller.
- An error's text may be repeated by others, later.  The first to tell it is
  believed, if the request it names was seen to begin shortly before.
- A task that goes on for hours or weeks under one id is no request: what it
  calls are requests of their own.

Memory is bounded: beyond ``most`` called requests the one that nothing was said
of for longest is forgotten.

It is one long file, as claims, what is believed of them and trees share the same tables, and
links come by the million.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import pyarrow as pa

from opslog.correlate._links import Sightings
from opslog.correlate.calls import is_under_callers_id
from opslog.correlate.links import Link, LinkCandidates, claims_in, times_of
from opslog.correlate.sent import SentCauses
from opslog.correlate.siblings import Siblings
from opslog.correlate.sources import by_source
from opslog.model.stats import Stats

MOST = 1 << 18
"""Requests with a caller that are remembered."""

SEEN = 1 << 17
"""Ids whose first and last time is remembered."""

_CHECK, _CALL, _CAUSE, _ERROR = "0", "1", "2", "3"
_GROUPS = {
    "check": _CHECK, "client": _CALL, "response": _CALL, "bracket": _CAUSE, "error": _ERROR,
}  # fmt: skip
"""What a kind of link says: no caller, a caller, a cause, an error; a lower number counts more."""

_STRENGTH = {_CAUSE: 3, _CALL: 2, _ERROR: 1}
"""How much a claim weighs against others in a circle."""

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

    def __init__(self, most: int = MOST, seen: Sightings | None = None) -> None:
        self._most = max(1, most)
        self._claims: OrderedDict[str, tuple[_Claim, ...]] = OrderedDict()
        self._calls: dict[str, dict[str, None]] = {}
        self._contexts: dict[str, str] = {}
        """By called request the one in whose context its caller was named, if another."""
        self._nested: dict[str, dict[str, list[str]]] = {}
        """By cause the calls between its requests."""
        self._focus: frozenset[str] = frozenset()
        self._tops: dict[str, tuple[str, str]] = {}
        """By called request the root of its tree, and the head below it."""
        self._seen = Sightings(SEEN) if seen is None else seen
        self._siblings = Siblings(self._seen)
        self._sent = SentCauses()
        self.evicted = 0
        """Called requests that were forgotten."""

    def count_in(self, stats: Stats) -> None:
        """Set in ``stats`` what was forgotten, or left out, because there was too much."""
        stats.forgotten = self.evicted
        stats.leave_out("writers", self._sent.forgotten)
        stats.leave_out("causes", len(self._siblings.crowded))

    def without_links(self) -> RequestGraph:
        """Return a graph that knows no links, but all that was seen of ids."""
        return RequestGraph(self._most, self._seen)

    def __len__(self) -> int:
        """How many requests with a caller are known."""
        return len(self._claims)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take what the records of a batch say, of one source in their order.

        It has columns of links.COLUMNS, and of links.SERVED if they are known.
        """
        self.see(batch)
        self.link(batch)

    def link(self, batch: pa.RecordBatch) -> None:
        """Take what the records of a batch say of calls, not when ids were seen."""
        for one in by_source(batch):
            self._add(claims_in(one, sent=self._sent, source=_source_of(one)))
            self._siblings.add(one, self._claims)

    def see(self, batch: pa.RecordBatch) -> None:
        """Take note of when the ids of a batch were seen, which may be in any order."""
        columns = ("request_id", "global_request_id", "user_id", "program")
        own, cause, users, programs = (
            batch.column(name).to_pylist() if name in batch.schema.names else [None] * len(batch)
            for name in columns
        )
        told = "user_id" in batch.schema.names
        for id_, above, user, program, time in zip(
            own, cause, users, programs, times_of(batch), strict=True
        ):
            if time is not None:
                if id_ is not None:
                    named = user is not None if told else None
                    self._seen.see(id_, time, named, not is_under_callers_id(program))
                if above is not None:
                    self._seen.see(above, time, None, False)

    def add_candidates(self, found: LinkCandidates) -> None:
        """Take what was found in a block of records (links.link_candidates)."""
        for batch in found.batches:
            for one in by_source(batch):
                source = _source_of(one) or found.source
                self._add(claims_in(one, chosen=True, sent=self._sent, source=source))
                self._siblings.add(one, self._claims)
            # Of audit events, and maybe others, only the columns tell which requests they are of.
            for name, heads in (("request_id", True), ("global_request_id", False)):
                for id_, time in zip(batch[name].to_pylist(), times_of(batch), strict=True):
                    if id_ is not None and time is not None:
                        self._seen.see(id_, time, None, heads)
        self._seen.add(found.sights)

    def _add(self, found: Iterable[Link]) -> None:
        """Take links; this is the hot part of the graph: a microsecond or two for each."""
        known, called = self._claims, self._calls
        for caller, callee, kind, time, context in found:
            if context is not None and context != callee:
                self._contexts[callee] = context
                called.setdefault(context, {})[callee] = None
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
        self._tops.clear()
        self._siblings.changed()
        self._nested.clear()

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
        calls = self._calls.get(caller, {})
        calls.pop(callee, None)
        if not calls:
            self._calls.pop(caller, None)

    def _evict(self) -> None:
        callee, claims = self._claims.popitem(last=False)
        for caller, *_ in claims:
            self._forget_call(caller, callee)
        if context := self._contexts.pop(callee, None):
            self._forget_call(context, callee)
        self._siblings.forget(callee)
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

    def open_callers(self, cause: str) -> list[str]:
        """Return requests in whose context a call with this cause waits for its answer."""
        return self._sent.open_writers(cause)

    def parent(self, id: str) -> str | None:  # noqa: A002
        """Return the id of the request that called ``id``, None if none is known for sure."""
        caller, strength = self._caller(id)
        above, weakest = caller, 9
        for _ in range(_DEPTH):
            if above is None:
                return caller
            if above == id:
                break
            above, next_strength = self._caller(above)
            weakest = min(weakest, next_strength)
        return caller if strength > weakest else None

    def _caller(self, id: str) -> tuple[str | None, int]:  # noqa: A002
        """Return the caller that the claims agree upon, and how strong they are.

        It may be part of a circle.
        """
        claims = self._claims.get(id)
        if claims is None:
            return None, 0
        causes = _callers(claims, _CAUSE)
        if len(causes) > 1:
            return None, 0
        calls = [
            self._in_context(caller, id)
            for caller, _, _, groups in claims
            if _CALL in groups and _CHECK not in groups
        ]
        if causes:
            # A caller is below the cause, or it is another's word against the service's own.
            below = [caller for caller in calls if causes[0] in self._above(caller)]
            found = self._deepest(below) if below else self._nested_caller(id, causes[0])
            return found or causes[0], _STRENGTH[_CAUSE]
        if len(calls) > 1:
            tops = {self._above(caller)[-1] for caller in calls}
            found = self._deepest(calls) if len(tops) == 1 else None
            return found, _STRENGTH[_CALL]
        if calls:
            return calls[0], _STRENGTH[_CALL]
        for caller, _, time, groups in claims:  # of errors the first one told is kept
            if groups == _ERROR and self._failed(id, time):
                return caller, _STRENGTH[_ERROR]
        return None, 0

    def _in_context(self, cause: str, id: str) -> str:  # noqa: A002
        """Return the request in whose context a call with this cause was made, if it is believed.

        It is where the cause is known to be above it.  A cause that heads no record is the
        context's own, or one made for its calls.
        """
        context = self._contexts.get(id)
        if context is None or context == cause:
            return cause
        believed = cause in self._above(context) or not self._heads(cause)
        return context if believed else cause

    def _heads(self, id: str) -> bool:  # noqa: A002
        """Whether some record was seen whose own id it is."""
        seen = self._seen.get(id)
        return seen is not None and seen[3]

    def _nested_caller(self, id: str, cause: str) -> str | None:  # noqa: A002
        """Return the request between a cause that heads no record and what it caused."""
        return None if self._heads(cause) else self._siblings.caller(id, cause, self._caused(cause))

    def _caused(self, cause: str) -> Iterator[str]:
        """Yield the requests that name a cause themselves."""
        for callee in self._calls.get(cause, ()):
            if cause in _callers(self._claims.get(callee, ()), _CAUSE):
                yield callee

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
        first, last, nobody, _ = seen
        return last - first > (longest if nobody else _LONG)

    def focus(self, ids: Iterable[str]) -> None:
        """Have the trees of these requests begin with the topmost of them: ``root`` tells it.

        Above it may stand ids that head no record, as users send them.  Other requests keep
        their roots.
        """
        self._focus = frozenset(ids)
        self._tops.clear()

    def root(self, id: str) -> str:  # noqa: A002
        """Return the id of the request at the top of the tree of ``id``, maybe ``id`` itself."""
        return self._top(id)[0]

    def head(self, id: str) -> str:  # noqa: A002
        """Return the topmost request below the root of ``id``'s tree; of the root, the root."""
        return self._top(id)[1]

    def _top(self, id: str) -> tuple[str, str]:  # noqa: A002
        """Return the root and the head of a request."""
        if id not in self._claims:
            return id, id
        known = self._tops.get(id)
        if known is not None:
            return known
        chain = [id]
        while (caller := self.parent(chain[-1])) is not None:
            if len(chain) == _DEPTH:
                return id, id
            if self.is_task(caller):
                break
            chain.append(caller)
        if len(self._tops) > self._most:
            self._tops.clear()
        at = self._place_of_root(chain)
        self._tops[id] = chain[at], chain[max(0, at - 1)]
        return self._tops[id]

    def _place_of_root(self, chain: list[str]) -> int:
        """Return where in a request's callers the root is, of those in focus if some are."""
        at = max((n for n, id_ in enumerate(chain) if id_ in self._focus), default=None)
        if at is None:
            return len(chain) - 1
        while at + 1 < len(chain) and not self._heads(chain[at + 1]):
            at += 1
        return at

    def children(self, id: str) -> list[str]:  # noqa: A002
        """Return the requests that ``id`` called, in the order they became known."""
        named = (callee for callee in self._calls.get(id, ()) if self.parent(callee) == id)
        found = dict.fromkeys(named)
        for cause in _callers(self._claims.get(id, ()), _CAUSE):
            found |= dict.fromkeys(self._below(cause).get(id, ()))
        return list(found)

    def _below(self, cause: str) -> dict[str, list[str]]:
        """Return by caller the requests of a cause that other requests of the same cause called."""
        known = self._nested.get(cause)
        if known is None:
            known = self._nested[cause] = {}
            for callee in self._calls.get(cause, ()):
                caller = self.parent(callee)
                if caller is not None and caller != cause:
                    known.setdefault(caller, []).append(callee)
        return known

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
        """Yield the calls that are believed, one for each called request.

        The kind is ``during`` where no record names the caller: it was at work meanwhile.
        """
        for callee, claims in self._claims.items():
            believed = self.parent(callee)
            if believed is None:
                continue
            kind, time = next(
                ((kind, time) for caller, kind, time, _ in claims if caller == believed),
                ("during", claims[0][2]),
            )
            yield Link(believed, callee, kind, time)


def _callers(claims: tuple[_Claim, ...], group: str) -> list[str]:
    return [caller for caller, _, _, groups in claims if group in groups]


def _source_of(batch: pa.RecordBatch) -> str:
    """Return the source of a batch's records, empty if it is not told."""
    known = "source" in batch.schema.names and len(batch)
    return batch["source"][0].as_py() or "" if known else ""
