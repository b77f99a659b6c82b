"""Formats as the build compiled them are those that are compiled at the start."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from opslog.scanner import built
from opslog.scanner.catalog import Catalog, folder, shipped, without_samples
from opslog.scanner.compiled import CompiledFormats


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Catalog:
    """Return the shipped formats, compiled here; what is built is in a folder of the test."""
    monkeypatch.setattr(built, "FILE", tmp_path / "catalog.built")
    return Catalog.of(without_samples())


def tables(value: Any) -> object:
    """Return what a program is made of, as values that can be compared."""
    made = value.__reduce__()[1]
    if isinstance(made[0], dict):
        return {
            name: tables(part) if name in ("json", "pairs") and part else part
            for name, part in made[0].items()
            if name not in ("known", "trees")  # what a program learns from lines
        }
    return made


def assert_same(one: CompiledFormats, other: CompiledFormats) -> None:
    assert one.formats == other.formats
    assert one.leaves == other.leaves
    assert one.constants == other.constants
    assert one.expected == other.expected
    assert one.patterns is other.patterns is None
    assert tables(one.program) == tables(other.program)


def test_what_was_built_is_what_is_compiled(compiled: Catalog) -> None:
    Catalog.build()
    parts = built.load(folder())
    assert parts is not None
    assert_same(parts[0], compiled.lines)
    assert_same(parts[1], compiled.messages)


def taken(formats: CompiledFormats, line: bytes) -> object:
    """Return what takes a line and where; where none does, how far it was matched, too."""
    leaf, spans, *reached = formats.program.probe(line)
    return (leaf, spans) if leaf >= 0 else (leaf, reached)


def test_both_take_each_sample_in_the_same_way(compiled: Catalog) -> None:
    Catalog.build()
    parts = built.load(folder())
    assert parts is not None
    samples = [sample.text for one in shipped() for sample in one.samples]
    lines = [line.encode() for text in samples for line in text.splitlines()]
    for mine, built_one in ((compiled.lines, parts[0]), (compiled.messages, parts[1])):
        assert [taken(mine, line) for line in lines] == [taken(built_one, line) for line in lines]


def test_what_was_not_built_is_compiled(compiled: Catalog) -> None:
    assert not built.FILE.exists()
    assert built.load(folder()) is None
    assert_same(Catalog.default.__wrapped__(Catalog).lines, compiled.lines)


def test_what_was_built_of_other_formats_is_not_used(compiled: Catalog, tmp_path: Path) -> None:
    for path in folder().glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    built.write(tmp_path, (compiled.lines, compiled.messages))
    parts = built.load(tmp_path)
    assert parts is not None
    assert {Path(one.path).parent for one in parts[0].formats} == {tmp_path}
    changed = tmp_path / "bind.log.toml"
    text = changed.read_text()
    changed.write_text(text + "\n")
    assert built.load(tmp_path) is None
    changed.write_text(text)
    assert built.load(tmp_path) is not None
    os.rename(changed, tmp_path / "other.toml")
    assert built.load(tmp_path) is None


def test_a_catalog_is_pickled_as_its_formats(compiled: Catalog) -> None:
    assert pickle.loads(pickle.dumps(Catalog.default())) is Catalog.default()
    assert b"Program" not in pickle.dumps(compiled)
