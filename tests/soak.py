"""Follows many logs while all goes wrong that may, and proves that each line comes out once.

``python tests/soak.py SECONDS [--files N] [--seed N] [--rotating P] [--keep FOLDER]``:
minutes tell much, hours whether memory and descriptors stay flat.  Two runs of the
command follow the same logs, each with a checkpoint.  The *steady* one is never ended, the *harried* one is killed,
told to end, runs out of disk, finds its checkpoint damaged, and is started again.  Times of
the clock jump, reads fail, readers are slow (soak_faults.c).  A line may come twice only
from another run, behind an end that docs/howto/follow.md says that of.
Exits with 1 if anything was lost, late, came twice otherwise, or was left behind, or if the
steady run needs more and more memory or descriptors.
"""

from __future__ import annotations

import argparse
import errno
import json
import mmap
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from soak_logs import LINE, Writer
from soak_use import Late, Use

_DEADLINE = 60.0
_NEVER = 0xFFFF
_CLOCK, _OUTPUT, _OUTPUT_ERROR, _OUTPUT_FAILED, _INPUT, _INPUT_ERROR, _INPUT_FAILED = range(7)
_JUMPS = (-90_000, -3600, -2, 2, 3600, 90_000, 40 * 86_400)
"""Seconds: some are longer than the day after which what was not seen is forgotten."""


class Control:
    """What soak_faults.c is told, by index."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(struct.pack("8q", 0, -1, 0, 0, -1, 0, 0, 0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 64)
        self.path = path

    def __getitem__(self, index: int) -> int:
        return int(struct.unpack_from("q", self._map, 8 * index)[0])

    def __setitem__(self, index: int, value: int) -> None:
        struct.pack_into("q", self._map, 8 * index, value)


class Seen:
    """Which lines came out, in which run first, and what is wrong with them."""

    def __init__(self, logs: int) -> None:
        self._first = [array("H") for _ in range(logs)]
        self._until = [0] * logs
        self._sources: dict[tuple[int, int], str] = {}
        self._contents: dict[str, tuple[int, int]] = {}
        self.run = 0
        self.hard_end = -1
        """The last run that may have written what its checkpoint does not tell."""
        self.rows = self.twice = 0
        self.wrong: list[str] = []
        self.wrong_logs: set[int] = set()

    def renamed(self) -> None:
        """Let contents have other names from now on: a checkpoint may not know those they had."""
        self._sources.clear()

    def add(self, lines: bytes) -> None:
        """Take complete lines of an output."""
        for line in lines.splitlines():
            row = json.loads(line)
            match = LINE.fullmatch(row.get("body", ""))
            if not match:
                self.wrong.append(f"torn: {line[:300]!r}")
                continue
            self._add(*map(int, match.groups()[:4]), row)

    def _add(
        self, log: int, number: int, generation: int, offset: int, row: dict[str, object]
    ) -> None:
        self.rows += 1
        wrong = len(self.wrong)
        name = f"log {log} line {number}"
        source = str(row["source"])
        if row["source_offset"] != offset:
            self.wrong.append(f"{name}: at {offset} in its file, told {row['source_offset']}")
        if self._sources.setdefault((log, generation), source) != source:
            self.wrong.append(f"{name}: its content is {self._sources[log, generation]}, {source}")
        if self._contents.setdefault(source, (log, generation)) != (log, generation):
            self.wrong.append(f"{name}: {source} stands for two contents")
        first = self._first[log]
        first.extend([_NEVER] * (number + 1 - len(first)))
        if first[number] == _NEVER:
            first[number] = self.run
        else:
            self.twice += 1
            if not first[number] <= self.hard_end < self.run:
                self.wrong.append(
                    f"{name}, generation {generation}: twice, in runs {first[number]} and "
                    f"{self.run}, at {time.monotonic():.2f}"
                )
        if len(self.wrong) > wrong:
            self.wrong_logs.add(log)

    def all_before(self, log: int, number: int) -> bool:
        """Return whether all lines of a log before this one came out."""
        first = self._first[log]
        while self._until[log] < len(first) and first[self._until[log]] != _NEVER:
            self._until[log] += 1
        return self._until[log] >= number

    def missing(self, log: int, lines: int) -> list[int]:
        """Return the lines of a log that did not come out."""
        first = self._first[log]
        return [n for n in range(lines) if n >= len(first) or first[n] == _NEVER]


class Follower:
    """Runs of the command, one after the other, that share a checkpoint and what they write."""

    def __init__(self, name: str, folder: Path, logs: Path, library: Path, seen: Seen) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.state = self.folder / "state"
        self.lake = self.folder / "lake"
        self.kept = self.folder / "kept.jsonl"
        self.seen = seen
        self.control = Control(folder / f"{name}.control")
        self.errors = folder / f"{name}.err"
        self._logs = logs
        self._read = 0
        self._piped = b""
        self._reader: threading.Thread | None = None
        self._environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "SOAK_CONTROL": str(self.control.path),
            "SOAK_OUTPUT": f"{self.folder}/",
            "SOAK_INPUT": f"{logs}/",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.history: list[str] = []

    def start(self, output: str) -> None:
        """Start a run that writes to a folder (``lake``), a file (``kept``) or a slow reader."""
        options = {
            "lake": ["-o", f"{self.lake}/", "--roll", "1s"],
            "kept": ["-o", str(self.kept)],
            "pipe": [],
        }[output]
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "opslog", "filter", "-f", "--to", "jsonl",
                 "--checkpoint", str(self.state), *options, f"{self._logs}/*.log"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                env=self._environment,
            )  # fmt: skip
        self.history.append(f"{time.monotonic():.2f} run {self.seen.run} to {output}")
        self._reader = threading.Thread(target=self._read_slowly, daemon=True)
        self._reader.start()

    def _read_slowly(self) -> None:
        assert self.process
        assert self.process.stdout
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            self._piped += data
            time.sleep(0.05)

    def said(self) -> str:
        """Return what the runs said last."""
        return self.errors.read_text()[-2000:]

    def alive(self) -> bool:
        """Return whether the run goes on."""
        assert self.process
        return self.process.poll() is None

    def end(self, number: signal.Signals) -> int:
        """End the run, take what it wrote, and return its exit code."""
        assert self.process
        assert self._reader
        assert self.process.stdout
        if self.alive():
            self.process.send_signal(number)
        code = self.process.wait(_DEADLINE)
        self.history.append(f"{time.monotonic():.2f} run {self.seen.run} ended with {code}")
        self._reader.join()
        self.process.stdout.close()
        self.collect()
        self._piped = b""
        if self.kept.exists() and self.kept.stat().st_size > 64 << 20:
            self.kept.unlink()
            self._read = 0
        return code

    def collect(self) -> None:
        """Take what was written since."""
        whole = self._piped[: self._piped.rfind(b"\n") + 1]
        self._piped = self._piped[len(whole) :]
        self.seen.add(whole)
        for path in sorted(self.lake.glob("*.jsonl")):
            self.seen.add(path.read_bytes())
            path.unlink()
        if self.kept.exists():
            with self.kept.open("rb") as file:
                file.seek(self._read)
                data = file.read()
            data = data[: data.rfind(b"\n") + 1]
            self._read += len(data)
            self.seen.add(data)

    def used(self) -> tuple[int, int] | None:
        """Return its memory in KiB and its number of descriptors, None if it has ended."""
        assert self.process
        own = Path(f"/proc/{self.process.pid}")
        resident = re.search(r"VmRSS:\s*(\d+)", (own / "status").read_text())
        return (int(resident[1]), len(os.listdir(own / "fd"))) if resident else None

    def left_behind(self) -> list[str]:
        """Return what is there that a run that has ended should not leave."""
        names = {"state", "state.lock", "lake", "kept.jsonl"}
        found = [path for path in self.folder.iterdir() if path.name not in names]
        return [str(path) for path in (*found, *self.lake.glob(".*"))]


class InVainError(Exception):
    """What was waited for did not come."""


class Soak:
    """Two followers, a writer, and what is done to them."""

    def __init__(self, folder: Path, files: int, seed: int, rotating: float) -> None:
        logs = folder / "logs"
        logs.mkdir()
        library = folder / "soak_faults.so"
        source = Path(__file__).with_name("soak_faults.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
        self.did: Counter[str] = Counter()
        self.chance = random.Random(seed)
        self.steady, self.harried = (
            Follower(name, folder, logs, library, Seen(files)) for name in ("steady", "harried")
        )
        self.followers = (self.steady, self.harried)
        self.writer = Writer(logs, files, seed, self._seen_by_all, rotating)
        self.use = Use()
        self._late = Late(self.writer.logs)
        self._logs = logs
        self.hurry = False

    def _seen_by_all(self, log: int, lines: int) -> bool:
        return all(one.seen.all_before(log, lines) for one in self.followers)

    def run(self, seconds: float) -> None:
        """Do it all for so long, and wait until all that was written came out."""
        end = time.monotonic() + seconds
        self.steady.start("lake")
        self.harried.start("kept")
        # A log of which nothing was read is not looked for under other names.
        for log in self.writer.logs:
            log.write()
            log.whole()
        self._until(self._all_is_out, "the first lines")
        self._until(self._all_is_known, "a checkpoint")
        self.writer.start()
        while time.monotonic() < end:
            self._one_run()
        self.writer.end()
        # What a killed run left in a folder is removed by the next that writes there.
        self._ended(self.harried, signal.SIGTERM)
        self._start("lake")
        self._until(self._all_is_out, "all lines")
        for one in self.followers:
            self._ended(one, signal.SIGTERM)

    def _one_run(self) -> None:
        """Let the harried run go on for a while, end it, and start another."""
        chance, one = self.chance, self.harried
        faulty = chance.random() < 0.3
        until = time.monotonic() + chance.uniform(0.3, 5)
        if faulty:
            one.control[_OUTPUT_ERROR] = chance.choice((errno.ENOSPC, errno.EIO))
            one.control[_OUTPUT] = chance.randrange(1, 60)
        while time.monotonic() < until and one.alive():
            self._rest()
            victim = chance.choice(self.followers)
            if chance.random() < 0.1:
                victim.control[_INPUT_ERROR] = errno.EIO
                victim.control[_INPUT] = chance.randrange(200)
            if chance.random() < 0.05:
                victim.control[_CLOCK] = chance.choice(_JUMPS)
                self.did["clock jumped"] += 1
        self._ended(one, chance.choice((signal.SIGKILL, signal.SIGTERM)))
        one.control[_OUTPUT], one.control[_OUTPUT_FAILED] = -1, 0
        if chance.random() < 0.2:
            self._damage(one)
        self._start(chance.choice(("lake", "kept", "pipe")))

    def _start(self, output: str) -> None:
        self.harried.seen.run += 1
        if output == "pipe":
            self.did["slow reader"] += 1
        self.harried.start(output)

    def _ended(self, one: Follower, number: signal.Signals) -> None:
        """End a run and see that it ends as it should."""
        code = one.end(number)
        failed = one.control[_OUTPUT_FAILED]
        if code == -number == -signal.SIGTERM and not failed:
            self.did["SIGTERM before it listened"] += 1  # and so before it wrote anything
            return
        # A run that ends by itself listens no more at its very end.
        if failed and code in (2, -signal.SIGTERM):
            self.did[f"output: {errno.errorcode[one.control[_OUTPUT_ERROR]]}"] += 1
        elif code == 128 + signal.SIGTERM and number == signal.SIGTERM and not failed:
            self.did["SIGTERM"] += 1
            return
        elif code == -signal.SIGKILL and number == signal.SIGKILL:
            self.did["kill -9"] += 1
        else:
            one.seen.wrong.append(f"ended with {code}, {failed} faults: {one.said()}")
        one.seen.hard_end = one.seen.run

    def _damage(self, one: Follower) -> None:
        """Damage the checkpoint, see that it is refused, and give back a good one or none."""
        chance = self.chance
        if not one.state.exists():
            return
        good = one.state.read_bytes()
        kind = chance.choice(("truncated", "garbage", "removed", "older"))
        one.history.append(f"{time.monotonic():.2f} checkpoint: {kind}")
        if kind == "removed":
            self._begin_anew(one)
        elif kind == "older":
            if (older := one.folder.with_suffix(".older")).exists():
                one.state.write_bytes(older.read_bytes())
                one.seen.hard_end = one.seen.run
                one.seen.renamed()
                self.did["checkpoint older"] += 1
            older.write_bytes(good)
        else:
            at = chance.randrange(len(good))
            noise = bytes(chance.randrange(256) for _ in range(20))
            one.state.write_bytes(good[:at] + (noise + good[at + 20 :]) * (kind == "garbage"))
            before = one.seen.rows
            one.start("kept")
            assert one.process
            try:
                one.process.wait(3)
                if one.end(signal.SIGTERM) != 2 or one.seen.rows != before:
                    one.seen.wrong.append(f"a {kind} checkpoint: {one.said()}")
                self.did[f"checkpoint {kind}"] += 1
            except subprocess.TimeoutExpired:  # what was hit tells nothing that can be checked
                self._ended(one, signal.SIGKILL)
                self.did[f"checkpoint {kind}, not told"] += 1
            one.state.write_bytes(good)

    def _begin_anew(self, one: Follower) -> None:
        """Remove the checkpoint when all was read: what was rotated is asked for no more."""
        with self.writer.pause:
            for log in self.writer.logs:
                log.settle()
                log.write()  # an empty file is in no checkpoint
                log.whole()
            self._start("kept")
            self._until(lambda: self._is_out(one), "all lines before the checkpoint is removed")
            self._ended(one, signal.SIGTERM)
            one.state.unlink()
            one.seen.hard_end = one.seen.run
            one.seen.renamed()
            self._start("kept")
            self._until(lambda: _files_in(one.state) >= len(self.writer.logs), "a new checkpoint")
            self._ended(one, signal.SIGKILL)
        self.did["checkpoint removed"] += 1

    def _rest(self) -> None:
        time.sleep(0.1)
        used = self.steady.used()
        if not used:
            raise RuntimeError(f"the steady run has ended: {self.steady.said()}")
        if self.writer.error:
            raise self.writer.error
        for one in self.followers:
            one.collect()
        now, rotated = time.monotonic(), sum(log.generation for log in self.writer.logs)
        if self.writer.is_alive():
            self.use.add(now, *used, len(os.listdir(self._logs)), rotated)
        for log, lines in self._late.due(now):
            seen = self.steady.seen
            if not seen.all_before(log.number, lines) and log.number not in seen.wrong_logs:
                seen.wrong.append(
                    f"log {log.number}: not all before line {lines} came at {now:.2f}"
                )
                seen.wrong_logs.add(log.number)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _DEADLINE
        while not condition():
            if time.monotonic() > end:
                raise InVainError(what)
            self._rest()

    def _is_out(self, one: Follower) -> bool:
        return all(one.seen.all_before(log.number, log.lines) for log in self.writer.logs)

    def _all_is_out(self) -> bool:
        return all(map(self._is_out, self.followers))

    def _all_is_known(self) -> bool:
        return all(_files_in(one.state) == len(self.writer.logs) for one in self.followers)

    def report(self) -> bool:
        """Print the table; return whether all is well."""
        did = self.did + self.writer.did()
        did["input: EIO"] = sum(one.control[_INPUT_FAILED] for one in self.followers)
        written = sum(log.lines for log in self.writer.logs)
        print(f"{'faults survived':<40}{did.total():>10,}")
        for name, count in sorted(did.items()):
            print(f"  {name:<38}{count:>10,}")
        print(f"{'lines written':<40}{written:>10,}")
        wrong: list[str] = []
        for one in self.followers:
            lost = {log.number: one.seen.missing(log.number, log.lines) for log in self.writer.logs}
            wrong += [f"{one.name}: {text}" for text in one.seen.wrong[:5]]
            wrong += [f"{one.name}: log {log}: lost {n[:5]}..." for log, n in lost.items() if n]
            dubious = one.seen.wrong_logs | {log for log, n in lost.items() if n}
            wrong += [f"log {log}: {self.writer.logs[log].history}" for log in sorted(dubious)[:9]]
            wrong += [f"left behind: {path}" for path in one.left_behind()]
            print(f"{one.name + ': lines lost':<40}{sum(map(len, lost.values())):>10,}")
            print(f"{one.name + ': lines twice':<40}{one.seen.twice:>10,}")
        wrong += self.use.report(_files_in(self.steady.state))
        for text in wrong[:30]:
            print(f"wrong: {text}")
        if wrong:
            print(*self.harried.history, sep="\n")
        return not wrong


def _files_in(state: Path) -> int:
    return len(json.loads(state.read_bytes())["files"]) if state.exists() else 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("seconds", type=float)
    options.add_argument("--files", type=int, default=50)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options.add_argument("--rotating", type=float, default=0.005, help="how likely, each time")
    options.add_argument("--keep", type=Path, help="a new folder, which stays")
    given = options.parse_args()
    print(f"seed {given.seed}", flush=True)
    folder = given.keep or Path(tempfile.mkdtemp(prefix="opslog-soak-"))
    folder.mkdir(exist_ok=True)
    soak = Soak(folder.resolve(), given.files, given.seed, given.rotating)
    try:
        try:
            soak.run(given.seconds)
        except InVainError as what:
            soak.harried.seen.wrong.append(f"waited in vain for {what}")
        return 0 if soak.report() else 1
    finally:
        for one in soak.followers:
            if one.process and one.alive():
                one.end(signal.SIGKILL)
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)  # the writer may still write


if __name__ == "__main__":
    sys.exit(main())
