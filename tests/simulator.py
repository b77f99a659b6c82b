"""A deployment that writes logs, and the truth about them.

Requests of users and tasks go through the services as they do in OpenStack:
over HTTP, where the called service makes an id of its own (or, as glance did,
takes the caller's), and over RPC, where the id goes along.  Some requests are
audited: what keystonemiddleware and the log driver print names them, whatever
context a thread is left with.  Every line of a service is made by the real
oslo.log.  The same seed gives the same bytes.
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oslo_config import cfg
from oslo_context import context as oslo_context
from oslo_log import formatters
from oslo_log import log as oslo_log

BEGIN = 1_772_445_600.0
"""2026-03-02 10:00:00 UTC."""

HOURS = 3


@dataclass(frozen=True)
class Era:
    """What services of a release print and do."""

    name: str
    context: str | None
    identity: str | None
    clients: tuple[str, ...]
    global_ids: bool
    """Whether calls carry the id of the request that began it all."""
    glance_adopts: bool
    debug: bool = True
    audit: bool = False
    """Whether APIs write audit events that name the request."""


_FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s"
_FIVE = "%(user)s %(project)s %(domain)s %(user_domain)s %(project_domain)s"
ERAS = (
    Era("kilo", f"{_FORMAT} [%(request_id)s %(user)s %(project)s] %(instance)s%(message)s", None,
        ("headers", "dict"), False, True),
    Era("pike", f"{_FORMAT} [%(request_id)s %(user_identity)s] %(instance)s%(message)s", _FIVE,
        ("used", "headers"), False, True),
    Era("ussuri", f"{_FORMAT} [%(request_id)s %(user_identity)s] %(instance)s%(message)s", _FIVE,
        ("used",), True, False, audit=True),
    Era("zed", None, None, ("used",), True, False, audit=True),
    Era("zed-info", None, None, ("used",), True, False, debug=False, audit=True),
    Era("ussuri-info", f"{_FORMAT} [%(request_id)s %(user_identity)s] %(instance)s%(message)s",
        _FIVE, ("used",), True, False, debug=False),
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One id at work."""

    id: str
    user: str | None
    cause: str | None
    """The global id it was called with."""

    @property
    def sends(self) -> str:
        """The id it gives those it calls."""
        return self.cause or self.id


@dataclass
class Event:
    """A log call: ``request`` None is one without, ``context`` what the thread has for it."""

    time: float
    program: str
    host: str
    pid: int
    level: int
    logger: str
    message: str
    request: Request | None
    context: Request | None


@dataclass
class Truth:
    """What really happened."""

    callers: dict[str, str] = field(default_factory=dict)
    """Who called, by called id; only calls whose caller had an id, and another one."""
    roots: dict[str, str] = field(default_factory=dict)
    """What began it all, by id."""
    failed: set[str] = field(default_factory=set)
    """Called ids whose caller got an error that names them."""
    tasks: set[str] = field(default_factory=set)
    """Ids under which something goes on for hours."""
    records: dict[tuple[str, int], Request | None] = field(default_factory=dict)
    """Whose a record is, by path and offset of its head."""


class Deployment:
    """The services at work for some hours; ``write`` puts their logs into a folder."""

    def __init__(self, seed: int, era: Era, boots: int = 12) -> None:
        self.rng = random.Random(seed)
        self.era = era
        self.truth = Truth()
        self.events: list[Event] = []
        self.swift: list[tuple[float, str]] = []
        self.skew: dict[str, float] = {}
        self.workers: dict[tuple[str, str], list[int]] = {}
        self.errors: list[str] = []
        self.others: list[Request] = []
        for _ in range(boots):
            self.boot(BEGIN + self.rng.uniform(0, HOURS * 3600 - 600))
        self.periodic()
        self.agent()
        self.events.sort(key=lambda event: event.time)

    # -- the parts a story is made of -------------------------------------------------

    def new_id(self) -> str:
        return f"req-{uuid.UUID(int=self.rng.getrandbits(128), version=4)}"

    def worker(self, program: str, host: str) -> tuple[str, str, int]:
        """Return a worker of a program: name, host, process id."""
        pids = self.workers.setdefault(
            (program, host), [self.rng.randint(5, 60000) for _ in range(3)]
        )
        return program, host, self.rng.choice(pids)

    def log(
        self,
        worker: tuple[str, str, int],
        time: float,
        request: Request | None,
        message: str,
        level: int = logging.INFO,
        logger: str | None = None,
        contexts: tuple[Request | None, ...] = (),
    ) -> float:
        """Log and return a time a little later; the context is one of ``contexts``, if any."""
        if level > logging.DEBUG or self.era.debug:
            program, host, pid = worker
            logger = logger or f"{program.replace('-', '.')}.manager"
            context = self.rng.choice(contexts) if contexts else request
            self.events.append(
                Event(time, program, host, pid, level, logger, message, request, context)
            )
        return time + self.rng.uniform(0.001, 0.4)

    def begin(self, cause: str | None = None, user: str | None = "u") -> Request:
        """Return a request that nothing known here has called."""
        if user == "u":
            user = uuid.UUID(int=self.rng.getrandbits(128)).hex
        request = Request(self.new_id(), user, cause)
        self.truth.roots[request.id] = cause or request.id
        if cause:
            self.truth.callers[request.id] = cause
            self.truth.roots[cause] = cause
        return request

    def called(self, caller: Request | None, adopts: bool = False) -> Request:
        """Return the request that a call makes in another service."""
        if caller is None:
            return self.begin()
        if adopts:
            return caller
        cause = caller.sends if self.era.global_ids else None
        request = Request(self.new_id(), caller.user or "service", cause)
        self.truth.callers[request.id] = caller.id
        self.truth.roots[request.id] = (
            request.id if caller.id in self.truth.tasks else self.truth.roots[caller.id]
        )
        return request

    def client(
        self,
        worker: tuple[str, str, int],
        time: float,
        caller: Request | None,
        callee: str,
        service: str,
        url: str,
        status: int = 200,
    ) -> float:
        """Log what a client library prints about a call that has been answered."""
        method = "GET" if status == 200 else "POST"
        style = "glance" if service == "image" else self.rng.choice(self.era.clients)
        if service == "object-store":
            headers = f"{{'X-Trans-Id': '{callee}', 'X-Openstack-Request-Id': '{callee}'}}"
            return self.log(
                worker, time, caller, f"RESP HEADERS: {headers}", logging.DEBUG, "swiftclient"
            )
        sent = caller.sends if caller and self.era.global_ids else None
        header = f' -H "X-OpenStack-Request-ID: {sent}"' if sent else ""
        library = "keystoneauth.session"
        if style == "glance":
            library = "glanceclient.common.http"
            time = self.log(
                worker, time, caller, f"curl -g -i -X {method}{header} {url}", 10, library
            )
            message = (
                f"\nHTTP/1.1 {status} OK\nContent-Type: application/json\n"
                f'X-Openstack-Request-Id: {callee}\n\n{{"id": "{self.new_id()}"}}\n'
            )
            return self.log(worker, time, caller, message, logging.DEBUG, library)
        request = f'REQ: curl -g -i -X {method} {url}{header} -d \'{{"a": "{self.new_id()}"}}\''
        time = self.log(worker, time, caller, request, logging.DEBUG, library)
        if style == "dict":
            message = (
                f"RESP: [{status}] {{'content-length': '27', 'x-compute-request-id': '{callee}'}}\n"
                f'RESP BODY: {{"fault": "x-openstack-request-id: {self.new_id()}"}}\n'
            )
            return self.log(worker, time, caller, message, logging.DEBUG, "novaclient.client")
        message = f"RESP: [{status}] Content-Length: 27 X-Openstack-Request-Id: {callee} Date: x"
        time = self.log(worker, time, caller, message, logging.DEBUG, library)
        if style == "used":
            message = f"{method} call to {service} for {url} used request id {callee}"
            time = self.log(worker, time, caller, message, logging.DEBUG, library)
        return time

    def served(
        self, worker: tuple[str, str, int], time: float, request: Request, path: str, status: int
    ) -> float:
        """Log the line of an API about a request it has answered."""
        message = f'10.0.0.7 "GET {path} HTTP/1.1" status: {status}  len: 312 time: 0.0712'
        if self.era.audit and self.rng.random() < 0.5:
            time = self.audited(worker, time, request, path, status)
        return self.log(worker, time, request, message, logger=f"{worker[0].split('-')[0]}.wsgi")

    def audited(
        self, worker: tuple[str, str, int], time: float, request: Request, path: str, status: int
    ) -> float:
        """Log what an audit middleware tells of a request, in a context that may be another's."""
        own = Request(self.new_id(), None, None)
        self.others.append(request)
        for kind, outcome in (("request", "pending"), ("response", "success")):
            payload = self.cadf(request, path, outcome, status)
            if self.rng.random() < 0.5:
                message = self.notification(f"audit.http.{kind}", payload)
                logger = f"oslo.messaging.notification.audit.http.{kind}"
            else:
                context = {"user": None, "is_admin": True, "request_id": own.id, "roles": []}
                message = f"Event type: audit.http.{kind}, Context: {context}, Payload: {payload}"
                logger = "keystonemiddleware.audit"
            stale = self.rng.choice(self.others)
            contexts = (request, own, stale, None)
            time = self.log(worker, time, request, message, logger=logger, contexts=contexts)
        return time

    def cadf(self, request: Request, path: str, outcome: str, status: int = 200) -> dict[str, Any]:
        """Return an event as pycadf makes it; what a client sends stands in it."""
        agent = f'it\'s "x", \'request_id\': \'{self.new_id()}\', "request_id": "{self.new_id()}"'
        initiator: dict[str, Any] = {
            "id": request.user,
            "typeURI": "service/security/account/user",
            "host": {"address": "10.0.0.7", "agent": agent},
            "project_id": request.user,
            "request_id": request.id,
        }
        if request.cause:
            initiator["global_request_id"] = request.cause
        return {
            "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
            "eventType": "activity",
            "id": uuid.UUID(int=self.rng.getrandbits(128)).hex,
            "action": "read",
            "outcome": outcome,
            "initiator": initiator,
            "target": {"id": "t", "typeURI": "service/x", "name": None},
            "requestPath": path,
            "reason": {"reasonType": "HTTP", "reasonCode": str(status)},
        }

    def notification(self, kind: str, payload: dict[str, Any]) -> str:
        """Return a notification as oslo.messaging's log driver writes it."""
        return json.dumps({
            "message_id": uuid.UUID(int=self.rng.getrandbits(128)).hex,
            "publisher_id": "api.ctl-1", "event_type": kind, "priority": "INFO",
            "payload": payload, "timestamp": "2026-03-02 10:00:00.000000",
        })  # fmt: skip

    def failure(
        self, worker: tuple[str, str, int], time: float, caller: Request | None, callee: str
    ) -> float:
        """Log the error a caller got, as its exception prints it."""
        if caller is not None:
            self.truth.failed.add(callee)
        text = self.rng.choice([
            f"Failed to do it: Not Found (HTTP 404) (Request-ID: {callee})",
            f"Neutron server returns request_ids: ['{callee}']",
        ])  # fmt: skip
        self.errors.append(text)
        return self.log(worker, time, caller, text, logging.ERROR)

    # -- services ---------------------------------------------------------------------

    def placement(self, worker: tuple[str, str, int], time: float, caller: Request) -> float:
        request, api = self.called(caller), self.worker("placement-api", "ctl-1")
        time = self.served(api, time + 0.01, request, "/allocations", 200)
        if self.rng.random() < 0.3:
            text = f"[{request.id}] Created resource provider record via placement API for x"
            return self.log(worker, time, caller, text, logging.DEBUG,
                            "nova.scheduler.client.report")  # fmt: skip
        return self.client(worker, time, caller, request.id, "placement", "http://p/allocations")

    def glance(self, worker: tuple[str, str, int], time: float, caller: Request) -> float:
        request = self.called(caller, self.era.glance_adopts)
        api, registry = (self.worker(f"glance-{name}", "ctl-2") for name in ("api", "registry"))
        time = self.log(api, time + 0.01, request, "Processing request: GET /v2/images/1")
        if self.era.glance_adopts:
            time = self.log(registry, time, request, "Successfully retrieved image 1")
            time = self.client(api, time, request, request.id, "image", "http://r/images/1")
        time = self.object_store(api, time, request)
        time = self.served(api, time, request, "/v2/images/1", 200)
        return self.client(worker, time, caller, request.id, "image", "http://g/v2/images/1")

    def object_store(self, worker: tuple[str, str, int], time: float, caller: Request) -> float:
        transaction = f"tx{self.rng.getrandbits(84):021x}-{int(time):010x}"
        self.truth.callers[transaction] = caller.id
        self.truth.roots[transaction] = self.truth.roots[caller.id]
        stamp = datetime.fromtimestamp(time, UTC)
        self.swift.append((
            time,
            f"{stamp:%b} {stamp.day:2} {stamp:%H:%M:%S} ctl-2 proxy-server: 127.0.0.1 127.0.0.1 "
            f"{stamp:%d/%b/%Y/%H/%M/%S} HEAD /v1/AUTH_2023/glance HTTP/1.0 404 - python-swiftclient "
            f"MIIV - - - {transaction} - 0.2402 - - {time:.9f} {time + 0.2:.9f} 0",
        ))  # fmt: skip
        return self.client(worker, time + 0.2, caller, transaction, "object-store", "http://s/v1")

    def neutron(
        self, worker: tuple[str, str, int], time: float, caller: Request, fails: bool = False
    ) -> float:
        request, server = self.called(caller), self.worker("neutron-server", "ctl-1")
        time = self.log(server, time + 0.01, request, "Request body: port", logging.DEBUG)
        for agent in ("neutron-openvswitch-agent", "neutron-dhcp-agent"):
            time = self.log(self.worker(agent, "net-1"), time, request, "Trigger resync")
        if fails:
            time = self.served(server, time, request, "/v2.0/ports/1", 404)
            time = self.client(
                worker, time, caller, request.id, "network", "http://n/v2.0/ports/1", 404
            )
            return self.failure(worker, time, caller, request.id)
        # The notifier has no context: nova's request is nobody's.
        event, nova = self.called(None), self.worker("nova-api", "ctl-1")
        time = self.served(nova, time, event, "/v2.1/os-server-external-events", 200)
        time = self.client(server, time, None, event.id, "compute", "http://c/events")
        time = self.served(server, time, request, "/v2.0/ports", 201)
        return self.client(worker, time, caller, request.id, "network", "http://n/v2.0/ports")

    def cinder(self, worker: tuple[str, str, int], time: float, caller: Request) -> float:
        request, api = self.called(caller), self.worker("cinder-api", "ctl-1")
        volume = self.worker("cinder-volume", "ctl-2")
        time = self.served(api, time + 0.01, request, "/v3/volumes", 202)
        time = self.client(worker, time, caller, request.id, "volumev3", "http://v/v3/volumes")
        time = self.log(self.worker("cinder-scheduler", "ctl-1"), time, request, "Filtered 3 hosts")
        return self.glance(volume, time, request)

    def boot(self, time: float) -> None:
        """A user boots an instance."""
        # Without it in the context nothing says what the user sent along.
        told = self.era.global_ids and self.era.context is None
        outer = self.new_id() if told and self.rng.random() < 0.3 else None
        request, host = self.begin(outer), self.rng.choice(["cmp-1", "cmp-2"])
        api, compute = self.worker("nova-api", "ctl-1"), self.worker("nova-compute", host)
        conductor = self.worker("nova-conductor", "ctl-1")
        time = self.log(api, time, request, "Action: 'create'", logging.DEBUG)
        time = self.glance(api, time, request)
        time = self.served(api, time, request, "/v2.1/servers", 202)
        time = self.log(conductor, time, request, "Build the instance", logging.DEBUG)
        scheduler = self.worker("nova-scheduler", "ctl-1")
        time = self.placement(scheduler, time, request)
        time = self.log(compute, time, request, "Attempting claim: memory 512 MB, disk 1 GB")
        if self.rng.random() < 0.3:  # a try without an answer, then another
            time = self.log(
                compute, time, request, "Retrying connection to network", logging.WARNING
            )
        fails = self.rng.random() < 0.4
        time = self.neutron(compute, time, request, fails)
        if self.rng.random() < 0.7:
            time = self.cinder(compute, time, request)
        time = self.glance(compute, time, request)
        time = self.log(compute, time, request, "Instance is there")
        self.quote(time)

    def quote(self, time: float) -> None:
        """Somebody looks at what happened and repeats ids and errors, a while later."""
        looking, api = self.begin(), self.worker("heat-api", "ctl-1")
        said = [
            f"request {self.rng.choice(sorted(self.truth.roots))} was slow",
            f"The last error was: {self.rng.choice(self.errors or ['none'])}",
            f"x-openstack-request-id: {self.rng.choice(sorted(self.truth.roots))}",
            f"a GET call to compute for http://c used request id {self.rng.choice(sorted(self.truth.roots))}",
        ]  # fmt: skip
        if self.era.audit and self.others:
            event = self.cadf(self.rng.choice(self.others), "/", "success")
            said.append(self.notification("audit.http.response", event))
            said.append(f"Got Event type: audit.http.response, Context: {{}}, Payload: {event}")
        for message in said:
            time = self.log(api, max(time, self._last() + 600), looking, message)

    def _last(self) -> float:
        return max(event.time for event in self.events)

    def periodic(self) -> None:
        """Short tasks of nova-compute, each with an id of its own."""
        for number in range(HOURS * 4):
            worker = self.worker("nova-compute", "cmp-1")
            task = self.begin(user=None)
            time = BEGIN + number * 900 + self.rng.uniform(0, 60)
            time = self.log(worker, time, task, "Auditing locally available compute resources")
            self.placement(worker, time, task)

    def agent(self) -> None:
        """An agent whose id is one as long as it runs; the server calls nova in its name."""
        task = self.begin(user=None)
        self.truth.tasks.add(task.id)
        agent, server = (
            self.worker("neutron-l3-agent", "net-1"),
            self.worker("neutron-server", "ctl-1"),
        )
        for number in range(HOURS * 6):
            time = BEGIN + number * 600 + self.rng.uniform(0, 60)
            time = self.log(agent, time, task, "Agent rpc_loop - iteration done")
            time = self.log(server, time, task, "Port update received", logging.INFO)
            event, nova = self.called(task), self.worker("nova-api", "ctl-1")
            time = self.served(nova, time, event, "/v2.1/os-server-external-events", 200)
            self.client(server, time, task, event.id, "compute", "http://c/events")

    # -- the files --------------------------------------------------------------------

    def write(self, folder: Path, lost: float = 0.0) -> Truth:
        """Write all logs, of which the part ``lost`` of the lines is missing; return the truth."""
        chance = random.Random(7)
        files: dict[Path, list[tuple[float, str, Request | None]]] = {}
        printer = _formatter(self.era)
        for event in self.events:
            skew = self.skew.setdefault(event.host, self.rng.uniform(-1.5, 1.5))
            path = folder / event.host / f"{event.program}.log"
            time = event.time + skew
            text = printer.format(_record(event, time))
            files.setdefault(path, []).append((time, text, event.request))
        for time, line in self.swift:
            transaction = Request(line.split()[18], None, None)
            files.setdefault(folder / "ctl-2" / "swift.log", []).append((time, line, transaction))
        for path, entries in files.items():
            entries.sort(key=lambda entry: entry[0])
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"".join(self._lines(path, entries, chance, lost)))
        return self.truth

    def _lines(
        self,
        path: Path,
        entries: list[tuple[float, str, Request | None]],
        chance: random.Random,
        lost: float,
    ) -> Iterator[bytes]:
        offset = 0
        for _, text, request in entries:
            for number, line in enumerate(text.encode().split(b"\n")):
                if chance.random() < lost:
                    continue
                if number == 0:
                    self.truth.records[str(path), offset] = request
                offset += len(line) + 1
                yield line + b"\n"


def _formatter(era: Era) -> formatters.ContextFormatter:
    conf = cfg.ConfigOpts()
    oslo_log.register_options(conf)
    conf([], project="opslog", default_config_files=[])
    for name, value in (
        ("logging_context_format_string", era.context),
        ("logging_user_identity_format", era.identity),
    ):
        if value is not None:
            conf.set_override(name, value)
    return formatters.ContextFormatter(datefmt=conf.log_date_format, config=conf)


def _record(event: Event, time: float) -> logging.LogRecord:
    record = logging.LogRecord(
        event.logger, event.level, "/usr/lib/python3/x.py", 7, event.message, (), None, func="f"
    )
    record.created = round(time, 3)
    record.msecs = round(record.created * 1000) % 1000
    record.process = event.pid
    record.context = None
    request = event.context
    if request is not None:
        record.context = oslo_context.RequestContext(
            request_id=request.id,
            global_request_id=request.cause,
            user_id=request.user,
            project_id=request.user,
            overwrite=False,
        )
    return record
