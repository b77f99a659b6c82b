"""Records that go past the stages: as if all had been columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from opslog.outputs.jsonl import to_json_lines
from opslog.reading.pipeline import Stage
from opslog.stages import Dedup, Mask, Sample, dedup, named_secrets
from opslog.stages.secrets import SUSPECTS

HEAD = "2026-03-10 10:00:00.112 2412 INFO nova.service [req-{:08x}-0000-4000-8000-000000000000] "
KEY = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEAr0", "-----END RSA PRIVATE KEY-----"]
TEXTS = [
    "Starting", "volume created", "token_ttl = 3600", "password=hunter2hunter2",
    "http://nova:hunter2hunter2@10.0.0.1/v3", "GET /v2.1/servers?token=0123456789abcdef0123",
    "cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI=", "über {'X-Auth-Token': 'gAAAAABlhunter2hunter2'}",
    "MIIEpAIBAAKCAQEAr0", *KEY, "\n".join(KEY),
]  # fmt: skip
LINES = st.one_of(
    st.builds(lambda n, text: HEAD.format(n) + text, st.integers(0, 5), st.sampled_from(TEXTS)),
    st.builds(
        lambda text, key: json.dumps({"log": text, key: "hunter2hunter2", "stream": "stdout"}),
        st.sampled_from(TEXTS),
        st.sampled_from(["password", "pod", "user_token"]),
    ),
    # As opslog writes records: any text of theirs may hold a secret.
    st.builds(
        lambda column, text, key: json.dumps({
            "source": "a.log", "source_offset": 7, "attributes": {key: "hunter2hunter2"}, column: text,
        }),
        st.sampled_from([
            "body", "format", "source", "host_name", "logger", "http_target", "severity_text",
            "exception_stacktrace", "service_name", "original",
        ]),
        st.sampled_from(TEXTS),
        st.sampled_from(["password", "pod"]),
    ),
    st.sampled_from(TEXTS),
)  # fmt: skip
STAGES: list[tuple[Stage, ...]] = [
    (Mask(),), (Mask(b"key"),), (Sample(0.5),), (Sample(0.5), Sample(0.4), Mask()),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("direct")


@given(st.lists(LINES, max_size=30), st.sampled_from(STAGES), st.booleans())
def test_what_is_written_is_what_the_stages_make_of_columns(
    folder: Path, lines: list[str], stages: tuple[Stage, ...], original: bool
) -> None:
    paths = [folder / "a.log", folder / "token=hunter2hunter2.log"]
    for path in paths:
        path.write_text("".join(line + "\n" for line in lines))
    logs = opslog.read(*paths, original=original, threads=2)
    for stage in stages:
        logs = logs.pipe(stage)
    written = logs.write_jsonl(folder / "out.jsonl")
    found = b"".join(map(to_json_lines, logs.batches()))
    assert (folder / "out.jsonl").read_bytes() == found
    assert written.kept == found.count(b"\n")
    assert written.records == written.kept + sum(written.dropped.values())


TRACE = """Traceback (most recent call last):
  File "/usr/lib/python3/nova/{0}.py", line {1}, in run
    self.{0}({1})
ValueError: {2}"""
REPEATS = st.builds(
    lambda second, level, program, text: (
        f"2026-03-10 10:00:{second:02}.112 2412 {level} nova.{program} [-] {text}"
    ),
    st.integers(0, 59),
    st.sampled_from(["INFO", "ERROR"]),
    st.sampled_from(["compute", "api"]),
    st.one_of(
        st.sampled_from(["took 1 s", "took 22 s", "stopped 'x'", "stopped 'é'", "", "über #011"]),
        st.builds(
            TRACE.format, st.sampled_from(["a", "b"]), st.integers(8, 11), st.integers(0, 1)
        ).map(lambda trace: "failed\n" + trace),
    ),
)


@given(st.lists(st.one_of(REPEATS, LINES), max_size=30), st.lists(REPEATS), st.booleans())
def test_repeats_are_those_that_columns_tell(
    folder: Path, lines: list[str], others: list[str], original: bool
) -> None:
    for name, texts in (("a.log", lines), ("b.log", others)):
        (folder / name).write_text("".join(text + "\n" for text in texts))
    logs = opslog.read(folder / "a.log", folder / "b.log", original=original)
    found = [row for batch in logs.pipe(Dedup(20)).batches() for row in batch.to_pylist()]
    columns = [row for batch in Dedup(20)(logs.batches()) for row in batch.to_pylist()]
    assert found == columns
    counts = [int(dict(row["attributes"]).get("repeated", 1)) for row in found]
    assert sum(counts) == sum(map(len, logs.batches()))


def test_repeats_are_told_before_they_take_too_much_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [HEAD.format(0) + text for text in ("a" * 99, "b", "a" * 99, "b", "a" * 99, "b")]
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    logs = opslog.read(folder / "a.log").pipe(Dedup())
    assert logs.write_jsonl(folder / "out.jsonl").kept == 4
    size = 2 * 512 + len("\n".join(lines[:2]) + "\n")
    for most, let_go in ((size, {}), (size - 1, {"Dedup": 1})):
        monkeypatch.setattr(dedup, "MOST_BYTES", most)
        assert logs.write_jsonl(folder / "out.jsonl").let_go == let_go


@given(st.text("pasword=: tkenAKI\"'/\\0123", max_size=40), st.sampled_from(TEXTS))
def test_a_secret_is_suspected_wherever_it_stands(text: str, secret: str) -> None:
    """A word is found at even and at odd places, at the begin and at the end."""
    for known in (secret, text):
        words = {number for number, _, _ in SUSPECTS.hits((text + known).encode())}
        assert bool(SUSPECTS.text((text + known).encode())) == bool(words)


@given(
    st.from_regex(named_secrets._SAID, fullmatch=True),
    st.one_of(st.just("hunTer2secret"), st.text("aZ2é%\\/.-", min_size=6, max_size=12)),
)
def test_a_text_is_suspected_behind_all_that_a_sentence_may_say(said: str, word: str) -> None:
    begin = "the password "
    text = f"{begin}{said}{word}"
    secrets = list(named_secrets._behind_blank(text, len(begin), "password", False, False))
    assert bool(SUSPECTS.text(text.encode())) >= bool(secrets)


@pytest.mark.parametrize(
    ("text", "suspected"),
    [("GET /v3/auth/tokens HTTP/1.1", False), ("token Hunter2hunter2", True), ("token h%55nter2hunter2", True), ("token tömörkény2", True)],
)  # fmt: skip
def test_a_word_behind_a_name_is_suspected_if_it_is_no_word_of_a_sentence(
    text: str, suspected: bool
) -> None:
    assert SUSPECTS.text(text.encode()) == suspected
