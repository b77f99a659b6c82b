"""Keys of JSON in any order: what stood in the lines before changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import table

LINES: list[dict[str, Any]] = [
    {"log": "2026-03-10 10:00:00.000 7 INFO nova.api [-] one\n", "stream": "stderr",
     "time": "2026-03-10T10:00:00.2Z", "attrs": {"tag": "nova", "time": "now"}},
    {"message": "two", "levelname": "ERROR", "created": 1773136800.5, "name": "nova.compute", "process": 7,
     "context": {"request_id": "req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61", "user": "u1", "message": "x"}},
    {"MESSAGE": "three", "PRIORITY": "3", "_PID": "9", "SYSLOG_IDENTIFIER": "kernel",
     "__REALTIME_TIMESTAMP": "1773136800500000", "_HOSTNAME": "ctl1", "A\"B": "\\", "\u00e9": "\u00e9"},
    {"ts": "2026-03-10T10:00:00.123Z", "level": "warn", "msg": "four", "caller": "a/b.go:12", "tim": 1},
]  # fmt: skip


def reordered(value: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    keys = data.draw(st.permutations(list(value)))
    return {
        key: reordered(value[key], data) if isinstance(value[key], dict) else value[key]
        for key in keys
    }


def records(lines: list[dict[str, Any]], escaped: bool) -> list[dict[str, Any]]:
    normalizer = opslog.Normalizer()
    text = "".join(json.dumps(line, ensure_ascii=escaped) + "\n" for line in lines)
    batches = normalizer.feed(text.encode()) + normalizer.close()
    found = [row for batch in batches for row in batch.to_pylist()]
    for row in found:
        for place in ("source_offset", "original"):
            row.pop(place, None)
        row["attributes"] = sorted(row["attributes"] or [])
    return found


@given(st.data(), st.lists(st.sampled_from(LINES), min_size=1, max_size=12), st.booleans())
def test_records_do_not_depend_on_the_order_of_keys_nor_on_the_lines_before(
    data: st.DataObject, chosen: list[dict[str, Any]], escaped: bool
) -> None:
    found = records([reordered(line, data) for line in chosen], escaped)
    assert found == [row for line in chosen for row in records([line], escaped)]


def told(data: bytes) -> list[dict[str, Any]]:
    """Return the records of some bytes, without where they stand."""
    rows = table(data).to_pylist()
    for row in rows:
        del row["source_offset"]
    return rows


def told_in_turn(lines: list[bytes]) -> list[list[dict[str, Any]]]:
    """Do so line by line, each a source of its own, in a thread that has met no keys before."""
    with ThreadPoolExecutor(1) as thread:
        return list(thread.map(told, lines))


SIGNS = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"', " ", "\t", ", ", '", "', '"a": ', "null", "\\"]
)


@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=4),
    st.sampled_from([(", ", ": "), (",", ":"), (" ,", " : ")]), st.data(),
)  # fmt: skip
def test_whether_a_line_is_json_does_not_depend_on_the_lines_before(
    chosen: list[dict[str, Any]], separators: tuple[str, str], data: st.DataObject
) -> None:
    good = [json.dumps(line, separators=separators) for line in chosen]
    odd = []
    for line in good:
        # Mostly where it is no value: there the memory of keys is.
        places = [at for at, sign in enumerate(line) if sign in '{},:" ']
        at = data.draw(st.sampled_from(places))
        odd.append(
            line[:at] + data.draw(SIGNS | st.just("")) + line[at + data.draw(st.integers(0, 2)) :]
        )
    lines = [f"{line}\n".encode() for pair in zip(good, odd, strict=True) for line in pair]
    assert told_in_turn(lines) == [told_in_turn([line])[0] for line in lines]


def test_what_a_format_without_its_time_had_read_is_not_left_to_the_next() -> None:
    # "text" is the text of a format that needs a time; the next one needs "message".
    [row] = table(b'{"severity":"info","text":"x"}\n').to_pylist()
    assert row["format"] is None
    [row] = table(b'{"level":"info","msg":"x","job":"7"}\n').to_pylist()
    assert (row["severity_number"], row["body"], row["attributes"]) == (9, "x", [("job", "7")])
