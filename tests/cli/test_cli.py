"""The command: exit codes, outputs, errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import opslog, wait_until_idle
from opslog import Normalizer

LINE = b"2024-01-01 00:00:00.000 1 INFO nova.api [-] hello\n"
COMMAND = [sys.executable, "-m", "opslog", "filter"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 0),
        (["--severity", "ERROR"], 1),
        (["--severity", "ERROR", "--exit-zero"], 0),
        (["--severity", "LOUD"], 2),
        (["--timezone", "Mars/Olympus"], 2),
        (["--to", "parquet"], 2),
        (["-o", "x.unknown"], 2),
        (["--threads", "-1"], 2),
    ],
)
def test_exit_codes_are_those_of_grep(arguments: list[str], code: int, tmp_path: Path) -> None:
    result = opslog("filter", *arguments, stdin=LINE, cwd=tmp_path)
    assert result.returncode == code
    assert (result.stderr != b"") == (code == 2)
    assert b"Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--severity", "WARNIN"],
            "opslog: --severity: expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) "
            "or 1-24, found 'WARNIN'; did you mean 'WARNING'?; `opslog filter --help` says more",
        ),
        (
            ["--timezone", "CEST"],
            "opslog: --timezone: expected a time zone: an IANA name such as Europe/Berlin, an offset "
            "such as +02:00, or UTC; found 'CEST'; `opslog filter --help` says more",
        ),
        (
            ["-o", "out.xml"],
            "opslog: out.xml: cannot tell the output format from this name: "
            "use a suffix .jsonl, .parquet, .arrow, .csv, .tsv or .txt, or --to",
        ),
        (
            ["--to", "parquet"],
            "opslog: -: Parquet is written at random places and needs a file: -o PATH",
        ),
        (["-o", "/no/such/folder/x.parquet"], "opslog: /no/such/folder/x.parquet: No such file or directory"),
        (["--severity", "war"],
         "opslog: --severity: expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) "
         "or 1-24, found 'war'; did you mean 'WARNING'?; `opslog filter --help` says more"),
        (["--severity", "LOUD"],
         "opslog: --severity: expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) "
         "or 1-24, found 'LOUD'; `opslog filter --help` says more"),
        (["--mask-key", "/no/key"], "opslog: --mask-key: /no/key: No such file or directory"),
        (["--formats", "/no/formats"],
         "opslog: --formats: /no/formats: expected a format file or a folder of them, found nothing"),
        (["--oslo-config", "/no/conf"],
         "opslog: --oslo-config: /no/conf: configuration: Failed to find some config files: /no/conf"),
    ],
)  # fmt: skip
def test_an_error_says_what_was_expected_and_what_to_do(arguments: list[str], message: str) -> None:
    assert opslog("filter", *arguments, stdin=LINE).stderr.decode() == message + "\n"


def test_the_name_of_a_file_that_is_not_there_may_be_guessed(tmp_path: Path) -> None:
    (tmp_path / "lake" / "service=nova").mkdir(parents=True)
    result = opslog("filter", "lake/service=nvoa/date=2026-03-10", "lake/*.nope", cwd=tmp_path)
    assert result.stderr.decode().splitlines() == [
        "opslog: lake/service=nvoa/date=2026-03-10: No such file or directory; "
        "did you mean 'lake/service=nova'?",
        "opslog: lake/*.nope: no file matches this pattern",
    ]


def test_a_trace_of_a_file_expects_an_id_before_it(tmp_path: Path) -> None:
    (tmp_path / "nova-api.log").write_bytes(LINE)
    result = opslog("trace", "nova-api.log", cwd=tmp_path)
    assert result.stderr.decode() == (
        "opslog: ID: expected an id, then the logs, found a file: 'nova-api.log'; "
        "`opslog trace --help` says more\n"
    )


@pytest.mark.parametrize("arguments", ["filter .", "filter -f .", "filter '*.jsonl'", "events ."])
def test_standard_output_among_the_files_of_a_folder_is_not_read(
    arguments: str, tmp_path: Path
) -> None:
    (tmp_path / "out.jsonl").write_bytes(LINE)
    result = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m opslog {arguments} >> out.jsonl"],
        cwd=tmp_path, stderr=subprocess.PIPE, timeout=30, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith(b"opslog: standard output: is also an input, ")
    assert (tmp_path / "out.jsonl").read_bytes() == LINE


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("out.parquet", "stopped; not written, because it would not be complete"),
        ("out.jsonl", "stopped; the 3 record(s) kept until then were written"),
    ],
)
def test_a_run_that_is_stopped_says_what_was_written(name: str, told: str, tmp_path: Path) -> None:
    command = subprocess.Popen(
        [*COMMAND, "-o", name], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdin
    assert command.stderr
    command.stdin.write(LINE * 3)
    command.stdin.flush()
    wait_until_idle(command)
    command.send_signal(signal.SIGTERM)
    assert command.stderr.read().decode() == f"opslog: {name}: {told}\n"
    assert command.wait(30) == 128 + signal.SIGTERM
    assert (tmp_path / name).exists() == (name == "out.jsonl")


_TABLES = "expected --to jsonl|parquet|arrow|csv|tsv, or leave it out"
_TEXT = "expected --to text, or leave it out"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--full"], f"--full: has no effect on jsonl: {_TEXT}"),
        (["--full", "-c"], f"--full: has no effect on count: {_TEXT}"),
        (["--full", "-o", "x.arrow"], f"--full: has no effect on arrow: {_TEXT}"),
        (["--color", "always"], f"--color always: has no effect on jsonl: {_TEXT}"),
        (["--names", "ecs", "--to", "text"], f"--names ecs: has no effect on text: {_TABLES}"),
        (["--names", "ecs", "-c"], f"--names ecs: has no effect on count: {_TABLES}"),
        (["--original", "-o", "x.txt"], f"--original: has no effect on text: {_TABLES}"),
        (["-i"], "-i: expected --grep beside it, found none; add a pattern, or leave it out"),
        (
            ["-v"],
            "-v: expected a condition beside it (--severity, --grep, ...), found none; "
            "add one, or leave it out",
        ),
        (
            ["--since", "2024-01-02", "--until", "2024-01-01"],
            "--until: expected a time after --since '2024-01-02', found '2024-01-01'",
        ),
        (
            ["--since", "1h", "--until", "2h"],
            "--until: expected a time after --since '1h', found '2h'",
        ),
    ],
)
def test_an_option_without_effect_is_an_error(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = opslog("filter", *arguments, stdin=LINE, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == f"opslog: {message}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["check", "learn"])
@pytest.mark.parametrize("flag", ["--formats", "--oslo-config"])
def test_chosen_formats_without_effect_are_an_error(flag: str, action: str) -> None:
    result = opslog("formats", flag, "/none", action, "/none")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == (
        f"opslog: {flag}: has no effect on formats {action}: expected only FILE, leave it out\n"
    )


def test_what_is_so_anyway_may_be_asked_for(tmp_path: Path) -> None:
    assert opslog("filter", "--color", "never", "--names", "opslog", stdin=LINE).returncode == 0
    assert opslog("filter", "-c", "-o", str(tmp_path / "count"), stdin=LINE).returncode == 0
    assert (tmp_path / "count").read_bytes() == b"1\n"
    assert opslog("filter", "-c", "--merge", stdin=LINE).stdout == b"1\n"


def test_the_suffix_decides_the_output_format(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.parquet", "a.arrow"):
        assert opslog("filter", "-o", str(tmp_path / name), stdin=LINE).returncode == 0
    assert (tmp_path / "a.jsonl").read_bytes().startswith(b'{"timestamp":"2024-01-01T')
    assert (tmp_path / "a.parquet").read_bytes()[:4] == b"PAR1"
    assert (
        opslog("filter", "--to", "arrow", stdin=LINE).stdout == (tmp_path / "a.arrow").read_bytes()
    )


def test_stats_add_up() -> None:
    text = (
        LINE * 3
        + b"\n"
        + b'{"message": "", "name": "x", "levelname": "INFO", "created": 1}\nnoise\n'
    )
    result = opslog("filter", "--stats", "--severity", "INFO", stdin=text)
    assert result.stderr.decode() == (
        "format          records  lines  bytes\n"
        "oslo.json             1      1     64\n"
        "oslo.text             3      4    151\n"
        "(unrecognised)        1      1      6\n"
        "total                 5      6    221\n"
        "kept                  4\n"
    )


def test_records_of_which_only_a_time_is_told_are_counted_as_dated() -> None:
    text = b"noise at 5\n2026-03-10 11:00:00 odd\nMar 10 11:00:00 odd\n" + LINE
    result = opslog("filter", "--stats", "--year", "2026", stdin=text)
    assert [line.split()[:3] for line in result.stderr.decode().splitlines()[1:5]] == [
        ["oslo.text", "1", "1"],
        ["syslog.untagged", "(dated)", "1"],
        ["text.stamped", "(dated)", "1"],
        ["(unrecognised)", "1", "1"],
    ]
    normalizer = Normalizer(year=2026)
    normalizer.feed(text)
    normalizer.close()
    stats = normalizer.stats
    assert (stats.recognised, stats.dated, stats.unrecognised) == (1, 2, 1)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdin
    assert command.stdout
    assert command.stderr
    command.stdout.close()
    try:
        command.stdin.write(LINE * 200_000)
        command.stdin.close()
    except BrokenPipeError:
        pass
    assert command.wait(30) == 0
    assert command.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_was_read_come_out(number: signal.Signals) -> None:
    command = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdin
    assert command.stdout
    assert command.stderr
    command.stdin.write(LINE * 3)
    command.stdin.flush()
    wait_until_idle(command)
    command.send_signal(number)
    assert command.stdout.read().count(b"\n") == 3
    assert command.wait(30) == 128 + number
    assert command.stderr.read() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error_that_says_how_far_the_output_is_valid() -> None:
    result = opslog("filter", "-o", "/dev/full", "--to", "jsonl", stdin=LINE)
    assert result.returncode == 2
    assert result.stderr.decode() == (
        "opslog: /dev/full: No space left on device; the first 0 bytes are written, "
        "up to the last newline they are valid\n"
    )


def test_parquet_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    target.write_bytes(b"before")
    result = opslog("filter", "-o", str(target), "--overwrite", "/no/such/file")
    assert result.returncode == 2
    assert target.read_bytes() == b"before"  # nothing could be read
    command = subprocess.Popen([*COMMAND, "-o", str(target), "--overwrite"], stdin=subprocess.PIPE)
    assert command.stdin
    command.stdin.write(LINE * 100_000)
    command.stdin.flush()
    time.sleep(1)
    assert target.read_bytes() == b"before"
    command.kill()
    command.wait()
    assert target.read_bytes() == b"before"


def test_what_a_run_does_not_need_is_not_imported() -> None:
    program = (
        "import sys; from opslog.cli import main; main(['filter']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program], input=LINE, capture_output=True)
    loaded = set(result.stderr.decode().split())
    assert "opslog.outputs.sinks" in loaded
    for module in ("tqdm", "shtab", "json", "unicodedata", "pandas", "pyarrow.compute",
                   "pyarrow.parquet", "backports.zstd", "oslo_log", "opslog.outputs.text"):  # fmt: skip
        assert module not in loaded


@pytest.mark.thorough
def test_a_named_pipe_that_nobody_reads_is_left_at_a_signal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out")
    (tmp_path / "a.log").write_bytes(LINE)
    command = [*COMMAND, "--to", "jsonl", "-o", str(tmp_path / "out"), str(tmp_path / "a.log")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        time.sleep(1)
        process.terminate()
        assert b"nobody has begun to read" in process.communicate(timeout=30)[1]
    assert process.returncode in (2, 128 + signal.SIGTERM)


def test_help_teaches_by_examples() -> None:
    text = opslog("filter", "--help").stdout.decode()
    assert "zcat nova-api.log.1.gz | opslog filter" in text
    assert opslog("--version").stdout.startswith(b"opslog ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["filter", "--severity"],
         "--severity: expected a value, found none; `opslog filter --help` says more"),
        (
            ["filter", "--\x1b[2J"],
            "expected an option of `opslog filter`, found '--\\x1b[2J'; "
            "`opslog filter --help` says more",
        ),
    ],
)  # fmt: skip
def test_a_wrong_command_is_an_error_of_one_line(arguments: list[str], message: str) -> None:
    result = opslog(*arguments)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == f"opslog: {message}\n"


@pytest.mark.parametrize(("redirected", "told"), [("2>&-", ["x"]), ("2>&- >&-", [])])
def test_a_closed_standard_error_is_not_told_among_the_data(
    redirected: str, told: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"2024-01-01 00:00:00.000 1 INFO a.b [-] x\n")
    command = f'"$0" -m opslog filter --stats --to jsonl "$1" "$1.none" {redirected}'
    result = subprocess.run(
        ["sh", "-c", command, sys.executable, str(log)], capture_output=True, check=False
    )
    assert result.returncode == 2
    assert [json.loads(line)["body"] for line in result.stdout.splitlines()] == told
