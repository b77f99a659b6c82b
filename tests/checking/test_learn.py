"""Formats learned from a configuration: what oslo.log prints with it is read back."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, event, given, note
from hypothesis import strategies as st
from oslo_context import context as oslo_context
from oslo_log import formatters

from helpers import ROOT, opslog, records, table
from opslog.checking.check import check
from opslog.checking.learn import learn
from opslog.checking.toml_text import to_toml
from opslog.language.format_file import from_dict, load
from opslog.model.errors import FormatError, OpslogError, OsloOptionError
from opslog.scanner.catalog import Catalog
from oslo_records import (
    expected_body,
    expected_exception,
    formatter,
    log_records,
    null,
    one,
    utc,  # noqa: F401
)

KEYS = {
    "%(process)d": ("process_pid", lambda r, c: r.process),
    "%(process)6d": ("process_pid", lambda r, c: r.process),
    "%(name)s": ("logger", lambda r, c: r.name),
    "%(name)-30s": ("logger", lambda r, c: r.name),
    "%(thread)d": ("thread_id", lambda r, c: r.thread),
    "%(threadName)s": ("thread_name", lambda r, c: r.threadName),
    "%(funcName)s": ("code_function", lambda r, c: r.funcName),
    "%(lineno)d": ("code_line", lambda r, c: r.lineno),
    "%(lineno)4d": ("code_line", lambda r, c: r.lineno),
    "%(pathname)s": ("code_file", lambda r, c: r.pathname),
    "%(module)s": ("module", lambda r, c: r.module),
    "%(request_id)s": ("request_id", lambda r, c: c and c.request_id),
    "%(global_request_id)s": ("global_request_id", lambda r, c: c and c.global_request_id),
    "%(user_name)s": ("user_name", lambda r, c: c and c.user_name),
    "%(project_id)s": ("project_id", lambda r, c: c and c.project_id),
    "%(user_identity)s": ("user_id", lambda r, c: c and c.user_id),
}
OF_CONTEXT = ("request_id", "global_request_id", "user_name", "project_id", "user_id")
TIMES = [
    "%(asctime)s",
    "%(asctime)-15s",
    "%(asctime)s.%(msecs)03d",
    "%(asctime)s,%(msecs)03d",
    "%(isotime)s",
]
LEVELS = [
    "%(levelname)s",
    "%(levelname)-8s",
    "%(levelname)8s",
    "100%% %(levelname)s",
    "%(color)s%(levelname)s",
]
SEPARATORS = st.sampled_from([" ", "  ", "] ", " [", ": ", " - ", "|", " (", ") "])
PREFIXES = [
    "%(asctime)s %(process)d EXC %(name)s|",
    "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s",
    "%(asctime)s ERROR [%(name)s] [%(process)d] ",
    "TRACE> ",
]  # fmt: skip
SUFFIXES = [
    "%(funcName)s %(pathname)s:%(lineno)d",
    "from %(funcName)s:%(lineno)d",
    "\x1b[00;33m(%(module)s)\x1b[00m",
    "",
]
IDENTITIES = ["%(user)s %(project)s %(domain)s", "u=%(user_id)s/%(project_id)s", "<%(user)s>"]
INSTANCES = ["[instance: %(uuid)s] ", "<%(uuid)s> ", "%(uuid)s: "]
DATES = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%d/%b/%Y:%H:%M:%S", "%y%m%d %H:%M:%S"]


@st.composite
def configurations(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    """Draw options: a context format, the default format without its context; and the keys used."""
    keys = draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=6, unique_by=lambda k: KEYS[k][0]))
    if any(KEYS[k][0] in OF_CONTEXT for k in keys):
        # Only the request id, which every context has, tells its lines from the others.
        keys = [k for k in keys if k != "%(request_id)s"]
        keys.insert(draw(st.integers(0, len(keys))), "%(request_id)s")
    text = plain_text = draw(st.sampled_from(["", "[", "<"]))
    for part in (draw(st.sampled_from(TIMES)), draw(st.sampled_from(LEVELS)), *keys):
        separator = draw(SEPARATORS)
        text += part + separator
        if part not in KEYS or KEYS[part][0] not in OF_CONTEXT:
            plain_text += part + separator
    instance = draw(st.sampled_from(["", "%(instance)s"]))
    tail = draw(st.sampled_from(["", "", " [%(filename)s]", " in %(processName)s"]))
    end = f"{instance}%(message)s{tail}"
    uuid = draw(st.sampled_from(INSTANCES))
    return {
        "logging_context_format_string": text + end,
        "logging_default_format_string": plain_text + end,
        "logging_exception_prefix": draw(st.sampled_from(PREFIXES)),
        "logging_debug_format_suffix": draw(st.sampled_from(SUFFIXES)),
        "logging_user_identity_format": draw(st.sampled_from(IDENTITIES)),
        "instance_format": uuid,
        "instance_uuid_format": uuid,
        "log_date_format": draw(st.sampled_from(DATES)),
    }, keys


def written(folder: Path, options: dict[str, str], name: str = "nova.conf") -> Path:
    path = folder / name
    lines = [f'{option} = "{value}"' for option, value in options.items()]
    path.write_text("\n".join(["[DEFAULT]", *lines, ""]))
    return path


@given(configuration=configurations(), pair=log_records())
def test_what_is_configured_is_read_back_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    configuration: tuple[dict[str, str], list[str]],
    pair: tuple[logging.LogRecord, oslo_context.RequestContext | None],
) -> None:
    options, keys = configuration
    record, context = pair
    try:
        data = learn([written(tmp_path_factory.getbasetemp(), options)])
    except OsloOptionError as refused:
        event(refused.reason.split("\n")[0][:60])
        return
    assert data is not None
    own = Catalog.of([from_dict(data, "own")])

    def taken(text: str) -> bool:
        return any(own.lines.program.probe(x.encode())[0] >= 0 for x in text.split("\n"))

    # A follow-on line, or a message behind the shorter format, may be a line of this format.
    line = formatter(options).format(record)
    note(repr(line))
    assume(not taken("\n".join(record.getMessage().split("\n")[1:])))
    assume(not any(c in record.getMessage() for c in "[<|"))
    assume(not record.exc_info or not taken(str(record.exc_info[1])))
    row = one(line, catalog=own)
    summary = formatters._get_error_summary(record)
    used = options[f"logging_{'context' if context is not None else 'default'}_format_string"]
    if summary and not used.endswith("%(message)s"):
        # oslo.log puts the summary behind the tail, so the tail ends nothing.
        assert row["body"].startswith(record.getMessage())
    else:
        assert row["body"].rstrip("\n") == expected_body(record).rstrip("\n")
    assert row["severity_text"] == record.levelname
    assert row["exception_type"] == expected_exception(record)["exception_type"]
    attributes = dict(row["attributes"] or [])
    for key in keys:
        column, get = KEYS[key]
        if key in used:
            found = row[column] if column in row else attributes.get(column)
            wanted = get(record, context)
            assert found == (null(wanted) if isinstance(wanted, str) else wanted), key
    if "%(instance)s" in used and hasattr(record, "instance_uuid"):
        assert row["resource_id"] == record.instance_uuid


DEFAULT = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s "


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"logging_context_format_string": DEFAULT + "[%(request_id)s %(user_identity)s] %(instance)s%(message)s"},
        # The traceback's prefix has a bracket of its own, just as the lines it follows.
        {
            "logging_context_format_string": DEFAULT + "[%(request_id)s] %(instance)s%(message)s",
            "logging_exception_prefix": "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s [%(request_id)s] %(instance)s",
        },
        {
            "logging_context_format_string": DEFAULT + "[%(request_id)s %(user_identity)s] %(message)s",
            "logging_exception_prefix": "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s [%(request_id)s %(user_identity)s] ",
        },
        # No bracket at all: a traceback's line looks like a head.
        {
            "logging_context_format_string": DEFAULT + "%(message)s",
            "logging_default_format_string": DEFAULT + "%(message)s",
        },
        {"logging_context_format_string": "%(isotime)s %(levelname)-8s [%(request_id)s] %(message)s"},
        {"logging_context_format_string": "%(asctime)s,%(msecs)03d %(process)6d %(levelname)-8s 100%% [%(request_id)s] %(message)s"},
        {"logging_context_format_string": DEFAULT + "[%(request_id)s %(tenant)s %(roles_text)s] %(message)s"},
        {"logging_context_format_string": DEFAULT + "[%(request_id)s] {%(user_name)s} %(message)s %(error_summary)s"},
        {"logging_context_format_string": "\x1b[01;36m" + DEFAULT + "[%(request_id)s%(color)s] %(message)s\x1b[00m"},
        {"logging_context_format_string": "%(asctime)s %(levelname)s %(name)s [%(request_id)s %(user_id)s %(tenant)s] %(instance)s%(message)s"},
        # The thread's name could be the number in a traceback's prefix.
        {"logging_default_format_string": "%(asctime)s %(threadName)s %(levelname)s %(name)s %(message)s: %(error_summary)s"},
        {"logging_default_format_string": "%(asctime)s %(module)s %(levelname)s %(name)s %(message)s"},
        {"logging_exception_prefix": ""},
        {"logging_exception_prefix": "%(asctime)s %(of_service)s| ", "logging_debug_format_suffix": "by %(of_service)s"},
        {"log_date_format": ""},
        {"logging_debug_format_suffix": ""},
        {"log_date_format": "%d/%b/%Y:%H:%M:%S %z"},
        {"log_date_format": "%b %d %H:%M:%S"},
        # A bracket without a key that stands in both tells neither from the other.
        {
            "logging_default_format_string": "%(asctime)s %(levelname)s [nova] %(name)s: %(message)s",
            "logging_context_format_string": "%(asctime)s %(levelname)s [nova] %(name)s: (%(request_id)s) %(message)s",
        },
        {
            "logging_default_format_string": "%(asctime)s %(levelname)s [nova] %(name)s [-] %(message)s",
            "logging_context_format_string": "%(asctime)s %(levelname)s [nova] %(name)s [%(user_name)s] %(message)s",
        },
    ],
)  # fmt: skip
def test_what_people_configure_is_learned(options: dict[str, str], tmp_path: Path) -> None:
    data = learn([written(tmp_path, options)])
    assert data is not None
    path = tmp_path / "nova.toml"
    path.write_text(to_toml(data))
    form = load(path)
    check(form)
    assert form.name == "nova"
    assert form.samples[-1].expect[0]["severity_text"] == "ERROR"
    assert ("exception_type" in form.samples[-1].expect[0]) == (
        options.get("logging_exception_prefix") != ""
    )


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("logging_context_format_string", "%(asctime)s %(message)r", "%(message)r prints a quoted form, use %(message)s"),
        ("logging_context_format_string", "%(asctime)s %(levelname).4s %(message)s", "%(levelname).4s cuts the text off, use %(levelname)s"),
        ("logging_context_format_string", "%(asctime)s %(process)x %(message)s", "%(process)x is not a form that can be read, use %(process)s or %(process)d"),
        ("logging_context_format_string", "%(asctime)s %(process)+d %(message)s", "%(process)+d prints signs, use %(process)d"),
        ("logging_context_format_string", "%(asctime)s %(levelname)-99999999999999999999s %(message)s", "%(levelname)-99999999999999999999s is wider than the 99 characters that can be read"),
        ("logging_context_format_string", "%(asctime)s %(process)0100d %(message)s", "%(process)0100d is wider than the 99 characters that can be read"),
        ("logging_context_format_string", "%(asctime)-40s %(message)s", "%(asctime)-40s fills up the time with blanks, use %(asctime)s"),
        ("logging_context_format_string", "%(asctime)s %(levelname)s", "expected %(message)s in it"),
        ("logging_context_format_string", "%(asctime)s %(message)s|", "what follows %(message)s must begin with a blank to be told from it"),
        ("logging_context_format_string", "%(asctime)s %y %(message)s", "unsupported format at '%y"),
        ("logging_context_format_string", DEFAULT + "[%(request_id)s %(roles)s] %(message)s", "a line it prints is not read back: expected "),
        ("logging_default_format_string", DEFAULT + "[%(request_id)s] %(message)s", "oslo.log cannot print a line with it (Formatting field not found in record: 'request_id')"),
        ("logging_default_format_string", DEFAULT + "[%(user)s] %(message)s", "Formatting field not found in record: 'user'"),
        ("logging_default_format_string", "%(name)s %(name)s %(message)s", "cannot be read back: 'logger' is captured twice"),
        ("logging_context_format_string", DEFAULT + "%(user_name)s %(project_name)s %(message)s", "a line it prints for a name with a blank is not read back: expected body 'Instance spawned', found 'demo project Instance spawned'"),
        ("logging_context_format_string", DEFAULT + "[%(request_id)s %(project_name)-8s] %(message)s", "a line it prints for a name with a blank is not read back: expected format 'nova', found None"),
        ("logging_exception_prefix", "%(asctime)s %(name)s", "a traceback it prints is not read back; oslo.config strips a blank at the end unless the value is in quotes: expected "),
        ("logging_exception_prefix", "%(asctime)s %(levelname)s %(threadName)s %(threadName)s ", "cannot be read back: 'thread_name' is captured twice"),
        ("logging_user_identity_format", "%(user)", "unsupported format at '%(user)'"),
        ("instance_uuid_format", "[%(name)s] ", "oslo.log cannot print a line with it ('name')"),
        ("log_date_format", "%H:%M:%S", "does not name month and day"),
        ("log_date_format", "%Y-%m-%d %X", "%X is not supported"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_back_is_refused_with_option_value_and_reason(
    option: str, value: str, reason: str, tmp_path: Path
) -> None:
    path = written(tmp_path, {option: value})
    result = opslog("formats", "learn", str(path))
    text = result.stderr.decode()
    assert result.returncode == 2
    assert result.stdout == b""
    assert "Traceback" not in text
    assert text.startswith(f"opslog: {path}: {option}: ")
    assert reason in text
    assert "change the option, or write a format for these lines" in text


BARE = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s - "


@pytest.mark.parametrize(
    ("context", "name", "identity"),
    [
        ("%(request_id)s %(user_name)s - %(message)s", "jane", {"user_name": "jane"}),
        ("%(request_id)s %(user_name)s - %(message)s", "jane doe", {"user_identity": "jane doe"}),
        ("(%(user_name)s) %(message)s", "jane doe", {"user_identity": "jane doe"}),
    ],
)
def test_names_with_blanks_are_told_from_the_message(
    context: str, name: str, identity: dict[str, str], tmp_path: Path
) -> None:
    options = {
        "logging_default_format_string": BARE + "%(message)s",
        "logging_context_format_string": BARE + context,
    }
    data = learn([written(tmp_path, options)])
    assert data is not None
    printed = {"request_id": "req-5f0f7c1e", "user_name": name, "message": "hello"}
    text = f"2026-03-10 10:00:00.112 INFO nova.api - {context % printed}\n"
    [row] = records(text, catalog=Catalog.of([from_dict(data, "own")]))
    assert row["body"] == "hello"
    assert row.get("request_id") == ("req-5f0f7c1e" if "request_id" in context else None)
    assert {**row, **row.get("attributes", {})}.items() >= identity.items()


def test_a_prefix_whose_blank_was_stripped_is_told_from_heads(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text(
        "[DEFAULT]\n"
        "logging_exception_prefix = [%(asctime)s] [ERROR] [%(name)s] \n"
        "logging_default_format_string = [%(asctime)s] [%(levelname)s] [%(name)s] %(message)s\n"
    )
    data = learn([path])
    assert data is not None
    start = "[2026-03-10 10:00:00] [{}] [nova.api]".format
    text = f"""\
{start("INFO")} started
{start("ERROR")} it failed
{start("ERROR")}Traceback (most recent call last):
{start("ERROR")}  File "x.py", line 1, in <module>
{start("ERROR")}ValueError: bad
{start("INFO")} stopped
"""
    found = records(text, catalog=Catalog.of([from_dict(data, "own")]))
    assert [row["body"] for row in found] == ["started", "it failed", "stopped"]
    assert [row.get("exception_type") for row in found] == [None, "ValueError", None]


def test_a_head_that_takes_words_leaves_tracebacks_their_numbers(tmp_path: Path) -> None:
    head = "%(asctime)s %(threadName)s %(levelname)s %(name)s %(message)s: %(error_summary)s"
    data = learn([written(tmp_path, {"logging_default_format_string": head})])
    assert data is not None
    time = "2026-03-10 10:00:00"
    text = f"""\
{time} MainThread INFO nova.api started: -
{time} MainThread ERROR nova.api it failed: ValueError: bad
{time}.123 2412 ERROR nova.api Traceback (most recent call last):
{time}.123 2412 ERROR nova.api   File "x.py", line 1, in <module>
{time}.123 2412 ERROR nova.api ValueError: bad
{time} 140213 INFO nova.api stopped: -
"""
    found = records(text, catalog=Catalog.of([from_dict(data, "own")]))
    bodies = ["started: -", "it failed: ValueError: bad", "stopped: -"]
    assert [row["body"] for row in found] == bodies
    assert [row.get("exception_type") for row in found] == [None, "ValueError", None]
    names = [row["attributes"]["thread_name"] for row in found]
    assert names == ["MainThread", "MainThread", "140213"]


def test_folders_of_files_are_read_as_the_service_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "nova.conf.d"
    folder.mkdir()
    written(folder, {"logging_debug_format_suffix": "<%(funcName)s>"}, "10-log.conf")
    data = learn([written(tmp_path, {"logging_debug_format_suffix": "first"}), folder])
    assert data is not None
    assert data["oslo"][0]["logging_debug_format_suffix"] == "<%(funcName)s>"


def test_later_files_win_and_options_refer_to_others(tmp_path: Path) -> None:
    first = written(
        tmp_path,
        {"log_date_format": "%Y/%m/%d %H:%M:%S", "logging_debug_format_suffix": "$log_date_format"},
    )
    second = tmp_path / "second.conf"
    second.write_text("[DEFAULT]\nlogging_debug_format_suffix = <%(funcName)s>\n")
    data = learn([first, second])
    assert data is not None
    assert data["name"] == "nova"
    assert {k: v for k, v in data["oslo"][0].items() if k != "release"} == {
        "logging_debug_format_suffix": "<%(funcName)s>", "log_date_format": "%Y/%m/%d %H:%M:%S",
    }  # fmt: skip


LOGGING = """\
[loggers]
keys = root
[handlers]
keys = {handlers}
[formatters]
keys = context, json, plain, other
[logger_root]
handlers = {handlers}
[handler_file]
class = FileHandler
formatter = context
[handler_stream]
class = StreamHandler
formatter = plain
[handler_json]
class = StreamHandler
formatter = json
[handler_other]
class = StreamHandler
formatter = other
[handler_none]
class = StreamHandler
[formatter_context]
class = oslo_log.formatters.ContextFormatter
datefmt = %Y-%m-%dT%H:%M:%S
[formatter_json]
class = oslo_log.formatters.JSONFormatter
[formatter_plain]
format = %(asctime)s %(levelname)s (%(threadName)s) %(name)s: %(message)s
[formatter_other]
class = pythonjsonlogger.Other
"""


def appended(folder: Path, handlers: str) -> Path:
    (folder / "logging.conf").write_text(LOGGING.format(handlers=handlers))
    return written(folder, {"log_config_append": str(folder / "logging.conf")})


def test_the_formatters_of_a_logging_configuration_are_learned(tmp_path: Path) -> None:
    data = learn([appended(tmp_path, "file, stream, json")])
    assert data is not None
    context, plain = data["oslo"]
    assert context["log_date_format"] == "%Y-%m-%dT%H:%M:%S"
    assert "logging_context_format_string" not in context
    assert plain["logging_context_format_string"].startswith("%(asctime)s %(levelname)s (")
    text = b"2026-03-10 10:00:00,123 ERROR (MainThread) nova.api: it failed\nTraceback (most recent call last):\n"
    [row] = table(text, catalog=Catalog.of([from_dict(data, "x")])).to_pylist()
    assert row["body"] == "it failed"
    assert row["exception_stacktrace"] == "Traceback (most recent call last):"
    assert dict(row["attributes"]) == {"thread_name": "MainThread"}


@pytest.mark.parametrize(
    ("handlers", "message"),
    [
        ("other", "logging.conf: formatter_other: its lines cannot be known: class Other, style %"),
        ("none", "logging.conf: format: prints the message alone, so that nothing tells its lines"),
        ("nobody", "logging.conf: file: is no configuration of logging: 'handler_nobody'"),
    ],
)
def test_a_logging_configuration_that_says_too_little_is_an_error(
    handlers: str, message: str, tmp_path: Path
) -> None:
    result = opslog("formats", "learn", str(appended(tmp_path, handlers)))
    assert result.returncode == 2
    assert message in result.stderr.decode()


def test_json_needs_no_learning(tmp_path: Path) -> None:
    path = written(tmp_path, {"use_json": "true"})
    assert learn([path]) is None
    assert learn([appended(tmp_path, "json")]) is None
    result = opslog("formats", "learn", str(path))
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"nothing to learn" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "Failed to find some config files"),
        ("[DEFAULT\n", "Failed to parse"),
        ("[DEFAULT]\nuse_json = perhaps\n", "use-json"),
        ("[DEFAULT]\nlogging_exception_prefix = $nothing\n", "nothing"),
        ("[DEFAULT]\nlog_config_append = /no/such/logging.conf\n", "log_config_append: /no/such/logging.conf: No such file or directory; put the file there"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_read_is_an_error(
    text: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "nova.conf"
    if text is not None:
        path.write_text(text)
    result = opslog("formats", "learn", str(path))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr.decode()
    assert result.stderr.decode().startswith(f"opslog: {path}")
    assert message in result.stderr.decode()
    with pytest.raises(FormatError):
        learn([path])


def test_a_filter_learns_on_the_fly(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"logging_default_format_string": "%(asctime)s|%(levelname)s|%(message)s"}
    )
    result = opslog("filter", "--oslo-config", str(path), stdin=b"2024-01-01 00:00:00|INFO|hello\n")
    assert b'"body":"hello","attributes"' in result.stdout or b'"format":"nova"' in result.stdout


def test_without_oslo_log_it_says_what_to_install(tmp_path: Path) -> None:
    code = """
        import sys
        sys.modules["oslo_log"] = None
        from opslog.cli import main
        sys.exit(main(["formats", "learn", "nova.conf"]))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False, cwd=ROOT
    )
    assert result.returncode == 2
    assert b"pip install 'opslog[learn]'" in result.stderr


def test_what_is_printed_is_a_format_file(tmp_path: Path) -> None:
    path = written(tmp_path, {"logging_debug_format_suffix": "from %(funcName)s"})
    result = opslog("formats", "learn", "--name", "site.nova", str(path))
    assert tomllib.loads(result.stdout.decode())["name"] == "site.nova"
    (tmp_path / "nova.toml").write_bytes(result.stdout)
    checked = opslog("formats", "check", str(tmp_path / "nova.toml"))
    assert checked.stdout.endswith(b": site.nova reads its 4 samples\n")


def test_what_is_learned_is_written_to_a_file_but_replaces_none(tmp_path: Path) -> None:
    path, target = written(tmp_path, {"logging_debug_format_suffix": "x"}), tmp_path / "nova.toml"
    arguments = ["formats", "learn", "-o", str(target), str(path)]
    assert opslog(*arguments).returncode == 0
    learned = target.read_bytes()
    assert learned == opslog("formats", "learn", str(path)).stdout
    target.write_bytes(learned + b"# mine\n")
    assert b"or insist with --overwrite" in opslog(*arguments).stderr
    assert target.read_bytes() == learned + b"# mine\n"
    assert opslog(*arguments, "--overwrite").returncode == 0
    assert target.read_bytes() == learned
    refused = opslog("formats", "learn", "--overwrite", "-o", str(path), str(path))
    assert b"is also an input" in refused.stderr


def test_nothing_is_learned_of_no_file() -> None:
    with pytest.raises(
        OpslogError, match="expected the configuration files of a service, found none"
    ):
        learn([])
