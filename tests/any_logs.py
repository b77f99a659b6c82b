"""Logs of any lines: heads, what follows them, what is torn, and bytes that are no text."""

from __future__ import annotations

from hypothesis import strategies as st

REQUEST = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
HEADS = [
    b"2024-01-01 00:00:00.000 1 INFO a.b [-] one",
    b"2024-01-01 00:00:00.000 2 ERROR a.b [None %s u p - - - -] two" % REQUEST.encode(),
    b"2024-01-01 00:00:00.000 1 ERROR a.b [-] [instance: x] Caught [u'Traceback (most recent call last):\\n', u'E: 1']",
    b"2024-01-01 00:00:00.001 DEBUG a.b [%s n m] x f /a.py:1" % REQUEST.encode(),
    b"2024-01-01 00:00:00 ERROR a.b bare",
    b'{"message": "j\\n\\u00e9", "name": "n", "levelname": "INFO", "created": 1.5, "extra": {"a": 1}}',
    b"\x1b[00;32mINFO nova.x [\x1b[00;36m-\x1b[00;32m] \x1b[01;35m\x1b[00;32mcolor\x1b[00m",
]
OTHERS = [
    b"2024-01-01 00:00:00.000 1 ERROR a.b Traceback (most recent call last):",
    b"2024-01-01 00:00:00.000 2 TRACE a.b   File \"x.py\"",
    b"2024-01-01 00:00:00.000 1 ERROR a.b ValueError: x",
    b"2024-01-01 00:00:00.000 2 ERROR a.b ",
    b"Stack (most recent call last):", b"  File \"x.py\"", b"", b"raw", b"81 TRACE a.b x", b"\xff\xfe\xc3",
    b'{"log": "2024-01-01 00:00:00.000 1 ERROR a.b [-] \\u00e9\\n", "stream": "s", "time": "2024-01-01T00:00:00Z"}',
    b'{"log": "more", "stream": "s", "time": "2024-01-01T00:00:00Z"}',
    b'{"log": "Traceback (most recent call last):\\n", "stream": "s", "time": "2024-01-01T00:00:00Z"}',
    b"Jan  1 00:00:00 h p[1]: 2024-01-01 00:00:00.000 1 ERROR a.b [-] #011x#012Traceback (most recent call last):#012  b",
    b"Jan  1 00:00:00 h p[1]: text", b"                         below", b"-- Reboot --",
    b"2024-01-01T00:00:00Z stdout P 2024-01-01 00:00:00.000 1 INFO a.b [-] part",
    b"2024-01-01T00:00:00Z stdout F ed", b"2024-01-01T00:00:00.1Z [p] ValueError: y",
    b'{"MESSAGE": [65, 255, 10, 66], "__REALTIME_TIMESTAMP": "1700000000000000"}',
    b'{"MESSAGE": "a\\nb", "__REALTIME_TIMESTAMP": "1700000000000000", "_PID": "1"}',
    b"\0\0\0\0", b"x\r", b"\xc3\xa9", b"a#012Traceback (most recent call last):#012  b#012C: d",
]  # fmt: skip
LINES = st.one_of(st.sampled_from(HEADS), st.sampled_from(OTHERS), st.binary(max_size=30))
LOGS = st.lists(LINES, max_size=30).map(b"\n".join)
