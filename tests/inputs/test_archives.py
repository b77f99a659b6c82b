"""A tar archive is read like the folder it was made of, whoever wrote it; what is damaged is told."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import opslog as run
from opslog.doctor import examine
from opslog.inputs.archive import LONGEST_HEADER
from opslog.inputs.tar import HEAD_BYTES, is_tar, undecided
from opslog.model.errors import SourceError, SourceErrors

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = [
    b"2024-01-01 00:00:00.000 1 INFO nova.api [req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61] one\n",
    b"2024-01-02 00:00:00.000 1 ERROR nova.api [-] two\n",
    b"Traceback (most recent call last):\n",
    b"Feb  3 10:00:00 ctl1 sshd[3]: a line without a year\n",
    b"\xff\xfe no text, maybe\n",
    b"ustar\n",
    b"\0" * 600,
]
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tgz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": zstd.compress,
}
LOGS = st.lists(st.sampled_from(LINES), max_size=40).map(b"".join)
NAMES = st.lists(
    st.sampled_from(
        ["var", "log", "ctl1", "a.log", "nova-api.log", "\u00e9", "\udcff", "x y", "!"]
    ),
    min_size=1,
    max_size=4,
).map("/".join)


def tar(folder: Path, *options: str) -> bytes:
    """Return what GNU tar makes of all that lies in a folder."""
    command = ["tar", "-c", *options, "-C", str(folder), "."]
    return subprocess.run(command, capture_output=True, check=True).stdout


def written(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return what Python makes of files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def fill(folder: Path, files: dict[str, bytes]) -> None:
    """Write files below a folder, as far as none is in the way of another."""
    for name, data in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError:
            continue
        os.utime(path, (1_700_000_000, 1_700_000_000))


def rows(logs: opslog.Logs, below: str) -> list[str]:
    """Return the records, each source by its name below a folder or in an archive."""
    table = logs.to_table()
    found: list[dict[str, Any]] = table.to_pylist()
    for one in found:
        assert one["source"].startswith(below)
        one["source"] = one["source"].removeprefix(below)
    return sorted(repr(one) for one in found)


@given(
    files=st.dictionaries(NAMES, LOGS, max_size=6),
    kind=st.sampled_from(sorted(PACKED)),
    form=st.sampled_from(["v7", "ustar", "gnu", "pax", "oldgnu", "python"]),
    threads=st.integers(1, 2),
    merge=st.booleans(),
)
def test_an_archive_is_read_like_its_folder(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, bytes],
    kind: str,
    form: str,
    threads: int,
    merge: bool,
) -> None:
    folder = tmp_path_factory.mktemp("b") / "bundle"
    folder.mkdir()
    fill(folder, files | {"last.log": LINES[1]})
    archive = folder.with_name(f"bundle.{kind}")
    here = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    data = written(here) if form == "python" else tar(folder, f"--format={form}")
    archive.write_bytes(PACKED[kind](data))
    assert rows(opslog.read(archive, threads=threads, merge=merge), f"{archive}!/") == rows(
        opslog.read(folder, threads=threads, merge=merge), f"{folder}/"
    )
    counted, expected = (
        json.loads(run("stats", "--json", str(one)).stdout) for one in (archive, folder)
    )
    assert counted["records"] == expected["records"]


def example(folder: Path) -> Path:
    """Make a folder of logs of several kinds, compressed ones and ones that are none."""
    root = folder / "ctl1"
    fill(
        root,
        {
            "var/log/nova/nova-api.log": LINES[0] + LINES[1] * 3000,
            "var/log/nova/nova-api.log.1.gz": gzip.compress(LINES[0] * 20),
            "var/log/utf16.log": LINES[0].decode().encode("utf-16"),
            "var/log/syslog": LINES[3] * 5,
            "var/log/empty": b"",
            "var/log/system.journal": b"LPKSHHRH" + b"\0" * 300,
        },
    )
    return root


@pytest.mark.parametrize("kind", PACKED)
def test_all_ways_to_an_archive_give_the_same(kind: str, tmp_path: Path) -> None:
    root = example(tmp_path)
    data = PACKED[kind](tar(root))
    path = tmp_path / f"ctl1.{kind}"
    path.write_bytes(data)
    expected = rows(opslog.read(root), f"{root}/")
    assert rows(opslog.read(path), f"{path}!/") == expected
    for told in (run("filter", "--stats", stdin=data), run("filter", "--stats", str(path))):
        assert told.returncode == 0
        found = [json.loads(line) for line in told.stdout.splitlines()]
        assert len(found) == len(expected)
        assert {one["source"].rpartition("!/")[2] for one in found} == {
            "var/log/nova/nova-api.log", "var/log/nova/nova-api.log.1.gz", "var/log/utf16.log",
            "var/log/syslog",
        }  # fmt: skip
        assert told.stderr.decode().splitlines()[-1].split() == ["files", "without", "text", "1"]
    with path.open("rb") as file:
        whole = subprocess.run(
            [sys.executable, "-m", "opslog", "filter"], stdin=file, capture_output=True, check=True
        )
    assert whole.stdout == run("filter", stdin=data).stdout
    reports = {one.path.rpartition("!/")[2]: one.status for one in examine(path)}
    assert reports["var/log/system.journal"] == "binary"
    assert reports["var/log/syslog"] == "read"
    assert len(reports) == 6


def test_a_record_leads_back_to_its_line(tmp_path: Path) -> None:
    root = example(tmp_path)
    path = tmp_path / "x.tar.xz"
    path.write_bytes(lzma.compress(tar(root)))
    with tarfile.open(path) as archive:
        for one in opslog.read(path, original=True):
            _, _, name = (one.source or "").partition("!/")
            file = archive.extractfile(f"./{name}")
            assert file
            data = gzip.decompress(file.read()) if name.endswith(".gz") else file.read()
            if "utf16" not in name:
                assert data[one.source_offset :].startswith((one.original or b"").split(b"\n")[0])


def test_one_member_and_a_folder_in_an_archive_are_sources(tmp_path: Path) -> None:
    root = example(tmp_path)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(tar(root)))
    one = opslog.read(f"{path}!/var/log/syslog")
    assert [record.source for record in one] == [f"{path}!/var/log/syslog"] * 5
    for name in ("var/log/nova", "var/log/nova/"):
        found = {record.source for record in opslog.read(f"{path}!/{name}")}
        assert found == {
            f"{path}!/var/log/nova/{file}" for file in ("nova-api.log", "nova-api.log.1.gz")
        }
    with pytest.raises(SourceError, match=r"no file in .*x\.tar\.gz is called so, or below it"):
        opslog.read(f"{path}!/var/lo").to_table()
    with pytest.raises(SourceError, match=r"syslog is no tar archive"):
        opslog.read(f"{root}/var/log/syslog!/x").to_table()
    with pytest.raises(SourceError, match="is no log, but a journal of systemd"):
        opslog.read(f"{path}!/var/log/system.journal").to_table()


def test_what_lies_at_a_path_is_the_file_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(written({"a.log": LINES[1]}))
    (tmp_path / "x.tar!").mkdir()
    (tmp_path / "x.tar!" / "a.log").write_bytes(LINES[0])
    assert [one.body for one in opslog.read(tmp_path / "x.tar!" / "a.log")] == ["one"]


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_what_reads_several_times_reads_archives(kind: str, tmp_path: Path) -> None:
    root = Path("docs/examples/boot").resolve()
    logs = tmp_path / f"boot.{kind}"
    logs.write_bytes(PACKED[kind](tar(root)))
    for command in (
        ("requests", "--to", "jsonl"),
        ("resources", "--to", "jsonl"),
        ("filter", "--root", "--merge"),
        ("filter", "--severity", "ERROR", "--with-requests", "--merge"),
        ("events", "--to", "jsonl"),
    ):
        own, folder = (run(*command, str(one)) for one in (logs, root))
        assert own.returncode == folder.returncode
        assert own.stdout.count(b"\n") == folder.stdout.count(b"\n")
        assert own.stderr == folder.stderr
    story = ("trace", "req-c4a1e2d3", "--width", "300")
    told = run(*story, logs.name, cwd=tmp_path)
    expected = run(*story, "boot", cwd=root.parent)
    assert expected.returncode == 0
    assert told.stdout.replace(f"{logs.name}!/".encode(), b"boot/").split() == (
        expected.stdout.split()
    )


def test_archives_are_compared(tmp_path: Path) -> None:
    root = Path("docs/examples/why").resolve()
    for side in ("failed", "passed"):
        (tmp_path / f"{side}.tar.xz").write_bytes(lzma.compress(tar(root / side)))
    told = run("why", "failed.tar.xz", "--good", "passed.tar.xz", cwd=tmp_path)
    expected = run("why", "failed", "--good", "passed", cwd=root)
    assert expected.returncode == 0
    said = told.stdout.decode().replace(".tar.xz!", "").replace(".tar.xz", "")
    assert said.replace("'", "").split() == expected.stdout.decode().replace("'", "").split()


def test_archives_in_archives(tmp_path: Path) -> None:
    inner = written({"ctl1/nova/nova-api.log": LINES[0]})
    middle = gzip.compress(written({"inner.tar": inner, "b.log": LINES[1]}))
    path = tmp_path / "outer.tar"
    path.write_bytes(written({"a.log": LINES[1], "middle.tgz": middle, "c.log": LINES[1]}))
    with pytest.raises(SourceError) as told:
        opslog.read(path).to_table()
    assert str(told.value) == (
        f"{path}!/middle.tgz!/inner.tar: was not read: an archive in 2 others; unpack it"
    )
    path.write_bytes(written({"middle.tgz": middle[:], "c.log": LINES[1]}))
    result = run("filter", "--columns", "source", str(path))
    assert [json.loads(line)["source"] for line in result.stdout.splitlines()] == [
        f"{path}!/middle.tgz!/b.log", f"{path}!/c.log",
    ]  # fmt: skip
    path.write_bytes(written({"x.tar": inner, "c.log": LINES[1]}))
    [one] = opslog.read(f"{path}!/x.tar!/ctl1")
    assert (one.source, one.host_name) == (f"{path}!/x.tar!/ctl1/nova/nova-api.log", "ctl1")
    assert [one.body for one in opslog.read(f"{path}!/x.tar")] == ["one"]


def test_nothing_in_an_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary.tar").write_bytes(written({"a": b"\x7fELF" + b"\0\1" * 99}))
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "folders.tar").write_bytes(tar(folder))
    result = run("filter", "binary.tar", "folders.tar", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.decode() == (
        "opslog: binary.tar: is a tar archive without a log: none of its 1 file(s) is text\n"
        "opslog: folders.tar: is a tar archive without a log: there is no file in it\n"
    )
    assert run("filter", "--exit-zero", str(tmp_path)).stderr == b""


def test_an_archive_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(written({"a.log": LINES[1]})))
    with subprocess.Popen(
        [sys.executable, "-m", "opslog", "filter", "-f", "x.tar.gz"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr
        line = process.stderr.readline().decode()
        process.terminate()
    assert line == (
        "opslog: x.tar.gz: is no log, but a tar archive, which is read, but not followed: "
        "leave out -f, or unpack it; it is tried again\n"
    )


# -- archives that are not as they should be ---------------------------------------------------


def read(data: bytes, tmp_path: Path) -> tuple[list[str], list[str]]:
    """Return the bodies of an archive's records, and what is told."""
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    result = run("filter", "--columns", "body", "x.tar", cwd=tmp_path)
    assert b"Traceback (" not in result.stderr
    bodies = [json.loads(line).get("body", "") for line in result.stdout.splitlines()]
    return bodies, result.stderr.decode().splitlines()


@given(
    kind=st.sampled_from(sorted(PACKED)),
    form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]),
    cut=st.floats(0, 1, exclude_max=True),
)
def test_a_cut_archive_is_told_and_what_came_before_is_read(
    tmp_path_factory: pytest.TempPathFactory, kind: str, form: int, cut: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.tar"
    files = {f"{number}.log": LINES[1] * 400 for number in range(9)}
    whole = written(files, form).rstrip(b"\0") + b"\0" * 100  # no mark of the end
    data = PACKED[kind](whole)
    data = data[: HEAD_BYTES + int(cut * (len(data) - HEAD_BYTES))]
    path.write_bytes(data)
    found = []

    def read_all() -> None:
        found.extend(iter(opslog.read(path)))

    with pytest.raises(SourceError) as told:
        read_all()
    assert not isinstance(told.value, SourceErrors)
    assert str(told.value).startswith(str(path))


def test_the_member_that_ends_too_early_is_named(tmp_path: Path) -> None:
    data = written({"a.log": LINES[1], "b.log": LINES[1] * 1000, "c.log": LINES[1]})
    bodies, told = read(data[:9000], tmp_path)
    assert told == [
        "opslog: x.tar!/b.log: the tar archive ends too early; the lines before that were read"
    ]
    assert len(bodies) > 100
    _, told = read(gzip.compress(data, 0)[:9000], tmp_path)
    assert told == [
        "opslog: x.tar!/b.log: x.tar: the gzip data ends too early; the lines before that were read"
    ]


def test_a_damaged_member_does_not_harm_the_others(tmp_path: Path) -> None:
    broken = gzip.compress(LINES[1] * 1000)[:-200]
    bodies, told = read(written({"a.gz": broken, "b.log": LINES[0]}), tmp_path)
    assert bodies[-1] == "one"
    assert told == [
        "opslog: x.tar!/a.gz: the gzip data ends too early; the lines before that were read"
    ]


def test_a_damaged_header_is_told(tmp_path: Path) -> None:
    first = written({"a.log": LINES[0]})[:1024]
    bodies, told = read(first + b"no header" * 300, tmp_path)
    assert bodies == ["one"]
    [line] = told
    assert line.startswith("opslog: x.tar: damaged tar archive at byte 1,536 (no header where")
    bodies, told = read(first, tmp_path)
    assert bodies == ["one"]
    assert "(it ends too early)" in told[0]


def test_what_follows_an_archive_is_told(tmp_path: Path) -> None:
    data = written({"a.log": LINES[0]})
    bodies, told = read(data + data, tmp_path)
    assert bodies == ["one"]
    assert told == ["opslog: x.tar: something follows the end of the tar archive; it was not read"]
    assert read(data + b"\0" * 9999, tmp_path) == (["one"], [])


def test_names_are_only_names(tmp_path: Path) -> None:
    names = ["/etc/a.log", "../../b.log", "./c.log", "d\ne.log", "", "g.log", "g.log", "x!/h.log"]
    path = tmp_path / "x.tar"
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(LINES[0])
            archive.addfile(info, io.BytesIO(LINES[0]))
    path.write_bytes(data.getvalue())
    before = sorted(tmp_path.rglob("*"))
    found = [one.source for one in opslog.read(path)]
    kept = ["etc/a.log", "../../b.log", "c.log", "d\ne.log", "", "g.log", "g.log", "x!/h.log"]
    assert found == [f"{path}!/{name}" for name in kept]
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_devices_are_passed_by(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE,
                     tarfile.FIFOTYPE, tarfile.DIRTYPE):  # fmt: skip
            info = tarfile.TarInfo(f"of-{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("a.log")
        info.size, info.type = len(LINES[0]), b"Z"  # a kind that nobody knows is a file
        archive.addfile(info, io.BytesIO(LINES[0]))
    assert read(data.getvalue(), tmp_path) == (["one"], [])


@pytest.mark.parametrize("options", [["--sparse"], ["--sparse", "--format=pax"],
                                     ["--sparse", "--format=pax", "--sparse-version=0.0"],
                                     ["--sparse", "--format=pax", "--sparse-version=0.1"]])  # fmt: skip
def test_holes_are_zeros(options: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "ctl1"
    folder.mkdir()
    for name, data in (("a.log", LINES[0]), ("lastlog", b"\7\0\1\2" * 99)):
        with open(folder / name, "wb") as file:
            for number in range(20):
                file.seek(number * 70_000 + 70_000)
                file.write(data)
            file.truncate(2_000_000)
    path = tmp_path / "ctl1.tar"
    path.write_bytes(tar(folder, *options))
    assert path.stat().st_size < 500_000
    expected = rows(opslog.read(folder), f"{folder}/")
    assert rows(opslog.read(path), f"{path}!/") == expected
    assert len(expected) >= 20


def header(**changes: bytes) -> bytes:
    """Return a header of one block, some of whose fields are as told."""
    places = {"name": (0, 100), "size": (124, 12), "type": (156, 1)}
    info = tarfile.TarInfo("a.log")
    info.mtime = 1_700_000_000
    data = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    for name, value in changes.items():
        start, size = places[name]
        data[start : start + size] = value.ljust(size, b"\0")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


def size(number: int) -> bytes:
    """Return a size in base 256, as GNU tar writes those of 8 GiB and more."""
    return b"\x80" + number.to_bytes(11, "big")


@pytest.mark.parametrize(
    "head",
    [
        header(size=size(8 << 30)),
        header(size=size((1 << 88) - 1)),
        header(size=b"\xff" * 12),
        header(size=b"\xff" * 11 + b"\0"),
        header(size=b"nonsense"),
        header(type=b"L", size=size(1 << 40)),
        header(type=b"x", size=size(1 << 40)),
        header(type=b"g", size=size((1 << 88) - 1)),
        header(type=b"S", size=size(1 << 40)),
        header(type=b"L", size=b"00000001000") * 3000,
    ],
)
def test_what_a_header_says_is_not_believed(head: bytes, tmp_path: Path) -> None:
    first = written({"z.log": LINES[0]})[:1024]
    bodies, told = read(first + head + LINES[1].ljust(2048, b"\0"), tmp_path)
    assert bodies[0] == "one"
    assert len(told) == 1
    assert told[0].startswith("opslog: x.tar")


def test_a_header_without_end_is_not_read(tmp_path: Path) -> None:
    first = written({"z.log": LINES[0]})[:1024]
    endless = header(type=b"L", size=b"%011o" % (3 * LONGEST_HEADER)) + b"n" * (4 * LONGEST_HEADER)
    bodies, told = read(first + endless, tmp_path)
    assert bodies == ["one"]
    assert "a header of more than 1,048,576 bytes" in told[0]
    long = io.BytesIO()
    with tarfile.open(fileobj=long, mode="w") as archive:
        for name in ("n" * 5000, "b.log"):
            info = tarfile.TarInfo(name)
            info.size = len(LINES[0])
            archive.addfile(info, io.BytesIO(LINES[0]))
    bodies, told = read(long.getvalue(), tmp_path)
    assert bodies == ["one"]
    assert told == [
        "opslog: x.tar: a file in it was not read: its name has 5,000 characters, "
        "expected at most 4,096"
    ]


@given(data=st.data())
def test_any_archive_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever becomes of its bytes, nothing is raised but what cannot be read."""
    form = data.draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
    whole = bytearray(written({"n" * 150: LINES[0], "b.log": LINES[1], "\u00e9": LINES[0]}, form))
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4)
    ):
        whole[at] = byte
    path = tmp_path_factory.mktemp("any") / "x.tar"
    path.write_bytes(whole)
    with suppress(SourceError):
        opslog.read(path).to_table()


@given(st.binary(max_size=700))
def test_a_whole_line_of_text_is_decided(data: bytes) -> None:
    assert not undecided(b"a" + data.replace(b"\0", b"") + b"\n")
    assert not undecided(data.ljust(HEAD_BYTES, b"x"))
    assert not is_tar(data.replace(b"\0", b" "))


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_the_beginning_of_an_archive_is_undecided_until_it_tells(form: str, tmp_path: Path) -> None:
    (tmp_path / ("n" * 99)).write_bytes(LINES[0])
    data = subprocess.run(
        ["tar", "-c", f"--format={form}", "-C", tmp_path, "n" * 99], capture_output=True, check=True
    ).stdout
    assert all(undecided(data[:count]) for count in range(1, HEAD_BYTES))
    assert is_tar(data)
    assert not is_tar(data[:511] + b"x")


def test_tables_of_records_are_read_in_archives_as_far_as_they_are_read_in_order(
    tmp_path: Path,
) -> None:
    logs = tmp_path / "a.log"
    logs.write_bytes(LINES[0] * 9)
    table = opslog.read(logs).to_table()
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    opslog.read(logs).write_parquet(tmp_path / "x.parquet")
    parquet = (tmp_path / "x.parquet").read_bytes()
    path = tmp_path / "x.tar"
    path.write_bytes(written({"x.arrow": stream.getvalue(), "x.parquet": parquet}))
    assert [one.source for one in opslog.read(path)] == [str(logs)] * 9
    assert json.loads(run("stats", "--json", str(path)).stdout)["records"] == 9


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_an_archive_at_standard_input_is_not_followed(packed: Callable[[bytes], bytes]) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo("a.log")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"one\n"))
    done = run("filter", "-f", "-", stdin=packed(data.getvalue()))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is a tar archive, which is read, but not followed" in done.stderr
