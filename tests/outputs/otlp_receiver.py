"""A receiver of OTLP on loopback that answers as it is told to, and reads by the published classes."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


def plain(value: AnyValue) -> Any:
    """Return what an AnyValue holds, None if nothing."""
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def attributes(holder: Any) -> dict[str, Any]:
    """Return the attributes of a record or a resource, each of which is there once."""
    found = {one.key: plain(one.value) for one in holder.attributes}
    assert len(found) == len(holder.attributes)
    return found


def log_records(request: ExportLogsServiceRequest) -> Iterator[tuple[Any, Any, Any]]:
    """Yield each log record with its resource and its scope."""
    for group in request.resource_logs:
        for part in group.scope_logs:
            for record in part.log_records:
                yield group.resource, part.scope, record


class Answer:
    """What is answered to a request that is not empty; ``status`` 0 breaks the connection."""

    def __init__(
        self, status: int, body: bytes = b"", accepted: bool = False, **headers: str
    ) -> None:
        self.status = status
        self.body = body
        self.accepted = accepted or status == 200
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Receiver:
    """What came: ``requests`` are those accepted, ``asked`` the headers of all."""

    def __init__(self, server: http.server.HTTPServer) -> None:
        self.server = server
        self.url = f"otlp://127.0.0.1:{server.server_port}"
        self.requests: list[ExportLogsServiceRequest] = []
        self.asked: list[dict[str, str]] = []
        self.answer: Callable[[int], Answer] = lambda number: Answer(200)
        self._lock = threading.Lock()
        self._number = 0

    def bodies(self) -> list[Any]:
        """Return the bodies of all records that were accepted."""
        with self._lock:
            found = [log_records(request) for request in self.requests]
        return [plain(record.body) for records in found for _, _, record in records]

    def take(self, path: str, headers: dict[str, str], data: bytes) -> Answer:
        """Take a request and return what to answer."""
        assert path == "/v1/logs"
        assert headers["content-type"] == "application/x-protobuf"
        request = ExportLogsServiceRequest.FromString(gzip.decompress(data))
        with self._lock:
            self.asked.append(headers)
            if not request.resource_logs:
                return Answer(200)
            self._number += 1
            answer = self.answer(self._number)
            if answer.accepted:
                self.requests.append(request)
        return answer


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Give a receiver that listens."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            answer = found.take(
                self.path, {name.lower(): value for name, value in self.headers.items()}, data
            )
            if not answer.status:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Receiver(server)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()


def rejecting(count: int, why: str) -> bytes:
    """Return the answer that says so."""
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = count
    answer.partial_success.error_message = why
    return bytes(answer.SerializeToString())
