"""What truly happened in a cloud, as its processes and its user wrote it down.

A folder of truth has one file of JSON lines for each process (`HOST-SERVICE-PID.jsonl`) and
`ops.jsonl` of the user; any of them may be gzipped.  Times are Unix times, `elapsed` is seconds.
The kinds of lines:

- `http_out`: a request sent.  `sent_req` is the id it carried, `got_req` the id of its answer,
  `ctx_req` and `ctx_glob` the ids of the context current in that thread.
- `http_in`: a request answered.  `req` is its id, `came_req` the id it came with.
- `rpc_out`, `rpc_in`: a message sent and dispatched.  `req` and `glob` are the ids of the
  message's context.
- `request`, `boot`, `outcome`: what the user sent, which server came of it, what became of it.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

Event = dict[str, Any]

_USER = "client"
_SERVERS_AND_USERS = re.compile(r":(?:8774|5000)/")
_WORKERS = ("nova-compute", "nova-conductor", "nova-scheduler", "cinder-volume")
"""Services whose calls go on after the API has answered."""


def load(folder: Path) -> Truth:
    """Return the truth that a folder tells.  Raises ValueError where there is none."""
    truth = Truth()
    by_kind = {
        "http_out": truth.sent,
        "http_in": truth.served,
        "rpc_out": truth.messages,
        "rpc_in": truth.messages,
        "request": truth.requests,
        "boot": truth.boots,
        "outcome": truth.outcomes,
    }
    for event in _events(folder):
        by_kind[event["kind"]].append(event)
    if not truth.served:
        raise ValueError(
            f"{folder}: expected *.jsonl with the requests that were served, found none"
        )
    truth.requests.sort(key=lambda event: event["start"])
    truth.outcomes.sort(key=lambda event: event["time"])
    return truth


def _events(folder: Path) -> Iterator[Event]:
    for path in sorted(folder.glob("*.jsonl*")):
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
            for line in lines:
                if line.endswith("\n"):  # else its process was killed while it wrote
                    yield json.loads(line)


@dataclass
class Truth:
    """Events of one cloud, and what follows from them."""

    sent: list[Event] = field(default_factory=list)
    served: list[Event] = field(default_factory=list)
    messages: list[Event] = field(default_factory=list)
    requests: list[Event] = field(default_factory=list)
    boots: list[Event] = field(default_factory=list)
    outcomes: list[Event] = field(default_factory=list)

    @cached_property
    def callers(self) -> dict[str, set[str]]:
        """The requests that called each called request; an id the user sent along counts as one.

        The context of the thread is believed only where the id that was sent is one of its own: a
        context left behind by another request stays in its thread.  Calls without an id (to
        Keystone) have no known caller.  A service that takes the id it is sent for its own
        (Glance) makes no request of its own.
        """
        callers: dict[str, set[str]] = defaultdict(set)
        for call in self.sent:
            own, sent = call["got_req"], call["sent_req"]
            if own is None or sent is None or own == sent:
                continue
            believed = call["service"] != _USER and sent in (call["ctx_req"], call["ctx_glob"])
            caller = (believed and call["ctx_req"]) or sent
            if caller != own:
                callers[own].add(caller)
        return dict(callers)

    @cached_property
    def given(self) -> dict[str, str]:
        """The id that the user sent along with a request, by the request's own id."""
        return {
            call["got_req"]: call["sent_req"]
            for call in self.sent
            if call["service"] == _USER and call["got_req"] and call["sent_req"]
        }

    @cached_property
    def called(self) -> set[str]:
        """Requests that a service called, not the user."""
        return set(self.callers) - set(self.given)

    @cached_property
    def service(self) -> dict[str, Event]:
        """How each request was answered, by its id."""
        return {event["req"]: event for event in self.served if event["req"]}

    def ancestors(self, request: str) -> set[str]:
        """Return everything above a request."""
        found: set[str] = set()
        above = [request]
        while above:
            new = self.callers.get(above.pop(), set()) - found
            found |= new
            above += new
        return found

    def root(self, request: str) -> str:
        """Return the id at the top of a request's tree: the user's own where one was sent along."""
        seen: set[str] = set()
        while request in self.callers and request not in seen:
            seen.add(request)
            request = min(self.callers[request])
        return request

    def heads(self, request: str) -> set[str]:
        """Return the ids that may stand for a request's tree: its root, and what the user called
        with the root's id.
        """
        root = self.root(request)
        return {root} | {own for own, given in self.given.items() if given == root}

    @cached_property
    def seconds(self) -> dict[str, float]:
        """How long all that belongs to each root took, from the first thing known of it to the
        last.
        """
        begin: dict[str, float] = {}
        end: dict[str, float] = {}
        work = [(event["req"], event) for event in [*self.served, *self.messages]]
        work += [(call["ctx_req"], call) for call in self.sent if call["service"] in _WORKERS]
        for request, event in work:
            if request and event["service"] != _USER:
                root = self.root(request)
                begin[root] = min(begin.get(root, event["start"]), event["start"])
                last = event["start"] + event["elapsed"]
                end[root] = max(end.get(root, last), last)
        return {root: end[root] - begin[root] for root in begin}

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of the servers that were booted, by their ids."""
        return {boot["server"]: boot["name"] for boot in self.boots}

    def about(self, server: str) -> set[str]:
        """Return the user's requests that name a server: in what they ask for, or as what they
        made.
        """
        return {
            id_of(request)
            for request in self.requests
            if request["req"] and (server in request["url"] or server in _made(request))
        }

    @cached_property
    def lists(self) -> set[str]:
        """The user's requests that ask for many resources at once: they may name any of them."""
        return {id_of(r) for r in self.requests if r["req"] and "detail" in r["url"]}

    @cached_property
    def neighbours(self) -> set[str]:
        """The user's requests about what a server may have: images, networks, ports, volumes."""
        return {
            id_of(r) for r in self.requests if r["req"] and not _SERVERS_AND_USERS.search(r["url"])
        }

    @cached_property
    def own(self) -> dict[str, str]:
        """The id of each of the user's requests, by that id and by the id that was sent along."""
        own = {r["sent"]: id_of(r) for r in self.requests if r["req"] and r["sent"]}
        return own | {id_of(r): id_of(r) for r in self.requests if r["req"]}


def id_of(request: Event) -> str:
    """Return the id by which a request of the user is known: its own."""
    return str(request["req"])


def _made(request: Event) -> Iterable[str]:
    return (request["resource"] or ["", ""])[1:]
