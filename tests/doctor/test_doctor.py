"""The doctor: what is said of a file, and what the command makes of it."""

from __future__ import annotations

import gzip
import json
import os
import typing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers import on_terminal, opslog
from opslog.doctor import FileReport, examine
from opslog.doctor.advice import oslo_settings
from opslog.language.percent import OPTION_NAMES
from opslog.model.errors import OpslogError

HEAD = "2026-03-10 11:00:%02d.%03d 2412 INFO nova.api [req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61 u1 p1 - - -] hello\n"
DEFAULT = "2026-03-10 11:00:00.112 2412 INFO nova.api [-] hello\n"
ZED = DEFAULT.replace("[-]", "[None req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61 u1 p1 - - - -]")


def report(tmp_path: Path, text: str | bytes, changed: str = "", **options: Any) -> FileReport:
    """Examine a file of these bytes, changed at that time."""
    path = tmp_path / "x.log"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    if changed:
        moment = datetime.fromisoformat(changed).timestamp()
        os.utime(path, (moment, moment))
    [found] = examine(path, **options)
    return found


def settings(found: FileReport) -> list[str]:
    """Return the names of the options that are advised."""
    return [line.partition(" = ")[0] for one in found.advice for line in one.settings]


# -- what was recognised ---------------------------------------------------------------


def test_formats_are_told_with_the_envelopes_around_them(tmp_path: Path) -> None:
    inner = DEFAULT.strip()
    text = (
        f"2026-03-10T10:00:00.2Z stdout F {inner}\n"
        f"Mar 10 10:00:00 ctl1 kubelet[1]: 2026-03-10T10:00:00.2Z stdout F {inner}\n"
        "Mar 10 10:00:00 ctl1 foo[1]: free text\n"
    )
    found = report(tmp_path, text)
    assert {(one.format, one.envelopes, one.records, one.lines) for one in found.formats} == {
        ("oslo.text", ("container.cri",), 1, 1),
        ("oslo.text", ("syslog.rfc3164", "container.cri"), 1, 1),
        ("syslog.rfc3164", (), 1, 1),
    }
    assert (found.recognised, found.lines, found.records) == (1.0, 3, 3)


def test_lines_nobody_recognises_are_counted_and_shown(tmp_path: Path) -> None:
    found = report(tmp_path, "what\x1b[2J\n" * 3 + "is\nthis\n" + DEFAULT * 5, examples=4)
    assert (found.recognised, found.unrecognised.lines, found.unrecognised.share) == (0.5, 5, 0.5)
    shown = [(one.offset, one.text) for one in found.unrecognised.examples]
    assert shown == [(0, "what\x1b[2J"), (9, "what\x1b[2J"), (18, "what\x1b[2J"), (27, "is")]


def test_lines_of_which_only_a_time_is_read_are_told_apart(tmp_path: Path) -> None:
    found = report(tmp_path, "2026-03-10 11:00:00 something odd\n")
    assert (found.recognised, found.dated.lines) == (0.0, 1)
    assert found.dated.examples[0].text == "2026-03-10 11:00:00 something odd"


def test_joined_lines_that_begin_with_a_time_are_suspected(tmp_path: Path) -> None:
    trace = "2026-03-10 11:00:00.112 2412 ERROR nova.api   File '10:00:00'\n"
    other = "10/Mar/2026 11:00:01 | broker | up\n"
    found = report(tmp_path, DEFAULT + trace + "more, at 10:00:00\n" + other + DEFAULT)
    assert (found.joined.lines, found.recognised) == (1, 1.0)
    assert [one.text for one in found.joined.examples] == [other.strip()]


def test_threads_and_blocks_do_not_change_what_is_said(tmp_path: Path) -> None:
    text = "".join(HEAD % (n // 2000 % 60, n % 1000) for n in range(90_000)) + "noise\n"
    one, two = (report(tmp_path, text, threads=threads) for threads in (1, 2))
    assert one == two
    assert (one.records, one.lines, len(one.formats)) == (90_000, 90_001, 1)


# -- files that are no logs ------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status", "problem"),
    [
        (b"", "empty", None),
        (b"\0\0" * 4000 + DEFAULT.encode(), "read", None),
        (b"abc\0def", "binary", "binary data; through a pipe it is read as text: `cat PATH | opslog ...`"),
        (b"LPKSHHRH\0\0", "binary", "a journal of systemd: read `journalctl -o json --file PATH`"),
        (DEFAULT.encode("utf-16"), "read", None),
        (gzip.compress(b"", mtime=0), "empty", None),
        (
            gzip.compress(DEFAULT.encode() * 9, mtime=0)[:-9],
            "damaged",
            "the gzip data ends too early; the lines before that were read",
        ),
        (gzip.compress(b"", mtime=0)[:4], "unreadable", "the gzip data ends too early; the lines before that were read"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(
    data: bytes, status: str, problem: str | None, tmp_path: Path
) -> None:
    found = report(tmp_path, data)
    assert (found.status, found.problem) == (status, problem)


def test_a_missing_file_is_reported_and_the_next_one_read(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(DEFAULT)
    found = list(examine(tmp_path / "none.log", tmp_path / "a.log"))
    assert [one.status for one in found] == ["unreadable", "read"]
    assert (found[0].problem or "").startswith("No such file or directory")


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.log").write_text(DEFAULT)
    found = list(examine(tmp_path / "pipe", tmp_path / "a.log"))
    assert [(one.status, one.problem) for one in found] == [
        ("unreadable", "is a named pipe, no regular file"),
        ("read", None),
    ]


def test_a_pipe_of_the_shell_is_read() -> None:
    out, into = os.pipe()
    os.write(into, DEFAULT.encode())
    os.close(into)
    assert [one.status for one in examine(f"/dev/fd/{out}")] == ["read"]
    os.close(out)


def test_a_last_line_without_an_end_is_said(tmp_path: Path) -> None:
    assert report(tmp_path, DEFAULT.strip()).cut
    assert not report(tmp_path, DEFAULT).cut


# -- times -----------------------------------------------------------------------------


def test_the_last_change_of_a_file_tells_the_zone(tmp_path: Path) -> None:
    found = report(tmp_path, DEFAULT, "2026-03-10T08:00:02Z").times.guess
    assert found is not None
    assert (found.zone, found.offset, found.certainty) == ("+03:00", "+03:00", "likely")
    assert found.option == f"--timezone {tmp_path}/x.log=+03:00"
    found = report(
        tmp_path, DEFAULT, "2026-03-10T05:15:30Z", host_zone="Asia/Kathmandu"
    ).times.guess
    assert found is not None
    assert (found.zone, found.offset, found.certainty) == ("Asia/Kathmandu", "+05:45", "possible")


@pytest.mark.parametrize("changed", ["2026-03-10T08:10:00Z", "2026-03-12T08:00:02Z", "2026-03-10T10:59:58Z"])  # fmt: skip
def test_another_change_tells_nothing(changed: str, tmp_path: Path) -> None:
    assert report(tmp_path, DEFAULT, changed).times.guess is None


def test_an_envelope_with_an_offset_tells_the_zone_of_the_time_inside(tmp_path: Path) -> None:
    wrapped = "2026-03-10T09:30:00.113+01:00 stdout F " + DEFAULT
    found = report(tmp_path, wrapped * 3, "2026-03-10T08:00:02Z").times.guess
    assert found is not None
    assert (found.zone, found.certainty) == ("+02:30", "certain")
    assert found.reason == "3 of 3 compared with their envelopes"
    assert report(tmp_path, wrapped * 2).times.guess.certainty == "likely"


def test_a_zone_that_is_stated_already_needs_no_option(tmp_path: Path) -> None:
    found = report(tmp_path, DEFAULT, "2026-03-10T10:00:02Z", timezone="Europe/Berlin").times.guess
    assert found is not None
    assert (found.zone, found.option) == ("Europe/Berlin", None)
    assert report(tmp_path, DEFAULT, "2026-03-10T11:00:02Z").times.guess.option is None


def test_times_with_an_offset_need_no_zone(tmp_path: Path) -> None:
    times = report(tmp_path, DEFAULT.replace(".112", ".112+01:00"), "2026-03-10T10:00:02Z").times
    assert (times.local, times.missing, times.guess) == (0, 0, None)
    assert times.first == times.last == datetime(2026, 3, 10, 10, 0, 0, 112000, UTC)


def test_years_that_were_taken_are_told_with_their_source(tmp_path: Path) -> None:
    text = "Dec 31 10:00:00 ctl1 foo[1]: x\nJan  2 10:00:00 ctl1 foo[1]: x\n"
    years = report(tmp_path, text, "2025-01-03T00:00:00Z").times.years
    assert years is not None
    assert (years.records, years.first, years.last, years.source) == (2, 2024, 2025, "last change")
    years = report(tmp_path, text, year=2020).times.years
    assert years is not None
    assert (years.first, years.last, years.source) == (2020, 2020, "--year")
    assert report(tmp_path, DEFAULT).times.years is None


def test_gaps_are_those_far_longer_than_usual(tmp_path: Path) -> None:
    def line(minute: int) -> str:
        return (
            f"2026-03-10 {minute // 60:02}:{minute % 60:02}:00.112 2412 INFO nova.api [-] hello\n"
        )

    busy = [line(minute) for minute in (*range(100), *range(140, 200))]
    [gap] = report(tmp_path, "".join(busy)).gaps
    assert (gap.begin.minute, gap.end.minute, gap.seconds) == (39, 20, 41 * 60)
    # Nothing unusual: a record every quarter of an hour; or too few to tell.
    assert report(tmp_path, "".join(map(line, range(0, 1200, 15)))).gaps == ()
    assert report(tmp_path, line(0) + line(700)).gaps == ()


# -- losses ----------------------------------------------------------------------------


def test_messages_that_say_that_others_were_dropped_are_counted(tmp_path: Path) -> None:
    text = (
        "2026-03-10T10:00:07.1Z|00012|poll_loop|INFO|Dropped 34 log messages in last 4 seconds\n"
        "2026-03-10T10:00:07.1Z|00013|poll_loop|INFO|Dropped 6 log messages in last 4 seconds\n"
        + DEFAULT.replace("hello", "Logging rate limit: drop after 10 records/1 sec")
        + "Mar 10 10:00:00 c systemd-journald[1]: Suppressed 7 messages from nova-api.service\n"
        "Mar 10 10:00:00 c rsyslogd[1]: imuxsock lost 5 messages from pid 7 due to rate-limiting\n"
    )
    losses = report(tmp_path, text).losses
    assert [(one.what, one.messages, one.dropped) for one in losses] == [
        ("Open vSwitch", 2, 40),
        ("oslo.log", 1, None),
        ("rsyslog", 1, 5),
        ("systemd-journald", 1, 7),
    ]


def test_incomplete_records_are_counted(tmp_path: Path) -> None:
    trace = "2026-03-10 11:00:00.112 2412 ERROR nova.api Traceback (most recent call last):\n"
    assert report(tmp_path, trace).incomplete == {"head": 1}
    assert report(tmp_path, b"x" * (3 << 20)).incomplete == {"line": 2}


def test_what_is_advised_for_oslo_log_are_its_own_defaults() -> None:
    from oslo_log import _options

    defaults = {
        option.name: option.default
        for _, options in _options.list_opts()
        for option in options
        if option.name in OPTION_NAMES
    }
    for line in oslo_settings(name for name in OPTION_NAMES if name.startswith("logging_")):
        name, _, value = line.partition(" = ")
        assert value == defaults[name]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (ZED * 20, []),
        (DEFAULT * 20, []),
        (HEAD % (0, 1) * 20, ["logging_context_format_string"]),
        (HEAD % (0, 1) + ZED, []),
        (DEFAULT.replace("[-] ", "") * 20, ["logging_context_format_string"]),
        (
            DEFAULT.replace(".112", "") * 20,
            ["logging_context_format_string", "logging_default_format_string", "logging_exception_prefix"],
        ),
        (
            ZED.replace(" 2412", "") * 20,
            ["logging_context_format_string", "logging_default_format_string", "logging_exception_prefix"],
        ),
        ("(keystone.common.wsgi): 2026-04-27 06:25:32,122 INFO GET /v3\n", ["class"]),
        ("Mar 10 10:00:00 ctl1 foo[1]: x\n", ['module(load="builtin:omfile" Template="RSYSLOG_FileFormat")']),
        ("Mar 10 10:00:00 ctl1 nova-api[7]: " + ZED.replace(" 2412", ""), []),
        ("2026-03-10 10:00:00.000 UTC [1] LOG: x\n", []),
    ],
)  # fmt: skip
def test_a_configuration_that_loses_something_is_told(
    text: str, options: list[str], tmp_path: Path
) -> None:
    assert settings(report(tmp_path, text)) == options


# -- the command -----------------------------------------------------------------------


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three small files, one of them half unknown."""
    (tmp_path / "good.log").write_text(ZED.replace(".112", ".112Z") * 3)
    (tmp_path / "half.log").write_text("\x1b[31mred\n" + ZED.replace(".112", ".112Z"))
    (tmp_path / "none.log").write_text("")
    return tmp_path


TEXT = """\
recognised  lines  file        formats
    50.00%      2  ./half.log  oslo.text 50.00%
      100%      3  ./good.log  oslo.text 100%
         -      -  ./none.log  empty

./half.log
  unrecognised  1 line (50.00%)
                  @0 \\x1b[31mred
  shapes        what the lines look like that no format reads, most frequent first
                          1 x \\x1b[<*>

3 files, 5 lines, 80.00% recognised; 1 below 99.5%; 1 empty
"""


def test_the_text_has_the_worst_file_first_and_a_summary_last(logs: Path) -> None:
    result = opslog("doctor", ".", cwd=logs)
    assert result.stdout.decode() == TEXT
    assert (result.returncode, result.stderr) == (1, b"")


@pytest.mark.parametrize(("number", "told"), [(3, False), (4, True), (9, True)])
def test_many_files_without_findings_are_one_line(number: int, told: bool, logs: Path) -> None:
    names = [f"./g{n}.log" for n in range(number)]
    for name in names:
        (logs / name).write_text(ZED.replace(".112", ".112Z"))
        (logs / name.replace("g", "z")).touch()
    (logs / "good.log").unlink()
    (logs / "none.log").unlink()
    table, _, rest = opslog("doctor", ".", cwd=logs).stdout.decode().partition("\n\n")
    rows = table.splitlines()
    assert rows[1].split()[:3] == ["50.00%", "2", "./half.log"]
    assert rest.endswith(f"; {number} empty\n")
    if told:
        more = f" and {number - 5} more" if number > 5 else ""
        shown = ", ".join(names[:5])
        assert rows[2:] == [
            f"{number} files are read whole: {shown}{more}",
            f"{number} files are empty: {shown.replace('g', 'z')}{more}",
        ]
    else:
        assert [row.split()[2] for row in rows[2 : 2 + number]] == names
    full = opslog("doctor", "--full", ".", cwd=logs).stdout.decode()
    assert len(full.partition("\n\n")[0].splitlines()) == 2 + 2 * number


def test_where_all_is_well_there_is_no_table(logs: Path) -> None:
    for number in range(5):
        (logs / f"g{number}.log").write_text(ZED.replace(".112", ".112Z"))
    paths = [f"g{number}.log" for number in range(5)]
    result = opslog("doctor", *paths, cwd=logs)
    assert result.stdout.decode() == (
        f"5 files are read whole: {', '.join(paths)}\n\n5 files, 5 lines, 100% recognised\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.log"], 0),
        (["good.log", "none.log"], 0),
        (["half.log"], 1),
        (["half.log", "--min-recognised", "50"], 0),
        (["half.log", "missing.log"], 2),
        (["good.log", "--json", "missing.log"], 2),
        (["good.log", "--timezone", "Mars"], 2),
        (["good.log", "--threads", "0"], 2),
        (["good.log", "--min-recognised", "101"], 2),
        (["good.log", "--examples", "-1"], 2),
        (["good.log", "--json", "--full"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int, logs: Path) -> None:
    result = opslog("doctor", *arguments, cwd=logs)
    assert result.returncode == code
    assert b"Traceback" not in result.stderr


def test_json_is_one_object_a_file_with_the_documented_keys(logs: Path) -> None:
    result = opslog("doctor", "--json", ".", "missing.log", cwd=logs)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["path"], row["status"], row["recognised"]) for row in rows] == [
        ("./good.log", "read", 1),
        ("./half.log", "read", 0.5),
        ("./none.log", "empty", None),
        ("missing.log", "unreadable", None),
    ]
    for row in rows:
        assert list(row) == list(typing.get_type_hints(FileReport))
    assert rows[1]["unrecognised"] == {
        "lines": 1,
        "share": 0.5,
        "examples": [{"offset": 0, "text": "\x1b[31mred"}],
    }
    assert rows[0]["times"]["first"] == "2026-03-10T11:00:00.112Z"


def test_standard_input_is_examined(tmp_path: Path) -> None:
    result = opslog("doctor", "--full", stdin=DEFAULT.encode())
    assert result.stdout.decode() == (
        "recognised  lines  file  formats\n"
        "      100%      1  -     oslo.text 100%\n"
        "\n"
        "-\n"
        "  format        oslo.text: 1 record, 1 line, 100%\n"
        "  time          2026-03-10 11:00:00Z to 2026-03-10 11:00:00Z\n"
        "  zone          1 record without an offset, read as UTC\n"
        "\n"
        "times without an offset, read as UTC\n"
        "  -: nothing tells of which zone they are. If the clocks there show another, give "
        "--timezone ZONE.\n"
        "\n"
        "1 file, 1 line, 100% recognised\n"
    )


def test_a_terminal_is_colored_and_not_too_narrow(logs: Path) -> None:
    (logs / ("deep-" * 20 + ".log")).write_text(ZED * 3)
    (logs / "local.log").write_text(DEFAULT * 3)
    shown = on_terminal(80, "doctor", "--min-recognised", "0", str(logs))
    assert "\x1b[32m" in shown
    plain = on_terminal(80, "doctor", "--min-recognised", "0", str(logs), NO_COLOR="1")
    assert "\x1b" not in plain
    # A name is not broken, nor is what is to be copied.
    long = [line for line in plain.split("\n") if len(line) > 80]
    assert all(str(logs) in line for line in long)


def test_a_name_of_a_file_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\x1b[2J\xff.log")
    path.write_text(DEFAULT)
    moment = datetime(2026, 3, 10, 8, 0, 1, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    (tmp_path / "b.log").write_text(DEFAULT)
    result = opslog("doctor", "--full", ".", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"--timezone './a\\x1b" in result.stdout
    assert b"\x1b" not in result.stdout
    result = opslog("doctor", "--json", ".", cwd=tmp_path)
    assert json.loads(result.stdout.splitlines()[0])["path"] == "./a\x1b[2J?.log"


def test_formats_of_ones_own_are_used(logs: Path) -> None:
    (logs / "site.toml").write_text(
        'name = "site"\ntitle = "x"\n[[layouts]]\nlayout = "red {timestamp:iso}: {body:rest}"\n'
        '[[samples]]\nline = "red 2026-03-10 10:00:00Z: x"\nexpect.body = "x"\n'
    )
    line = b"red 2026-03-10 10:00:00Z: x\n"
    assert opslog("doctor", stdin=line).returncode == 1
    result = opslog("doctor", "--formats", "site.toml", stdin=line, cwd=logs)
    assert (result.returncode, b"site 100%" in result.stdout) == (0, True)


def test_examining_with_no_threads_is_an_error() -> None:
    with pytest.raises(OpslogError, match="threads: expected at least 1, found 0"):
        examine("-", threads=0)


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    done = opslog("doctor", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"opslog: no files in {tmp_path}\n"
