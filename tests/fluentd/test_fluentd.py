"""Events of Fluentd: what becomes of them, however they are written and cut."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import opslog
from opslog import F
from opslog.filters.filter import Filter
from opslog.fluentd import Shape, Streams, Wanted
from opslog.fluentd.events import ERROR
from opslog.fluentd.json import JsonDecoder, encode_json
from opslog.fluentd.msgpack import MsgpackDecoder, encode_msgpack
from opslog.fluentd.pieces import Lines
from opslog.fluentd.table import LtsvDecoder, TsvDecoder, TsvEncoder, encode_ltsv
from opslog.model.zones import TimeDefaults
from opslog.scanner.catalog import Catalog

HEAD = "2026-03-10 10:00:07.791 2412 INFO nova.service [-] "
TRACE = "2026-03-10 10:00:07.791 2412 ERROR nova.service "
JSON = Shape("json")


def streams(most: int = 1000, **options: Any) -> Streams:
    wanted = Wanted(Catalog.default(), TimeDefaults.of("UTC", None), **options)
    return Streams(wanted, lambda: datetime(2026, 3, 10, tzinfo=UTC), most)


def through(
    data: bytes,
    cuts: Iterable[int] = (),
    shape: Shape = JSON,
    of: Streams | None = None,
    **options: Any,
) -> list[dict[Any, Any]]:
    """Return the events that come out where those in ``data`` go in, cut at the offsets."""
    of = of or streams(**options)
    decoder = shape.decoder()
    out, start = [], 0
    for end in (*sorted(cuts), len(data)):
        out += of.feed(decoder.feed(data[start:end]), 0.0)
        start = end
    out += of.feed(decoder.close(), 0.0) + of.close()
    counts = of.counts
    assert counts.events == counts.marked + counts.begun + counts.joined
    assert of.stats.records >= of.stats.kept
    assert len(out) == of.stats.kept + counts.marked
    assert sum(ERROR in event for event in out) == counts.marked
    return out


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_a_record_takes_what_stood_beside_its_first_line() -> None:
    data = lines(
        {"tag": "a", "time": 1.5, "message": HEAD + "Started", "n": 1, "deep": {"x": [1, None]}},
        {"tag": "a", "time": 2.5, "message": "and more", "n": 2},
    )
    (event,) = through(data)
    assert event["body"] == "Started\nand more"
    assert (event["tag"], event["time"], event["n"]) == ("a", 1.5, 1)
    assert event["deep"] == {"x": [1, None]}
    assert not {"message", "source", "source_offset"} & set(event)


def test_tags_never_mix() -> None:
    data = lines(
        {"tag": "a", "message": TRACE + "Failed: ValueError: x"},
        {"tag": "b", "message": HEAD + "Started"},
        {"tag": "a", "message": TRACE + "Traceback (most recent call last):"},
        {"tag": "b", "message": "more"},
        {"tag": "a", "message": TRACE + "ValueError: x"},
    )
    found = {event["tag"]: event for event in through(data)}
    assert found["a"]["exception_type"] == "ValueError"
    assert found["b"]["body"] == "Started\nmore"


def test_a_field_tells_streams_of_one_tag_apart() -> None:
    data = lines(
        {"tag": "a", "id": 1, "message": HEAD + "one"},
        {"tag": "a", "id": 2, "message": HEAD + "two"},
        {"tag": "a", "id": 1, "message": "more"},
    )
    bodies = [event["body"] for event in through(data, keys=("tag", "id"))]
    assert sorted(bodies) == ["one\nmore", "two"]


def test_a_column_takes_the_place_of_a_field_of_its_name_where_it_has_a_value() -> None:
    data = lines({"tag": "a", "message": HEAD + "x", "logger": "mine", "host_name": "mine"})
    (event,) = through(data)
    assert (event["logger"], event["host_name"]) == ("nova.service", "mine")


def test_several_lines_in_one_event_stay_its_lines() -> None:
    data = lines({"tag": "a", "n": 1, "message": f"{HEAD}one\nmore\n{HEAD}two\n"})
    assert [(e["body"], e["n"]) for e in through(data)] == [("one\nmore", 1), ("two", 1)]


def test_names_and_conditions_are_those_of_filter() -> None:
    error = HEAD.replace("INFO", "ERROR") + "two"
    data = lines({"tag": "a", "message": HEAD + "one"}, {"tag": "a", "message": error})
    where = Filter.of(F.severity >= "ERROR")
    (event,) = through(data, where=where, names="ecs", original=True)
    assert (event["message"], event["event.original"]) == ("two", error + "\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "expected a JSON object a line: "),
        (b"[1]", "expected a JSON object a line, found a list"),
        (b"null", "expected a JSON object a line, found null"),
        (b"[" * 100_000, "expected a JSON object a line: "),
        (b'{"tag":"a","n":1}', "expected text in the field message, found none"),
        (b'{"message":{"a":1},"n":1}', "expected text in the field message, found dict"),
    ],
)
def test_what_is_no_event_goes_through_marked(line: bytes, said: str) -> None:
    (event,) = through(line + b"\n")
    assert event.pop(ERROR).startswith(said)
    assert event == (json.loads(line) if line.startswith(b'{"') else {"message": line.decode()})


def test_a_record_waits_for_lines_that_follow_and_no_longer() -> None:
    of = streams(hold=0.5)
    first = json.loads(lines({"tag": "a", "message": HEAD + "one"}))
    assert of.feed([first], 10.0) == []
    assert of.due() == 10.5
    assert of.expire(10.4) == []
    (event,) = of.expire(10.5)
    assert (event["body"], event["attributes"]) == ("one", {"closed": "hold"})
    assert of.due() is None


def test_the_stream_unused_longest_is_closed_when_there_are_too_many() -> None:
    data = lines(
        *({"tag": tag, "message": HEAD + tag} for tag in "aba"),
        {"tag": "c", "message": HEAD + "c"},
        {"tag": "b", "message": "late"},
    )
    bodies = [event["body"] for event in through(data, of=streams(most=2))]
    assert sorted(bodies) == ["a", "a", "b", "c", "late"]


TEXTS = st.sampled_from(
    [HEAD + "one", TRACE + "Failed", TRACE + "Traceback (most recent call last):", "  File", "", "é\n",
     TRACE + "ValueError: x", f"{HEAD}a\nb\n{HEAD}c", "\n\n"]
)  # fmt: skip
EVENTS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"tag": st.sampled_from("ab")}, optional={"message": TEXTS, "n": st.integers(0, 9)}
        ),
        st.integers(0, 9),
        st.none(),
    ),
    max_size=12,
)
CUTS = st.lists(st.integers(0, 2000), max_size=8)
SHAPES = {
    "json": (lambda events: b"".join(json.dumps(e).encode() + b"\n" for e in events), JSON),
    "msgpack": (lambda events: b"".join(map(msgpack.packb, events)), Shape("msgpack")),
}


def by_tag(events: list[dict[Any, Any]]) -> dict[tuple[Any, bool], list[dict[Any, Any]]]:
    """Sort events out, in their order; what is marked stands by itself."""
    found = defaultdict(list)
    for event in events:
        found[event.get("tag"), ERROR in event].append(event)
    return found


@pytest.mark.parametrize("kind", SHAPES)
@given(events=EVENTS, cuts=CUTS)
def test_where_the_input_is_cut_changes_nothing(
    kind: str, events: list[Any], cuts: list[int]
) -> None:
    write, shape = SHAPES[kind]
    data = write(events)
    cuts = [cut for cut in cuts if cut < len(data)]
    assert by_tag(through(data, cuts, shape)) == by_tag(through(data, (), shape))


@pytest.mark.parametrize(
    "shape", [JSON, Shape("msgpack"), Shape("tsv", ("tag", "message")), Shape("ltsv")], ids=str
)
@given(data=st.binary(max_size=400), cuts=CUTS)
def test_any_bytes_are_events_however_they_are_cut(
    shape: Shape, data: bytes, cuts: list[int]
) -> None:
    cuts = [cut for cut in cuts if cut < len(data)]
    out = through(data, cuts, shape)
    assert repr(by_tag(out)) == repr(by_tag(through(data, (), shape)))
    for line in encode_json(out).splitlines():
        assert isinstance(json.loads(line), dict)
    unpacker = msgpack.Unpacker(strict_map_key=False, unicode_errors="surrogateescape")
    unpacker.feed(encode_msgpack(out))
    assert len(list(unpacker)) == len(out)
    assert encode_ltsv(out).count(b"\n") == TsvEncoder(("tag",))(out).count(b"\n") == len(out)


# NaN is not equal to itself.
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(
    beside=st.dictionaries(
        st.text().filter(lambda k: k not in ("tag", "message", ERROR)), VALUES, max_size=4
    )
)
def test_unknown_fields_go_through_untouched(beside: dict[str, Any]) -> None:
    event = {**beside, "tag": "a", "message": "x"}
    for decoder, encode in ((JsonDecoder(), encode_json), (MsgpackDecoder(), encode_msgpack)):
        (read,) = decoder.feed(encode([event]))
        assert read == event
    (out,) = through(encode_json([event]))
    assert {**out, **beside, "body": "x"} == {**out, "body": "x"}


def test_times_of_fluentd_go_through_as_they_came() -> None:
    time = msgpack.ExtType(0, struct.pack(">II", 1700000000, 123456789))
    data = msgpack.packb({"tag": "a", "time": time, "message": "x"})
    (event,) = through(data, shape=Shape("msgpack"))
    assert event["time"] == time
    assert msgpack.unpackb(encode_msgpack([event]))["time"] == time
    # Its parser of float times reads text, and keeps the nanoseconds.
    assert json.loads(encode_json([event]))["time"] == "1700000000.123456789"


def test_text_that_ruby_takes_for_binary_is_text() -> None:
    data = msgpack.packb({b"tag": b"a", b"message": (HEAD + "é").encode() + b"\xff", "host": b"h"})
    (event,) = through(data, shape=Shape("msgpack"))
    assert (event["body"], event["host"]) == ("é\ufffd", b"h")
    assert json.loads(encode_json([event]))["host"] == "h"


def test_msgpack_keeps_text_that_is_none() -> None:
    data = b"\x82\xa7message\xa1x\xa1h\xa1\xff"
    (event,) = through(data, shape=Shape("msgpack"))
    assert b"\xa1h\xa1\xff" in encode_msgpack([event])
    assert json.loads(encode_json([event]))["h"] == "\ufffd"


def test_what_an_encoding_cannot_say_is_made_plain() -> None:
    deep: Any = "x"
    for _ in range(600):
        deep = [deep]
    event = {
        "big": 2**70,
        "lone": "\ud800",
        "deep": deep,
        1: b"\xff",
        "time": msgpack.Timestamp(1, 5),
    }
    for found in (
        json.loads(encode_json([event])),
        msgpack.unpackb(encode_msgpack([event]), strict_map_key=False),
    ):
        assert (found["big"], found["lone"], found["1"]) == (str(2**70), "\ufffd", "\ufffd")
        assert found["time"] == "1.000000005"
        assert "nested deeper" in str(found["deep"])


def test_maps_behind_other_bytes_are_found() -> None:
    data = b"\xc1{}\n" + msgpack.packb({"message": "x"})
    marked, event = through(data, shape=Shape("msgpack"))
    assert marked["message"] == b"\xc1{}\n"
    assert event["body"] == "x"


def test_what_is_too_long_is_told_in_pieces() -> None:
    for data, cuts in ((b"a" * 25 + b"\nb", ()), (b"a" * 25 + b"\nb", (7, 11, 26))):
        found, cutter, start = [], Lines(10), 0
        for end in (*cuts, len(data)):
            found += cutter.feed(data[start:end])
            start = end
        assert found + cutter.close() == [b"a" * 10, b"a" * 10, b"a" * 5, b"b"]
    decoder = MsgpackDecoder(longest=100)
    long, short = (
        msgpack.packb({"message": "x" * 90, "n": 1, "k": "y" * 30}),
        msgpack.packb({"n": 1}),
    )
    whole = decoder.feed(long + short)
    cut = MsgpackDecoder(longest=100)
    assert [*cut.feed(long[:101]), *cut.feed(long[101:] + short)] == whole
    assert whole[-1] == {"n": 1}


def test_tables_are_read_as_fluentd_writes_them() -> None:
    tsv = TsvDecoder(("tag", "time", "message"))
    assert tsv.feed(b"a\t1.5\tone\ttwo\nb\n\n") == [
        {"tag": "a", "time": "1.5", "message": "one\ttwo"}, {"tag": "b"}, {"tag": ""}
    ]  # fmt: skip
    assert LtsvDecoder().feed(b"tag:a\tmessage:x: y\n\n") == [{"tag": "a", "message": "x: y"}]
    (unread,) = LtsvDecoder().feed(b"tag:a\tmore\n")
    assert (unread.raw, unread.reason) == ("tag:a\tmore", "expected key:value between tabs")


def test_tables_keep_an_event_on_a_line() -> None:
    event = {"a": "1\t2\n", "b": None, "c:d": True, "e": {"f": [1]}, "g": 1.5}
    assert encode_ltsv([event]) == b'a:1\\t2\\n\tc_d:true\te:{"f":[1]}\tg:1.5\n'
    assert TsvEncoder(("a", "b", "g"))([event]) == b"1\\t2\\n\t\t1.5\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "tsv"], "--from tsv: expected --keys with the names of its values"),
        (["--keys", "a"], "--keys: has no effect on --from json: leave it out"),
        (
            ["--from", "tsv", "--keys", "a,b"],
            "--field: expected one of --keys a,b, found 'message'",
        ),
        (["--to", "tsv"], "--to tsv: expected --to-keys with the names of its values"),
        (["-n", "3"], "expected an option of `opslog fluentd`, found '-n'"),
        (["--tag-key", "logger"], "--tag-key: expected a name that no column has, found 'logger'"),
        (["--log-file", "/"], "/: Is a directory"),
        (["--severity", "LOUD"], "'LOUD'"),
    ],
)
def test_wrong_options_are_said(arguments: list[str], said: str) -> None:
    result = opslog("fluentd", *arguments)
    assert result.returncode == 2
    assert said in result.stderr.decode()
