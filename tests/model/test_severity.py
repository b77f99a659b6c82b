"""Severities: a word has one number everywhere, and CRITICAL means both of its kinds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import opslog as library
from helpers import ROOT, opslog, records
from opslog import F
from opslog.model import severity
from opslog.model.severity import CLASS_OF, CLASSES, VOCABULARIES, WORDS
from opslog.scanner import catalog

APPENDIX_B = {
    "trace": 1, "debug": 5, "info": 9, "information": 9, "notice": 10, "warning": 13, "warn": 13,
    "error": 17, "severe": 17, "crit": 18, "dpanic": 18, "alert": 19, "panic": 19, "emerg": 21,
    "emergency": 21, "fatal": 21, "critical": 21,
}  # fmt: skip
"""https://opentelemetry.io/docs/specs/otel/logs/data-model-appendix/; .NET's and ETW's critical."""


def test_words_have_the_numbers_of_opentelemetry() -> None:
    assert {word: WORDS[word] for word in APPENDIX_B} == APPENDIX_B
    assert {word: severity.number(word.upper()) for word in WORDS} == WORDS


@pytest.mark.parametrize("name", VOCABULARIES)
def test_a_word_has_one_number_whoever_prints_it(name: str) -> None:
    for word, number in VOCABULARIES[name].items():
        if word.lower() in WORDS and (name, word) != ("apache", "trace"):
            assert number == WORDS[word.lower()], word
        assert 1 <= number <= 24


def test_the_words_of_shipped_formats_have_their_numbers_too() -> None:
    for one in catalog.shipped():
        for word, number in severity.vocabulary(one.severity).items():
            if word.lower() in WORDS and (one.name, word) != ("landscape.server", "CRIT"):
                assert number == WORDS[word.lower()], (one.name, word)


def test_the_kernel_reads_syslogs_numbers_as_the_table_says() -> None:
    for digit, number in VOCABULARIES["syslog"].items():
        [record] = records(f"<{8 + int(digit)}>1 2024-05-06T07:08:09Z h app 1 - - hello\n")
        assert record["severity_number"] == number


def test_classes_are_opentelemetrys_ranges_but_for_critical() -> None:
    found = {number: CLASSES[CLASS_OF[number]] for number in range(26)}
    assert found[0] == found[25] == "unknown"
    for first, name in ((1, "trace"), (5, "debug"), (9, "info"), (13, "warning")):
        assert {found[number] for number in range(first, first + 4)} == {name}
    assert found[17] == "error"
    assert {found[number] for number in range(18, 25)} == {"critical"}


LINES = """\
2024-05-06 07:08:09.123456+00:00 [critical] <0.229.0> rabbitmq critical
2024/05/06 07:08:10 [crit] 4711#0: *1 nginx crit
<9>1 2024-05-06T07:08:11Z h app 1 - - syslog alert
2024-05-06 07:08:12.123 1 CRITICAL nova.x [-] oslo critical
2024-05-06 07:08:13.123 1 ERROR nova.x [-] oslo error
2024-05-06 07:08:14.123 1 WARNING nova.x [-] oslo warning
"""


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "a.log"
    path.write_text(LINES)
    return str(path)


def numbers(*arguments: str) -> list[int]:
    out = opslog("filter", *arguments).stdout
    return [json.loads(line)["severity_number"] for line in out.splitlines()]


def test_critical_means_both_everywhere(log: str) -> None:
    assert numbers(log) == [21, 18, 19, 21, 17, 13]
    assert numbers("--severity", "CRITICAL", log) == [21, 18, 19, 21]
    assert numbers("--severity", "critical", log) == [21, 18, 19, 21]
    assert numbers("--severity", "FATAL", log) == [21, 21]
    assert numbers("--where", "severity >= CRITICAL", log) == [21, 18, 19, 21]
    assert numbers("-v", "--severity", "CRITICAL", log) == [17, 13]
    found = json.loads(opslog("stats", "--json", log).stdout)
    assert found["severities"] == {"warning": 1, "error": 1, "critical": 4}
    # A priority of syslog has no word to be colored.
    shown = opslog("filter", "--to", "text", "--color", "always", log).stdout.decode()
    assert [line.count("\x1b[1;31m") for line in shown.splitlines()] == [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (F.severity >= "CRITICAL", [21, 18, 19, 21]),
        (F.severity > "CRITICAL", []),
        (F.severity < "CRITICAL", [17, 13]),
        (F.severity <= "CRITICAL", [21, 18, 19, 21, 17, 13]),
        (F.severity == "CRITICAL", [21, 18, 19, 21]),
        (F.severity != "CRITICAL", [17, 13]),
        (F.severity.isin(["CRITICAL", "WARNING"]), [21, 18, 19, 21, 13]),
        (F.severity.between("ERROR", "CRITICAL"), [17]),
        (F.severity == "crit", [18]),
        (F.severity == "FATAL", [21, 21]),
        (F.severity == 21, [21, 21]),
        (F.severity > 18, [21, 19, 21]),
    ],
    ids=str,
)
def test_comparisons_with_critical_agree_with_each_other(
    condition: object, kept: list[int], log: str
) -> None:
    table = library.read(log).filter(condition).to_table(["severity_number"])
    assert table["severity_number"].to_pylist() == kept


def test_level_numbers_stand_in_one_place() -> None:
    """Whoever compares a level with a number has a table of their own."""
    for path in (ROOT / "src" / "opslog").rglob("*.py"):
        if path.name != "severity.py":
            text = path.read_text()
            for sign in (">=", "<=", ">", "<", "=="):
                for number in (9, 13, 17, 18, 21):
                    assert f"severity {sign} {number}" not in text, path
                    assert f"severity_number {sign} {number}" not in text, path
