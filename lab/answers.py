"""What opslog tells of logs, asked as a user asks: with its command, and with the graph of its
library.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import opslog
from opslog.correlate.graph import RequestGraph

Row = dict[str, Any]

_NOTHING = 1
"""The exit code of opslog where no record names what was asked for."""


class Answers:
    """opslog's answers about some logs, each asked for once."""

    def __init__(self, logs: Sequence[Path]) -> None:
        self._logs = [str(path) for path in logs]
        self._traces: dict[str, Row] = {}

    @cached_property
    def graph(self) -> RequestGraph:
        return opslog.read(*self._logs).graph()

    @cached_property
    def texts(self) -> list[tuple[float, str]]:
        """What each record says, with the message of its exception, and its Unix time."""
        columns = ["timestamp", "body", "exception_message"]
        table = opslog.read(*self._logs).to_table(columns).to_pydict()
        rows = zip(*(table[name] for name in columns), strict=True)
        return [(time.timestamp(), " ".join(filter(None, said))) for time, *said in rows if time]

    @cached_property
    def ids(self) -> set[str]:
        """The ids that the brackets of records name: requests' own, and what they were sent."""
        table = opslog.read(*self._logs).to_table(["request_id", "global_request_id"])
        return {one for name in table.column_names for one in table[name].to_pylist() if one}

    @cached_property
    def requests(self) -> dict[str, Row]:
        """The rows of `opslog requests`, by request."""
        return {row["request_id"]: row for row in self._rows("requests")}

    @cached_property
    def resources(self) -> dict[str, Row]:
        """The rows of `opslog resources`, by resource."""
        return {row["resource_id"]: row for row in self._rows("resources")}

    def requests_of(self, resource: str) -> set[str]:
        """Return the requests that `opslog requests --resource` lists."""
        return {row["request_id"] for row in self._rows("requests", "--resource", resource)}

    def trace(self, about: str) -> Row:
        """Return the story that `opslog trace` tells; an empty one where it knows nothing of it."""
        if about not in self._traces:
            told = self._ask("trace", "--json", about)
            self._traces[about] = json.loads(told) if told else {"requests": [], "records": []}
        return self._traces[about]

    def _rows(self, command: str, *options: str) -> list[Row]:
        lines = self._ask(command, *options, "--to", "jsonl").splitlines()
        return [row for line in lines if "opslog" not in (row := json.loads(line))]

    def _ask(self, command: str, *arguments: str) -> str:
        run = [sys.executable, "-m", "opslog", command, *arguments, *self._logs]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        if done.returncode not in (0, _NOTHING):
            raise RuntimeError(f"`{' '.join(run)}` failed: {done.stderr}")
        return done.stdout


def reasons(story: Row) -> list[str]:
    """Return what a story gives as the reason of its failure: its root exception, its first error,
    its `reason`.
    """
    cause = story.get("root_exception") or {}
    found: list[Any] = [
        story.get("reason"),
        ": ".join(filter(None, [cause.get("type"), cause.get("message")])),
    ]
    if story.get("first_error") is not None:
        record = story["records"][story["first_error"]]
        found += [record.get("body"), record.get("exception_message")]
    return [reason if isinstance(reason, str) else json.dumps(reason) for reason in found if reason]
