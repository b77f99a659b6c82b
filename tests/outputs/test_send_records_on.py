"""What docs/howto/send-records-on.md says to run: against receivers that check what they get."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from otlp_receiver import receiver

import opslog
from helpers import ROOT
from live_run import heads, written

PAGE = (ROOT / "docs" / "howto" / "send-records-on.md").read_text()
PROGRAMS = {
    re.match(r'"""(\S+)', text)[1]: text  # type: ignore[index]
    for text in re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}

Answered = tuple[int, Any]


@contextmanager
def server(answer: Callable[[str, bytes], Answered]) -> Iterator[str]:
    """Give the URL of a server that answers by a status and what becomes JSON; 0 breaks off."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            status, found = answer(self.path, data)
            if not status:
                self.close_connection = True
                return
            body = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


class Bulk:
    """An index, as the bulk API describes it: lines of actions and documents, a status for each."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.number = 0

    def answer(self, path: str, data: bytes) -> Answered:
        assert path == "/_bulk"
        assert data.endswith(b"\n")
        self.number += 1
        if self.number % 5 == 2:
            return 503, None
        lines = [json.loads(line) for line in data.splitlines()]
        items = []
        for place, (action, document) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
            ((operation, named),) = action.items()
            assert operation == "index"
            busy = self.number == 3 and place % 2 == 1
            if not busy:
                self.documents[named["_index"], named["_id"]] = document
            error = {"error": {"type": "rejected_execution_exception"}} if busy else {}
            items.append({operation: {**named, "status": 429 if busy else 201, **error}})
        errors = any("error" in item["index"] for item in items)
        return 200, {"took": 1, "errors": errors, "items": items}

    def bodies(self) -> set[str]:
        return {document["body"] for document in self.documents.values()}


class Push:
    """Streams, as Loki's push API describes them."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self.labels: list[dict[str, str]] = []
        self.number = 0

    def answer(self, path: str, data: bytes) -> Answered:
        assert path == "/loki/api/v1/push"
        self.number += 1
        if self.number % 3 == 2:
            return (503, None) if self.number % 2 else (0, None)
        for stream in json.loads(data)["streams"]:
            assert stream.keys() == {"stream", "values"}
            assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in stream["stream"])
            self.labels.append(stream["stream"])
            for moment, line in stream["values"]:
                record = json.loads(line)
                assert re.fullmatch("[0-9]{19}", moment)
                self.found.append(record)
        return 204, None

    def bodies(self) -> set[str]:
        return {record["body"] for record in self.found}


def _until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("program", "made"), [("opensearch", Bulk), ("elasticsearch", Bulk), ("loki", Push)]
)
def test_a_program_that_is_killed_loses_nothing(
    program: str, made: type[Bulk] | type[Push], tmp_path: Path
) -> None:
    text = PROGRAMS["to_loki.py" if program == "loki" else "to_opensearch.py"]
    if program == "elasticsearch":  # as the page says
        text = text.replace(
            "from opensearchpy import", "from elasticsearch import Elasticsearch as"
        )
        text = text.replace("from opensearchpy.helpers", "from elasticsearch.helpers")
    (tmp_path / "program.py").write_text(text)
    there = made()
    with server(there.answer) as url:
        for start in range(0, 6000, 2000):
            written(tmp_path / "a.log", heads(start, start + 2000))
            known = len(there.bodies())
            with subprocess.Popen(
                [sys.executable, "program.py", url, "state", "a.log"], cwd=tmp_path
            ) as process:
                last = start == 4000
                wanted = 6000 if last else known + 1
                _until(lambda wanted=wanted: len(there.bodies()) >= wanted, process)  # type: ignore[misc]
                process.kill()
    assert there.bodies() == {f"n{number}" for number in range(6000)}
    if isinstance(there, Bulk):
        assert len(there.documents) == 6000  # each once
        assert {index for index, _ in there.documents} == {"opslog-2024-01-01"}
    else:
        assert {tuple(labels) for labels in there.labels} == {("job", "severity_text")}


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="jq and curl")
@pytest.mark.parametrize(
    ("there", "made"), [("http://opensearch:9200", Bulk), ("http://loki:3100", Push)]
)
def test_a_pipe_of_a_shell_sends_all_records(
    there: str, made: type[Bulk] | type[Push], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    found = made()
    with server(found.answer) as url:
        command = (
            shell(there).replace(there, url).replace("opslog ", f"{sys.executable} -m opslog ", 1)
        )
        result = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=tmp_path, capture_output=True, check=False,
        )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    boot = opslog.read(ROOT / "docs" / "examples" / "boot")
    assert found.bodies() == {record.body for record in boot}
    if isinstance(found, Push):
        assert {tuple(one) for one in found.labels} == {("job", "service_name", "severity_text")}


def shell(there: str) -> str:
    """Return the page's command that sends to ``there``."""
    commands = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = (command for command in commands if there in command)
    return str(found)


def test_the_command_of_opentelemetry_sends_what_it_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    with receiver() as there:
        command = shell("otlp://127.0.0.1:4318").replace("otlp://127.0.0.1:4318", there.url)
        command = command.replace("opslog ", f"{sys.executable} -m opslog ", 1)
        result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(there.bodies()) == 2
