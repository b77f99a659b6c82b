"""Puts what opslog tells of a cloud's logs beside what truly happened: `python lab/score.py
FOLDER...`.

A FOLDER has the truth in `truth/` (truth.py says what it is) and the logs in its other folders, as
`lab/run.py` leaves them. Prints a table for each, and exits with 1 where a measure is below its
bar.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).with_name("inside")))

import truth as truths
from answers import Answers, reasons
from opslab import faults
from truth import Event, Truth

_TOO_LONG = 1.0
"""Seconds by which a request may be told longer than it was."""

_ROUNDED = 0.01
"""Seconds by which the time of a record may be before or behind the user's."""

_KINDS = {
    "volume": "volume",
    "snapshot": "snapshot",
    "image": "image",
    "port": "port",
    "server": "instance",
}
"""The resources that an outcome may name, and what opslog calls them."""

_STATES = {
    "shutoff": {"stopped", "shutoff"},
    "error": {"error", "failed"},
    "shelved_offloaded": {"shelved", "shelved_offloaded", "offloaded"},
    "verify_resize": {"resized", "verify_resize"},
}
"""Words for a state besides the API's own."""

_DELETED = re.compile(r"/(server|volume|snapshot|image|port)s/([^/?]+)$")
_MESSAGE = re.compile(r'"message": "((?:[^"\\]|\\.)*)"')


@dataclass
class Measure:
    """How many of something were told rightly, and how many must be (`bar`, a share; None: only
    shown).
    """

    name: str
    bar: float | None
    good: int = 0
    of: int = 0
    misses: list[str] = field(default_factory=list)

    def count(self, good: bool, miss: str) -> None:
        """Count one; `miss` describes it where it was told wrongly."""
        self.of += 1
        self.good += good
        if not good:
            self.misses.append(miss)

    @property
    def share(self) -> float | None:
        """The share that is good; None where there was nothing to measure."""
        return self.good / self.of if self.of else None

    @property
    def met(self) -> bool:
        return self.bar is None or self.share is None or self.share >= self.bar


def callers(truth: Truth, answers: Answers) -> list[Measure]:
    """Who called whom: no wrong edge, and how many direct callers and roots are found."""
    edges = Measure("callers: no wrong edge", 1.0)
    direct = Measure("callers: direct", 0.97)
    roots = Measure("callers: roots", 0.99)
    graph = answers.graph
    for called in sorted(answers.ids | set(truth.callers)):
        told = graph.parent(called)
        if told is not None and called in truth.callers:
            known = truth.ancestors(called)
            edges.count(told in known, f"{_named(truth, called)}: told {told}, is {known}")
    for called in sorted(truth.called & answers.ids):
        told, name = graph.parent(called), _named(truth, called)
        direct.count(
            told in truth.callers[called], f"{name}: told {told}, is {truth.callers[called]}"
        )
        root = graph.root(called)
        roots.count(root in truth.heads(called), f"{name}: told {root}, is {truth.root(called)}")
    return [edges, direct, roots]


def statuses(truth: Truth, answers: Answers) -> list[Measure]:
    """The status of each of the user's requests, by service."""
    by_service: dict[str, Measure] = {}
    for request in truth.requests:
        row = _row(request, answers)
        if row is None:
            continue
        service = truth.service.get(request["req"], {}).get("service", "?").removesuffix("-api")
        bar = 1.0 if service in ("nova", "cinder") else None
        measure = by_service.setdefault(service, Measure(f"statuses: {service}", bar))
        told = row.get("http_status")
        measure.count(
            told == request["status"],
            f"{request['op']} {request['req']}: told {told}, is {request['status']}",
        )
    return [by_service[service] for service in sorted(by_service)]


def listed(truth: Truth, answers: Answers) -> list[Measure]:
    """Whether the user's requests whose ids stand in the logs are listed."""
    measure = Measure("requests: listed", 1.0)
    for request in truth.requests:
        if request["req"] in answers.ids:
            measure.count(_row(request, answers) is not None, f"{request['op']} {request['req']}")
    return [measure]


def times(truth: Truth, answers: Answers) -> list[Measure]:
    """How long requests took: none told too long, and the API's own time."""
    long = Measure("times: not > 1 s too long", 0.99)
    own = Measure("times: nova's own time", 0.99)
    for request_id, told_row in sorted(answers.requests.items()):
        if request_id not in truth.service or request_id not in truth.heads(request_id):
            continue
        told, is_ = told_row.get("duration") or 0.0, truth.seconds[truth.root(request_id)]
        long.count(
            told <= is_ + _TOO_LONG,
            f"{_named(truth, request_id)}: told {told:.2f} s, is {is_:.2f} s",
        )
    for request in truth.requests:
        row, event = _row(request, answers), truth.service.get(request["req"])
        if row is not None and event is not None and event["service"] == "nova-api":
            own_time = row.get("http_duration")
            good = own_time is not None and abs(own_time - event["elapsed"]) <= max(
                0.05, 0.1 * event["elapsed"]
            )
            own.count(
                good,
                f"{request['op']} {request['req']}: told {own_time}, is {event['elapsed']:.3f} s",
            )
    return [long, own]


def about(truth: Truth, answers: Answers) -> list[Measure]:
    """Which of the user's requests concern an instance: as listed for it, and as its story tells.

    A list of many resources counts neither way.  A story may tell what was done to images,
    networks, ports and volumes.
    """

    def of_story(server: str) -> set[str]:
        return {request["id"] for request in answers.trace(server)["requests"]}

    measures = []
    ways: list[tuple[str, Callable[[str], set[str]], set[str]]] = [
        ("requests --resource", answers.requests_of, set()),
        ("trace", of_story, truth.neighbours),
    ]
    for way, ask, allowed in ways:
        precise, complete = (
            Measure(f"about, {way}: precision", 0.99),
            Measure(f"about, {way}: recall", 0.95),
        )
        for server, name in truth.names.items():
            is_ = truth.about(server)
            told = {truth.own[one] for one in ask(server) if one in truth.own} - truth.lists
            for one in sorted(told - (allowed - is_)):
                precise.count(one in is_, f"{name} {server}: foreign {_operation(truth, one)}")
            for one in sorted(is_ - truth.lists):
                complete.count(one in told, f"{name} {server}: missing {_operation(truth, one)}")
        measures += [precise, complete]
    return measures


def resources(truth: Truth, answers: Answers) -> list[Measure]:
    """The last state of each resource of which the user knows it, and that nothing is told as
    unfinished.
    """
    states, finished = (
        Measure("resources: last state", 1.0),
        Measure("resources: nothing unfinished", 1.0),
    )
    for (kind, resource), state in _last_states(truth).items():
        row = answers.resources.get(resource)
        if row is None:
            states.count(False, f"{kind} {resource}: not told, is {state}")
            continue
        if state.startswith("timeout "):
            continue
        told = row.get("state")
        states.count(
            told in _STATES.get(state, {state}), f"{kind} {resource}: told {told}, is {state}"
        )
        unfinished = row.get("unfinished")
        finished.count(not unfinished, f"{kind} {resource}: told {unfinished}")
    return [states, finished]


def _last_states(truth: Truth) -> dict[tuple[str, str], str]:
    """Return the last state of each resource; one whose deletion was accepted is deleted."""
    last: dict[tuple[str, str], tuple[float, str]] = {}
    for outcome in truth.outcomes:
        for key, kind in _KINDS.items():
            if outcome.get(key):  # of two, the status is that of what was attached or detached
                last[kind, outcome[key]] = outcome["time"], outcome["status"].lower()
                break
    for request in truth.requests:
        named = _DELETED.search(request["url"])
        if request["method"] == "DELETE" and request["status"] in (202, 204) and named:
            resource = _KINDS[named[1]], named[2]
            if resource in last and last[resource][0] <= request["start"]:
                last[resource] = request["start"], "deleted"
    return {resource: state for resource, (_, state) in last.items()}


@dataclass(frozen=True)
class Failure:
    """Something the user saw fail: its request, the words any of which tell why, and from when to
    when they may have been logged (Unix times).
    """

    name: str
    ids: tuple[str, ...]
    words: tuple[str, ...]
    begin: float
    end: float


def failures(truth: Truth) -> Iterator[Failure]:
    """Yield the requests that were refused, and the operations that were accepted and failed
    later.
    """
    for request in truth.requests:
        message = _MESSAGE.search(request.get("error") or "")
        if request["status"] >= 400 and request["req"] and message:
            words = json.loads(f'"{message[1]}"')
            name, times = f"{request['op']} {request['status']}", (request["start"], request["end"])
            yield Failure(name, _ids(request), (words,), *times)
    by_id = {request["req"]: request for request in truth.requests}
    boots = {boot["server"]: boot for boot in truth.boots}
    for outcome in truth.outcomes:
        if outcome["status"].lower() != "error" and not outcome.get("reason"):
            continue
        boot = boots.get(outcome.get("server"), {})
        accepted = by_id.get(outcome.get("req") or boot.get("req"))
        words = (outcome.get("reason"), outcome.get("fault"), faults.of(boot.get("name", "")))
        if accepted is not None:
            times = accepted["start"], outcome["time"]
            yield Failure(outcome["what"], _ids(accepted), tuple(filter(None, words)), *times)


def why(truth: Truth, answers: Answers) -> list[Measure]:
    """A reason for every failure whose words were logged while it lasted; no failure of a boot that
    went well at once.
    """
    told, untold = (
        Measure("failures: with their reason", 1.0),
        Measure("failures: words in the logs", None),
    )
    invented = Measure("failures: none invented", 1.0)
    logs = [(time, _plain(text)) for time, text in answers.texts]
    for failure in failures(truth):
        words = [_plain(text) for text in failure.words]
        meanwhile = [
            text
            for time, text in logs
            if failure.begin - _ROUNDED <= time <= failure.end + _ROUNDED
        ]
        known = any(word in text for text in meanwhile for word in words)
        untold.count(known, f"{failure.name} {failure.ids[0]}: {failure.words}")
        if known:
            found = [reason for one in failure.ids for reason in reasons(answers.trace(one))]
            good = any(word in _plain(reason) for reason in found for word in words)
            told.count(
                good, f"{failure.name} {failure.ids[0]}: told {found[:1]}, is {failure.words}"
            )
    boots = {boot["server"]: boot for boot in truth.boots}
    for outcome in truth.outcomes:
        boot = boots.get(outcome.get("server"), {})
        if boot and outcome["what"].startswith("boot") and outcome["status"] == "ACTIVE":
            boots.pop(outcome["server"])
            story = answers.trace(boot["req"])
            good = story.get("first_error") is None or faults.of(boot["name"]) is not None
            invented.count(good, f"{boot['name']} {boot['req']}: told {reasons(story)[:1]}")
    return [told, untold, invented]


def score(truth: Truth, answers: Answers) -> list[Measure]:
    """Return every measure."""
    parts = (callers, listed, statuses, times, about, resources, why)
    return [measure for part in parts for measure in part(truth, answers)]


def table(measures: Iterable[Measure], examples: int = 0) -> str:
    """Return the measures as lines of text, with some of what was told wrongly below each."""
    lines = []
    for measure in measures:
        share = "-" if measure.share is None else f"{100 * measure.share:.1f} %"
        bar = "" if measure.bar is None else f"{100 * measure.bar:.0f} %"
        mark = "" if measure.met else "  BELOW"
        count = f"{measure.good} of {measure.of}"
        lines.append(f"{measure.name:<38}{count:>14}{share:>9}{bar:>7}{mark}")
        lines += [f"    {miss}" for miss in measure.misses[:examples]]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="score.py", description=__doc__)
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path)
    parser.add_argument(
        "-e", "--examples", metavar="N", type=int, default=0, help="show N misses of each measure"
    )
    options = parser.parse_args(arguments)
    below = False
    for folder in options.folders:
        try:
            truth = truths.load(folder / "truth")
        except ValueError as error:
            parser.error(str(error))
        logs = sorted(path for path in folder.iterdir() if path.name != "truth")
        measures = score(truth, Answers(logs))
        print(f"{folder}{'good':>{max(1, 52 - len(str(folder)))}}{'share':>9}{'bar':>7}")
        print(table(measures, options.examples), flush=True)
        below |= not all(measure.met for measure in measures)
    return int(below)


def _row(request: Event, answers: Answers) -> dict[str, Any] | None:
    return next((row for one in _ids(request) if (row := answers.requests.get(one))), None)


def _ids(request: Event) -> tuple[str, ...]:
    return tuple(one for one in (request["req"], request["sent"]) if one)


def _named(truth: Truth, request: str) -> str:
    event = truth.service.get(request)
    return f"{request} ({event['service']} {event['method']} {event['path']})" if event else request


def _operation(truth: Truth, own: str) -> str:
    return next(f"{request['op']} {own}" for request in truth.requests if request["req"] == own)


def _plain(text: str) -> str:
    """Return a text by which two spellings of a message agree: letters and digits, small."""
    return re.sub(r"\W+", " ", text).strip().casefold()


if __name__ == "__main__":
    sys.exit(main())
