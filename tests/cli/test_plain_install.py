"""Where only what opslog needs is installed, each command works or says what to install."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from helpers import ROOT

LOG = "docs/examples/nova-compute.log"
EXTRAS = ("oslo_log", "oslo_config", "oslo_utils", "msgpack", "orjson")


def run(*arguments: str) -> tuple[int, str]:
    """Return exit code and standard error of the command without the extras."""
    code = f"""
        import sys
        for name in {EXTRAS!r}:
            sys.modules[name] = None
        from opslog.cli import main
        sys.exit(main({[*arguments]!r}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True, check=False, cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "command", ["filter", "doctor", "requests", "resources", "stats", "events"]
)
def test_what_reads_logs_needs_nothing_more(command: str) -> None:
    code, said = run(command, LOG)
    assert code in (0, 1)
    assert said == ""


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["fluentd"], "fluentd"),
        (["filter", "--oslo-config", "nova.conf", LOG], "learn"),
        (["formats", "learn", "nova.conf"], "learn"),
    ],
)
def test_what_needs_more_says_what_to_install(arguments: list[str], extra: str) -> None:
    code, said = run(*arguments)
    assert code == 2
    assert said.startswith("opslog: ")
    assert f"opslog[{extra}]" in said
    assert said.count("\n") == 1
