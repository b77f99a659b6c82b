"""Writes down who called whom, from inside of a process of the cloud (`lab/truth.py` tells the
lines).

LAB_TRUTH is the folder of the files, LAB_HOST and LAB_SERVICE are what the process calls itself.
Nothing is imported before the service imports it: some of them patch what they import first.
"""

import contextlib
import json
import os
import sys
import time

import wrapt

_files = {}
"""The open file of each process: a service forks after its start."""


def write(kind, **facts):
    """Write one line; lines of threads do not mix."""
    host, service, pid = os.environ["LAB_HOST"], os.environ["LAB_SERVICE"], os.getpid()
    if pid not in _files:
        path = os.path.join(os.environ["LAB_TRUTH"], f"{host}-{service}-{pid}.jsonl")
        _files[pid] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    line = json.dumps(
        {**facts, "kind": kind, "host": host, "service": service, "pid": pid}, default=str
    )
    os.write(_files[pid], f"{line}\n".encode())


@contextlib.contextmanager
def _timed(kind, **facts):
    """Write one line after the block: when it began, how long it took, and how it failed."""
    start, began = time.time(), time.monotonic()
    facts |= {"start": start, "error": None}
    try:
        yield facts
    except Exception as error:
        facts["error"] = repr(error)[:200]
        raise
    finally:
        write(kind, **facts, elapsed=time.monotonic() - began)


def _ids(context, request="req", cause="glob"):
    """Return a context's own id and its global one; RPC carries it as a dictionary."""
    if not isinstance(context, dict):
        context = getattr(context, "__dict__", {}) | {
            name: getattr(context, name, None) for name in ("request_id", "global_request_id")
        }
    return {request: context.get("request_id"), cause: context.get("global_request_id")}


def _current():
    """Return the ids of the context current in this thread."""
    module = sys.modules.get("oslo_context.context")
    return _ids(module.get_current() if module else None, "ctx_req", "ctx_glob")


def _text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _answered(headers):
    return headers.get("x-openstack-request-id") or headers.get("x-compute-request-id")


def _record_requests(module):
    send = module.Session.send

    def recorded(self, request, **options):
        with _timed(
            "http_out",
            method=request.method,
            url=request.url,
            sent_req=_text(request.headers.get("X-OpenStack-Request-ID")),
            user_agent=_text(request.headers.get("User-Agent")),
            got_req=None,
            status=None,
            **_current(),
        ) as facts:
            answer = send(self, request, **options)
            facts |= {"got_req": _answered(answer.headers), "status": answer.status_code}
            return answer

    module.Session.send = recorded


def _record_rpc_client(module):
    def recorder(how, original):
        def recorded(self, context, method, **arguments):
            target = self.target
            facts = {"topic": target.topic, "server": target.server, "fanout": target.fanout}
            with _timed("rpc_out", how=how, method=method, **facts, **_ids(context), **_current()):
                return original(self, context, method, **arguments)

        return recorded

    client = module._BaseCallContext
    for how in ("call", "cast"):
        setattr(client, how, recorder(how, getattr(client, how)))


def _record_rpc_server(module):
    dispatch = module.RPCDispatcher.dispatch

    def recorded(self, incoming):
        message = incoming.message
        names = {"method": message.get("method"), "namespace": message.get("namespace")}
        with _timed("rpc_in", **names, **_ids(incoming.ctxt)):
            return dispatch(self, incoming)

    module.RPCDispatcher.dispatch = recorded


def recorded_application(application):
    """Return a WSGI application that records what it serves."""

    def recorded(environ, start_response):
        with _timed(
            "http_in",
            method=environ.get("REQUEST_METHOD"),
            path=environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
            query=environ.get("QUERY_STRING"),
            came_req=environ.get("HTTP_X_OPENSTACK_REQUEST_ID"),
            user_agent=environ.get("HTTP_USER_AGENT"),
            req=None,
            status=None,
        ) as facts:

            def started(status, headers, *more):
                lowered = {name.lower(): value for name, value in headers}
                facts.update(req=_answered(lowered), status=int(status.split()[0]))
                return start_response(status, headers, *more)

            return application(environ, started)

    return recorded


def _find_lab_driver(module):
    """Let nova, which takes compute drivers only from its own package, find the lab's."""
    module.__path__.append(os.path.dirname(__file__))


def install():
    """Record what this process will do, once its modules are imported."""
    for name, hook in {
        "requests.sessions": _record_requests,
        "oslo_messaging.rpc.client": _record_rpc_client,
        "oslo_messaging.rpc.dispatcher": _record_rpc_server,
        "nova.virt": _find_lab_driver,
    }.items():
        wrapt.register_post_import_hook(hook, name)
