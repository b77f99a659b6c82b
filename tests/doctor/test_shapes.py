"""Lines that no format reads are told by what they look like, with a format to begin with."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from helpers import ROOT, opslog
from opslog.checking.check import check
from opslog.checking.toml_text import to_toml
from opslog.doctor.examine import examine
from opslog.doctor.shapes import Shapes
from opslog.doctor.sketch import sketch
from opslog.language.format_file import from_dict

LINES = (
    "2026-03-10 10:00:00.100 12 INFO nova.x [-] fine {}\n",
    "2026-03-10 10:00:00 ~INFO~ db pool {} of 9\n",
    "2026-03-10 10:00:00 ~INFO~ db pool {} of 9\n",
    "2026-03-10 10:00:00 cache {} is full\n",
)


def test_a_format_is_sketched_where_only_what_opslog_needs_is_installed(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text("".join(line.format(number) for number in range(300) for line in LINES))
    code = f"""
        import sys
        for name in ("oslo_log", "oslo_utils", "oslo_config", "msgpack", "orjson"):
            sys.modules[name] = None
        from opslog.cli import main
        sys.exit(main(["doctor", {str(log)!r}]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False, cwd=ROOT
    )
    assert done.stderr == b""
    assert b"{timestamp:iso}" in done.stdout


def test_the_most_frequent_shape_stands_first_and_is_sketched(tmp_path: Path) -> None:
    log, own = tmp_path / "shop.log", tmp_path / "shop.toml"
    log.write_text("".join(line.format(number) for number in range(300) for line in LINES))
    (report,) = examine(log)
    assert [(one.text, one.records) for one in report.shapes] == [
        ("~INFO~ db pool <*> of <*>", 600),
        ("cache <*> is full", 300),
    ]
    assert report.sketch is not None
    own.write_text(report.sketch)
    assert opslog("formats", "check", str(own)).returncode == 0
    (better,) = examine(log, formats=[own])
    assert [(one.text, one.records) for one in better.shapes] == [("cache <*> is full", 300)]
    said = opslog("doctor", str(log)).stdout.decode()
    assert "600 x ~INFO~ db pool <*> of <*>" in said
    assert all(line.strip() in said for line in report.sketch.splitlines())


def test_what_is_read_has_no_shapes(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINES[0])
    (report,) = examine(tmp_path / "a.log")
    assert (report.shapes, report.sketch) == ((), None)


def test_the_rarest_shapes_are_forgotten() -> None:
    whole = Shapes()
    for number in range(20):
        more = Shapes()
        for name in ("often", *(f"{number}.{n}" for n in range(1000))):
            more.counts[name] += 1
            more.first[name] = None  # type: ignore[assignment]
        whole.add(more)
        assert len(whole.counts) <= 4096
        assert whole.counts.keys() == whole.first.keys()
        assert whole.counts.total() + whole.left_out == (number + 1) * 1001
    assert whole.counts.most_common(1) == [("often", 20)]


STAMPS = st.sampled_from(
    ["2026-03-10 10:00:00.123", "2026-03-10T10:00:00Z", "[2026-03-10 10:00:00]", "Mar 10 10:00:00",
     "2026/03/10 10:00:00", "10/Mar/2026:10:00:00 +0000", "Tue Mar 10 10:00:00 2026", ""]
)  # fmt: skip
WORDS = st.sampled_from(
    ["ERROR", "[warn]", "{x}", "}", "a-1", "|", ":", "job", "9", "'", '"', "\\", "\t"]
)


@given(STAMPS, st.lists(WORDS | st.text(max_size=5), max_size=6).map(" ".join))
def test_a_sketch_reads_its_line_whatever_that_is(stamp: str, text: str) -> None:
    line = f"{stamp} {text}".replace("\n", " ").replace("\r", " ").replace("\0", " ")
    data = sketch("site.any", line)
    if data is not None:
        check(from_dict(tomllib.loads(to_toml(data)), "any.toml"))
