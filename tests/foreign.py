"""Logs of programs that nobody here wrote, as they really print, with the truth of every event.

A *program* prints events with a library (where that is on PyPI, the library itself writes) in one of
its forms.  An *envelope* is what a syslog daemon, the journal or a container runtime puts around the
lines.  ``logs`` draws several programs that write into one file, one event after the other.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import loguru
import structlog
from hypothesis import strategies as st

LEVELS = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}
LOWERED = {"CRITICAL": 17, "DEBUG": 9}
"""Of levels that a library does not have: those of the next one it has."""
CRIT = 18
"""What nginx calls crit."""
WORDS = frozenset(
    [
        "trace",
        "debug",
        "info",
        "information",
        "notice",
        "warn",
        "warning",
        "err",
        "error",
        "crit",
        "critical",
        "fatal",
        "emerg",
        "alert",
        "panic",
    ]
)
"""Words that say a level, and so are nobody's name."""


@dataclass(frozen=True)
class Event:
    """What a program was told to write: a time in UTC, a level, who writes, and a text."""

    time: datetime
    level: str
    name: str
    text: str


@dataclass(frozen=True)
class Line:
    """What it wrote of an event, and what of that can be read back.

    ``offset`` is where in the log it begins, ``precision`` that of the time as it is printed.
    ``graded`` says whether the format that it is of tells the level, ``named`` the logger.
    """

    event: Event
    offset: int
    text: str
    precision: timedelta
    graded: bool
    named: bool
    host: str | None
    program: str | None


Printer = Callable[[Event], str]


@dataclass(frozen=True)
class Form:
    """How a program prints, with so many digits of the second's fraction.

    ``graded`` and ``named`` say whether level and logger must be read.
    """

    title: str
    prints: Printer
    digits: int = 3
    graded: bool = True
    named: bool = True


# -- Python's own logging, with the format strings one finds --------------------------------------

STAMPS = ["%(asctime)s", "%(asctime)s.%(msecs)03d", "[%(asctime)s]", "%(asctime)s,%(msecs)03d"]
_NAMES = [
    "%(name)s",
    "[%(name)s]",
    "(%(threadName)-10s)",
    "%(process)d",
    "%(module)s:%(lineno)d",
    "",
]
_GRADES = ["%(levelname)s", "[%(levelname)s]", "%(levelname)-8s", "[%(levelname)-7s]"]
_GLUE = [" ", " - ", " | ", ": "]


@st.composite
def python_formats(draw: st.DrawFn) -> Form:
    """A format string of logging, at random but with its time first, as nearly all have it."""
    stamp, glue = draw(st.sampled_from(STAMPS)), draw(st.sampled_from(_GLUE))
    grade, name = draw(st.sampled_from(_GRADES)), draw(st.sampled_from(_NAMES))
    if glue == " " and stamp[0] != "[" and grade[0] != "[":
        # oslo.log may print "TIME LEVEL LOGGER TEXT": only a logger may stand there.
        name = "%(name)s:"
        middle = [grade, name]
    else:
        middle = [part for part in draw(st.permutations([grade, name])) if part]
    text = glue.join([stamp, *middle, "%(message)s"])
    # Formats that nobody has heard of may be only dated.
    return _python(text, False, False)


def _python(text: str, graded: bool, named: bool) -> Form:
    """How logging prints with a format string."""
    formatter = logging.Formatter(text, "%Y-%m-%d %H:%M:%S" if "msecs" in text else None)
    formatter.converter = lambda seconds: datetime.fromtimestamp(seconds or 0, UTC).timetuple()  # type: ignore[assignment]
    return Form(
        f"logging {text!r}", lambda event: formatter.format(record(event)), 3, graded, named
    )


def record(event: Event) -> logging.LogRecord:
    """The record that logging makes of an event."""
    made = logging.LogRecord(
        event.name, getattr(logging, event.level), "/srv/app.py", 12, event.text, (), None
    )
    made.created = event.time.timestamp()
    made.msecs = event.time.microsecond // 1000
    return made


# -- libraries from PyPI -------------------------------------------------------------------------


def by_loguru(event: Event) -> str:
    """What loguru prints without colors."""
    written: list[str] = []

    def told(made: loguru.Record) -> None:
        made["time"] = type(made["time"]).fromtimestamp(event.time.timestamp(), UTC)
        made["name"] = event.name

    logger = loguru.logger.patch(told)
    logger.remove()
    number = logger.add(written.append, colorize=False, level=0)
    logger.log(event.level, "{}", event.text)
    logger.remove(number)
    return "".join(written).rstrip("\n")


def by_structlog(renderer: Callable[..., str | bytes]) -> Printer:
    """What structlog prints through a renderer."""

    def prints(event: Event) -> str:
        told = {
            "timestamp": event.time.isoformat().replace("+00:00", "Z"),
            "level": event.level.lower(),
            "logger": event.name,
            "event": event.text,
        }
        made = renderer(None, event.level.lower(), told)
        return made if isinstance(made, str) else made.decode()

    return prints


# -- what other languages' libraries print, after their documentation --------------------------------


def _utc(event: Event, digits: int, letter: str = "T") -> str:
    text = event.time.strftime(f"%Y-%m-%d{letter}%H:%M:%S.%f")
    return text[: len(text) - 6 + digits] if digits else text[:-7]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def hclog(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(event.level, event.level)
    return f"{_utc(event, 3)}Z {f'[{level}]':<7} {event.name}: {event.text}"


def slog(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(event.level, event.level)
    return f"time={_utc(event, 3)}Z level={level} msg={_quoted(event.text)} logger={event.name}"


def slog_json(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(event.level, event.level)
    return json.dumps({"time": f"{_utc(event, 6)}Z", "level": level, "msg": event.text})


def logrus(event: Event) -> str:
    level = {"CRITICAL": "fatal"}.get(event.level, event.level.lower())
    return f'time="{_utc(event, 0)}Z" level={level} msg={_quoted(event.text)} module={event.name}'


def zap_console(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(event.level, event.level)
    return f"{_utc(event, 3)}Z\t{level}\t{event.name}\t{event.text}"


def zap_json(event: Event) -> str:
    level = {"WARNING": "warn", "CRITICAL": "fatal"}.get(event.level, event.level.lower())
    told = {"level": level, "ts": event.time.timestamp(), "logger": event.name, "msg": event.text}
    return json.dumps(told)


def log4j(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(event.level, event.level)
    return f"{_utc(event, 3, ' ').replace('.', ',')} {level:<5} [main] {event.name}: {event.text}"


def tracing(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(event.level, event.level)
    return f"{_utc(event, 6)}Z {level:>5} {event.name}: {event.text}"


def tracing_json(event: Event) -> str:
    level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(event.level, event.level)
    return json.dumps({"timestamp": f"{_utc(event, 6)}Z", "level": level, "fields": {"message": event.text},
                       "target": event.name})  # fmt: skip


def bunyan(event: Event) -> str:
    level = {"DEBUG": 20, "INFO": 30, "WARNING": 40, "ERROR": 50, "CRITICAL": 60}[event.level]
    return json.dumps({"name": event.name, "hostname": "ctl1", "pid": 12, "level": level, "msg": event.text,
                       "time": f"{_utc(event, 3)}Z", "v": 0})  # fmt: skip


def zerolog(event: Event) -> str:
    level = {"WARNING": "warn", "CRITICAL": "fatal"}.get(event.level, event.level.lower())
    return json.dumps({"level": level, "time": int(event.time.timestamp()), "message": event.text})


def klog(event: Event) -> str:
    letter = {"DEBUG": "I", "CRITICAL": "F"}.get(event.level, event.level[0])
    return f"{letter}{event.time:%m%d %H:%M:%S.%f}      12 app.go:7] {event.text}"


def containerd(event: Event) -> str:
    level = {"CRITICAL": "fatal"}.get(event.level, event.level.lower())
    return f'time="{_utc(event, 6)}000Z" level={level} msg={_quoted(event.text)} runtime=runc'


def nginx(event: Event) -> str:
    level = {"WARNING": "warn", "CRITICAL": "crit"}.get(event.level, event.level.lower())
    return f"{event.time:%Y/%m/%d %H:%M:%S} [{level}] 12#12: *1 {event.text}"


def go_log(event: Event) -> str:
    return f"{event.time:%Y/%m/%d %H:%M:%S} {event.text}"


FORMS = [
    *(
        _python(f"%(asctime)s{text}%(message)s", True, "name" in text.replace("levelname", ""))
        for text in (
            " - %(name)s - %(levelname)s - ",
            " - %(levelname)s - ",
            " - %(levelname)s: ",
            " [%(levelname)s] %(name)s: ",
            " %(levelname)-8s %(name)s: ",
            " %(name)s [%(levelname)s] ",
            " [%(levelname)s] ",
            " | %(levelname)-8s | ",
            " | %(name)s | %(levelname)s | ",
            ": %(levelname)s: ",
            " [%(process)d] [%(levelname)s] ",
            ".%(msecs)03d - %(levelname)s - ",
        )
    ),
    Form("loguru", by_loguru),
    Form("structlog JSON", by_structlog(structlog.processors.JSONRenderer()), 6),
    Form("structlog logfmt", by_structlog(structlog.processors.LogfmtRenderer()), 6),
    Form("hclog", hclog),
    Form("slog", slog),
    Form("slog JSON", slog_json, 6, named=False),
    Form("logrus", logrus, 0, named=False),
    Form("zap console", zap_console),
    Form("zap JSON", zap_json, 6),
    Form("log4j", log4j),
    Form("tracing", tracing, 6),
    Form("tracing JSON", tracing_json, 6),
    Form("bunyan", bunyan),
    Form("zerolog", zerolog, 0, named=False),
    Form("klog", klog, 6, named=False),
    Form("containerd", containerd, 6, named=False),
    Form("nginx", nginx, 0, named=False),
    Form("Go's log", go_log, 0, graded=False, named=False),
]

# -- envelopes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Envelope:
    """What stands around a line; ``carries`` says whether host and program are in it."""

    title: str
    wraps: Callable[[str, Event, str, str], str]
    carries: bool


def _days(event: Event) -> str:
    return f"{event.time:%b} {event.time.day:>2} {event.time:%H:%M:%S}"


def _docker(line: str, event: Event, host: str, program: str) -> str:
    return json.dumps({"log": f"{line}\n", "stream": "stderr", "time": f"{_utc(event, 6)}Z"})


def _journal(line: str, event: Event, host: str, program: str) -> str:
    moment = str(int(event.time.timestamp()) * 1_000_000 + event.time.microsecond)
    return json.dumps({"__REALTIME_TIMESTAMP": moment, "_HOSTNAME": host, "SYSLOG_IDENTIFIER": program,
                       "_PID": "42", "MESSAGE": line})  # fmt: skip


ENVELOPES = [
    Envelope("none", lambda line, event, host, program: line, False),
    Envelope("syslog", lambda line, event, host, program: f"{_days(event)} {host} {program}[42]: {line}", True),
    Envelope("rsyslog", lambda line, event, host, program: f"{_utc(event, 6)}+00:00 {host} {program}[42]: {line}", True),
    Envelope("CRI", lambda line, event, host, program: f"{_utc(event, 6)}000Z stderr F {line}", False),
    Envelope("Docker", _docker, False),
    Envelope("journalctl -o json", _journal, True),
    Envelope("compose", lambda line, event, host, program: f"{program}  | {line}", False),
]  # fmt: skip

# -- drawing -----------------------------------------------------------------------------------------

NAMES = st.sampled_from(["billing.jobs", "agent.http", "core.raft", "store", "app.db.pool", "api"])
TEXTS = st.sampled_from(
    ["the job failed", "took 3 s", "they say ERROR nova.api of it", "disk is full: warning", "a || b",
     "state=up level=info", "GET /v1/kv/x", "see [instance: x] there", "no host was found: try again",
     "a (b) [c] {d}", "üñí", "100 %", "Traceback of a parcel", "is INFO", "http://192.0.2.1:5000/v3",
     'said "no" \\ twice', "level=info msg=x", "tab\there"]
)  # fmt: skip
"""None begins with a level word: behind a time without a level that is one."""


@st.composite
def events(draw: st.DrawFn, time: datetime) -> Event:
    """An event at a time."""
    return Event(time, draw(st.sampled_from(sorted(LEVELS))), draw(NAMES), draw(TEXTS))


@st.composite
def logs(draw: st.DrawFn, most: int) -> tuple[bytes, list[Line]]:
    """A log of one to three programs in one envelope, of at most so many events, and what it holds."""
    envelope = draw(st.sampled_from(ENVELOPES))
    # Where others write, too, a line that is only dated may be part of theirs.
    known = st.sampled_from(FORMS)
    printers = known if most > 1 else st.one_of(known, python_formats())
    forms = draw(st.lists(printers, min_size=1, max_size=min(most, 3)))
    time = datetime(2026, 3, 10, 10, tzinfo=UTC)
    data, lines = b"", list[Line]()
    for _ in range(draw(st.integers(1, most))):
        number = draw(st.integers(0, len(forms) - 1))
        form = forms[number]
        time += timedelta(milliseconds=draw(st.sampled_from([0, 1, 500, 1000, 2000, 3_600_000])))
        event = draw(events(time))
        host, program = ("ctl1", f"app-{number}") if envelope.carries else (None, None)
        line = envelope.wraps(form.prints(event), event, "ctl1", f"app-{number}")
        precision = timedelta(microseconds=10 ** (6 - form.digits))
        lines.append(
            Line(event, len(data), line, precision, form.graded, form.named, host, program)
        )
        data += f"{line}\n".encode()
    return data, lines
