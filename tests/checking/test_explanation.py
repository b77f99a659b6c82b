"""What `opslog explain` says of lines, of all formats' samples and of any text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers import ROOT, opslog
from opslog.checking.explanation import Explainer, Explanation, Line
from opslog.checking.explanation_text import ExplanationText
from opslog.language.format import Format
from opslog.scanner.catalog import shipped

EXPLAINER = Explainer()
HEAD = "2026-03-10 10:00:00.000 7 INFO nova.api [-] "


def explained(text: str) -> Explanation:
    return EXPLAINER.explain(text.encode())


def line(text: str) -> Line:
    [only] = explained(text).lines
    return only


@pytest.mark.parametrize("one", shipped(), ids=lambda one: one.name)
def test_there_is_a_reason_for_each_line_of_the_samples(one: Format) -> None:
    for sample in one.samples:
        before = HEAD if one.applies_to == "message" else ""
        found = explained(before + sample.text)
        text = ExplanationText(False, 80).render(found)
        assert f"line {len(found.lines)}: " in text
        for told in found.lines:
            further = told.record is not None and not told.head
            assert told.layers or told.near or further or not told.text.strip(), told
        names = {layer.format for told in found.lines for layer in told.layers}
        if len(sample.text.split("\n")) == 1 and one.envelope is None and one.applies_to == "line":
            assert one.name in names or names == set()


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from([HEAD, "{", "\0", "\n"]))
@example("2026-03-10 10:00:00.000 7 INFO nova.api [-] \u202e\x1b[31mred")
def test_every_line_is_told_and_nothing_moves_the_terminal(text: str) -> None:
    data = text.encode()
    found = EXPLAINER.explain(data)
    lines = data.split(b"\n")
    assert len(found.lines) == len(lines) - (not lines[-1])
    for told in found.lines:
        for layer in told.layers:
            inside = layer.text.encode()
            assert all(
                inside[hole.begin : hole.end].decode("utf-8", "replace") == hole.text
                for hole in layer.holes
            )
    shown = ExplanationText(False, 80).render(found)
    assert not set(shown) & {"\x1b", "\r", "\b", "\u202e", "\0"}
    json.dumps(found.as_dict(), default=str)


def test_a_hole_tells_its_column_its_type_and_its_place() -> None:
    [layer] = line(HEAD + "Started").layers
    first, second = layer.holes[:2]
    assert (first.columns, first.text) == (("timestamp",), "2026-03-10 10:00:00.000")
    assert (second.columns, second.type, second.begin, second.end) == (
        ("process_pid",),
        "int",
        24,
        25,
    )
    assert any("Zed" in release for release in layer.printed_by)


def test_a_configuration_of_oslo_log_is_told_by_its_own_lines_only() -> None:
    old = "2013-10-01 10:00:00.000 7 INFO nova.api [req-00000000-0000-4000-8000-000000000001 u t] x"
    found = line(old).layers[0].printed_by
    assert found[0].startswith("Havana (2013)")
    assert not any("Zed" in one or "Grizzly" in one for one in found)


def test_an_envelope_and_a_message_are_layers_of_their_own() -> None:
    request = '10.0.0.1 "GET /v2.1/servers" status: 200 len: 12 microversion: 2.1 time: 0.1'
    found = line(f"Mar 10 10:00:00 ctl1 nova-api[7]: {HEAD}{request}")
    assert [(one.format, one.kind) for one in found.layers] == [
        ("syslog.rfc3164", "envelope"),
        ("oslo.text", "line"),
        ("http.requestlog", "message"),
    ]
    assert found.layers[1].text == HEAD + request


def test_values_of_json_are_where_they_stand() -> None:
    text = json.dumps({"log": f"{HEAD}one\n", "stream": "stderr", "time": "2026-03-10T10:00:00Z"})
    outer, inner = line(text).layers
    assert (outer.format, inner.text) == ("container.docker", f"{HEAD}one")
    assert '"stderr"'[1:-1] in {hole.text for hole in outer.holes}


def test_of_a_line_that_is_nearly_one_the_format_tells_where_it_stops() -> None:
    found = line("2026-03-10 10:00:00.000 7 ERRO nova.api [-] x")
    miss = next(one for one in found.near if one.format == "oslo.text")
    assert (miss.begin, "severity" in miss.expected) == (26, True)


def test_further_lines_name_their_record_and_columns_their_rule() -> None:
    found = explained(
        f"{HEAD}one\n2026-03-10 10:00:01.000 7 ERROR nova.api [-] two\n"
        "2026-03-10 10:00:01.000 7 ERROR nova.api Traceback (most recent call last):\n"
        "2026-03-10 10:00:01.000 7 ERROR nova.api ValueError: no\n"
    )
    assert [(one.record, one.head) for one in found.lines] == [
        (1, True), (2, True), (2, False), (2, False),
    ]  # fmt: skip
    second = found.records[1]
    assert second["exception_type"].rule.startswith("computed: ")
    assert second["process_pid"].rule == "{process_pid:int} of oslo.text, byte 24 of the line"


def command(*arguments: str, given: str = "") -> tuple[int, Any]:
    done = opslog("explain", *arguments, stdin=given.encode())
    return done.returncode, done


def test_the_command_reads_a_pipe_and_ends_as_grep_does() -> None:
    code, done = command("--json", given=f"{HEAD}one\n")
    assert (code, json.loads(done.stdout)["lines"][0]["layers"][0]["format"]) == (0, "oslo.text")
    assert command("Hello there")[0] == 1


def test_the_name_of_a_file_is_no_line() -> None:
    name = str(ROOT / "README.md")
    code, done = command(name)
    assert (code, f"head -n 1 {name} | opslog explain" in str(done.stderr)) == (2, True)
