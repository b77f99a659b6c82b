"""Stages between Fluentd's events: nothing is lost beside them, and no secret leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import opslog
from opslog import F
from opslog.fluentd import Shape, Streams, Wanted
from opslog.fluentd.events import ERROR
from opslog.fluentd.masking import Masking
from opslog.fluentd.msgpack import encode_msgpack
from opslog.fluentd.staged import Staged
from opslog.fluentd.streams import MOST_APART
from opslog.model.zones import TimeDefaults
from opslog.reading.pipeline import Stage
from opslog.scanner.catalog import Catalog
from opslog.stages import Context, Dedup, Mask, RateLimit, Sample, context

LINE = "2026-03-10 10:00:{:02}.000 2412 {} nova.service [-] "
SECRET = "hunter2hunter2"
TIMES = TimeDefaults.of("UTC", 2026)


def through(
    parts: list[list[dict[str, Any]]],
    stages: tuple[Stage, ...] | None,
    masking: Masking | None = None,
    **options: Any,
) -> tuple[list[dict[str, Any]], Streams]:
    """Return what comes out where ``parts`` go in one after the other."""
    wanted = Wanted(Catalog.default(), TIMES, masking=masking, **options)
    staged = None
    if stages is not None:
        staged = Staged(stages, wanted.columns, wanted.names, masking)
        wanted = Wanted(Catalog.default(), TIMES, staged=staged, masking=masking, **options)
    of = Streams(wanted, lambda: pytest.fail("no year is asked for"))

    def made() -> Iterator[list[Any]]:
        for part in parts:
            yield of.feed([dict(event) for event in part], 0.0)
        yield of.close()

    out: list[dict[str, Any]] = []
    if staged is None:
        out = [event for part in made() for event in part]
    else:
        for events in staged.through(made(), out.extend, of.stats):
            out += events
    counts, stats = of.counts, of.stats
    assert counts.waiting == 0
    assert stats.records >= stats.kept + sum(stats.dropped.values())
    assert len(out) == stats.kept + counts.marked
    return out, of


STAGES: list[Stage] = [
    Context(F.severity >= "ERROR", 1, 2),
    Dedup(20),
    RateLimit(2, 10),
    Sample(0.5),
    Mask(),
]


def values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Return values as events have them, of all types."""
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | texts
        | st.binary()
        | st.floats(allow_nan=False)
        | st.builds(msgpack.ExtType, st.just(0), st.binary(min_size=8, max_size=8))
        | st.builds(msgpack.Timestamp, st.integers(0, 2**32), st.integers(0, 999_999_999)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=4,
    )


EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "second": st.integers(0, 59),
            "level": st.sampled_from(["INFO", "ERROR"]),
            "body": st.sampled_from(["took 1 s", "other", "password='x'"]),
            "x": values(st.text()),
        }
    ),
    max_size=12,
)


def numbered(events: list[dict[str, Any]], tags: str = "a") -> list[dict[str, Any]]:
    """Return events whose lines say their number, too, in an attribute."""
    return [
        {
            "tag": tags[n % len(tags)],
            "n": n,
            "x": event["x"],
            "message": LINE.format(event["second"], event["level"]) + event["body"],
        }
        for n, event in enumerate(events)
    ]


@given(events=EVENTS)
def test_no_stages_are_the_way_without_them(events: list[dict[str, Any]]) -> None:
    parts = [numbered(events, "ab")]
    for options in ({}, {"names": "ecs", "original": True}):
        assert through(parts, (), **options)[0] == through(parts, None, **options)[0]


@pytest.mark.parametrize("stage", STAGES, ids=repr)
@given(events=EVENTS, cuts=st.lists(st.integers(0, 12), max_size=5))
def test_how_events_come_never_shows_and_each_record_keeps_its_fields(
    stage: Stage, events: list[dict[str, Any]], cuts: list[int]
) -> None:
    whole = numbered(events)
    ends = [*sorted(cuts), len(whole)]
    parts = [whole[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    out, _ = through(parts, (stage,))
    assert out == through([whole], (stage,))[0]
    for event in out:
        given = events[event["n"]]
        assert event["severity_text"] == given["level"]
        assert event["timestamp"].startswith(f"2026-03-10T10:00:{given['second']:02}")
        assert event["x"] == given["x"]


def test_records_of_many_tags_come_in_few_batches() -> None:
    wanted = Wanted(Catalog.default(), TIMES)
    staged = Staged((Mask(),), wanted.columns, wanted.names)
    of = Streams(Wanted(Catalog.default(), TIMES, staged=staged), lambda: datetime.now(UTC), 900)
    events: list[Any] = []
    for n in range(2500):
        events.append({"tag": n, "n": n, "message": LINE.format(0, "INFO")})
        if n % 3 == 0:
            events.append({"tag": n})
    parts = [of.feed(events, 0.0), of.expire(1.0), of.close()]
    batches = [[item for item in part if not isinstance(item, dict)] for part in parts]
    assert all(len(found) <= MOST_APART + 2 for found in batches)
    out: list[dict[str, Any]] = []
    for found in staged.through(parts, lambda marked: None, of.stats):
        out += found
    assert [event["n"] for event in out] == list(range(2500))
    assert sum(isinstance(item, dict) for item in parts[0]) == len(range(0, 2500, 3))


def test_context_is_of_the_same_stream() -> None:
    parts = [
        [
            {"tag": tag, "n": n, "message": LINE.format(n, level) + "x"}
            for n, (tag, level) in enumerate(
                [("a", "INFO"), ("b", "INFO"), ("b", "INFO"), ("a", "ERROR"), ("b", "INFO")]
            )
        ]
    ]
    out, of = through(parts, (Context(F.severity >= "ERROR", 2, 2),))
    assert [event["n"] for event in out] == [0, 3]
    assert (of.stats.records, of.stats.kept, of.stats.dropped) == (5, 2, {"Context": 3})


@pytest.mark.parametrize(("most", "shown"), [(3, [0, 3, 2, 4]), (2, [3, 4])])
def test_context_forgets_streams_that_are_too_many(
    most: int, shown: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "MOST_SOURCES", most)
    order = [("a", "INFO"), ("b", "INFO"), ("c", "INFO"), ("a", "ERROR"), ("c", "ERROR")]
    # A record leaves with the next one of its stream, so they come as a c b a c.
    parts = [
        [{"tag": tag, "n": n, "message": LINE.format(n, level) + "x"}]
        for n, (tag, level) in enumerate(order)
    ]
    out, _ = through(parts, (Context(F.severity >= "ERROR", 1),))
    assert [event["n"] for event in out] == shown


def test_what_is_nested_deeper_than_can_be_carried_says_so() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    ((event,), _) = through([[{"message": LINE.format(0, "INFO"), "deep": deep}]], (Dedup(1),))
    assert "nested deeper" in repr(event["deep"])
    masking = Masking(Mask())
    for _ in range(4000):
        deep = deep[0]
    assert "nested deeper" in repr(masking.event({"deep": deep}))


def leaks(values: Any) -> bool:
    return SECRET in repr(values)


@pytest.mark.parametrize("key", [None, b"key"])
@pytest.mark.parametrize(
    "fields",
    [
        {"password": SECRET},
        {"X-Auth-Token": SECRET},
        {"adminPass": SECRET.encode()},
        {b"auth_token": SECRET},
        {"credentials": {"user": "u", "key": [SECRET]}},
        {"log": f"password='{SECRET}'"},
        {"log": f"X-Auth-Token: {SECRET}".encode() + b"\xff"},
        {"deep": {"a": [{"b": f"rabbit://nova:{SECRET}@host/"}]}},
        {f"amqp://nova:{SECRET}@host/": 1},
        {"token": msgpack.ExtType(5, SECRET.encode())},
        {"ext": msgpack.ExtType(5, f"password='{SECRET}'".encode())},
    ],
    ids=repr,
)
def test_fields_of_an_event_are_masked(key: bytes | None, fields: dict[Any, Any]) -> None:
    mask = Mask(key)
    beside = {**fields, "tag": "a", "n": 1, "f": 1.5, "deep2": {"x": [1, None, True]}}
    message = LINE.format(0, "INFO") + f"password='{SECRET}'"
    parts = [[{**beside, "message": message}, {**beside, "n": 2}]]
    assert leaks(through(parts, ())[0])
    out, _ = through(parts, (mask,), Masking(mask), original=True)
    assert not leaks(out)
    assert len(out) == 2
    for event in out:
        assert (event["tag"], event["f"], event["deep2"]) == ("a", 1.5, {"x": [1, None, True]})
        assert len(event) >= len(beside)
    encode_msgpack(out)


def test_a_number_named_like_a_secret_is_masked_and_all_else_keeps_its_type() -> None:
    masked = Masking(Mask()).event({"password": 1234, "secret": True, "token": None, "n": 2**70})
    assert masked == {"password": "***", "secret": True, "token": None, "n": 2**70}


def test_keys_that_look_alike_when_masked_stay_apart() -> None:
    event = {f"amqp://nova:{SECRET}{n}@host/": n for n in range(3)}
    masked = Masking(Mask()).event(event)
    assert not leaks(masked)
    assert list(masked.values()) == [0, 1, 2]


@given(beside=st.dictionaries(st.text("aé \ud800"), values(st.text("aé \ud800")), max_size=4))
def test_what_holds_no_secret_stays_the_same(beside: dict[str, Any]) -> None:
    assert repr(Masking(Mask()).event(beside)) == repr(beside)


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        (Shape("json"), f'{{"tag":"a","password":"{SECRET}"'),
        (Shape("json"), f'{{"tag":"a","adminPass": "{SECRET}'),
        (Shape("json"), f'{{"tag":"a","passphrase": "{SECRET}\\'),
        (Shape("json"), f'{{"credentials": {{"a": "{SECRET}"}}, "tag": }}'),
        (Shape("json"), f'["X-Auth-Token: {SECRET}"]'),
        (Shape("json"), f'{{"message": {{"password": "{SECRET}"}}}}'),
        (Shape("json"), f'{{"tag": 1, "password": "{SECRET}"}}'),
        (Shape("ltsv"), f"tag:a\tpassword:{SECRET},{SECRET}\tmore"),
        (Shape("ltsv"), f"tag:a\tpassword={SECRET}"),
        (Shape("msgpack"), f"\xc1\x81\xa8password\xae{SECRET}"),
        (Shape("msgpack"), f"\xa0password\xae{SECRET}"),
    ],
    ids=repr,
)
def test_what_goes_through_marked_is_masked(shape: Shape, line: str) -> None:
    mask = Mask()
    decoder = shape.decoder()
    events = [*decoder.feed(line.encode("latin-1") + b"\n"), *decoder.close()]
    for masking, leaking in ((None, True), (Masking(mask), False)):
        wanted = Wanted(Catalog.default(), TIMES, masking=masking)
        out = Streams(wanted, lambda: pytest.fail("no year is asked for")).feed(events, 0.0)
        assert out
        assert all(ERROR in event for event in out)
        assert (
            leaks([{k: v if isinstance(v, str) else repr(v) for k, v in e.items()} for e in out])
            == leaking
        )


def test_the_log_file_is_masked(tmp_path: Path) -> None:
    log = tmp_path / "log"
    wrong = ["fluentd", "--where", f"body = password='{SECRET}'", "--log-file", str(log)]
    assert opslog(*wrong).returncode == 2
    assert leaks(log.read_text())
    log.unlink()
    assert opslog(*wrong, "--mask").returncode == 2
    assert "***" in log.read_text()
    assert not leaks(log.read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-C", "1"], "expected a condition beside"),
        (["--mask-key", "/dev/null"], "expected a key of some bytes"),
        (["--from", "text", "--tag-key", "x"], "--tag-key: has no effect on --from text"),
        (["--from", "text", "--field", "x"], "--field: has no effect on --from text"),
        (["--from", "text", "--stream-key", "x"], "--stream-key: has no effect on --from text"),
        (["--from", "tsv", "--keys", "message", "--stream-key", "x"], "--stream-key: expected one of --keys message, found 'x'"),
        (["--to", "tsv", "--to-keys", "body", "--original"], "--original: expected original among"),
        (["--metrics", "/no/such/folder/file"], "No such file or directory"),
    ],
)  # fmt: skip
def test_wrong_options_are_said(arguments: list[str], said: str) -> None:
    result = opslog("fluentd", *arguments)
    assert result.returncode == 2
    assert said in result.stderr.decode()


def test_counts_of_stages_are_told_and_add_up(tmp_path: Path) -> None:
    events = [
        {"tag": "a", "message": LINE.format(n, level) + f"took {n} s"}
        for n, level in enumerate(["INFO", "ERROR", "ERROR", "ERROR", "WARNING"])
    ]
    data = "".join(json.dumps(event) + "\n" for event in [*events, {"tag": "a"}])
    result = opslog(
        "fluentd", "--dedup", "--severity", "WARNING", "--log-file", str(tmp_path / "log"),
        "--metrics", str(tmp_path / "opslog.prom"), stdin=data.encode(),
    )  # fmt: skip
    out = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event.get("attributes", {}).get("repeated") for event in out] == [None, None, None, "2"]
    assert (
        (tmp_path / "log")
        .read_text()
        .endswith(
            "ended: 6 events (5 began a record, 0 continued one, 1 went through marked), 5 records "
            "(3 kept, 1 filtered out, 1 dropped by --dedup)\n"
        )
    )
    metrics = (tmp_path / "opslog.prom").read_text().splitlines()
    assert {
        "opslog_events_total 6", "opslog_events_marked_total 1", "opslog_events_begun_total 5",
        "opslog_events_joined_total 0", 'opslog_records_total{format="oslo.text"} 5',
        "opslog_records_kept_total 3", 'opslog_records_dropped_total{stage="Dedup"} 1',
    } <= set(metrics)  # fmt: skip
