"""A user of the cloud: sends requests by hand, and writes down each and what became of it."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

import requests
from places import PASSWORD, url

Body = dict[str, Any]

_VERSION = {"OpenStack-API-Version": "compute 2.90"}
_SINGULAR = ("server", "image", "network", "subnet", "port", "volume", "snapshot", "flavor")
_PATHS = {"glance": "/v2", "neutron": "/v2.0"}


class Client:
    """Two accounts, `admin` and `demo`, and the file of what they did."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._file = (Path(os.environ["LAB_TRUTH"]) / "ops.jsonl").open("a")
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        for name in ("admin", "demo"):
            answer = self.log_in(name, PASSWORD, 201)
            self._tokens[name] = answer.headers["X-Subject-Token"]

    def write(self, kind: str, **facts: object) -> None:
        with self._lock:
            self._file.write(json.dumps({"kind": kind, **facts}) + "\n")
            self._file.flush()

    def log_in(self, name: str, password: str, expected: int) -> requests.Response:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        auth: Body = {"identity": {"methods": ["password"], "password": {"user": user}}}
        auth["scope"] = {"project": {"name": name, "domain": {"id": "default"}}}
        path = "/auth/tokens"
        return self.ask(f"log in as {name}", "POST keystone", path, expected, json={"auth": auth})

    def ask(
        self,
        op: str,
        call: str,
        path: str,
        expected: int | Collection[int] = (),
        by: str = "demo",
        give: bool = False,
        **more: Any,
    ) -> requests.Response:
        """Send a request (`call` is "METHOD service") and write it down.

        With `give`, an id is sent along.  A status that was not expected is printed.
        """
        method, service = call.split()
        headers = {"X-Auth-Token": self._tokens.get(by, by), **more.pop("headers", {})}
        if service == "nova":
            headers |= _VERSION
        sent = f"req-{uuid.uuid4()}" if give else None
        if sent:
            headers["X-OpenStack-Request-ID"] = sent
        address = f"{url(service)}{_PATHS.get(service, '')}{path}"
        start = time.time()
        answer = self._session.request(method, address, headers=headers, timeout=180, **more)
        body = content(answer)
        failed = answer.status_code >= 400
        self.write(
            "request",
            op=op,
            start=start,
            end=time.time(),
            method=method,
            url=address,
            status=answer.status_code,
            req=answer.headers.get("x-openstack-request-id"),
            sent=sent,
            resource=None if failed else _resource(service, body),
            project=by,
            error=json.dumps(body)[:2000] if failed else None,
        )
        wanted = {expected} if isinstance(expected, int) else set(expected)
        if wanted and answer.status_code not in wanted:
            print(f"{op}: expected {wanted}, found {answer.status_code}: {answer.text[:200]}")
        return answer

    def outcome(self, what: str, status: str, **facts: object) -> None:
        """Write down what became of something; `facts` name the resource."""
        print(f"{what}: {status}", flush=True)
        self.write("outcome", what=what, status=status, time=time.time(), **facts)

    def poll(self, call: str, path: str, kind: str, until: Collection[str], seconds: float) -> Body:
        """Ask for a resource until it has one of some states; return it, {} where it is gone."""
        end = time.time() + seconds
        while True:
            answer = self.ask("poll", call, path, by="admin")
            if answer.status_code == 404:
                return {}
            body = content(answer)
            found: Body = body.get(kind, body)
            settled = found.get("OS-EXT-STS:task_state") is None
            if (found.get("status") in until and settled) or time.time() > end:
                return found
            time.sleep(1)


def content(answer: requests.Response) -> Body:
    """Return the JSON object of an answer; {} where there is none."""
    with contextlib.suppress(ValueError):
        body = answer.json()
        return body if isinstance(body, dict) else {}
    return {}


def id_of(answer: requests.Response) -> str | None:
    """Return the id of a request that was answered."""
    return answer.headers.get("x-openstack-request-id")


def _resource(service: str, body: Body) -> list[str] | None:
    for kind in _SINGULAR:
        if isinstance(body.get(kind), dict):
            return [kind, body[kind]["id"]]
    return ["image", body["id"]] if service == "glance" and "id" in body else None
