"""Text for people: aligned, escaped, colored only where it is wanted."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opslog as library
from helpers import ROOT, on_terminal, opslog

LOCAL = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
CAUSE = "req-11111111-24bf-4614-a8a6-e6a34f88e4ce"
LOG = f"""\
2024-01-01 00:00:00.999 7 INFO nova.api [-] started
2024-01-01 00:00:01 7 DEBUG nova.api [{LOCAL} u p] of its own
2024-01-01 00:00:02.5 7 WARNING nova.api [{CAUSE} {LOCAL} u p - - - -] caused
by another
service
2024-01-01 00:00:03.000 7 ERROR nova.api [{LOCAL} u p] failed
2024-01-01 00:00:03.000 7 ERROR nova.api Traceback (most recent call last):
2024-01-01 00:00:03.000 7 ERROR nova.api   File "x.py", line 1, in f
2024-01-01 00:00:03.000 7 ERROR nova.api     f()
2024-01-01 00:00:03.000 7 ERROR nova.api ValueError: two
2024-01-01 00:00:03.000 7 ERROR nova.api {""}
2024-01-01 00:00:03.000 7 ERROR nova.api lines
"""


def text(log: str | bytes, *arguments: str) -> str:
    data = log.encode() if isinstance(log, str) else log
    return opslog("filter", "--to", "text", *arguments, stdin=data).stdout.decode()


def test_a_record_is_a_line_and_a_traceback_its_last_one() -> None:
    assert text(LOG) == (
        "2024-01-01 00:00:00.999Z  INFO      nova  started\n"
        "2024-01-01 00:00:01.000Z  DEBUG     nova  req-7822cfee  of its own\n"
        "2024-01-01 00:00:02.005Z  WARNING   nova  req-11111111  caused\n"
        "    by another\n"
        "    service\n"
        "2024-01-01 00:00:03.000Z  ERROR     nova  req-7822cfee  failed\n"
        "    ValueError: two  (+5 lines)\n"
    )


def test_full_shows_tracebacks_and_request_ids_whole() -> None:
    assert text(LOG, "--full", "--severity", "ERROR") == (
        f"2024-01-01 00:00:03.000Z  ERROR     nova  {LOCAL}  failed\n"
        "    Traceback (most recent call last):\n"
        '      File "x.py", line 1, in f\n'
        "        f()\n"
        "    ValueError: two\n"
        "\n"
        "    lines\n"
    )


def test_what_nobody_recognises_stands_behind_a_question_mark() -> None:
    fake = "|2030-01-01 00:00:00.000Z  ERROR     nova          req-00000000  fake\n"
    assert text(f"noise\x1b[2J\n{fake}\n") == f"? noise\\x1b[2J\n? {fake}?\n"
    assert text("noise\n", "--color", "always") == "\x1b[2m?\x1b[0m noise\n"


def test_an_exception_that_ends_its_message_is_not_said_twice() -> None:
    for message, told in (("x", "x"), ("x\ny", "x\n    y")):
        lines = "".join(
            f"2024-01-01 00:00:00.000 7 ERROR nova.api {line}\n"
            for line in f"Traceback (most recent call last):\n  File\nE: {message}".split("\n")
        )
        log = f"2024-01-01 00:00:00.000 7 ERROR nova.api [-] failed: E: {message}\n{lines}"
        more = 2 + message.count("\n")
        assert text(log).split("nova  ")[1] == f"failed: E: {told}  (+{more} lines)\n"
        assert text(log, "--full").split("nova  ")[1].startswith(f"failed: E: {told}\n    Trace")


def test_the_exception_is_red_wherever_it_stands() -> None:
    head = "2024-01-01 00:00:00.000 7 ERROR nova.api "
    trace = f"{head}Traceback (most recent call last):\n{head}  File\n{head}E: x\n"
    for message, shown in (
        ("failed", "failed\n    \x1b[31mE: x\x1b[0m  \x1b[2m(+2 lines)\x1b[0m\n"),
        ("failed: E: x", "failed: \x1b[31mE: x\x1b[0m  \x1b[2m(+2 lines)\x1b[0m\n"),
    ):
        log = f"{head}[-] {message}\n{trace}"
        assert text(log, "--color", "always").endswith(f"  {shown}")
        assert text(log, "--color", "always", "--full").endswith("\n    \x1b[31mE: x\x1b[0m\n")


def test_the_column_of_programs_grows_with_them(tmp_path: Path) -> None:
    names = ("nova-api", "neutron-openvswitch-agent", "nova-api", "nova-" + 40 * "b", "nova-api")
    for number, name in enumerate(names):
        path = tmp_path / str(number) / f"{name}.log"
        path.parent.mkdir()
        path.write_text("2024-01-01 00:00:00.000 1 INFO x [-] hello\n")
    lines = opslog("filter", "--to", "text", str(tmp_path)).stdout.decode().splitlines()
    before = len("2024-01-01 00:00:00.000Z  INFO      " + "  ")
    assert [line.index("hello") - before for line in lines] == [8, 25, 25, 45, 26]


def test_hosts_are_told_from_the_second_on() -> None:
    lines = [("ctl1", "a"), ("ctl1", "b"), ("cmp1", "c"), ("ctl1", "d")]
    told = text("".join(f"2024-01-01T00:00:01Z {host} nova-api[7]: {x}\n" for host, x in lines))
    assert [line.split()[2:] for line in told.splitlines()] == [
        ["nova-api", "a"],
        ["nova-api", "b"],
        ["nova-api@cmp1", "c"],
        ["nova-api@ctl1", "d"],
    ]


def test_the_column_of_requests_is_there_from_the_first_on() -> None:
    none = "2024-01-01 00:00:04.000 7 INFO nova.api [-] none\n"
    assert text(none + LOG + none, "--full", "--severity", "INFO", "--grep", "none|failed") == (
        "2024-01-01 00:00:04.000Z  INFO      nova  none\n"
        + text(LOG, "--full", "--severity", "ERROR")
        + f"2024-01-01 00:00:04.000Z  INFO      nova  {' ' * len(LOCAL)}  none\n"
    )


def test_wide_characters_keep_the_columns_apart() -> None:
    wide, narrow = text(
        "".join(
            f'{{"message": "hello", "name": "x", "levelname": "{level}", "created": 1, '
            f'"context": {{"request_id": "{request}"}}}}\n'
            for level, request in (("情報", "日e\u0301"), ("INFO", "abc"))
        )
    ).splitlines()
    assert wide.replace("情報", "INFO").replace("日e\u0301", "abc") == narrow


def test_control_characters_are_written_out() -> None:
    numbers = [*range(10), *range(11, 32), *range(127, 160), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]  # fmt: skip
    log = "".join(
        json.dumps({"message": f"a{chr(n)}b", "levelname": "INFO", "name": "x", "created": 1})
        + "\n"
        for n in numbers
    )
    for number, line in zip(numbers, text(log).splitlines(), strict=True):
        written = f"\\x{number:02x}" if number < 128 else f"\\u{number:04x}"
        written = {9: "\\t", 13: "\\r"}.get(number, written)
        assert line.endswith(f"  a{written}b")


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=20))
def test_a_hostile_log_cannot_break_out_of_its_line(rows: list[tuple[str, str, str, str]], tmp_path_factory: pytest.TempPathFactory) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("hostile")
    log = "".join(
        json.dumps({"message": message, "levelname": level, "name": name, "created": 0,
                    "context": {"request_id": request}}) + "\n"
        for message, level, name, request in rows
    )  # fmt: skip
    (folder / "log").write_text(log)
    library.read(folder / "log").write(folder / "out.txt", "text")
    out = (folder / "out.txt").read_bytes().decode()
    for char in set(out) - {"\n"}:
        assert unicodedata.category(char) != "Cc"
        assert not "\u2028" <= char <= "\u202e"
        assert not "\u2066" <= char <= "\u2069"
    heads = re.findall(r"^1970-01-01 00:00:00\.000Z(?:  |$)", out, re.MULTILINE)
    assert len(heads) == len(rows)


def test_a_line_of_a_message_cannot_pass_for_a_record() -> None:
    fake = "2030-01-01 00:00:00.000Z  ERROR     nova          req-00000000  fake"
    line = json.dumps({"message": f"true\n{fake}", "levelname": "INFO", "name": "x", "created": 0})
    assert text(line).splitlines()[1] == f"    {fake}"


def test_text_does_not_depend_on_threads_or_blocks(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    for name in ("nova-compute", "neutron-dhcp-agent"):
        (folder / f"{name}.log").write_text(LOG * 12_000)
    out = []
    for threads in (1, 3):
        library.read(folder, threads=threads).write(tmp_path / "out.txt", "text")
        out.append((tmp_path / "out.txt").read_text())
    assert out[0] == out[1]
    assert out[0].count("\n    ValueError: two  (+5 lines)\n") == 24_000


def test_in_a_narrow_terminal_a_message_that_would_be_wrapped_stands_below() -> None:
    def shown(width: int, *arguments: str) -> str:
        return on_terminal(width, "filter", *arguments, stdin=LOG.encode())

    # The longest line, that of DEBUG, takes 66 columns.
    whole = text(LOG)
    for width in (66, 120, 200):
        assert shown(width, "--color", "never") == whole
    assert shown(65, "--color", "never") == whole.replace(
        "req-7822cfee  of its own", "req-7822cfee\n    of its own"
    )
    narrow = shown(65)
    assert re.sub(r"\x1b\[[0-9;]*m", "", narrow) == shown(65, "--color", "never")


@pytest.mark.parametrize(
    ("arguments", "variables", "colored"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": ""}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_a_terminal_gets_colored_text(
    arguments: list[str], variables: dict[str, str], colored: bool
) -> None:
    shown = on_terminal(
        0, "filter", "--severity", "ERROR", *arguments, stdin=LOG.encode(), **variables
    )
    assert ("\x1b[" in shown) == colored
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert plain == text(LOG, "--severity", "ERROR")


def test_a_pipe_gets_json_lines_and_colors_only_when_asked() -> None:
    assert opslog("filter", stdin=LOG.encode()).stdout.startswith(b'{"timestamp"')
    assert "\x1b" not in text(LOG)
    assert text(LOG, "--color", "always", "--severity", "ERROR").startswith(
        "\x1b[2m2024-01-01 00:00:03.000Z\x1b[0m  \x1b[31mERROR\x1b[0m     \x1b[36mnova\x1b[0m"
    )


def test_the_suffix_txt_means_text(tmp_path: Path) -> None:
    log = ROOT / "docs" / "examples" / "nova-compute.log"
    opslog("filter", "-o", str(tmp_path / "x.txt"), str(log))
    assert (tmp_path / "x.txt").read_text().startswith("2026-03-10 10:00:00.112Z  INFO  ")
