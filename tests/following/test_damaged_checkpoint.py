"""Whatever a checkpoint holds, it is used or refused with one clear error; it never breaks a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import opslog
from live_run import heads, written
from opslog.following.checkpoint import Checkpoint
from opslog.following.content import NOTHING, Content, Fingerprint, Position
from opslog.following.watchlist import Watchlist
from opslog.inputs.paths import FileId
from opslog.model.errors import SourceError

GOOD = {
    "kind": "opslog checkpoint",
    "version": 1,
    "files": [
        {"path": "/a.log", "source": "/a.log#1", "file": [1, 2], "start": [3, "ab"], "offset": 90,
         "mark": [64, "cd"], "modified": 1_700_000_000_000_000_000, "done": False, "seen": 1.5},
    ],
    "sought": {"/a.log": 1_700_000_000_000_000_000},
}  # fmt: skip
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -1, 1 << 62, 1 << 63, 1 << 64])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from(["\ud800", "\udc80", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BEGINNING = b'{"kind": "opslog checkpoint"'


def used(folder: Path, data: bytes) -> bool:
    """Return whether a checkpoint is used; raises anything but the error that says it is none."""
    state = folder / "state"
    state.write_bytes(data)
    refused = ""
    try:
        checkpoint = Checkpoint(str(state))
    except SourceError as error:
        refused = str(error)
    if refused:
        assert refused.startswith(f"{state}: expected a checkpoint of ")
        assert "\n" not in refused
        assert len(refused) < 300 + len(str(state))
        return False
    watchlist: Watchlist[None] = Watchlist((), print, (), from_end=False)
    try:
        watchlist.contents.restore(checkpoint.contents, checkpoint.sought, 0.0)
        watchlist.look_at_names(0.0)
        checkpoint.save(watchlist.contents.remembered(()), watchlist.contents.sought())
    finally:
        watchlist.close()
        checkpoint.close()
    return True


def changed(value: Any, draw: st.DataObject) -> Any:
    """Return the value with one place in it, however deep, replaced or taken away."""
    if isinstance(value, dict | list) and value and draw.draw(st.integers(0, 4)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw.draw(st.sampled_from(keys))
        copy = value.copy()
        if draw.draw(st.booleans()):
            copy[key] = changed(value[key], draw)
        else:
            del copy[key]
        return copy
    return draw.draw(VALUES)


@given(st.data())
def test_any_change_of_a_checkpoint_is_used_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = json.dumps(GOOD | {"files": changed(GOOD["files"], data)})
    if data.draw(st.booleans()):
        text = json.dumps(GOOD | {"sought": changed(GOOD["sought"], data)})
    used(tmp_path_factory.mktemp("checkpoint"), text.encode())


@given(st.binary() | st.binary().map(lambda tail: BEGINNING + tail))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    assert not used(tmp_path_factory.mktemp("checkpoint"), data)


def test_what_was_written_is_used(tmp_path: Path) -> None:
    assert used(tmp_path, json.dumps(GOOD).encode())
    (tmp_path / "state").unlink()
    checkpoint = Checkpoint(str(tmp_path / "state"))
    position = Position(Fingerprint.of(b"begin"), 5, NOTHING)
    content = Content("/caf\udce9", "/caf\udce9#1", FileId(-1, -1), position, 1 << 61, True, 1e9)
    checkpoint.add([content], {})
    checkpoint.close()
    again = Checkpoint(str(tmp_path / "state"))
    assert again.contents == [content]
    again.close()


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        BEGINNING + b', "files": ' + b"[" * 200_000,
        json.dumps(GOOD).replace("/a.log", "\\ud800").encode(),
        json.dumps(GOOD).replace("90", "1" + "0" * 400).encode(),
        json.dumps(GOOD).replace("90", "1" + "0" * 5000).encode(),
        json.dumps(GOOD).replace("1.5", "1e400").encode(),
        json.dumps(GOOD).replace("1.5", "NaN").encode(),
        json.dumps(GOOD | {"files": GOOD["files"] * 2}).encode(),  # type: ignore[operator]
        json.dumps(GOOD).encode()[:-9],
        json.dumps(GOOD).encode() + b"{}",
        b"\0" * 4096,
    ],
)
def test_a_damaged_checkpoint_is_one_error(content: bytes, tmp_path: Path) -> None:
    written(tmp_path / "a.log", heads(0, 1))
    (tmp_path / "state").write_bytes(content)
    result = opslog("filter", "-f", "--checkpoint", "state", "a.log", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"opslog: ")
    assert b"expected a checkpoint of opslog, found " in result.stderr
    assert result.stderr.endswith(
        b"name another file; a damaged checkpoint must be removed, to read all from the start\n"
    )
    assert (tmp_path / "state").read_bytes() == content


def test_a_large_file_that_is_no_checkpoint_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "state", "wb") as file:
        file.truncate(1 << 40)
    result = opslog("filter", "-f", "--checkpoint", "state", "a.log", cwd=tmp_path)
    assert result.returncode == 2
    assert b"expected a checkpoint of opslog, found something else" in result.stderr


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    result = opslog("filter", "-f", "--checkpoint", "state", "a.log", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.count(b"\n") == 1
    assert result.stderr.startswith(b"opslog: state: ")
