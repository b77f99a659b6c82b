"""Every format file: read as it says, and taking nothing from another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers import table
from opslog.checking.check import check
from opslog.checking.sample_reader import SampleReader
from opslog.engine.normalizer import Normalizer
from opslog.language.format import Format
from opslog.language.format_file import from_dict, load
from opslog.model.errors import FormatError, LayoutError, SampleError
from opslog.outputs.jsonl import to_json_lines
from opslog.scanner import catalog
from opslog.scanner.catalog import Catalog

SHIPPED = [pytest.param(one, id=one.name) for one in catalog.shipped()]


@pytest.mark.parametrize("one", SHIPPED)
def test_a_shipped_format_reads_its_samples(one: Format) -> None:
    check(one)


@pytest.mark.parametrize("one", SHIPPED)
def test_no_other_format_takes_its_samples(one: Format) -> None:
    alone, among_all = SampleReader(one), SampleReader(one)
    among_all.catalog = Catalog.default()
    for sample in one.samples:
        assert among_all.records(sample.text) == alone.records(sample.text)
        formats = [expect.get("format", alone.format) or None for expect in sample.expect]
        assert [row["format"] for row in among_all.records(sample.text)] == formats
        if not alone.message:
            line = sample.text.split("\n")[0]
            assert one.name in [name for name, _ in among_all.layers(line)]


@pytest.mark.parametrize("one", SHIPPED)
def test_its_near_misses_are_not_of_it_among_all_formats_either(one: Format) -> None:
    among_all = SampleReader(one)
    among_all.catalog = Catalog.default()
    for line in one.rejects:
        if among_all.message:
            assert not among_all.takes(line)
        else:
            assert one.name not in [name for name, _ in among_all.layers(line)]
            assert one.name not in [row["format"] for row in among_all.records(line)]


@pytest.mark.parametrize("one", SHIPPED)
def test_every_envelope_has_near_misses_and_says_all_values_of_its_samples(one: Format) -> None:
    if one.envelope is None:
        return
    assert one.rejects
    reader = SampleReader(one)
    for sample in one.samples:
        for record, expect in zip(reader.records(sample.text), sample.expect, strict=True):
            filled = {name for name, value in record.items() if value is not None}
            assert filled - set(expect) <= {"format", "source", "source_offset", "trace_id"}


@pytest.mark.parametrize("one", SHIPPED)
def test_samples_stand_behind_all_else(one: Format) -> None:
    assert load(Path(one.path), samples=False) == replace(one, samples=(), rejects=())


def test_a_later_format_of_the_same_name_replaces_the_first() -> None:
    own = from_dict(
        {"name": "oslo.json", "title": "mine", "layouts": [{"layout": "{timestamp:iso} | {body:rest}"}]}, "own"
    )  # fmt: skip
    both = Catalog.of([*catalog.shipped(), own])
    assert [f.title for f in both.lines.formats if f.name == "oslo.json"] == ["mine"]


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("", "name", "expected a text, found nothing"),
        ("name = 'x'\ntitle = 'x'", "layouts", "expected [[layouts]], [[oslo]], [json] or [pairs]"),
        ("name = 'x'\ntitle = 'x'\nnonsense = 1", "layouts", ""),
        ("name = 'x'\ntitle = 'x'\nseverity = 'y'", "severity", "expected one of oslo, syslog, ovs,"),
        ("name = 'x'\ntitle = 'x'\nseverity.'w 4' = 'ERROR'", "severity.w 4", "expected 1 to 16 ASCII characters"),
        ("name = 'x'\ntitle = 'x'\nseverity.w = 'LOUD'", "severity.w", "expected a severity"),
        ("name = 'x'\ntitle = 'x'\nseverity.w = 25", "severity.w", "expected a severity"),
        ("name = 'x'\ntitle = 'x'\nseverity = {}", "severity", "expected at least one word"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{a'", "layouts[0].layout", "expected '}' to close"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayuot = 'a'", "layouts[0].layuot", "unknown key"),
        ("name = 'x'\ntitle = 'x'\n[[oslo]]\nrelease = 'x'\nlogging_context_format_string = '%(message)r'",
         "oslo", "prints a quoted form"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{trace_id=y} {body:rest}'", "layouts[0].layout",
         "trace_id is filled by opslog itself"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{process_pid:milliseconds} ms'", "layouts[0].layout",
         "process_pid is a column of numbers: expected the type int or int?, found milliseconds"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{waited:milliseconds} ms'", "layouts[0].layout",
         "milliseconds are kept in seconds, found waited"),
        ("name = 'x'\ntitle = 'x'\nlevel = 'LOUD'\n[[layouts]]\nlayout = '{body:rest}'", "level", "expected a severity"),
        ("name = 'x'\ntitle = 'x'\napplies_to = 'message'\n[[details]]\nlayout = '-u {a:int}'", "details", "expected in formats of lines only"),
        ("name = 'x'\ntitle = 'x'\n[[details]]\nlayout = '{body:rest}'", "details[0].layout", "filled by [[layouts]] only"),
        ("name = 'x'\ntitle = 'x'\n[[tails]]\nlayout = ' {a:int}'", "tails", "expected in message formats only"),
        ("name = 'x'\ntitle = 'x'\nforemost = true\n[[layouts]]\nlayout = '{body:rest}'", "foremost", "expected in message formats only"),
        ("name = 'x'\ntitle = 'x'\nzone = 'CET'", "zone", "expected 'local' or 'utc', found 'CET'"),
        ("name = 'x'\ntitle = 'x'\n[json]\niso = 't'\n[json.columns]\nhost_name = 'b'\n[json.constants]\nhost_name = 'x'",
         "json.constants.host_name", "is a key of columns, too"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{severity} {body:rest}'\nseverity = 'loud'",
         "layouts[0].severity", "expected one of oslo, syslog, ovs,"),
        ("name = 'x'\ntitle = 'x'\n[json]\nepoch_us = ['']\ncolumns = {}", "json.epoch_us", "expected a key or a list of keys, found ['']"),
        ("name = 'x'\ntitle = 'x'\n[json]\niso = 't'\ncolumns.body = []", "json.columns.body", "expected a key or a list of keys, found none"),
        ("name = 'x'\ntitle = 'x'\n[json]\niso = 't'", "json.columns", "expected a table, [json.columns], found nothing"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{a:id<9}'", "layouts[0].layout", "id cannot be filled up with blanks: expected one of int,"),
        ("name = 'x'\ntitle = 'x'\n[pairs]\ncolumns.body = 'msg'", "pairs.epoch", "expected epoch, iso or epoch_us"),
        ("name = 'x'\ntitle = 'x'\n[pairs]\niso = 't'\ncolumns = {}\n[json]\niso = 't'\ncolumns = {}", "pairs", "has [json] or [pairs], not both"),
        ("name = 'x'\ntitle = 'x'\napplies_to = 'message'\n[pairs]\niso = 't'\ncolumns = {}", "pairs", "expected in formats of lines only"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '[{timestamp:iso}] {service_name=y}{body:rest}'", "layouts[0].layout", "takes any text behind a time"),
        ("name = 'x'\ntitle = 'x'\n[[layouts]]\nlayout = '{timestamp:iso}{? <{severity}>} {:rest}'", "layouts[0].layout", "takes any text behind a time"),
        ("name = 'x'\ntitle = 'x'\n[envelope]\n[[layouts]]\nlayout = '{program:token}> {body:rest}'", "layouts[0].layout", "an envelope that begins with any text, and has no time"),
        ("name = ", "file", "Invalid value"),
    ],
)  # fmt: skip
def test_a_wrong_format_file_is_refused_where_it_is_wrong(
    text: str, key: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        load(path)
    assert (caught.value.path, caught.value.key) == (str(path), key)
    assert reason in caught.value.reason


OWN = {
    "name": "own", "title": "own",
    "layouts": [{"layout": "{timestamp:iso} <{severity}> {body:rest}"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "expected at least one [[samples]]"),
        (
            {"samples": [{"line": "2024-01-01T00:00:00Z <LOUD> x", "expect": {"body": "x"}}]},
            "expected format 'own', found None\n  2024-01-01T00:00:00Z <LOUD> x\n" + " " * 24 + "^",
        ),
        (
            {"samples": [{"line": "2024-01-01T00:00:00Z <INFO> x", "expect": {"body": "y"}}]},
            "expected body 'y', found 'x'",
        ),
        (
            {
                "samples": [{"line": "2024-01-01T00:00:00Z <INFO> x"}],
                "rejects": [{"line": "2024-01-01T00:00:00Z <INFO> y", "reason": "?"}],
            },
            "expected no layout to match, found one that does",
        ),
        (
            {
                "layouts": [*OWN["layouts"], {"layout": "{body:rest}"}],
                "samples": [{"line": "2024-01-01T00:00:00Z <INFO> x"}],
            },
            "no sample reaches this layout: {body:rest}",
        ),
    ],
)  # fmt: skip
def test_a_format_that_does_not_read_its_samples_is_refused(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises((FormatError, SampleError)) as caught:
        check(from_dict({**OWN, **changes}, "own.toml"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "layout",
    [{"layout": "{severity}! {body:rest}"}, {"regex": r"(?P<severity>\w+)! (?P<body>.*)"}],
    ids=["layout", "regex"],
)
def test_a_format_may_have_level_words_of_its_own(layout: dict[str, str]) -> None:
    words = {"warn": "WARNING", "warning": 14, "Oops": "ERROR"}
    samples = [{"line": "warn! x", "expect": {"severity_number": 13, "severity_text": "warn"}}]
    data = {**OWN, "layouts": [layout], "severity": words, "samples": samples}
    own = Catalog.of([from_dict(data, "own.toml")])
    check(own.lines.formats[0])
    for word, number in (
        ("warn", 13),
        ("warning", 14),
        ("Oops", 17),
        ("WARN", None),
        ("oops", None),
    ):
        [row] = table(f"{word}! x\n".encode(), catalog=own).to_pylist()
        assert (row["severity_number"], row["format"]) == (number, number and "own")


def test_layouts_that_share_too_many_beginnings_are_refused() -> None:
    texts = ["a" * count + "{body:int}" for count in range(120, 0, -1)]
    with pytest.raises(LayoutError, match="more than 64 beginnings shared by layouts"):
        Catalog.of([from_dict({**OWN, "layouts": [{"layout": text} for text in texts]}, "own")])


def test_layouts_with_too_many_optional_parts_are_refused() -> None:
    parts = "".join(f"{{?{{a{number}:int}} }}" for number in range(8))
    layouts = [{"layout": f"{number}{parts}{{body:rest}}"} for number in range(129)]
    with pytest.raises(LayoutError, match="more layouts than a catalog can hold"):
        Catalog.of([from_dict({**OWN, "layouts": layouts}, "own")])


def test_a_number_too_large_for_its_column_is_left_out_of_json_lines() -> None:
    json = {"required": ["took"], "epoch": "t", "columns": {"duration": "took"}}
    own = from_dict({"name": "own", "title": "own", "json": json}, "own")
    for digits, written in (("9" * 12, True), ("9" * 400, False)):
        data = f'{{"t": 1, "took": {digits}}}\n'.encode()
        [batch] = table(data, catalog=Catalog.of([own])).to_batches()
        assert (b"duration" in to_json_lines(batch)) == written


def test_a_layout_may_say_the_service() -> None:
    own = from_dict(
        {
            **OWN,
            "layouts": [{"layout": "{timestamp:iso} {service_name=shop}{logger:word} {body:rest}"}],
        },
        "own",
    )
    [row] = table(b"2024-01-01 00:00:00 nova.api text\n", catalog=Catalog.of([own])).to_pylist()
    assert (row["service_name"], row["logger"]) == ("shop", "nova.api")


def test_a_json_format_has_level_words_of_its_own() -> None:
    own = from_dict(
        {
            "name": "own",
            "title": "own",
            "severity": {"30": "WARNING", "LOUD": "ERROR", "error": "CRITICAL"},
            "json": {
                "required": ["msg"],
                "iso": "at",
                "columns": {"body": "msg", "severity_text": "lvl"},
            },
        },
        "own.toml",
    )
    reader = SampleReader(own)
    words = ["30", "loud", "error", "warn", "6", "quiet"]
    lines = [f'{{"at": "2026-03-10T10:00:00Z", "msg": "x", "lvl": "{word}"}}' for word in words]
    found = [record["severity_number"] for record in reader.records("\n".join(lines))]
    assert found == [13, 17, 21, 13, 9, None]


@pytest.mark.parametrize(
    ("keys", "line", "level"),
    [
        ({"json": {"iso": "t", "columns": {"body": "m"}}}, '{"t": "2026-03-10T10:00:00Z", "m": "x"}', 13),
        ({"json": {"iso": "t", "columns": {"severity_text": "l"}}}, '{"t": "2026-03-10T10:00:00Z"}', 13),
        ({"json": {"iso": "t", "columns": {"severity_text": "l"}}}, '{"t": "2026-03-10T10:00:00Z", "l": "ERROR"}', 17),
        ({"layouts": [{"layout": "{timestamp:iso}{? {severity}}: {body:rest}"}]}, "2026-03-10T10:00:00Z: x", 13),
        ({"layouts": [{"layout": "{timestamp:iso}{? {severity}}: {body:rest}"}]}, "2026-03-10T10:00:00Z INFO: x", 9),
        ({"layouts": [{"layout": "<{facility:pri}>{timestamp:iso} {body:rest}"}]}, "<11>2026-03-10T10:00:00Z x", 17),
        ({"layouts": [{"regex": "at (?:(?P<severity>[A-Z]+) )?(?P<body>.*)"}]}, "at x", 13),
        ({"layouts": [{"regex": "at (?:(?P<severity>[A-Z]+) )?(?P<body>.*)"}]}, "at INFO x", 9),
    ],
)  # fmt: skip
def test_the_level_of_a_format_is_that_of_lines_that_state_none(
    keys: dict[str, Any], line: str, level: int
) -> None:
    own = from_dict({"name": "own", "title": "own", "level": "WARNING", **keys}, "own")
    normalizer = Normalizer(catalog=Catalog.of([own]))
    [batch] = normalizer.feed(line.encode() + b"\n") + normalizer.close()
    assert batch["severity_number"].to_pylist() == [level]


def test_a_json_object_may_have_many_keys() -> None:
    columns = {f"a{n}": [f"k{n}", *(f"k{n}.{other}" for other in "abcd")] for n in range(64)}
    values = {name: name for name in columns}
    line = json.dumps({"t": "2026-03-10T10:00:00Z", **{f"k{n}": f"a{n}" for n in range(64)}})
    own = from_dict(
        {
            "name": "own",
            "title": "own",
            "json": {"iso": "t", "required": ["k0"], "columns": columns},
            "samples": [{"line": line, "expect": {"attributes": values}}],
        },
        "own",
    )
    check(own)
    normalizer = Normalizer(catalog=Catalog.beside_shipped([own]))
    [batch] = normalizer.feed(line.encode() + b"\n") + normalizer.close()
    assert dict(batch["attributes"].to_pylist()[0]) == values


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ({"json": {"iso": "t", "columns": {f"a{number}": "k" for number in range(65)}}},
         "json.columns", "expected at most 64 columns, found 65"),
        ({"layouts": [{"layout": f"{{timestamp:iso}} {number} {{service_name=s{number}}}{{body:rest}}"} for number in range(600)]},
         "layouts", "more constants than a catalog can hold"),
        ({"layouts": [{"layout": "{timestamp:iso}" + "{:int} " * 70}]}, "layouts[0]", "more than 64 parts"),
        ({"layouts": [{"layout": "{timestamp:iso} " + "{? {a:int}}" * 9}]}, "layouts[0].layout", "more than 8 optional parts"),
    ],
)  # fmt: skip
def test_a_format_that_is_too_large_is_refused(keys: dict[str, Any], key: str, reason: str) -> None:
    sample = {"line": "2026-03-10T10:00:00Z 1 x", "expect": {}}
    with pytest.raises(FormatError) as caught:
        check(from_dict({"name": "own", "title": "own", "samples": [sample], **keys}, "own"))
    assert (caught.value.key, caught.value.reason.split("\n")[0]) == (key, reason)


@pytest.mark.parametrize(
    ("keys", "layout"),
    [
        ({"catch_all": True}, "[{timestamp:iso}] {body:rest}"),
        ({}, "{timestamp:iso} {severity} {body:rest}"),
        ({}, "{timestamp:iso} | {body:rest}"),
        ({"envelope": {"weak": True}}, "{program:token}> {body:rest}"),
        ({"envelope": {"hollow": True}}, "{program:token}> {body:rest}"),
        ({"envelope": {}}, "{program:token} {timestamp:iso} | {body:rest}"),
        ({"envelope": {}}, "say {program:token} {body:rest}"),
    ],
)
def test_what_little_marks_is_a_format_if_it_says_so(keys: dict[str, Any], layout: str) -> None:
    one = from_dict({"name": "x", "title": "x", "layouts": [{"layout": layout}], **keys}, "x")
    assert [item.layout.text for item in one.layouts] == [layout]
