"""A stream of Spark, whose driver is killed and started again, gives every record once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import opslog
from helpers import ROOT
from simulator import ERAS, Deployment

pytestmark = pytest.mark.spark
pytest.importorskip("pyspark")
from spark.streaming_run import JAVA  # noqa: E402

COLUMNS = ["source", "source_offset", "timestamp", "severity_text", "body", "exception_stacktrace"]


class Driver:
    """A process that streams ``logs`` to Parquet."""

    def __init__(self, logs: str, folder: Path, how: str, *options: str) -> None:
        self.out = folder / "out"
        own = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
        environment = {
            **own,  # a session of Sail leaves others
            "PYSPARK_PYTHON": sys.executable,
            "JAVA_TOOL_OPTIONS": JAVA,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
        }
        program = Path(__file__).with_name("streaming_run.py")
        arguments = [logs, str(self.out), str(folder / "checkpoint"), how, *options]
        self._process = subprocess.Popen(
            [sys.executable, str(program), *arguments],
            env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=(folder / "errors").open("a"),
        )  # fmt: skip

    def kill(self) -> None:
        """Kill it and what it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self) -> int:
        """Wait until it has ended."""
        try:
            return self._process.wait(90)
        except BaseException:
            self.kill()
            raise

    @property
    def batches(self) -> int:
        """How many batches were committed; it must be running, or ended well."""
        assert self._process.poll() in (None, 0, -signal.SIGKILL)
        return len(list((self.out / "_spark_metadata").glob("[0-9]*")))

    def committed(self) -> list[str]:
        """Return the files of the batches that count: of others some may lie there, too."""
        found = {
            json.loads(line)["path"].removeprefix("file://")
            for log in (self.out / "_spark_metadata").glob("[0-9]*")
            for line in log.read_text().splitlines()[1:]
        }
        return sorted(found)


class Writer(threading.Thread):
    """Writes one log after the other into a folder, in pieces, and rotates them.

    It waits where more than ``allowed`` of all is written.
    """

    def __init__(self, data: dict[str, bytes], folder: Path) -> None:
        super().__init__(daemon=True)
        self._data, self._folder = data, folder
        self._choose = random.Random(1)
        self.allowed = 0.0

    def run(self) -> None:
        total, written = sum(map(len, self._data.values())), 0
        left = dict(self._data)
        while left:
            name = self._choose.choice(sorted(left))
            piece = left[name][: self._choose.randrange(1, total // 60)]
            left[name] = left[name][len(piece) :]
            if not left[name]:
                del left[name]
            log = self._folder / name
            with log.open("ab") as file:
                file.write(piece)
            written += len(piece)
            time.sleep(0.02)
            while written > self.allowed * total:
                time.sleep(0.01)
            if self._choose.random() < 0.2:
                self._rotate(log, copy=self._choose.random() < 0.5)

    def _rotate(self, log: Path, copy: bool) -> None:
        for number in range(99, 0, -1):
            if Path(f"{log}.{number}").exists():
                os.rename(f"{log}.{number}", f"{log}.{number + 1}")
        if copy:
            shutil.copyfile(log, f"{log}.1")
            os.truncate(log, 0)
        else:
            os.rename(log, f"{log}.1")
            log.touch()


@pytest.mark.xfail(
    strict=False,
    reason="on a loaded machine the driver ended with 1, or counts differed; no cause known yet",
)
def test_every_record_comes_once_though_the_driver_is_killed(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    Deployment(3, ERAS[-1], boots=20).write(tmp_path / "all")
    hosts = sorted((tmp_path / "all").iterdir())
    data = {
        f"{host.name}.log": b"".join(path.read_bytes() for path in sorted(host.iterdir()))
        for host in hosts
    }
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, text in data.items():
        end = text.index(b"\n") + 1
        (logs / name).write_bytes(text[:end])
        data[name] = text[end:]
    writer = Writer(data, logs)
    driver = Driver(f"{logs}/*.log", tmp_path, "forever", "settle=600")
    until(lambda: driver.batches > 0)
    writer.start()
    for share in (0.2, 0.4, 0.6):
        before = driver.batches
        writer.allowed = share
        until(lambda: driver.batches > before)  # noqa: B023
    writer.allowed = 1.0
    driver.kill()
    writer.join()
    assert Driver(f"{logs}/*.log", tmp_path, "once", "settle=0", "quiet=0").wait() == 0
    assert driver.batches > 4
    read = pq.read_table(driver.committed(), columns=COLUMNS, partitioning=None)
    wanted = opslog.read(logs).to_table(COLUMNS)
    assert read.num_rows == wanted.num_rows
    texts = ["severity_text", "body", "exception_stacktrace"]
    assert sorted(map(str, read.select(texts).to_pylist())) == sorted(
        map(str, wanted.select(texts).to_pylist())
    )


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
