"""What it costs to read records in envelopes, and JSON, beside a loop that does the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import throughput
from questions import QUESTIONS, Question

_MOST_MEGABYTES = 200
_OPSLOG = "{python} -m opslog filter --threads 1 {input}"
_UNWRAP = "{python} {peers}/unwrap.py"

Kind = Literal["docker", "journal", "mixed"]


def _all(kind: Kind, title: str) -> Question:
    return Question(
        f"{kind}-all", f"{title}: every field", kind, "jsonl", "records",
        {"opslog": f"{_OPSLOG} > {{output}}", "loop": f"{_UNWRAP} all {{input}} {{output}}"},
    )  # fmt: skip


def _severity(kind: Kind, title: str) -> Question:
    return Question(
        f"{kind}-severity", f"{title}: keep WARNING and above", kind, "jsonl", "warnings",
        {
            "opslog": f"{_OPSLOG} --severity WARNING > {{output}}",
            "loop": f"{_UNWRAP} severity {{input}} {{output}}",
        },
    )  # fmt: skip


_DOCKER = "Docker's json-file"
_JOURNAL = "`journalctl -o json`"
ENVELOPES = [
    (_all("mixed", "Five kinds of lines in one log"), 8.0),
    (_all("docker", _DOCKER), 1.5),
    (_severity("docker", _DOCKER), 1.5),
    (_all("journal", _JOURNAL), 1.5),
    (_severity("journal", _JOURNAL), 1.5),
    *((question, 1.5) for question in QUESTIONS if question.corpus == "json"),
]
"""Questions, and how many times the loop's rate opslog's is to be."""


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return opslog's rate and the loop's for each question, and what their answers hold."""
    found = []
    for question, aim in ENVELOPES:
        two = {name: question.commands[name] for name in ("opslog", "loop")}
        asked = Question(
            question.name, question.title, question.corpus, question.suffix, question.expects, two
        )
        result = throughput.ask(asked, folder, min(megabytes, _MOST_MEGABYTES), runs)
        found.append({**result, "aim": aim})
    return found
