"""Records to a receiver of OpenTelemetry: OTLP/HTTP, as protobuf, compressed with gzip.

https://opentelemetry.io/docs/specs/otlp/#otlphttp.  What has been accepted is written; what
waits here is *pending*, so that no checkpoint counts it.  After an answer that was lost
records are sent again: at least once, that is.
"""

from __future__ import annotations

import gzip
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa

from opslog.model.errors import SinkError
from opslog.model.version import __version__
from opslog.process import deadline
from opslog.rows.kept import Kept

if TYPE_CHECKING:
    import urllib3

_BYTES = 2 << 20
"""Of a request, about, before it is compressed: receivers take 4 MiB at least."""

_SECONDS = 1.0
"""For which records wait for others at most."""

_TRIES = 14
_LONGEST_PAUSE = 30.0
"""Seconds between two tries at most: it is tried for five minutes in all."""

_LONGEST_ASKED = 300.0
"""Seconds at most for which a receiver is waited for that asks for a pause (``Retry-After``)."""

_AGAIN = (429, 502, 503, 504)
"""The answers after which a client may try again."""

_SHOWN = 200
"""Characters of an answer that an error shows."""

_URL = re.compile(r"otlp(s?)://([^/@?#]+?)(:[0-9]+)?(/[^?#]*)?")

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=[\t\x20-\x7e]*")


class OtlpSink:
    """A receiver at ``otlp://HOST[:PORT][/PATH]``, or ``otlps://`` by TLS.

    ``warn`` is told what does not end the run.  Raises SinkError.
    """

    def __init__(self, url: str, columns: tuple[str, ...], warn: Callable[[str], None]) -> None:
        self.columns = columns
        self._path = url
        self._warn = warn
        self._endpoint = _endpoint(url)
        try:
            import urllib3

            from opslog.outputs.otlp_encoder import rejected, requests
        except ImportError:
            raise SinkError(url, "OTLP is written by: pip install 'opslog[otlp]'") from None
        self._requests, self._rejected = requests, rejected
        timeout = urllib3.Timeout(connect=10, read=60)
        self._receiver = urllib3.PoolManager(headers=_headers(url), timeout=timeout, retries=False)
        self._parts: list[bytes] = []
        self._size = self._count = self._lost = 0
        self._since = 0.0
        self._post(b"", 0, tries=0)  # an empty request: is anybody there, and may we?

    @property
    def fd(self) -> None:
        return None

    @property
    def pending(self) -> bool:
        return bool(self._parts)

    def encode(self, kept: Kept) -> list[tuple[int, bytes]]:
        return self.of_batch(kept.batch())

    def of_batch(self, batch: pa.RecordBatch) -> list[tuple[int, bytes]]:
        return self._requests(batch, _BYTES)

    def write(self, encoded: list[tuple[int, bytes]]) -> None:
        for count, part in encoded:
            if self._parts and self._size + len(part) > _BYTES:
                self._send()
            if not self._parts:
                self._since = time.monotonic()
            self._parts.append(part)
            self._size += len(part)
            self._count += count

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch | memoryview) -> None:
        assert isinstance(rows, pa.RecordBatch)
        self.write(self.of_batch(rows))

    def tick(self, now: float) -> None:
        if self._parts and now - self._since >= _SECONDS:
            self._send()

    def close(self, complete: bool = True) -> None:
        if self._parts:
            self._send()
        self._receiver.clear()
        if self._lost:
            raise SinkError(
                self._path, f"rejected {self._lost:,} record(s) in all, and has the others"
            )

    def abort(self) -> None:
        self._receiver.clear()

    def _send(self) -> None:
        answer = self._post(b"".join(self._parts), self._count, _TRIES)
        count = self._count
        self._parts, self._size, self._count = [], 0, 0
        lost, said = self._rejected(answer)
        self._lost += lost
        if lost or said:
            what = "the receiver says"
            if lost:
                what = f"the receiver rejected {lost:,} of {count:,} records"
            self._warn(f"{self._path}: {what}: {said or 'it does not say why'}")

    def _post(self, request: bytes, count: int, tries: int) -> bytes:
        """Return what the receiver says to a request that it takes.

        One that cannot be reached is tried again so often, one that is busy as often as any.
        """
        import urllib3

        # The level 1 takes half of the time, and a fifth more room.
        body = gzip.compress(request, 1)
        retry = urllib3.Retry(
            _TRIES, connect=tries, read=tries, other=tries, allowed_methods=None,
            status_forcelist=_AGAIN, backoff_factor=1, backoff_max=_LONGEST_PAUSE, backoff_jitter=1,
        )  # fmt: skip
        deadline.write_begins()
        try:
            while True:
                response = error = None
                try:
                    response = self._receiver.request("POST", self._endpoint, body=body)
                    if response.status not in _AGAIN:
                        break
                    trouble = _answer(response)
                except urllib3.exceptions.HTTPError as found:
                    error, trouble = found, _reason(found)
                try:
                    retry = retry.increment("POST", self._endpoint, response, error)
                except urllib3.exceptions.HTTPError:
                    raise self._failed(trouble, count) from None
                self._warn(f"{self._path}: {trouble}; trying again")
                _pause(retry, response)
        except deadline.ReaderTimeoutError:
            waited = f"asked to end, but for {deadline.SECONDS:.0f} seconds nothing was accepted"
            raise self._failed(waited, count) from None
        finally:
            deadline.write_ended()
        if not 200 <= response.status < 300:  # some answer 202 or 204
            raise self._failed(_answer(response), count)
        return bytes(response.data)

    def _failed(self, reason: str, count: int) -> SinkError:
        left = f"; {count:,} record(s) were not accepted, those before them were" if count else ""
        return SinkError(self._path, f"{reason}{left}")


def _pause(retry: urllib3.Retry, response: urllib3.BaseHTTPResponse | None) -> None:
    """Wait before the next try: as long as the receiver asks for, but not for ever."""
    import urllib3

    asked = None
    if response is not None:
        with suppress(urllib3.exceptions.InvalidHeader):  # neither number nor date
            asked = retry.get_retry_after(response)
    if asked:
        time.sleep(min(asked, _LONGEST_ASKED))
    else:
        retry.sleep()


def _endpoint(url: str) -> str:
    """Return the URL that logs are posted to."""
    match = _URL.fullmatch(url)
    if match is None:
        shown = re.sub(
            r"[?#].*", "", re.sub(r"//.*@", "//***@", url, flags=re.DOTALL), flags=re.DOTALL
        )
        raise SinkError(shown, "expected otlp://HOST[:PORT][/PATH], or otlps:// for TLS")
    secure, host, port, path = match.groups()
    return f"http{secure}://{host}{port or ':4318'}{(path or '').rstrip('/')}/v1/logs"


def _headers(url: str) -> dict[str, str]:
    """Return the headers of each request to ``url``; raises SinkError for what is no header.

    OTEL_EXPORTER_OTLP_HEADERS says `key=value,...`.
    """
    found = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
        "User-Agent": f"opslog/{__version__}",
    }
    for variable in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS"):
        for pair in filter(None, os.environ.get(variable, "").split(",")):
            key, _, value = pair.partition("=")
            name, said = unquote(key.strip()), unquote(value.strip())
            if not _HEADER.fullmatch(f"{name}={said}") or "=" not in pair:
                # Neither is shown: it may be a secret.
                raise SinkError(
                    url, f"{variable}: expected KEY=VALUE,... of printable ASCII; found other text"
                )
            found[name] = said
    return found


def _answer(response: urllib3.BaseHTTPResponse) -> str:
    # A Status of protobuf is its message and a few bytes.
    said = re.sub(r"[^\x20-\x7e]+", " ", response.data.decode("ascii", "replace")).strip()
    said = f": {said[:_SHOWN]}" if said else ""
    return f"the receiver answers {response.status} {response.reason or ''}".rstrip() + said


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    if len(error.args) > 1 and isinstance(error.args[1], Exception):
        cause = error.args[1]  # of a connection that broke
    said = getattr(cause, "strerror", None) or str(cause).strip()
    return f"cannot be reached: {re.sub(r'^[A-Za-z]+[(].*?[)]: ', '', said)}"
