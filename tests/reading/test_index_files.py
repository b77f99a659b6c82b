"""An index that is kept: later runs tell the same as without, and read only what they need."""

from __future__ import annotations

import gzip
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.inputs import lines
from opslog.model.stats import Stats
from opslog.reading import file_version, index, index_files
from opslog.rows.kept import Kept
from opslog.trace import trace
from opslog.trace.plain import plain

REQUESTS = [f"req-{n}b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90" for n in range(4)]
FILLER = b"2024-01-01 00:00:00.000 1 INFO nova.compute [-] " + b"x" * 150 + b"\n"
SMALL = 1 << 12


def line(request: str, text: str = "text") -> bytes:
    return f"2024-01-01 00:00:01.000 7 DEBUG nova.x [{request} u p - - -] {text}\n".encode()


LOG = FILLER * 300 + line(REQUESTS[0]) + FILLER * 300 + line(REQUESTS[1]) + FILLER * 300
"""The last request is nowhere in it."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of some kilobytes are worth an index, and it lies here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(lines, "BLOCK_BYTES", SMALL)
    monkeypatch.setattr(index, "_WORTH", SMALL)
    return tmp_path / "cache" / "opslog" / "index"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written just now counts as written long ago."""
    monkeypatch.setattr(file_version, "_GRANULARITY", -(1 << 60))


@pytest.fixture(params=["n.log", "n.log.gz"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / request.param
    path.write_bytes(gzip.compress(LOG) if path.suffix == ".gz" else LOG)
    return path


def found(
    path: Path, request: str, index: bool | None, threads: int = 1
) -> tuple[list[int], Stats]:
    """Return the offsets of the records of a request, and what is counted."""
    logs = library.read(path, index=index, threads=threads)
    stats, logs = Stats(), logs.filter(library.F.request_id == request)
    batches = logs._results(Kept.batch, ("source_offset",), logs._begun(stats))
    return [at for batch in batches for at in batch["source_offset"].to_pylist()], stats


def bytes_read(path: Path, request: str) -> int:
    positions: list[int] = []
    logs = library.read(path).filter(library.F.request_id == request)
    list(logs._results(Kept.batch, (), logs._begun(watch=positions.append)))
    return max(positions)


def told(path: Path, request: str, index: bool | None = None) -> object:
    return plain(trace(library.read(path, index=index), request), 1.0)


# -- what is read ------------------------------------------------------------------------------


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("first", [lambda path: told(path, REQUESTS[1]), lambda path: found(path, REQUESTS[1], True)])  # fmt: skip
def test_later_runs_read_only_what_they_need(
    first: Callable[[Path], object], log: Path, cache: Path
) -> None:
    whole = log.stat().st_size
    assert bytes_read(log, REQUESTS[3]) == whole
    assert not cache.exists()  # a filter that is not told to keeps none
    first(log)
    if log.suffix == ".log":  # of a packed one the beginning is looked at, here all of it
        assert bytes_read(log, REQUESTS[3]) < 100
    for request in REQUESTS:
        assert found(log, request, None) == found(log, request, False)
        assert told(log, request) == told(log, request, False)
    assert len(os.listdir(cache)) == 1
    assert sum(one.stat().st_size for one in cache.iterdir()) < len(LOG)


@pytest.mark.usefixtures("settled")
def test_of_a_file_that_grew_only_the_rest_is_read(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_WORTH", 4 * SMALL)
    path = tmp_path / "n.log"
    path.write_bytes(LOG)
    found(path, REQUESTS[0], True)
    with path.open("ab") as file:
        file.write(line(REQUESTS[3]) * 3)
    assert len(found(path, REQUESTS[3], None)[0]) == 3
    positions: list[int] = []
    logs = library.read(path).filter(library.F.request_id == REQUESTS[3])
    list(logs._results(Kept.batch, (), logs._begun(watch=positions.append)))
    assert not [one for one in positions if 100 < one < len(LOG) - 2 * SMALL]
    [kept] = cache.iterdir()
    before = kept.read_bytes()
    found(path, REQUESTS[3], True)  # too little for another index
    assert kept.read_bytes() == before


def test_files_that_are_not_worth_it_have_none(
    log: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_WORTH", len(LOG) + 1)
    told(log, REQUESTS[0])
    found(log, REQUESTS[0], True)
    assert not cache.exists()


@pytest.mark.usefixtures("settled")
def test_without_an_index_none_is_kept_or_used(log: Path, cache: Path) -> None:
    told(log, REQUESTS[0], False)
    assert not cache.exists()
    told(log, REQUESTS[0])
    [kept] = cache.iterdir()
    used = kept.stat().st_atime_ns
    found(log, REQUESTS[3], False)
    assert kept.stat().st_atime_ns == used


@pytest.mark.usefixtures("settled")
def test_a_table_has_none(tmp_path: Path, cache: Path) -> None:
    """Of a table less is read where a filter says so: its blocks are others then."""
    (tmp_path / "n.log").write_bytes(LOG)
    path = tmp_path / "n.parquet"
    library.read(tmp_path / "n.log").write(path, "parquet")
    told(path, REQUESTS[0])
    found(path, REQUESTS[0], True)
    assert not cache.exists()
    assert found(path, REQUESTS[0], None)[0]


# -- files that change -------------------------------------------------------------------------


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(FILLER * 50 + line(REQUESTS[3]))


def rewrite(path: Path) -> None:
    """Write other ids where some were, and say it was long ago."""
    status, data = path.stat(), path.read_bytes()
    with path.open("r+b") as file:
        file.write(data.replace(REQUESTS[1].encode(), REQUESTS[2].encode()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def begin_again(path: Path) -> None:
    path.write_bytes(line(REQUESTS[3]) + LOG + LOG)


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def rotate(path: Path) -> None:
    path.rename(path.with_name("rotated"))
    path.write_bytes(FILLER + line(REQUESTS[3]) + LOG)


def touch(path: Path) -> None:
    path.touch()


def stay(path: Path) -> None:
    pass


CHANGES = [grow, rewrite, begin_again, shrink, rotate, touch, stay]


@given(
    st.lists(st.sampled_from(CHANGES), max_size=5),
    st.lists(st.sampled_from(REQUESTS), min_size=6, max_size=6),
    st.booleans(),
)
def test_whatever_becomes_of_a_file_the_same_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[Callable[[Path], None]],
    requests: list[str],
    is_settled: bool,
) -> None:
    folder = tmp_path_factory.mktemp("log")
    path = folder / "n.log"
    path.write_bytes(LOG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        if is_settled:
            patch.setattr(file_version, "_GRANULARITY", -(1 << 60))
        for change, request in zip([stay, *changes], requests, strict=False):
            time.sleep(0.02 if is_settled else 0)  # so that times differ
            change(path)
            for one in (request, request, REQUESTS[3]):
                assert found(path, one, True) == found(path, one, False)


@given(
    st.lists(st.integers(0, 5 * SMALL), min_size=4, max_size=4),
    st.booleans(),
    st.sampled_from(REQUESTS),
    st.integers(1, 3),
)
@pytest.mark.usefixtures("settled")
def test_any_log_tells_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[int],
    packed: bool,
    request_id: str,
    threads: int,
) -> None:
    path, data = tmp_path_factory.mktemp("log") / "n.log", bytearray()
    for at, request in zip(places, REQUESTS, strict=True):
        data += FILLER * (at // len(FILLER))
        data += line(request, f"GET call to network for http://n/ used request id {REQUESTS[0]}")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_version, "_GRANULARITY", -(1 << 60))
        for _ in range(2):
            assert told(path, request_id) == told(path, request_id, False)
            one = found(path, request_id, None, threads)
            assert one == found(path, request_id, False)


def test_what_changed_just_now_may_change_again_and_show_the_same_time(log: Path) -> None:
    told(log, REQUESTS[0])
    assert bytes_read(log, REQUESTS[3]) == log.stat().st_size


@pytest.mark.usefixtures("settled")
def test_members_of_a_compressed_file_that_grows_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "n.log.gz"
    for _ in range(3):
        with path.open("ab") as file:
            file.write(gzip.compress(LOG))
        for request in REQUESTS:
            assert found(path, request, True) == found(path, request, False)


# -- index files that are no good --------------------------------------------------------------


@given(st.data(), st.sampled_from(["flip", "cut", "add"]))
def test_a_broken_index_is_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, way: str
) -> None:
    folder = tmp_path_factory.mktemp("log")
    path = folder / "n.log"
    path.write_bytes(LOG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(file_version, "_GRANULARITY", -(1 << 60))
        told(path, REQUESTS[0])
        [kept] = (folder / "cache/opslog/index").iterdir()
        content = bytearray(kept.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        if way == "flip":
            content[at] ^= data.draw(st.integers(1, 255))
        kept.write_bytes(content[:at] if way == "cut" else content + b"\0" * (way == "add"))
        assert bytes_read(path, REQUESTS[3]) == len(LOG)
        assert found(path, REQUESTS[1], None) == found(path, REQUESTS[1], False)


@given(st.data())
def test_what_somebody_made_up_is_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Its digest is right, the rest is not."""
    folder = tmp_path_factory.mktemp("log")
    path = folder / "n.log"
    path.write_bytes(LOG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(file_version, "_GRANULARITY", -(1 << 60))
        told(path, REQUESTS[0])
        [kept] = (folder / "cache/opslog/index").iterdir()
        begin = len(index_files._KIND) + index_files._DIGEST
        content = bytearray(kept.read_bytes()[begin:])
        way = data.draw(st.sampled_from(["count", "block", "cut"]))
        if way == "cut":
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        else:
            at = index_files._FILE.size - 4 if way == "count" else index_files._FILE.size
            size = 4 if way == "count" else index_files._SPAN.size
            new = data.draw(st.binary(min_size=size, max_size=size))
            content[at : at + size] = new
        kept.write_bytes(index_files._KIND + index_files._digest(content) + content)
        found(path, REQUESTS[1], None)  # whatever it is, it is no error


@pytest.mark.usefixtures("settled")
def test_what_is_no_file_of_this_user_is_as_none(log: Path, cache: Path, tmp_path: Path) -> None:
    told(log, REQUESTS[0])
    [kept] = cache.iterdir()
    whole = log.stat().st_size
    moved = kept.rename(tmp_path / "moved")
    kept.symlink_to(moved)
    assert bytes_read(log, REQUESTS[3]) == whole
    kept.unlink()
    os.mkfifo(kept)
    assert bytes_read(log, REQUESTS[3]) == whole
    kept.unlink()
    kept.mkdir()
    assert bytes_read(log, REQUESTS[3]) == whole
    kept.rmdir()
    if not os.geteuid():
        os.chown(moved, 12345, -1)
        moved.rename(kept)
        assert bytes_read(log, REQUESTS[3]) == whole


# -- where they lie ----------------------------------------------------------------------------


def test_only_the_user_may_read_them(log: Path, cache: Path) -> None:
    told(log, REQUESTS[0])
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert [stat.S_IMODE(one.stat().st_mode) for one in cache.iterdir()] == [0o600]


def test_who_became_root_leaves_nothing_in_the_home_of_another(
    log: Path, cache: Path, tmp_path: Path
) -> None:
    if os.geteuid():
        pytest.skip("only root may become another")
    home = tmp_path / "cache"
    home.mkdir()
    os.chown(home, 12345, -1)
    told(log, REQUESTS[0])
    assert not cache.exists()


def test_what_cannot_be_written_is_not(log: Path, cache: Path, tmp_path: Path) -> None:
    wanted = told(log, REQUESTS[0], False)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # as a full disk
    try:
        assert told(log, REQUESTS[0]) == wanted
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(cache) == []
    cache.rmdir()
    cache.write_bytes(b"")
    assert told(log, REQUESTS[0]) == wanted
    assert found(log, REQUESTS[0], None) == found(log, REQUESTS[0], False)


def test_those_unused_for_longest_go_first(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for number in range(3):
        path = tmp_path / f"{number}.log"
        path.write_bytes(LOG)
        told(path, REQUESTS[0])
        [new] = set(cache.iterdir()) - set(kept)
        kept.append(new)
        os.utime(new, (number, number))
    os.utime(kept[0])
    monkeypatch.setattr(index_files, "_MOST_BYTES", 3 * kept[0].stat().st_size)
    (tmp_path / "new.log").write_bytes(LOG)
    told(tmp_path / "new.log", REQUESTS[0])
    assert len(list(cache.iterdir())) == 3
    assert [one.exists() for one in kept] == [True, False, True]


def test_several_processes_at_once_do_no_harm(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here with blocks and files as large as they are."""
    path = tmp_path / "n.log"
    path.write_bytes(FILLER * 50_000 + line(REQUESTS[0]) + FILLER * 50_000)
    long_ago = time.time_ns() + 3_000_000_000
    command = [sys.executable, "-m", "opslog", "trace", "--json", REQUESTS[0], path]
    wanted = subprocess.run([*command, "--no-index"], capture_output=True, check=True).stdout
    assert not cache.exists()
    while time.time_ns() < long_ago:
        time.sleep(0.1)
    for _ in range(2):
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
        assert [run.communicate()[0] for run in runs] == [wanted] * 3
        assert len(os.listdir(cache)) == 1
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert bytes_read(path, REQUESTS[3]) < 100
