"""Notifications on a terminal: in words there, as they were sent everywhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers import on_terminal, opslog
from opslog.events.words import InWords

LOG = Path(__file__).parents[2] / "docs/examples/events/nova.log"
INSTANCE = "3f7b1c52-8d4e-4a1f-b6c9-5e2d7a9f0b13"


def shown(*arguments: str) -> list[str]:
    text = on_terminal(300, "filter", *arguments, str(LOG))
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def test_a_terminal_shows_notifications_in_words() -> None:
    lines = shown("--where", "attributes.event_type is not null")
    assert lines[0].endswith(
        f"  compute.instance.create.start  instance {INSTANCE}, state building, by compute.cmp1"
    )
    assert not any("{" in line for line in lines)
    failed = next(line for line in lines if ".error" in line)
    assert "failed: Insufficient compute resources: Free memory" in failed


def test_other_records_stay_as_they_are() -> None:
    assert any(line.endswith("POST http://ctl1:8774/v2.1/servers") for line in shown())


@pytest.mark.parametrize("arguments", [["--full"], ["--grep", "payload"]])
def test_who_asks_for_all_or_for_its_text_sees_what_was_sent(arguments: list[str]) -> None:
    lines = shown(*arguments, "--where", "attributes.event_type is not null")
    assert all('"payload": ' in line for line in lines)


def test_what_is_piped_is_what_was_sent() -> None:
    text = opslog("filter", "--to", "text", str(LOG)).stdout.decode()
    assert '"payload": ' in text
    rows = [json.loads(line) for line in opslog("filter", str(LOG)).stdout.splitlines()]
    sent = [row["body"] for row in rows if "event_type" in row.get("attributes", {})]
    assert sent
    assert all(json.loads(body)["payload"] for body in sent)


def test_a_story_shows_them_in_words_too() -> None:
    text = on_terminal(200, "trace", INSTANCE, str(LOG.parent))
    assert f"instance {INSTANCE}, state building, by compute.cmp1" in text
    assert '"payload"' not in text


def test_no_notification_can_command_the_terminal(tmp_path: Path) -> None:
    body = json.dumps({"event_type": "a\x1b[2J.b\nc", "publisher_id": "x\x1b[31m.y", "payload": {"state": "\x07"},
                       "priority": "INFO", "message_id": "1", "timestamp": "2026-03-10 10:00:00.0"})  # fmt: skip
    path = tmp_path / "a.log"
    path.write_text(f"2026-03-10 10:00:00.000 7 INFO oslo.messaging.notification.a [-] {body}\n")
    text = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(200, "filter", "--color", "never", str(path)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b[2J" in text


def test_its_columns_are_those_of_records() -> None:
    from opslog.model.schema import names

    assert set(InWords.columns) <= {*names()}
