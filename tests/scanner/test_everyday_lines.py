"""Lines of everyday programs among all formats: who takes them, and what is never a name."""

from __future__ import annotations

import pytest

from helpers import table
from opslog.model.severity import VOCABULARIES

NAMES = ("logger", "program", "host_name", "log_alias", "container_name", "tag")
"""What a program or its log is called by."""


def named(row: dict[str, object]) -> set[object]:
    """Return every name that a record has."""
    attributes = dict(row["attributes"] or {})  # type: ignore[call-overload]
    return {row.get(name) or attributes.get(name) for name in NAMES} - {None}


@pytest.mark.parametrize(
    "template",
    [
        "2024-01-01 10:00:00 [{}] the job failed",
        "2024-01-01 10:00:00,123 [{}] billing.jobs: the job failed",
        "2025-05-14T11:23:26.123Z [{}] the job failed",
        "2024-01-01 10:00:00.123 | {} | the job failed",
        "2024-01-01 10:00:00.123 | {}     | billing.jobs:run:12 - the job failed",
        "2024-05-06 07:08:09.123456 | {} | controller",
        "{}: the job failed",
        "Jan 23 16:00:10 st1 backup[12]: {}: the job failed",
    ],
)
@pytest.mark.parametrize("word", VOCABULARIES["any"])
def test_a_level_in_brackets_between_bars_or_before_a_colon_is_no_name(
    template: str, word: str
) -> None:
    [row] = table(template.format(word).encode() + b"\n").to_pylist()
    assert row["severity_text"] == word
    assert row["severity_number"] == VOCABULARIES["any"][word]
    assert word not in named(row)


@pytest.mark.parametrize(
    ("line", "name", "severity"),
    [
        # A layout that takes more must not take what another one knows better.
        ("2026-03-10T10:00:08.775Z [nova-api] ready", "pebble", None),
        ("2026-03-10 10:00:07.791000 [NOVA-CPU1] ready", "text.stamped", None),
        ("2024-05-06 07:08:09.123456 | controller | ok: ERROR in it", "zuul.console", None),
        ("2020/12/02 10:32:23 [notice] 1#1: start worker", "nginx.error", 10),
        ("2020/12/02 10:32:23 [ERR] agent: no leader", "go.log", 17),
        ("2020/12/02 10:32:23 ready", "text.stamped", None),
        ("[Mon Dec 26 16:22:08 2016] [error] [client 192.0.2.7] no file", "apache.error", 17),
        ("[Mon Dec 26 16:22:08 2016] device tap0 entered promiscuous mode", "text.stamped", None),
        ("[3574] 13 Apr 12:52:30.731 # Server started", "redis.log", 13),
        ("2021-05-06 17:08:09 0 [Note] ready for connections.", "mariadb.error", 9),
        ("2021-05-06 07:08:09.123 [error] <0.1.0> no disk", "rabbitmq.log", 17),
        ("2021-05-06 07:08:09.123 [error] Discarding message", "text.level", 17),
        ("2020-05-06 07:08:09.123456 W | etcdserver: slow", "go.capnslog", 13),
        ("2015-07-29 17:41:44,747 - INFO  [main:Client@79] - up", "zookeeper.log4j", 9),
        ("2022-02-09 10:28:25 WARNING leader-elected ERROR no lead", "juju.log", 13),
        ("2024-05-06 07:08:09.123 12 INFO nova.api [-] up", "oslo.text", 9),
        ("2024-05-06 07:08:09 INFO neutron.wsgi 192.0.2.1 up", "oslo.text", 9),
        ("2024-05-06 07:08:09,123 7f1e2b3c4640 INFO up", "ceph.volume", 9),
        ("2024-05-06T07:08:09.123+0000 7f00aa11bb22  0 up", "ceph.daemon", 9),
        ("2024-05-06T07:08:09.123456+00:00 ctl1 vault[7]: up", "syslog.rsyslog", None),
        ("[2024-05-06 07:08:09,123][ceph_volume][INFO  ] up", "ceph.volume", 9),
        ("[2024-05-06T07:08:09,123][INFO ][o.o.n.Node               ] [n] up", "opensearch.log", 9),
        ("Sun Mar 13 22:49:15 2016 - *** no python application found ***", "uwsgi.log", None),
        ('{"level":"info","msg":"up","time":"2026-03-10T10:00:08Z","pid":"<0.1.0>"}', "rabbitmq.json", 9),
        ('{"level":"info","msg":"up","time":"2026-03-10T10:00:08Z"}', "slog.json", 9),
    ],
)  # fmt: skip
def test_a_line_is_of_the_format_that_says_most_of_it(
    line: str, name: str, severity: int | None
) -> None:
    [row] = table(line.encode() + b"\n").to_pylist()
    assert (row["format"], row["severity_number"]) == (name, severity)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("14-May-2025 11:23:26.123 general: info: up", "service_name", "bind"),
        ("May  4 10:14:27 ctl1 vault[7]: 2025-05-14T11:23:27.123Z [INFO]  core: up", "service_name", "vault"),
        ("May  4 10:14:27 ctl1 ovn_metadata_agent[7]: 2024-05-06 07:08:09.123 7 INFO ovsdbapp.backend [-] up", "service_name", "neutron"),
        ("May  4 10:14:27 ctl1 kernel: [   12.345678] up", "body", "up"),
        ("2024-05-06 07:08:09.123 7 INFO masakarimonitors.ha [-] up", "service_name", "masakari"),
        ("2026-03-01 15:34:14.206968 I | op-mon: mons running: [a]", "service_name", "rook"),
        # Who else logs by capnslog or zap is not etcd.
        ("2026-03-01 15:34:14.206968 I | main: up", "service_name", None),
        ('{"level":"info","ts":1714979289.1,"caller":"main.go:1","msg":"up"}', "service_name", None),
    ],
)  # fmt: skip
def test_a_value_says_what_is_known_and_no_more(line: str, name: str, value: str | None) -> None:
    [row] = table(line.encode() + b"\n").to_pylist()
    assert row[name] == value


@pytest.mark.parametrize("word", ["ERROR", "INFO", "WARNING", "DEBUG", "CRITICAL"])
@pytest.mark.parametrize(
    "time", ["2026-03-10T10:00:00.100Z", "2026-03-10 10:00:00.100", "2026-03-10 10:00:00,100"]
)
def test_a_logger_is_found_whatever_the_level_and_the_time_look_like(time: str, word: str) -> None:
    [row] = table(f"{time} {word} billing.jobs the job ended\n".encode()).to_pylist()
    assert (row["logger"], row["body"]) == ("billing.jobs", "the job ended")
    assert row["severity_text"] == word


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: no quota",
        "Failed: no quota",
        "v1.2.3 is out",
        "exited: nova (status 1)",
        "failed: no quota",
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        "2024-01-01 10:00:00,123 {} ",
        "2024-01-01 10:00:00,123 [{}] ",
        "2024-01-01T10:00:00.1Z [{}] ",
    ],
)
def test_what_begins_a_sentence_is_no_logger(before: str, text: str) -> None:
    [row] = table((before.format("ERROR") + text + "\n").encode()).to_pylist()
    assert (row["severity_number"], row["logger"], row["body"]) == (17, None, text)
