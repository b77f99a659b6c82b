"""Whole files: in one step, under the name that was given, for those who could read it before."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from opslog.model.errors import SinkError
from opslog.outputs.output import open_growing
from opslog.outputs.own_kinds import OwnKind
from opslog.outputs.whole_file import check_replaceable, open_whole, whole_output, write_whole

OWN = OwnKind("a file that begins with own", lambda file: file.read(3) == b"own")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_new_file_has_the_mode_of_any_new_file(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_whole(str(tmp_path / "out"), b"own", OWN)
    finally:
        os.umask(before)
    assert mode(tmp_path / "out") == 0o666 & ~umask


@pytest.mark.parametrize("there", [0o600, 0o640, 0o664, 0o755])
def test_a_replaced_file_keeps_its_mode_and_owner(there: int, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"own")
    path.chmod(there)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    write_whole(str(path), b"own too", OWN)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip
    assert after.st_ino != before.st_ino
    assert path.read_bytes() == b"own too"


def test_what_replaces_a_private_file_was_never_public(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"own")
    path.chmod(0o600)
    with whole_output(str(path), OWN) as output:
        output.write(b"secret")
        assert {mode(each) for each in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_names_is_replaced(there: bool, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to("data/out")
    if there:
        (tmp_path / "data" / "out").write_bytes(b"own")
    write_whole(str(tmp_path / "first"), b"own too", OWN)
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert (tmp_path / "data" / "out").read_bytes() == b"own too"
    assert len(list(tmp_path.rglob("*"))) == 4


def test_a_link_in_a_circle_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("out")
    with pytest.raises(SinkError, match="Too many levels of symbolic links"):
        write_whole(str(tmp_path / "out"), b"own", OWN)
    assert [path.is_symlink() for path in tmp_path.iterdir()] == [True]


def test_readers_see_the_old_file_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"own, old")
    with whole_output(str(path), OWN) as output:
        output.write(b"own,")
        assert path.read_bytes() == b"own, old"
        output.write(b" new")
        assert path.read_bytes() == b"own, old"
        # A reader of the folder passes by what is not complete.
        assert [each.name for each in tmp_path.iterdir() if each.name[0] != "."] == ["out"]
    assert path.read_bytes() == b"own, new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("there", [True, False])
def test_after_any_exception_all_is_as_before(
    error: type[BaseException], there: bool, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    if there:
        path.write_bytes(b"own, old")
    with suppress(error), whole_output(str(path), OWN) as output:
        output.write(b"own")
        raise error
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == (
        {"out": b"own, old"} if there else {}
    )


def test_a_file_that_somebody_put_there_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "out"
    output = open_whole(str(path), OWN)
    path.write_bytes(b"foreign")
    with pytest.raises(SinkError, match="found 7 bytes"):
        output.close()
    output.abort()
    assert path.read_bytes() == b"foreign"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [open_whole, open_growing])
def test_an_empty_file_is_nobodys(kind: object, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    output = (open_whole if kind is open_whole else open_growing)(str(tmp_path / "out"), OWN)
    output.write(b"x")
    output.close()
    assert (tmp_path / "out").read_bytes() == b"x"


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    for name in ("x" * 255, "€" * 85):
        write_whole(str(tmp_path / name), b"own", OWN)
        write_whole(str(tmp_path / name), b"own", OWN)
    with pytest.raises(SinkError, match="File name too long"):
        write_whole(str(tmp_path / ("x" * 256)), b"own", OWN)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_pipe_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(str(pipe), b"anything", OWN)
    reader.join()
    assert (got, pipe.is_fifo()) == ([b"anything"], True)


def test_a_name_of_a_descriptor_is_that_descriptor(tmp_path: Path) -> None:
    """What was written to it before stays: the file is not opened anew from its start."""
    path = tmp_path / "out"
    (tmp_path / "link").symlink_to("/dev/fd/../fd")
    with path.open("wb", buffering=0) as file:
        number = file.fileno()
        for n, name in enumerate(
            (f"/dev/fd/{number}", f"/proc/self/fd/{number}", f"{tmp_path}/link/{number}")
        ):
            file.write(b"%d" % n)
            write_whole(name, b"w", OWN)
            growing = open_growing(name, OWN)
            growing.write(b"g")
            growing.close()
    assert path.read_bytes() == b"0wg1wg2wg"


def test_the_null_device_takes_all() -> None:
    write_whole("/dev/null", b"x", OWN)
    check_replaceable("/dev/null", OWN)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_what_will_fail_at_the_end_is_known_at_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "foreign").write_bytes(b"foreign")
    for name in ("foreign", "no/out", "foreign/out", ".", "out/", "a\0b"):
        with pytest.raises(SinkError) as first:
            check_replaceable(f"{tmp_path}/{name}", OWN)
        with pytest.raises(SinkError) as second:
            open_whole(f"{tmp_path}/{name}", OWN)
        assert str(first.value) == str(second.value)
    check_replaceable(str(tmp_path / "foreign"), OWN, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["foreign"]
