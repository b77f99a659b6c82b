"""What memory is limited to, as a page: each limit is read from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).parents[1] / "src" / "opslog"


class Limit(NamedTuple):
    """A limit: ``constants`` are ``module.NAME`` below opslog, the first is shown in ``unit``."""

    constants: tuple[str, ...]
    where: str
    unit: str
    beyond: str
    said: str


_STDERR = "standard error, at the end"
_PAGE = "the output itself"

LIMITS = (
    Limit(("inputs.archive.LONGEST_HEADER", "inputs.archive.LONGEST_NAME"), "tar archives",
          "bytes before a member, and 4,096 characters of its name",
          "the archive ends there; what has a longer name is not read", "an error"),
    Limit(("inputs.archive.DEEPEST",), "tar archives", "archives within each other",
          "one further in is not read", "an error"),
    Limit(("stages.rate_limit.MOST_KEYS",), "`--rate-limit`", "services (or what is named)",
          "the first is forgotten: it is limited anew", _STDERR),
    Limit(("stages.context.MOST_SOURCES",), "`-A`, `-B`, `-C`", "sources",
          "the first is forgotten: records around one may be missing", _STDERR),
    Limit(("stages.dedup.MOST_WINDOWS",), "`--dedup`", "messages",
          "the repeats of the first are told at once", _STDERR),
    Limit(("stages.dedup.MOST_BYTES",), "`--dedup`", "bytes of repeats", "likewise", _STDERR),
    Limit(("stages.identities._MOST",), "`--mask=share`", "names",
          "the older half is forgotten: texts may hold some", _STDERR),
    Limit(("stages.identities.MOST_COUNTED",), "`--mask=share`", "things of a kind, as counted",
          "more are replaced, but not counted", _STDERR + ": `or more`"),
    Limit(("correlate.graph.MOST",), "`--with-requests`, `--root`, `requests`, `trace`",
          "requests with a caller", "the one without news for longest is forgotten", _STDERR),
    Limit(("rows._values.MOST_KEPT",), "every command", "attributes of a record",
          "the others are left out", "the record itself: `attributes_left_out`"),
    Limit(("engine.stream.MOST_FORMATS",), "records that opslog wrote, `--stats`",
          "names of formats", "the others are counted as `opslog.record`", _STDERR),
    Limit(("trace.search.MOST",), "`trace`", "records of a story", "later ones are left out",
          _PAGE),
    Limit(("trace.neighbours.MOST",), "`trace` of an instance", "ports, and volumes",
          "the others are not looked for", _STDERR),
    Limit(("trace.quotes._MOST",), "`trace`", "exceptions looked for in others",
          "the later ones are not joined with those that repeat them", _STDERR),
    Limit(("trace.readings._MOST",), "`trace`, notes on an error", "records read again",
          "the last ones count", _STDERR),
    Limit(("doctor.shapes._MOST",), "`doctor`", "shapes of lines", "the rarer half is forgotten",
          _PAGE),
    Limit(("doctor.copies._MOST",), "`doctor`, records in two files", "texts of all files",
          "fewer of each file are compared", "nowhere: it is a sample"),
    Limit(("doctor.sample.MOST",), "`doctor`, records in two files", "texts of a sample",
          "fewer are compared", "nowhere: it is a sample"),
    Limit(("doctor.survey.MOST_GAPS", "doctor.file_findings._MOST_SHAPES"), "`doctor`",
          "gaps of a file, the longest, and 10 shapes, the most frequent",
          "the others are not shown", _PAGE),
    Limit(("stats.totals.MOST_SERVICES",), "`stats`", "services", "the others are one row", _PAGE),
    Limit(("stats.totals.MOST_ROWS",), "`stats`", "loggers, errors, and routes",
          "the others are one row", _PAGE),
    Limit(("stats.timeline.MOST",), "`stats --every`", "counts by time", "the steps become longer",
          _PAGE),
    Limit(("compare.templates.MOST",), "`why`, `diff`", "templates", "later ones are left out",
          _PAGE),
    Limit(("compare.operations.MOST", "compare.operations.MOST_FAILURES"), "`why`, `diff`",
          "operations, and 5,000 failures", "later ones are left out", _PAGE),
    Limit(("compare.operations.MOST_STEPS",), "`why`, `diff`", "steps of operations",
          "later ones are left out", _PAGE),
    Limit(("compare.operations.MOST_TIMES", "compare.templates.MOST_ROOTS"), "`why`, `diff`",
          "durations of an operation, and 64 requests of a message", "the others are not compared",
          "nowhere: it is a sample"),
    Limit(("compare.programs.MOST",), "`why`, `diff`", "programs on hosts",
          "that later ones are silent is not told", "nowhere"),
    Limit(("events.summary.MOST",), "`events`", "types of events", "the others are one row", _PAGE),
    Limit(("events.pairs.MOST_OPEN",), "`events`", "starts that wait for their end",
          "the first is told as one without an end", _STDERR),
    Limit(("events.requests.MOST_REQUESTS",), "`events`", "requests",
          "the one without news for longest is followed no further", _STDERR),
    Limit(("fluentd.streams.MOST_STREAMS",), "`fluentd`", "tags",
          "the one unused for longest is closed: what continues its record is torn off",
          "`--log-file` and `--metrics`"),
    Limit(("following.contents.MOST_READ",), "`-f --checkpoint`", "files that were rotated",
          "those gone for longest are forgotten, and read again if they come back",
          "standard error, at once"),
    Limit(("following.seen_files.MOST",), "`-f`", "files that hold nothing new",
          "the first is looked into again", "nowhere: nothing is lost"),
    Limit(("following.watchlist._MOST_SAID", "following.cuts.MOST_PATHS"), "`-f`",
          "files of which is known what was said", "it is said once more",
          "nowhere: nothing is lost"),
    Limit(("outputs.rolling.MOST_OPEN",), "`--partition-by`", "open files",
          "the one that waited longest ends, and another begins", "nowhere: nothing is lost"),
    Limit(("outputs.rolling.MOST_HELD",), "`--partition-by`", "bytes that wait",
          "likewise", "nowhere: nothing is lost"),
    Limit(("reading.groups.MOST", "reading.sorted_rows.MOST"), "`requests`, `resources`, `trace`",
          "bytes of rows", "they go to temporary files", "nowhere: nothing is lost"),
    Limit(("reading.index_files._MOST_BYTES",), "`~/.cache/opslog/index`", "bytes of index files",
          "those unused for longest are removed", "nowhere: nothing is lost"),
    Limit(("reading.index._MOST_BLOCKS",), "an index file", "blocks of 4 MiB of a file",
          "what is behind them is read each time", "nowhere: nothing is lost"),
    Limit(("correlate.related.MOST",), "`requests` with conditions", "pairs of ids",
          "they go to temporary files", "nowhere: nothing is lost"),
    Limit(("correlate.contexts.MOST",), "whose a record is behind an answer", "ids of processes",
          "that a request has ended is forgotten: later records may count for it", _STDERR),
    Limit(("correlate.sent.MOST",), "which call a client's header is of", "writers",
          "the one unused for longest is forgotten: a caller may not be told", _STDERR),
    Limit(("correlate.siblings.MOST", "correlate.likely._MOST"), "who may have called",
          "requests of one cause (1,000 at one time)", "a caller is not told", _STDERR),
)  # fmt: skip

_NAME = re.compile(r"_?MOST(?:_|$)")

OTHERS = {
    "correlate.links._MOST_TEXT": "one message",
    "checking.explanation._MOST_MISSES": "what is shown",
    "cli.explain._MOST_BYTES": "said on standard error",
    "compare.compare._MOST_CONSEQUENCES": "what is shown",
    "compare.compare._MOST_RESOURCES": "what is shown",
    "compare.draft._MOST_EVIDENCE": "a number",
    "compare.messages._MOST_NEAR": "templates at once",
    "compare.page._MOST_NAMES": "what is shown",
    "compare.programs._MOST_STEPS": "steps become longer",
    "cli.records_of.MOST_PATHS": "what is shown",
    "cli.why._MOST_PATHS": "what is shown",
    "doctor.text._MOST_FORMATS": "what is shown",
    "doctor.text._MOST_FILES": "what is shown",
    "doctor.text._MOST_ROWS": "what is shown",
    "cli.span._MOST_COUNTED": "what is shown",
    "engine.stream.MOST_LINES": "lines at once, none is let go",
    "filters.joined.MOST_CONDITIONS": "an error",
    "fluentd.streams.MOST_APART": "batches at once, none is let go",
    "following.checkpoint._MOST": "a number",
    "inputs.remote._MOST": "bytes at once, none is let go",
    "language.format.MOST_COLUMNS": "an error",
    "language.layout_parser._MOST_OPTIONALS": "an error",
    "language.layout_parser._MOST_KNOWN": "made again",
    "language.pattern.MOST_GROUPS": "an error",
    "model.severity.MOST": "a number",
    "scanner.compiler._MOST_LEAVES": "an error",
    "scanner.node_table._MOST_JOINED": "nodes of a tree",
    "scanner.shortcut._MOST_UNTOLD": "nodes of a tree",
    "scanner._prefix.MOST_BRANCHES": "nodes of a tree",
    "stages.commands._MOST": "one message",
    "stages.secret_values._MOST_QUOTES": "one message",
    "stages.secrets._MOST_KNOWN": "searched again",
    "stages.secrets._MOST_LAYERS": "one message",
    "stats.histogram.MOST": "a number",
    "stats.page._MOST_NAMES": "what is shown",
    "trace.clocks._MOST": "a time",
    "trace.summary._MOST_HOSTS": "what is shown",
    "trace.waterfall._MOST_LABEL": "what is shown",
}
"""Constants of such names that limit no memory of many records, and what they are about."""


def constants() -> Iterator[str]:
    """Yield the names of all limits in the code, as modules of Python have them."""
    for path in sorted(SOURCES.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                names = (one.id for one in ast.walk(statement) if isinstance(one, ast.Name)
                         and isinstance(one.ctx, ast.Store))  # fmt: skip
                yield from (f"{module}.{name}" for name in names if _NAME.match(name))


def value(constant: str) -> int:
    """Return what a limit is."""
    module, _, name = constant.rpartition(".")
    found: int = getattr(import_module(f"opslog.{module}"), name)
    return found


def _amount(number: int) -> str:
    if number >= 1 << 20 and number % (1 << 20) == 0:
        return f"{number >> 20} MiB"
    return f"{number:,}"


def page() -> str:
    """Return the page."""
    rows = []
    for limit in LIMITS:
        amount = _amount(value(limit.constants[0]))
        if "bytes" in limit.unit:
            unit = limit.unit.replace("bytes", "", 1).strip()
        else:
            unit = limit.unit
            amount = f"{value(limit.constants[0]):,}"
        rows.append(f"| {limit.where} | {amount} {unit} | {limit.beyond} | {limit.said} |")
    return (
        "# Limits\n\n"
        "Where there is more than is remembered, this happens:\n"
        "\n| where | at most | beyond that | said |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )
