"""No command that reads logs prints a secret with --mask."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import opslog

SECRET = "Mf4tWq8zRn2k"
REQUEST = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
HEAD = "2026-03-10 10:00:0{}.112 2412 {} nova.api [{} - - - - -] "
LINES = [
    HEAD.format(0, "INFO", REQUEST)
    + f'10.0.0.1 "GET /v2.1/servers?token={SECRET} HTTP/1.1" status: 500  len: 1 time: 0.1',
    HEAD.format(1, "ERROR", REQUEST) + f"cannot log in to mysql://nova:{SECRET}@db/nova",
    HEAD.format(2, "ERROR", REQUEST) + "failed: nova.Error: {'X-Auth-Token': ['" + SECRET + "']}",
    HEAD.format(3, "ERROR", REQUEST).replace("[", "").partition(REQUEST)[0]
    + f"Traceback (most recent call last):\nnova.Error: password={SECRET}",
    f"no format knows http://u:{SECRET}@h/ this",
    HEAD.format(4, "INFO", REQUEST).replace("nova.api", "oslo.messaging.notification.compute.start")
    + '{"event_type": "compute.start", "message_id": "1", "timestamp": "2026-03-10 10:00:00", '
    '"publisher_id": "api.a", "priority": "INFO", "payload": {"adminPass": "' + SECRET + '"}}',
]


@pytest.mark.parametrize(
    "arguments",
    [
        ["filter", "--original", "--to", "jsonl"],
        ["filter", "--to", "text", "--full"],
        ["stats"],
        ["stats", "--json"],
        ["stats", "--prometheus"],
        ["trace", REQUEST],
        ["trace", REQUEST, "--json"],
        ["trace", REQUEST, "--html", "-"],
        ["trace", REQUEST, "--otlp", "-"],
        ["requests", "--to", "jsonl"],
        ["requests", "--to", "text"],
        ["resources", "--to", "jsonl"],
        ["doctor"],
        ["doctor", "--json"],
        ["events"],
        ["events", "--rows", "events"],
        ["events", "--rows", "pairs"],
        ["events", "--rows", "requests"],
        ["events", "--rows", "summary"],
    ],
    ids=" ".join,
)
def test_no_command_prints_a_secret(arguments: list[str], tmp_path: Path) -> None:
    log = tmp_path / "nova-api.log"
    log.write_text("\n".join(LINES) + "\n")
    for flags in (["--mask"], ["--mask-key", str(log)]):
        result = opslog(*arguments, *flags, str(log))
        assert result.returncode in (0, 1), result.stderr
        assert SECRET.encode() not in result.stdout + result.stderr
        assert bool(result.stdout) == bool(opslog(*arguments, str(log)).stdout)


@pytest.mark.parametrize("command", [["stats"], ["trace", REQUEST]], ids=" ".join)
def test_a_page_says_when_it_is_not_masked(command: list[str], tmp_path: Path) -> None:
    log, page = tmp_path / "nova-api.log", tmp_path / "page.html"
    log.write_text("\n".join(LINES) + "\n")
    for flags, said in ([[], True], [["--mask"], False]):
        opslog(*command, "--html", str(page), "--overwrite", *flags, str(log))
        text = page.read_text()
        assert ("Not masked" in text) == said
        assert said or SECRET not in text


UNKNOWN = [
    f"<<{n}>> zzz-unit host=compute-77 password={SECRET} ; took {n} ms" for n in range(20)
]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["filter", "--original", "--stats", "--metrics", "m.prom", "-o", "x.jsonl"],
        [
            "filter",
            "--original",
            "-o",
            "folder/",
            "--to",
            "jsonl",
            "--partition-by",
            "host,service",
        ],
        ["filter", "--original", "-o", "folder/", "--to", "jsonl", "--roll", "1KiB"],
        ["filter", "--merge", "--names", "ecs", "-o", "x.jsonl"],
        ["filter", "--dedup", "--rate-limit", "1/min", "--to", "text", "--full", "-o", "x.txt"],
        ["filter", "--with-requests", "--severity", "ERROR", "--root", "-o", "x.jsonl"],
        ["filter", "-f", "-n", "3", "-o", "x.jsonl", "--original"],
        ["trace", REQUEST, "--html", "page.html"],
        ["trace", REQUEST, "--otlp", "spans.json"],
        ["stats", "--every", "1m", "--html", "page.html"],
        ["events", "--rows", "events", "-o", "x.jsonl"],
        ["doctor", "--full", "--examples", "20"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("flag", ["--mask", "--mask=share"])
def test_no_file_that_is_written_holds_a_secret(
    arguments: list[str], flag: str, tmp_path: Path
) -> None:
    log, folder = tmp_path / "nova-api.log", tmp_path / "written"
    folder.mkdir()
    log.write_text("\n".join([*LINES, *UNKNOWN]) + "\n")
    result = opslog(*arguments, flag, str(log), cwd=folder)
    assert result.returncode in (0, 1), result.stderr
    written = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert bool(written) != (arguments[0] == "doctor")
    for name, data in {**written, "output": result.stdout, "errors": result.stderr}.items():
        assert SECRET.encode() not in data, name
        assert flag == "--mask" or b"compute-77" not in data, name
