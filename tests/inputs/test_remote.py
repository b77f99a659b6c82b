"""Files at URLs: read like files of this machine, by fsspec, from a server on loopback, too."""

from __future__ import annotations

import bz2
import gzip
import http.server
import json
import pickle
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

import opslog
from helpers import plain
from live_run import Run, heads, wait_for, written
from opslog import OpslogError, SourceError
from opslog.inputs import paths, remote
from opslog.inputs.paths import Sources

LINE = b"2024-01-01 00:00:00.%03d 1 INFO a.b [-] one\n"
LOG = b"".join(LINE % (number % 1000) for number in range(500_000))
"""More than two blocks, and than one range that is asked for at once."""


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture(scope="session")  # fsspec remembers the first endpoint of a process
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket ``logs`` of a server that speaks S3."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = fsspec.filesystem("s3", skip_instance_cache=True)
    system.mkdir("logs")
    yield system
    system.rm("logs", recursive=True)


def records(logs: opslog.Logs) -> pa.Table:
    return plain(logs.to_table(["timestamp", "body", "source_offset"]))


def test_a_bucket_is_read_like_a_folder(s3: Any, tmp_path: Path) -> None:
    s3.pipe("logs/a/one.log", LOG)
    s3.pipe("logs/a/b/two.log.gz", gzip.compress(LOG[:70_000]))
    s3.pipe("logs/c/three.log.bz2", bz2.compress(LOG[:80_000]))
    (tmp_path / "one.log").write_bytes(LOG)
    assert records(opslog.read("s3://logs/a/one.log")).equals(records(opslog.read(tmp_path)))
    for url, names in (
        ("s3://logs", {"a/one.log", "a/b/two.log.gz", "c/three.log.bz2"}),
        ("s3://logs/a", {"a/one.log", "a/b/two.log.gz"}),
        ("s3://logs/*/*.log*", {"a/one.log", "c/three.log.bz2"}),
        ("s3://logs/**/*.gz", {"a/b/two.log.gz"}),
    ):
        found = opslog.read(url).to_table(["source"])["source"].unique().to_pylist()
        assert set(found) == {f"s3://logs/{name}" for name in names}


def test_parts_of_an_object_are_read_in_other_processes(s3: Any) -> None:
    s3.pipe("logs/one.log", LOG)
    logs = opslog.read("s3://logs/one.log")
    parts = logs.parts(1)
    assert len(parts) == 2
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).to_table(['body']).num_rows)"
    counts = [
        int(subprocess.run([sys.executable, "-c", code], input=pickle.dumps(part),
                           capture_output=True, check=True).stdout)
        for part in parts
    ]  # fmt: skip
    assert sum(counts) == 500_000
    found = pa.concat_tables(
        [part.to_table(["timestamp", "body", "source_offset"]) for part in parts]
    )
    assert plain(found).equals(records(logs))
    s3.pipe("logs/one.log", LOG[:-4] + b"two\n")
    with pytest.raises(SourceError, match="is not the file whose parts were planned"):
        parts[0].to_table()


def test_the_command_reads_what_is_in_a_bucket(s3: Any) -> None:
    s3.pipe("logs/one.log", LINE % 1 * 3)
    code = "import sys; from opslog.__main__ import main; sys.exit(main())"
    found = subprocess.run(
        [sys.executable, "-c", code, "filter", "s3://logs/*.log", "--to", "text"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert found.stderr == b""
    assert found.stdout.count(b" one") == 3


def test_what_a_part_gives_is_written_to_a_bucket(s3: Any) -> None:
    s3.pipe("logs/one.log", LOG)
    for number, part in enumerate(opslog.read("s3://logs/one.log").parts(1)):
        part.write_parquet(f"s3://logs/lake/{number}.parquet")
    sizes = [pq.read_metadata(s3.open(name)).num_rows for name in s3.ls("logs/lake")]
    assert len(sizes) == 2
    assert sum(sizes) == 500_000


def test_a_lake_in_a_bucket_is_added_to_and_read_as_one_table(s3: Any, server: str) -> None:
    s3.pipe(
        "logs/mine/one.log",
        LINE % 1 * 3 + LINE.replace(b"2024", b"2025").replace(b"a.b", b"nova.api") % 2,
    )
    code = "import sys; from opslog.__main__ import main; sys.exit(main())"
    before: dict[str, bytes] = {}
    for run in range(1, 3):
        found = subprocess.run(
            [sys.executable, "-c", code, "filter", "s3://logs/mine/*.log", "-o", "s3://logs/lake/",
             "--to", "parquet", "--roll", "1MiB", "--partition-by", "service,date"],
            capture_output=True, check=False,
        )  # fmt: skip
        assert (found.returncode, found.stderr) == (0, b"")
        s3.invalidate_cache()
        there = {path: s3.cat(path) for path in s3.find("logs/lake")}
        assert len(there) == 2 * run
        assert there.items() >= before.items()
        before = there
    lake = ds.dataset("logs/lake", filesystem=s3, partitioning="hive")
    rows = lake.to_table(columns=["service", "date"]).group_by(["service", "date"])
    assert sorted(map(str, rows.aggregate([([], "count_all")]).to_pylist())) == [
        "{'service': 'nova', 'date': '2025-01-01', 'count_all': 2}",
        "{'service': None, 'date': '2024-01-01', 'count_all': 6}",
    ]


def test_a_bucket_that_is_added_to_by_runs_that_are_killed_holds_all(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))

    def found() -> Counter[str]:
        s3.invalidate_cache()
        lines = (s3.cat(path).splitlines() for path in s3.glob("logs/lake/*.jsonl"))
        return Counter(json.loads(line)["body"] for one in lines for line in one)

    for start in range(0, 3000, 1000):
        written(tmp_path / "a.log", heads(start, start + 1000))
        known = len(found())
        with Run("--checkpoint", str(tmp_path / "state"), "--roll", "1s", "-o", "s3://logs/lake/",
                 "--to", "jsonl", str(tmp_path / "a.log"), out=tmp_path / "out") as run:  # fmt: skip
            wait_for(partial(lambda known: len(found()) > known, known), run)
            written(tmp_path / "a.log", heads(start + 1000, start + 1001))
    with Run("--checkpoint", str(tmp_path / "state"), "--roll", "1s", "-o", "s3://logs/lake/",
             "--to", "jsonl", str(tmp_path / "a.log"), out=tmp_path / "out") as run:  # fmt: skip
        wait_for(lambda: len(found()) == 3001, run)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_object_that_changes_while_it_is_read_is_an_error(s3: Any) -> None:
    s3.pipe("logs/one.log", LOG)
    batches = opslog.read("s3://logs/one.log").batches(["body"])
    next(batches)
    s3.pipe("logs/one.log", LOG[: 1 << 22])
    with pytest.raises(SourceError, match=r"s3://logs/one.log: .*no longer exists"):
        list(batches)


def test_a_file_that_is_written_anew_while_it_is_read_is_an_error(memory: Any) -> None:
    memory.pipe("/one.log", LOG)
    batches = opslog.read("memory://one.log").batches(["body"])
    rows = len(next(batches))
    memory.pipe("/one.log", LOG.replace(b"one", b"two"))
    with pytest.raises(SourceError, match=r"memory://one.log: was changed while it was read"):  # noqa: PT012
        for batch in batches:
            rows += len(batch)
    assert rows == 500_000  # what was read is there


def test_a_file_that_is_written_anew_while_a_part_is_read_is_an_error(memory: Any) -> None:
    memory.pipe("/one.log", LOG)
    part = opslog.read("memory://one.log").parts(1)[0]
    batches = part.batches(["body"])
    next(batches)
    memory.pipe("/one.log", LOG.replace(b"one", b"two"))
    with pytest.raises(SourceError, match=r"memory://one.log: was changed while it was read"):
        list(batches)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://logs/none.log", "No such file or directory"),
        ("s3://logs/none/*.log", "no file matches this pattern"),
        ("s3://nothing/none.log", "No such file or directory|bucket does not exist"),
        ("memory://none", "No such file or directory"),
        ("nothing://x/y", "Protocol not known: nothing"),
        ("abfs://x/y", "Install adlfs"),
        ("https://127.0.0.1:9/x.log", "Cannot connect|Connect call failed"),
    ],
)
def test_what_cannot_be_read_says_why(url: str, reason: str, s3: Any, memory: Any) -> None:
    with pytest.raises(SourceError, match=rf"^{re.escape(url)}: .*({reason})"):
        opslog.read(url).to_table()


def test_files_that_a_server_lists_are_not_asked_for_before_they_are_read(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/logs/a.log", LINE % 1)
    asked: list[str] = []
    monkeypatch.setattr(paths, "missing", asked.append)
    assert Sources.of(("memory://logs", "memory://logs/*.log")).unopenable() == []
    assert asked == []
    Sources.of(("memory://logs/a.log",)).unopenable()
    assert asked == ["memory://logs/a.log"]


def test_without_fsspec_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(SourceError, match=r"pip install 'opslog\[fsspec\]'"):
        opslog.read("s3://logs/x").to_table()


def test_urls_are_not_followed() -> None:
    with pytest.raises(
        OpslogError, match="follow: expected files of this machine, found memory://x"
    ):
        opslog.read("memory://x", follow=True)


def test_small_and_empty_files_and_what_is_no_log(memory: Any) -> None:
    memory.pipe("/empty", b"")
    memory.pipe("/one", b"x")
    memory.pipe("/line", LINE % 1)
    memory.pipe("/utf16", "2024-01-01 00:00:00.000 1 INFO a.b [-] one\n".encode("utf-16"))
    memory.pipe("/journal", b"__CURSOR=x\nMESSAGE=y\n\n")
    bodies = {
        name: opslog.read(f"memory://{name}").to_table()["body"].to_pylist()
        for name in ("empty", "one", "line", "utf16", "journal")
    }
    assert bodies == {
        "empty": [],
        "one": ["x"],
        "line": ["one"],
        "utf16": ["one"],
        "journal": ['{"__CURSOR":"x","MESSAGE":"y"}'],
    }
    memory.pipe("/a.parquet", b"PAR1" * 9)
    with pytest.raises(SourceError, match="Parquet"):
        opslog.read("memory://a.parquet").to_table()


def test_times_without_a_year_are_of_the_last_change(s3: Any) -> None:
    s3.pipe("logs/syslog", b"Jan  1 11:00:00 h p[1]: text\n")
    year = s3.modified("logs/syslog").year
    [found] = opslog.read("s3://logs/syslog").to_table()["timestamp"].to_pylist()
    assert found.year == year


def test_a_damaged_archive_gives_what_stands_before(memory: Any) -> None:
    memory.pipe("/a.gz", gzip.compress(LOG)[:-20_000])
    batches = opslog.read("memory://a.gz").batches(["body"])
    assert len(next(batches)) > 60_000
    with pytest.raises(SourceError, match=r"a.gz: the gzip data ends too early"):
        list(batches)


class Handler(http.server.SimpleHTTPRequestHandler):
    """A server that knows no ranges; it says nothing of what it is asked for."""

    def log_message(self, *_: object) -> None: ...


def test_a_server_without_ranges_is_read_from_beginning_to_end(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG)
    handler = partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.log"
        logs = opslog.read(url)
        assert records(logs).equals(records(opslog.read(tmp_path)))
        assert len(logs.parts(1)) == 1
        server.shutdown()


class Torn(Handler):
    """A server whose answers end too early."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(LOG)))
        self.end_headers()
        if "HEAD" not in self.requestline:
            self.wfile.write(LOG[: len(LOG) // 2])

    do_HEAD = do_GET  # noqa: N815


def test_an_answer_that_breaks_off_is_an_error() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Torn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.log"
        with pytest.raises(SourceError, match=re.escape(url)):
            opslog.read(url).to_table(["body"])
        server.shutdown()


class Refusing(Handler):
    """A server that wants to know who asks."""

    def do_GET(self) -> None:
        self.send_error(403)

    do_HEAD = do_GET  # noqa: N815


def test_a_file_that_may_not_be_read_is_not_said_to_be_missing() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.log"
        with pytest.raises(SourceError, match=rf"^{re.escape(url)}: 403, .*Forbidden"):
            opslog.read(url).to_table(["body"])
        server.shutdown()


def test_a_range_is_asked_for_while_the_one_before_is_used(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_LEAST", 1000)
    monkeypatch.setattr(remote, "_MOST", 4000)
    memory.pipe("/a.log", LOG[:100_000])
    found = records(opslog.read("memory://a.log"))
    memory.pipe("/b.log", LOG[:100_000])
    monkeypatch.undo()
    assert found.equals(records(opslog.read("memory://b.log")))
