"""Outputs that are inputs, now or later."""

from __future__ import annotations

import glob
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.inputs.paths import expand
from opslog.model.errors import SinkError
from opslog.outputs.collision import refuse_input, refuse_input_folder, refuse_named

NAMES = ["a", "b", "ab", ".a", "a.log"]
PARTS = [*NAMES, "*", "?", "**", "a*", "[ab]", "[!a]", ".*", "*.log"]


def refused(output: str, paths: tuple[str, ...]) -> bool:
    try:
        refuse_input(output, paths, followed=True)
    except SinkError:
        return True
    return False


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=4),
    st.booleans(),
)
def test_it_is_known_of_a_file_that_is_not_there_whether_it_would_be_followed(
    parts: list[str], pattern: list[str], absolute: bool
) -> None:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as base:
        file = Path(base).joinpath(*parts)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.chdir(base)
        try:
            paths = (os.path.join(base if absolute else "", *pattern),)
            found = refused(str(file), paths)
            file.touch()
            read = filter(os.path.exists, expand(paths))  # not `a/` where a is a file
            assert found == (os.path.realpath(file) in map(os.path.realpath, read))
        finally:
            os.chdir(before)


def test_a_name_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "[a]").mkdir()
    assert refused(str(tmp_path / "[a]" / "out"), (str(tmp_path / "[a]"),))
    assert not refused(str(tmp_path / "a" / "out"), (str(tmp_path / "[a]"),))
    assert refused(str(tmp_path / "a"), (glob.escape(str(tmp_path)) + "/?",))


def test_a_pipe_cannot_be_both_ends_and_a_device_can(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(SinkError, match="is also an input"):
        refuse_named(str(tmp_path / "link"), [str(tmp_path / "pipe")])
    refuse_named("/dev/null", ["/dev/null"])
    with pytest.raises(SinkError, match="is also an input"):
        refuse_named(str(tmp_path / "new"), [str(tmp_path / "." / "new")])


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("memory://logs", True),
        ("memory://logs/", True),
        ("memory://logs/lake", True),
        ("memory://logs/**", True),
        ("memory://logs/la*", True),
        ("memory://logs/*.log", False),
        ("memory://logs/lake2", False),
        ("memory://other", False),
        ("/logs", False),
    ],
)
@pytest.mark.parametrize("folder", ["memory://logs/lake", "memory:///logs/lake/"])
def test_a_folder_at_a_url_below_what_is_read_is_refused(
    path: str, read: bool, folder: str
) -> None:
    if read:
        with pytest.raises(SinkError, match="would be read"):
            refuse_input_folder(folder, (path,))
    else:
        refuse_input_folder(folder, (path,))
