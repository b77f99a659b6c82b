"""Following: what is written, rotated, truncated or removed meanwhile comes out once, and whole."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import opslog as library
from helpers import opslog
from live_run import Run, bodies, heads, is_open, rows, wait_for, written
from opslog.following.rotation import unrotated
from opslog.model.errors import OpslogError


def follow(folder: Path, *arguments: str, stdin: int | None = None) -> Run:
    return Run(*arguments, out=folder / "out", stdin=stdin)


def numbers(start: int, stop: int) -> list[str]:
    return [f"n{n}" for n in range(start, stop)]


def test_files_are_read_from_their_start_and_on(tmp_path: Path) -> None:
    one, two = tmp_path / "nova-api.log", tmp_path / "two.log"
    written(one, heads(0, 3))
    with follow(tmp_path, str(one), str(two)) as run:
        run.until(3)
        written(two, heads(3, 4))
        run.until(4)
        written(one, heads(4, 5))
        run.until(5)
        assert run.stop() == 128 + signal.SIGTERM
        found = run.found()
    assert bodies(found) == numbers(0, 5)
    assert [row["source_offset"] for row in found] == [0, 42, 84, 0, 126]
    # The name tells the service as ever; in records it carries the file's identity.
    assert {row.get("program") for row in found[:3]} == {"nova-api"}
    assert {row["source"].partition("#")[0] for row in found} == {str(one), str(two)}
    assert len({row["source"] for row in found}) == 2
    assert f"{two}: No such file or directory; it is tried again" in run.said.read_text()


def test_what_is_there_may_be_left_out(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 3) + heads(3, 4)[:9])
    with follow(tmp_path, "--from-end", str(tmp_path / "*.log")) as run:
        wait_for(lambda: is_open(run, log), run)
        time.sleep(0.3)
        written(log, heads(3, 4)[9:])
        written(tmp_path / "b.log", heads(4, 5))
        run.until(2)
        run.stop()
        assert sorted(bodies(run.found())) == numbers(3, 5)


def test_new_files_are_found_in_folders_and_by_globs(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    (logs / "deep").mkdir(parents=True)
    with follow(tmp_path, str(logs), str(tmp_path / "*.txt")) as run:
        written(logs / "a.log", heads(0, 1))
        written(logs / "deep" / "b.log", heads(1, 2))
        written(tmp_path / "c.txt", heads(2, 3))
        written(tmp_path / "d.other", heads(9, 10))
        run.until(3)
        run.stop()
        assert sorted(bodies(run.found())) == numbers(0, 3)


def test_a_line_is_never_given_out_in_parts(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    line = "2024-01-01 00:00:00.000 1 INFO a.b [-] \u00e9\u20ac\n".encode()
    with follow(tmp_path, "--hold", "0", str(log)) as run:
        for byte in line:
            written(log, bytes([byte]))
            time.sleep(0.002)
        run.until(1)
        written(log, line[:-3])
        time.sleep(0.3)
        written(log, line[-3:])
        run.until(2)
        run.stop()
        assert bodies(run.found()) == ["\u00e9\u20ac"] * 2


def test_a_line_that_has_begun_waits_though_the_file_rests(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 2) + b"2024-01-01 00:00:00.002 1 IN")
    with follow(tmp_path, str(log)) as run:
        run.until(2)
        time.sleep(6)  # longer than a file keeps its memory
        written(log, b"FO a.b [-] n2\n")
        run.until(3)
        run.stop()
        assert bodies(run.found()) == numbers(0, 3)
        assert [row["source_offset"] for row in run.found()] == [0, 42, 84]


@pytest.mark.parametrize("threads", ["1", "3"])
def test_nothing_is_lost_in_a_storm_of_rotations(threads: str, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with follow(tmp_path, "--threads", threads, str(log)) as run:
        wait_for(lambda: is_open(run, log), run)
        number = 0
        written(log, heads(0, 1))
        run.until(1)
        for generation in range(1, 51):
            file = open(log, "ab", buffering=0)  # noqa: SIM115
            file.write(heads(number + 1, number + 20))
            log.rename(f"{log}.{generation}")
            log.touch()
            file.write(heads(number + 20, number + 30))  # its writer has not noticed yet
            file.close()
            number += 29
            time.sleep(0.003)
        written(log, heads(number + 1, number + 2))
        run.until(number + 2)
        run.stop()
        found = run.found()
        assert sorted(bodies(found)) == sorted(numbers(0, number + 2))
        assert len({(row["source"], row["source_offset"]) for row in found}) == len(found)


def test_files_that_are_all_followed_change_their_names(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "a.log"
    for number in (2, 1):
        written(logs / f"a.log.{number}", heads(10 * number, 10 * number + 2))
    written(log, heads(0, 2))
    with follow(tmp_path, str(logs)) as run:
        run.until(6)
        for generation in range(3):
            for number in (4, 3, 2, 1):
                older = logs / f"a.log.{number}"
                if older.exists():
                    older.rename(logs / f"a.log.{number + 1}")
            log.rename(logs / "a.log.1")
            written(log, heads(30 + generation, 31 + generation))
            run.until(7 + generation)
        packed = logs / "a.log.5.gz"
        with open(logs / "a.log.5", "rb") as plain, gzip.open(packed, "wb") as file:
            shutil.copyfileobj(plain, file)
        os.utime(packed, (os.stat(logs / "a.log.5").st_mtime,) * 2)
        (logs / "a.log.5").unlink()
        written(log, heads(40, 41))
        run.until(10)
        written(logs / "a.log.1", heads(41, 42))
        run.until(11)
        time.sleep(3.5)  # time enough to take the compressed file for a new one
        run.stop()
        wanted = [0, 1, 10, 11, 20, 21, 30, 31, 32, 40, 41]
        assert sorted(bodies(run.found())) == sorted(f"n{n}" for n in wanted)


def test_what_was_copied_before_it_was_truncated_is_read_from_the_copy(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 10))
    with follow(tmp_path, str(log)) as run:
        run.until(10)
        run.process.send_signal(signal.SIGSTOP)
        written(log, heads(10, 20))
        shutil.copy(log, tmp_path / "a.log.1")
        os.truncate(log, 0)
        written(log, heads(20, 60))
        run.process.send_signal(signal.SIGCONT)
        run.until(60)
        run.stop()
        found = run.found()
        assert sorted(bodies(found)) == sorted(numbers(0, 60))
        assert len({row["source"] for row in found}) == 2


def test_a_truncated_file_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 10) + b"unfinished")
    with follow(tmp_path, str(log)) as run:
        run.until(10)
        os.truncate(log, 0)
        written(log, heads(10, 12))
        run.until(13)
        os.truncate(log, 0)
        written(log, heads(10, 11))  # begins as before: still another content
        run.until(14)
        run.stop()
        found = run.found()
        assert sorted(bodies(found)) == sorted(
            [*numbers(0, 10), "unfinished", *numbers(10, 12), "n10"]
        )
        assert len({(row["source"], row["source_offset"]) for row in found}) == len(found)


def test_a_removed_file_is_read_to_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 3))
    with follow(tmp_path, str(log)) as run:
        run.until(3)
        with open(log, "ab", buffering=0) as file:
            log.unlink()
            file.write(heads(3, 5) + heads(5, 6)[:-1])
            run.until(5)
            written(log, heads(6, 8))
            run.until(7)
        run.until(8)  # the end of the line does not come any more
        wait_for(lambda: not is_open(run, Path(f"{log} (deleted)")), run)
        run.stop()
        assert sorted(bodies(run.found())) == numbers(0, 8)


def test_another_file_under_the_name_is_another_source(tmp_path: Path) -> None:
    log, other = tmp_path / "a.log", tmp_path / "other"
    written(log, heads(0, 3))
    written(other, heads(3, 9))
    with follow(tmp_path, str(log)) as run:
        run.until(3)
        os.replace(other, log)
        run.until(9)
        run.stop()
        assert bodies(run.found()) == numbers(0, 9)
        assert [row["source_offset"] for row in run.found()][3] == 0


def test_a_stopped_process_goes_on_where_it_was(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 2))
    with follow(tmp_path, str(log)) as run:
        run.until(2)
        run.process.send_signal(signal.SIGSTOP)
        written(log, heads(2, 5))
        log.rename(tmp_path / "a.log.1")
        written(log, heads(5, 7))
        run.process.send_signal(signal.SIGCONT)
        run.until(7)
        run.stop()
        assert sorted(bodies(run.found())) == numbers(0, 7)


def test_standard_input_may_be_followed_beside_files(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    theirs, ours = os.pipe()
    with follow(tmp_path, str(log), "-", stdin=theirs) as run:
        os.close(theirs)
        os.write(ours, heads(0, 1))
        run.until(1)
        written(log, heads(1, 2))
        run.until(2)
        os.write(ours, heads(2, 3)[:-1])
        os.close(ours)
        run.until(3)
        written(log, heads(3, 4))
        run.until(4)
        run.stop()
        assert bodies(run.found()) == numbers(0, 4)
        assert [row["source"][0] for row in run.found()] == ["-", "/", "-", "/"]


def test_it_ends_with_standard_input_if_that_is_all() -> None:
    result = opslog("filter", "-f", "--to", "jsonl", stdin=heads(0, 2))
    assert (result.returncode, result.stdout.count(b"\n")) == (0, 2)


def test_a_compressed_file_is_read_once(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with gzip.open(logs / "a.log.gz", "wb") as file:
        file.write(heads(0, 5))
    with follow(tmp_path, str(logs)) as run:
        run.until(5)
        written(logs / "b.log", heads(5, 6))
        run.until(6)
        run.stop()
        assert bodies(run.found()) == numbers(0, 6)


def test_what_keeps_a_file_from_being_read_is_said_once_and_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.symlink_to(log)  # root may read what others may not, but not this
    with follow(tmp_path, str(log), str(tmp_path / "b.log")) as run:
        wait_for(lambda: "Too many levels of symbolic links" in run.said.read_text(), run)
        written(tmp_path / "b.log", heads(0, 1))
        run.until(1)
        time.sleep(1.5)
        log.unlink()
        written(log, heads(1, 2))
        run.until(2)
        run.stop()
        assert run.said.read_text().count("Too many levels of symbolic links") == 1


def test_times_without_a_year_are_of_the_last_change(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    written(log, b"Dec 31 23:59:59 host nova-api[7]: one\n")
    os.utime(log, (1_700_000_000, 1_700_000_000))  # in November 2023
    with follow(tmp_path, "--timezone", "UTC", str(log)) as run:
        run.until(1)
        os.utime(log, None)
        written(log, b"Jan  1 00:00:00 host nova-api[7]: two\n")
        run.until(2)
        run.stop()
        years = [int(row["timestamp"][:4]) for row in run.found()]
    assert years == [2022, time.gmtime(os.stat(log).st_mtime).tm_year]


def test_more_files_than_may_be_open_are_followed(tmp_path: Path) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(60)]
    for number, log in enumerate(logs):
        written(log, heads(number, number + 1))
    command = 'ulimit -n 90; exec "$1" -m opslog filter -f --to jsonl "$0"/\'*.log\''
    with open(tmp_path / "out", "wb") as out:
        process = subprocess.Popen(
            ["bash", "-c", command, str(tmp_path), sys.executable], stdout=out
        )
    try:
        deadline = time.monotonic() + 60
        while len(rows(tmp_path / "out")) < 60 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(os.listdir(f"/proc/{process.pid}/fd")) < 60
        for number, log in enumerate(logs):
            written(log, heads(60 + number, 61 + number))
            if number % 2:
                log.rename(f"{log}.1")
                written(log, heads(200 + number, 201 + number))
        while len(rows(tmp_path / "out")) < 150 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    wanted = [*range(120), *range(201, 260, 2)]
    assert sorted(bodies(rows(tmp_path / "out"))) == sorted(f"n{n}" for n in wanted)


def test_a_limit_ends_it_and_a_count_is_said_at_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 9))
    result = opslog("filter", "-f", "-n", "4", "--to", "jsonl", str(log))
    assert (result.returncode, result.stdout.count(b"\n")) == (0, 4)
    result = opslog("filter", "-f", "-n", "4", "-c", str(log))
    assert (result.returncode, result.stdout) == (0, b"4\n")


def test_a_stop_completes_every_output(tmp_path: Path) -> None:
    import pyarrow.parquet

    log, out = tmp_path / "a.log", tmp_path / "a.parquet"
    written(log, heads(0, 9))
    with follow(tmp_path, "--exit-zero", "--to", "parquet", "-o", str(out), str(log)) as run:
        wait_for(lambda: is_open(run, log), run)
        time.sleep(0.5)
        assert run.stop() == 0
    assert pyarrow.parquet.read_table(out)["body"].to_pylist() == numbers(0, 9)


def test_what_cannot_go_together_is_refused(tmp_path: Path) -> None:
    for arguments, message in {
        ("-f", "--merge"): b"-f and --merge: what is followed has no end",
        ("--checkpoint", "x"): b"--checkpoint: has no effect without -f",
        ("--from-end",): b"--from-end: has no effect without -f",
        ("-f", "--checkpoint", "x", "-n", "1"): b"-n and --checkpoint",
    }.items():
        result = opslog("filter", *arguments, str(tmp_path / "a.log"))
        assert result.returncode == 2
        assert message in result.stderr
    with pytest.raises(OpslogError, match="merge and follow"):
        library.read("x", follow=True, merge=True)
    with pytest.raises(OpslogError, match="from_end: has no effect without follow"):
        library.read("x", from_end=True)
    with pytest.raises(OpslogError, match="not with a checkpoint"):
        library.read("x", follow=True, checkpoint="y").limit(3)


def test_an_output_in_a_followed_folder_is_refused(tmp_path: Path) -> None:
    result = opslog("filter", "-f", "-o", str(tmp_path / "out.jsonl"), str(tmp_path))
    assert result.returncode == 2
    assert b"lies in a folder that is followed" in result.stderr


def test_metrics_in_a_followed_folder_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    metrics = folder / "opslog.prom"
    # Names like its own are those of logs, all the same.
    others = [folder / ".opslog.prom", folder / "opslog.prom.log", folder / "a.log"]
    for n, log in enumerate(others):
        written(log, heads(n, n + 1))
    written(folder / ".opslog.prom.0815.tmp", b"opslog_input_lines_total 0\n")
    with follow(tmp_path, "--metrics", str(metrics), str(folder)) as run:
        run.until(3)
        written(others[2], heads(3, 4))
        run.until(4)
        run.stop()
        found = run.found()
    assert sorted(bodies(found)) == numbers(0, 4)
    assert {row["source"].partition("#")[0] for row in found} == set(map(str, others))
    assert metrics.exists()


def test_a_folder_of_output_in_a_followed_folder_is_refused(tmp_path: Path) -> None:
    lake = f"{tmp_path}/lake/"
    result = opslog("filter", "-f", "-o", lake, "--to", "jsonl", "--roll", "1s", str(tmp_path))
    assert result.returncode == 2
    assert b"lies in a folder that is followed" in result.stderr


def test_a_checkpoint_wants_files_that_end_in_time(tmp_path: Path) -> None:
    options = ["-o", f"{tmp_path}/lake/", "--to", "jsonl", "--roll", "1MiB"]
    state = str(tmp_path / "state")
    result = opslog("filter", "-f", "--checkpoint", state, *options, str(tmp_path / "a.log"))
    assert result.returncode == 2
    assert b"--roll 128MiB,5m" in result.stderr


def test_the_library_follows_until_its_user_stops(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    written(log, heads(0, 2))
    found = []
    for record in library.read(log, follow=True):
        found.append(record.body)
        if len(found) == 2:
            written(log, heads(2, 3))
        if len(found) == 3:
            break
    assert found == numbers(0, 3)


def test_a_name_tells_what_it_was_before_it_was_rotated() -> None:
    for name in (
        "a.log", "a.log.1", "a.log.12.gz", "a.log-20240131", "a.log-20240131.xz", "a.log.old",
        "a-2024-01-31.log", "a.log.2024-01-31T10:00:00", "a-20240131.log.gz",
    ):  # fmt: skip
        assert unrotated(name) == "a.log", name
    for name in ("instance-00000012.log", "haproxy-1.log", "ovsdb-server-nb.log", "a.log.wf"):
        assert unrotated(name) == name
