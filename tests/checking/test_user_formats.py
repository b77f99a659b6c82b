"""Formats of users: where they are found, that they are checked, and the command about them."""

from __future__ import annotations

from pathlib import Path

import pytest

import opslog as library
from helpers import opslog
from opslog.checking.user_formats import user_formats
from opslog.model.errors import FormatError
from opslog.scanner.catalog import shipped, user_folder

AUDIT = """\
name = "site.audit"
title = "the site's own audit log"

[[layouts]]
layout = "{timestamp:iso} {severity} <{user_id:token}> {body:rest}"

[[samples]]
line = "2026-03-10T10:00:00Z WARNING <c0ffee> deleted 3 ports"
expect.user_id = "c0ffee"
expect.body = "deleted 3 ports"
"""
LINE = b"2026-03-10T10:00:01Z INFO <cafe> started\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "opslog" / "formats"
    folder.mkdir(parents=True)
    (folder / "audit.toml").write_text(AUDIT)
    return folder


def test_formats_in_the_users_folder_are_used_by_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert b'"format":"site.audit"' in opslog("filter", stdin=LINE).stdout
    assert user_folder() == folder
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    assert user_folder() == Path.home() / ".config" / "opslog" / "formats"


def test_formats_are_named_by_folder_or_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    assert b'"format":"site.audit"' not in opslog("filter", stdin=LINE).stdout
    for place in (folder, folder / "audit.toml"):
        result = opslog("filter", "--formats", str(place), stdin=LINE)
        assert b'"format":"site.audit"' in result.stdout


def test_the_library_uses_what_it_is_given(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(LINE)
    [record] = library.read(log, formats=[folder])
    assert (record.format, record.user_id) == ("site.audit", "cafe")
    [record] = library.read(log)
    assert record.format == "python.logging"


def test_a_format_of_the_same_name_replaces_the_shipped_one(folder: Path) -> None:
    (folder / "audit.toml").write_text(AUDIT.replace("site.audit", "oslo.text"))
    nova = b"2024-01-01 00:00:00.000 1 INFO nova.api [-] hello\n"
    result = opslog("filter", "--stats", stdin=LINE + nova)
    assert result.stderr.startswith(
        b"format          records  lines  bytes\n"
        b"oslo.text             1      1     41\n"
        b"python.logging        1      1     50\n"
    )


def test_of_several_formats_of_one_name_the_named_one_counts(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(AUDIT.replace("user_id", "user_name"))
    result = opslog("filter", "--formats", str(tmp_path / "mine.toml"), stdin=LINE)
    assert b'"user_name":"cafe"' in result.stdout


def test_a_format_of_ones_own_is_tried_before_the_shipped_ones(folder: Path) -> None:
    (folder / "audit.toml").write_text(
        'name = "mine"\ntitle = "mine"\n[[layouts]]\n'
        'layout = "{timestamp:iso} {process_pid:int} {severity} {logger:token} [-] {body:rest}"\n'
        '[[samples]]\nline = "2024-01-01 00:00:00.000 1 INFO nova.api [-] hello"\n'
    )
    result = opslog("filter", stdin=b"2024-01-01 00:00:00.000 1 INFO nova.api [-] hello\n")
    assert b'"format":"mine"' in result.stdout


WRONG = [
    (
        AUDIT.replace("<c0ffee>", "c0ffee"),
        "samples[0]: expected format 'site.audit', found None\n"
        "  2026-03-10T10:00:00Z WARNING c0ffee deleted 3 ports\n"
        "                              ^ matched up to here; expected severity "
        "(a word of the format's severity vocabulary), then ' <'\n",
    ),
    (
        AUDIT.replace('body = "', 'body = "have '),
        "samples[0]: expected body 'have deleted 3 ports', found 'deleted 3 ports'\n"
        "  2026-03-10T10:00:00Z WARNING <c0ffee> deleted 3 ports\n"
        "                                        ^ body\n",
    ),
    (
        AUDIT.replace("expect.body", "expect.bdoy"),
        "samples[0].expect.bdoy: expected the name of a column; "
        "values of other names are in expect.attributes\n",
    ),
    (
        AUDIT.replace(":token>", ":tocken>").replace(":token}", ":tocken}"),
        "layouts[0].layout: unknown type 'tocken'",
    ),
    (AUDIT.replace("[[samples]]", "[[sample]]"), "samples: expected at least one [[samples]]\n"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_format_of_ones_own_is_said_before_anything_is_read(
    text: str, message: str, folder: Path
) -> None:
    (folder / "audit.toml").write_text(text)
    if "[[sample]]" in text:
        message = "sample: unknown key"
    for arguments, code in ((["filter"], 2), (["formats", "check", str(folder / "audit.toml")], 1)):
        result = opslog(*arguments, stdin=LINE)
        assert result.returncode == code
        assert result.stdout == b""
        assert result.stderr.decode().startswith(f"opslog: {folder / 'audit.toml'}: {message}")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("none", "expected a format file or a folder of them, found nothing"),
        ("x" * 300, "expected a format file or a folder of them: File name too long"),
        ("\0", "expected a format file or a folder of them: embedded null byte"),
        (".", "expected format files, *.toml, in it, found none"),
        ("folders", "Is a directory"),
        ("latin1.txt", "expected text in UTF-8: byte 8 is of none"),
        ("broken.txt", "expected TOML, found Invalid value (at line 1, column 8)"),
    ],
)
def test_what_is_no_format_file_is_an_error(place: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "folders" / "x.toml").mkdir(parents=True)
    (tmp_path / "latin1.txt").write_bytes(b"name = '\xe9'")
    (tmp_path / "broken.txt").write_text("name = x")
    with pytest.raises(FormatError) as caught:
        user_formats([tmp_path / place])
    assert caught.value.reason == reason


def test_a_time_out_is_said_once(folder: Path) -> None:
    (folder / "slow.toml").write_text(
        "name = 'slow'\ntitle = 'slow'\n[[layouts]]\nregex = '(?P<body>(?:(?:a+)+)+)!'\n"
        "[[samples]]\nline = 'aaa!'\nexpect.body = 'aaa'\n"
    )
    result = opslog("filter", stdin=(b"a" * 3000 + b"\n") * 2)
    assert result.returncode == 0
    assert result.stderr.decode() == (
        "opslog: slow: a regex of this format ran out of time on 2 line(s), "
        "which count as lines it does not match\n"
    )


def test_the_formats_there_are_are_listed_with_their_place(folder: Path) -> None:
    lines = opslog("formats").stdout.decode().splitlines()
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines}
    assert list(rows) == sorted([*(one.name for one in shipped()), "site.audit"])
    assert rows["site.audit"] == [str(folder / "audit.toml"), "the site's own audit log"]
    assert rows["oslo.text"][0] == "shipped"


def test_a_format_is_shown_with_layouts_patterns_samples_and_columns(folder: Path) -> None:
    text = opslog("formats", "show", "site.audit").stdout.decode()
    assert text.startswith(
        "site.audit: the site's own audit log\n"
        f"file     {folder / 'audit.toml'}\n"
        "reads    lines\n"
        "columns  timestamp, severity_text, body, user_id\n"
        "\n"
        "layout\n"
        "  {timestamp:iso} {severity} <{user_id:token}> {body:rest}\n"
        "as a regex\n"
    )
    assert text.endswith(
        "sample\n"
        "  2026-03-10T10:00:00Z WARNING <c0ffee> deleted 3 ports\n"
        "    timestamp = '2026-03-10T10:00:00Z'\n"
        "    severity_number = 13\n"
        "    severity_text = 'WARNING'\n"
        "    body = 'deleted 3 ports'\n"
        "    user_id = 'c0ffee'\n"
    )


@pytest.mark.parametrize("name", ["oslo.text", "oslo.json", "http.wsgi"])
def test_every_kind_of_format_can_be_shown(name: str) -> None:
    result = opslog("formats", "show", name)
    assert result.stderr == b""
    assert result.stdout.decode().startswith(f"{name}: ")
    assert b"\x1b" not in result.stdout


def test_a_format_that_is_not_there_is_an_error() -> None:
    result = opslog("formats", "show", "nova")
    assert result.returncode == 2
    assert result.stderr.decode() == (
        "opslog: NAME: expected a format (`opslog formats` lists them), found 'nova'\n"
    )


def test_checking_says_what_is_right(folder: Path) -> None:
    path = folder / "audit.toml"
    result = opslog("formats", "check", str(path))
    assert (result.returncode, result.stdout.decode()) == (
        0, f"{path}: site.audit reads its 1 sample\n",
    )  # fmt: skip
    assert opslog("formats", "check", "/no/such/file").returncode == 2
