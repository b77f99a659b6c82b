"""Checkpoints: killed at any moment, a run goes on where the last one was, and nothing is lost."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import opslog
from live_run import Run, bodies, heads, rows, wait_for, written
from opslog.following.checkpoint import Checkpoint

KILLS = int(os.environ.get("OPSLOG_KILLS", "12"))


def follow(folder: Path, *options: str, paths: tuple[str, ...] = ("*.log",)) -> Run:
    """Follow the logs of a folder, with a checkpoint, until killed."""
    names = [str(folder / path) for path in paths]
    return Run("--checkpoint", str(folder / "state"), *options, *names, out=folder / "out")


def test_after_a_stop_it_goes_on_where_it_was(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 5))
    with follow(tmp_path) as run:
        run.until(5)
        assert run.stop() == 128 + signal.SIGTERM
    written(log, heads(5, 9))
    with follow(tmp_path) as run:
        run.until(4)
        assert run.stop() == 128 + signal.SIGTERM
    found = rows(tmp_path / "out")
    assert bodies(found) == [f"n{n}" for n in range(9)]
    assert len({row["source"] for row in found}) == 1


def test_a_stop_tears_no_record(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 1))
    with follow(tmp_path, "--hold", "1000") as run:
        written(log, heads(1, 2))
        run.until(1)
        run.stop()
    written(log, b"more of n1\n" + heads(2, 3))
    with follow(tmp_path, "--hold", "1000") as run:
        run.until(1)
        run.stop()
    assert bodies(rows(tmp_path / "out")) == ["n0", "n1\nmore of n1"]


def rename(log: Path) -> None:
    log.rename(log.with_name(log.name + ".1"))


def rename_and_create(log: Path) -> None:
    rename(log)
    written(log, heads(100, 103))


def rename_twice(log: Path) -> None:
    rename(log)
    written(log, heads(100, 102))
    log.with_name("a.log.1").rename(log.with_name("a.log.2"))
    rename(log)
    written(log, heads(102, 103))


def compress(log: Path) -> None:
    rename_and_create(log)
    with open(log.with_name("a.log.1"), "rb") as rotated, gzip.open(f"{log}.2.gz", "wb") as packed:
        shutil.copyfileobj(rotated, packed)
    log.with_name("a.log.1").unlink()


def copy_and_truncate(log: Path) -> None:
    shutil.copy(log, log.with_name("a.log.1"))
    log.write_bytes(heads(100, 103))


def date(log: Path) -> None:
    log.rename(log.with_name("a.log-20240101"))
    written(log, heads(100, 103))


@pytest.mark.parametrize(
    "rotate",
    [rename, rename_and_create, rename_twice, compress, copy_and_truncate, date],
    ids=lambda rotate: rotate.__name__,
)
def test_what_was_rotated_meanwhile_is_read_on(
    rotate: Callable[[Path], None], tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    # What was rotated long before was not asked for.
    written(tmp_path / "a.log.7", heads(900, 910))
    with gzip.open(tmp_path / "a.log.8.gz", "wb") as old:
        old.write(heads(910, 920))
    for name in ("a.log.7", "a.log.8.gz"):
        os.utime(tmp_path / name, (1e9, 1e9))
    written(log, heads(0, 20))
    with follow(tmp_path) as run:
        run.until(20)
        run.stop()
    written(log, heads(20, 40))
    rotate(log)
    count = 20 if rotate is rename else 23
    with follow(tmp_path) as run:
        run.until(count)
        # The second of two stops shows that the first one's checkpoint is right.
        run.stop()
    with follow(tmp_path) as run:
        written(log, heads(103, 105))
        run.until(2)
        run.stop()
    found = rows(tmp_path / "out")
    expected = [*range(40), *range(100, 103), *(103, 104)]
    if rotate is rename:
        expected = [*range(40), 103, 104]
    assert sorted(bodies(found), key=lambda body: int(body[1:])) == [f"n{n}" for n in expected]
    # What was begun before goes on under the same name.
    first = {row["source"] for row in found if int(str(row["body"])[1:]) < 40}
    assert len(first) == 1


class Writer(threading.Thread):
    """Writes numbered records from 1 on and rotates the file now and then, until it is ended."""

    def __init__(self, log: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.ended = threading.Event()
        self.random = random.Random(seed)

    def run(self) -> None:
        number, generation = 1, 0
        file = open(self.log, "ab", buffering=0)  # noqa: SIM115
        while not self.ended.is_set():
            more = self.random.randint(1, 40)
            data = heads(number, number + more, lines=self.random.randint(1, 4))
            number += more
            cut = self.random.randrange(len(data))
            for part in (data[:cut], data[cut:]):
                file.write(part)
                time.sleep(self.random.random() / 50)
            if self.random.random() < 0.1:
                generation += 1
                rotated = Path(f"{self.log}.{generation}")
                self.log.rename(rotated)
                if self.random.random() < 0.5:
                    file.write(heads(number, number + 1))  # it goes on for a while
                    number += 1
                file.close()
                file = open(self.log, "ab", buffering=0)  # noqa: SIM115
                if self.random.random() < 0.4:
                    with open(rotated, "rb") as plain, gzip.open(f"{rotated}.gz", "wb") as packed:
                        shutil.copyfileobj(plain, packed)
                    rotated.unlink()
        self.total = number
        file.close()


def named(found: list[dict[str, Any]]) -> list[str]:
    """Return which records there are, by the first line of their messages."""
    return [str(row["body"]).split("\n")[0] for row in found]


@pytest.mark.parametrize("threads", ["1", pytest.param("2", marks=pytest.mark.thorough)])
def test_nothing_is_lost_over_kills_at_any_moment(threads: str, tmp_path: Path) -> None:
    chance = random.Random(threads)
    log = tmp_path / "a.log"
    # What is rotated before the first look was not asked for.
    written(log, heads(0, 1))
    with follow(tmp_path) as run:
        wait_for((tmp_path / "state").exists, run)
        run.process.kill()
    writer = Writer(log, seed=1)
    writer.start()
    out = [tmp_path / "out"]
    for number in range(KILLS):
        out.append(tmp_path / f"out{number}")
        with follow(tmp_path, "--hold", "1000", "--threads", threads, "-o", str(out[-1])) as run:
            time.sleep(0.15 + chance.random() * 0.6)
            run.process.kill()
    writer.ended.set()
    writer.join()
    written(log, heads(writer.total, writer.total + 1))
    wanted = {f"n{n}" for n in range(writer.total)}
    found: dict[object, dict[str, Any]] = {}
    again = 0

    def gather(path: Path) -> None:
        nonlocal again
        for row in rows(path):
            key = (row["source"], row["source_offset"])
            again += key in found
            assert found.setdefault(key, row) == row

    for path in out:
        gather(path)
    last = tmp_path / "last"
    with follow(tmp_path, "--hold", "1", "-o", str(last)) as run:
        have = named(list(found.values()))
        wait_for(lambda: wanted <= {*have, *named(rows(last))}, run)
        run.stop()
    gather(last)
    everything = named(list(found.values()))
    assert sorted(set(everything) - wanted) in ([], [f"n{writer.total}"])
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a checkpoint of opslog, found nothing; name another file; a damaged"),
        ("no json", "expected a checkpoint of opslog, found something else; name another file"),
        ("[1]", "expected a checkpoint of opslog, found something else"),
        ('{"kind": "other", "version": 1}', "expected a checkpoint of opslog, found something else"),
        ('{"kind": "opslog checkpoint", "version": 9}', "expected a checkpoint of version 1, found 9"),
        ('{"kind": "opslog checkpoint", "version": 1, "sought": {}, "files": [{"path": 3}]}', "found a damaged one"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_is_none_is_an_error(content: str, message: str, tmp_path: Path) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    written(log, heads(0, 1))
    state.write_text(content)
    result = opslog("filter", "-f", "--checkpoint", str(state), str(log))
    assert (result.returncode, result.stdout) == (2, b"")
    assert message in result.stderr.decode()
    assert result.stderr.count(b"\n") == 1
    assert state.read_text() == content


def test_a_checkpoint_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    state = tmp_path / "none" / "state"
    result = opslog("filter", "-f", "--checkpoint", str(state), str(tmp_path / "a.log"))
    assert result.returncode == 2
    assert b"the checkpoint cannot be kept there: No such file or directory" in result.stderr


def test_a_log_whose_name_begins_with_that_of_the_checkpoint_is_followed(tmp_path: Path) -> None:
    written(tmp_path / "state.log", heads(0, 1))
    with follow(tmp_path, paths=("state*",)) as run:
        run.until(1)
        run.stop()
    found = rows(tmp_path / "out")
    assert {row["source"].partition("#")[0] for row in found} == {str(tmp_path / "state.log")}


def test_a_checkpoint_is_of_one_process(tmp_path: Path) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    written(log, heads(0, 1))
    with follow(tmp_path) as run:
        run.until(1)
        result = opslog("filter", "-f", "--checkpoint", str(state), str(log))
        assert result.returncode == 2
        assert b"another process uses this checkpoint" in result.stderr


def test_an_output_file_grows_from_run_to_run(tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", tmp_path / "out.jsonl"
    for number in range(3):
        written(log, heads(number, number + 1))
        with follow(tmp_path, "-o", str(out)) as run:
            wait_for(lambda count=number + 1: len(rows(out)) == count, run)  # type: ignore[misc]
            run.stop()
    assert bodies(rows(out)) == ["n0", "n1", "n2"]
    result = opslog(
        "filter", "-f", "--checkpoint", "x", "-o", str(tmp_path / "a.parquet"), str(log)
    )
    assert result.returncode == 2
    assert b"nothing can be appended to parquet" in result.stderr


def test_what_is_in_files_that_are_not_complete_is_read_again(tmp_path: Path) -> None:
    log, lake = tmp_path / "a.log", tmp_path / "lake"
    written(log, heads(0, 3))
    arguments = ("-o", f"{lake}/", "--roll", "1h")

    def kept() -> list[str]:
        return [body for path in lake.glob("*.jsonl") for body in bodies(rows(path))]

    def begun() -> bool:
        return any(path.stat().st_size for path in lake.glob("*") if path.suffix != ".jsonl")

    with follow(tmp_path, *arguments) as run:
        wait_for(begun, run)
        time.sleep(1.5)  # time enough for a checkpoint
        run.process.kill()
    assert kept() == []
    for path in lake.glob("*"):
        path.unlink()
    with follow(tmp_path, *arguments) as run:
        wait_for(begun, run)
        time.sleep(0.5)
        run.stop()
    assert kept() == ["n0", "n1", "n2"]
    with follow(tmp_path, *arguments) as run:
        written(log, heads(3, 4))
        wait_for(begun, run)
        run.stop()
    assert sorted(kept()) == ["n0", "n1", "n2", "n3"]


def test_what_is_left_out_at_first_is_not_read_later(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 3))
    with follow(tmp_path, "--from-end") as run:
        wait_for((tmp_path / "state").exists, run)
        run.process.kill()
    written(log, heads(3, 5))
    with follow(tmp_path, "--from-end") as run:
        run.until(2)
        run.stop()
    assert bodies(rows(tmp_path / "out")) == ["n3", "n4"]


def test_another_content_under_the_same_number_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 9))
    with follow(tmp_path) as run:
        run.until(9)
        run.stop()
    log.write_bytes(heads(20, 40))  # the same file, longer than the old one was
    with follow(tmp_path) as run:
        run.until(20)
        run.stop()
    found = rows(tmp_path / "out")
    assert bodies(found) == [f"n{n}" for n in (*range(9), *range(20, 40))]
    assert len({row["source"] for row in found}) == 2


def test_a_checkpoint_goes_on_with_the_files_though_records_never_stop(tmp_path: Path) -> None:
    logs = [tmp_path / f"{name}.log" for name in "abc"]
    lake = tmp_path / "lake"
    done = threading.Event()

    def write() -> None:
        for number in range(1_000_000):
            for log in logs:
                written(log, heads(number, number + 1))
            if done.wait(0.005):
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with follow(tmp_path, "-o", f"{lake}/", "--roll", "1s") as run:
            wait_for(lambda: len(list(lake.glob("*.jsonl"))) >= 4, run)
            run.process.kill()
            run.process.wait()
    finally:
        done.set()
        writer.join()
    known = json.loads((tmp_path / "state").read_bytes())["files"]
    assert len(known) == 3
    assert all(file["offset"] > 0 for file in known)


def test_a_checkpoint_that_was_tampered_with_is_an_error_and_a_link_stays_one(
    tmp_path: Path,
) -> None:
    written(tmp_path / "a.log", heads(0, 2))
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    with follow(tmp_path) as run:
        run.until(2)
        run.stop()
    assert (tmp_path / "state").is_symlink()
    whole = json.loads((tmp_path / "elsewhere").read_text())
    for key, value in (("offset", 10**30), ("path", "\0x")):
        row = whole["files"][0] | {key: value}
        (tmp_path / "elsewhere").write_text(json.dumps(whole | {"files": [row]}))
        state = str(tmp_path / "state")
        result = opslog("filter", "-f", "--checkpoint", state, str(tmp_path / "a.log"))
        assert result.returncode == 2
        assert b"expected a checkpoint of opslog, found a damaged one" in result.stderr


def test_what_a_killed_run_left_beside_the_checkpoint_is_removed(tmp_path: Path) -> None:
    state = tmp_path / "st[a]te"
    left = tmp_path / f".st[a]te.{'0a' * 8}.tmp"
    others = [tmp_path / f".state.{'0a' * 8}.tmp", tmp_path / ".st[a]te.mine.tmp"]
    for path in (left, *others):
        path.touch()
    Checkpoint(str(state)).close()
    assert not left.exists()
    assert all(path.exists() for path in others)
