"""What a start imports: only what its command needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import ROOT

LOG = "docs/examples/nova-compute.log"
REQUEST = "req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61"


def imported(*arguments: str) -> set[str]:
    """Return the modules that are there after the command has run."""
    code = (
        "import sys\n"
        "from opslog.cli import main\n"
        f"code = main({[*arguments]!r})\n"
        "print(*sys.modules, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True
    )
    return set(done.stderr.split())


def test_the_version_is_told_without_what_reads_logs() -> None:
    modules = imported("--version")
    assert "opslog.cli" in modules
    rooms = {name.split(".")[1] for name in modules if name.startswith("opslog.")}
    assert rooms.isdisjoint({"scanner", "rows", "engine", "filters", "reading", "logs"})
    assert "pyarrow" not in modules


def test_a_command_imports_no_other() -> None:
    modules = imported("filter", "-c", LOG)
    assert "opslog.cli.filter" in modules
    others = {"trace", "lists", "fluentd", "stats", "events", "doctor", "formats", "schema"}
    assert modules.isdisjoint({f"opslog.cli.{name}" for name in others})
    assert "pyarrow.compute" not in modules


@pytest.mark.parametrize("command", ["stats", "requests", "trace " + REQUEST])
def test_what_masks_is_imported_only_to_mask(command: str) -> None:
    modules = imported(*command.split(), LOG)
    assert modules.isdisjoint({f"opslog.stages.{name}" for name in ("mask", "share", "secrets")})


def test_a_run_compiles_no_format_where_the_build_did() -> None:
    from opslog.scanner import built
    from opslog.scanner.catalog import folder

    if built.load(folder()) is None:
        pytest.skip("the build has not compiled these formats")
    modules = imported("filter", "-c", LOG)
    assert modules.isdisjoint({"opslog.scanner.compilation", "opslog.language.format_file"})


def test_json_lines_are_written_without_arrow_and_threads() -> None:
    from opslog.scanner import built
    from opslog.scanner.catalog import folder

    if built.load(folder()) is None:
        pytest.skip("the build has not compiled these formats")
    modules = imported("filter", "--threads", "2", LOG)
    assert "opslog.outputs.jsonl" in modules
    rooms = {name.split(".")[1] for name in modules if name.startswith("opslog.")}
    assert rooms.isdisjoint({"language", "following", "stages", "correlate"})
    assert modules.isdisjoint({"pyarrow", "concurrent.futures", "zoneinfo", "bz2", "lzma"})


def test_secrets_are_masked_in_json_lines_without_arrow(tmp_path: Path) -> None:
    log = tmp_path / "nova.log"
    log.write_text("2026-03-10 10:00:00.112 2412 INFO nova.service [-] password=hunter2hunter2\n")
    out = tmp_path / "out.jsonl"
    modules = imported("filter", "--mask", "--output", str(out), str(log))
    assert "***" in out.read_text()
    assert "pyarrow" not in modules


@pytest.mark.parametrize(
    "condition",
    [
        f"--request {REQUEST}", "--request req-5f0f7c1e", "--service nova", "--program nova-*",
        "--logger nova.* --severity INFO", "--since 2020-01-01 --until 2030-01-01",
    ],
)  # fmt: skip
def test_names_ids_and_bounds_are_asked_for_without_arrow(condition: str) -> None:
    modules = imported("filter", *condition.split(), LOG)
    assert "opslog.outputs.jsonl" in modules
    assert "pyarrow" not in modules


@pytest.mark.parametrize("command", ["stats", "requests", "trace " + REQUEST, "filter --tail 1"])
def test_no_run_imports_pandas(tmp_path: Path, command: str) -> None:
    (tmp_path / "pandas.py").write_text("import sys\nprint('imported', file=sys.stderr)\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "opslog", *command.split(), LOG],
        capture_output=True, cwd=ROOT, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0
    assert "imported" not in done.stderr


def test_the_first_word_changes_no_parser() -> None:
    from opslog import cli

    whole = cli.parser().parse_args(["filter", "-n", "3", LOG])
    assert vars(cli.parser("filter").parse_args(["filter", "-n", "3", LOG])) == vars(whole)


@pytest.mark.parametrize("flags", [["--dedup"]])
def test_stages_do_not_import_what_arrow_imports_for_python_values(flags: list[str]) -> None:
    """Arrow asks pandas, where it is installed, whether a Python value is one of its own."""
    modules = imported("filter", *flags, LOG)
    assert "opslog.stages" in modules
    assert "pandas" not in modules
