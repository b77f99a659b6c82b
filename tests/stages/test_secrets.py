"""Every case of the list, and known secrets nested in the encodings that logs have."""

from __future__ import annotations

import base64
import json
import re
import shlex
import signal
from html import escape
from itertools import pairwise
from pathlib import Path
from random import Random
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_utils import strutils

from opslog.stages import Mask, commands, shapes
from opslog.stages._outlines import outline
from opslog.stages.secret_names import TRIGGERS, is_secret
from opslog.stages.secrets import SUSPECTS, find, searched

CASES = [
    json.loads(line) for line in Path(__file__).with_name("secrets.jsonl").read_text().splitlines()
]
MASK = Mask()

CORE = "Qz7wVb3kLm9x"
"""A part of each secret that is in no other text, whatever stands around it."""

NAMES = st.sampled_from(
    ["password", "adminPass", "X-Auth-Token", "db_password", "secret", "api_key", "OS_PASSWORD", "auth_token",
     "client_secret", "chap-password", "node.session.auth.password", "private_key", "snmp_community"]
)  # fmt: skip
SECRETS = st.builds(
    lambda before, after: before + CORE + after,
    st.text("abcXYZ019 '\"\\/:@#[]{}(),;&=%+$!?<>|-_.äé", max_size=6).filter(lambda t: t == t.strip() and not t.startswith(("-", "$", "%", "<", "{{", "{SHA"))),
    st.text("abcXYZ019 '\"\\/:@#[]{}(),;&=%+$!?<>|-_.äé", max_size=6).map(str.rstrip),
)  # fmt: skip


def yaml(name: str, secret: str) -> str:
    return f"user: admin\n{name}: {json.dumps(secret, ensure_ascii=False)}\nport: 22\n"


def list_of_one(name: str, secret: str) -> str:
    return repr({"a": 1, name: [secret], "b": None})


WRITTEN = {
    "repr": lambda name, secret: repr({"user": "admin", name: secret, "port": 22}),
    "json": lambda name, secret: json.dumps({"user": "admin", name: secret, "port": 22}),
    "json, as is": lambda name, secret: json.dumps({name: secret}, ensure_ascii=False),
    "list": list_of_one,
    "tuple": lambda name, secret: repr({name: (secret, secret)}),
    "object": lambda name, secret: json.dumps({name: {"value": secret, "a": [1]}, "z": 1}),
    "bytes": lambda name, secret: repr({name.encode(): secret.encode()}),
    "header list": lambda name, secret: repr([("Accept", "*/*"), (name, secret), ("Host", "a")]),
    "query": lambda name, secret: urlencode({"user": "admin", name: secret, "port": 22}),
    "url": lambda name, secret: f"http://host/path?{quote(name)}={quote(secret, safe='')}&x=1",
    "pair of an object": lambda name, secret: repr([{"name": name, "type": "String", "value": secret}]),
    "json over lines": lambda name, secret: json.dumps({"a": 1, name: {"b": secret}}, indent=2),
    "form": lambda name, secret: f'form-data; name="{name}"\r\n\r\n{secret}\r\n--x',
    "table": lambda name, secret: f"+--+\n| a | b |\n| {name} | {secret.replace('|', '')} |\n+--+",
    "xml": lambda name, secret: f"<user>admin</user><{name}>{escape(secret)}</{name}><a/>",
    "xml attribute": lambda name, secret: f'<a user="admin" {name}="{escape(secret)}" port="1"/>',
    "yaml": yaml,
    "yaml block": lambda name, secret: f"a:\n  {name}: |\n    {secret}\n  b: 1\n",
    "argv": lambda name, secret: repr(["cmd", "--os-" + name, secret, "--verbose"]),
    "argv=": lambda name, secret: repr(["cmd", f"--{name}={secret}", "--verbose"]),
    "shell": lambda name, secret: shlex.join(["cmd", "--os-" + name, secret, "--verbose"]),
    "shell=": lambda name, secret: f"cmd --{name}={shlex.quote(secret)} --verbose",
    "environment": lambda name, secret: f"{name}={shlex.quote(secret)} openstack server list",
    "header": lambda name, secret: f'curl -H "{name}: {secret.replace(chr(34), "")}" -H "A: b"',
    "erlang": lambda name, secret: f'[{{{name.replace("-", "_").replace(".", "_")}, <<{json.dumps(secret, ensure_ascii=False)}>>}}].',
    "environment of a container": lambda name, secret: json.dumps(["PATH=/bin", f"{name}={secret}"]),
    "keyword": lambda name, secret: f"connect(host='a', {name.replace('-', '_')}={secret!r}, a=1)",
}  # fmt: skip
"""How a name and a secret are written."""

ENCODED = {
    "repr": lambda text: repr({"body": text, "status": 200}),
    "json": lambda text: json.dumps({"body": text, "status": 200}),
    "json, as is": lambda text: json.dumps({"body": text}, ensure_ascii=False),
    "bytes": lambda text: repr(text.encode()),
    "list": lambda text: repr(["a", text]),
    "url": lambda text: quote(text, safe=""),
    "form": lambda text: urlencode({"body": text, "a": 1}),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "xml": lambda text: f"<body>{escape(text)}</body>",
    "shell": lambda text: f"echo {shlex.quote(text)}",
    "message": lambda text: f"Request body: {text}",
    "rsyslog": lambda text: text.replace("\t", "#011").replace("\r", "#015").replace("\n", "#012"),
}
"""What is made of a text that holds a secret before it is logged."""


def coloured(text: str) -> str:
    """Return the text as grep writes it on a terminal."""
    return re.sub(r"(?i)(pass\w*|token|secret|key)", "\x1b[01;31m\x1b[K\\1\x1b[m\x1b[K", text)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_case_of_the_list(case: dict[str, object]) -> None:
    text = str(case["text"])
    masked = MASK.text(text)
    for secret in case.get("secrets", ()):  # type: ignore[attr-defined]
        assert secret in text
        assert secret not in masked
    for kept in case.get("keep", ()):  # type: ignore[attr-defined]
        assert kept in masked
    assert MASK.text(masked) == masked


def nested(name: str, secret: str, written: str, encoded: list[str]) -> str:
    text = WRITTEN[written](name, secret)
    for kind in encoded:
        text = ENCODED[kind](text)
    return text


@given(
    name=NAMES,
    secret=SECRETS,
    written=st.sampled_from(sorted(WRITTEN)),
    encoded=st.lists(st.sampled_from(sorted(ENCODED)), max_size=4),
    colours=st.booleans(),
)
def test_no_secret_survives_any_nesting(
    name: str, secret: str, written: str, encoded: list[str], colours: bool
) -> None:
    text = f"2026-03-10 RESP: {nested(name, secret, written, encoded)} done"
    masked = MASK.text(coloured(text) if colours and "base64" not in str(encoded) else text)
    assert CORE not in unwrapped(masked)
    assert masked.startswith("2026-03-10 RESP: ")


@given(name=NAMES, secret=SECRETS, written=st.sampled_from(sorted(WRITTEN)), close=st.booleans())
def test_no_secret_survives_as_a_list_of_bytes(
    name: str, secret: str, written: str, close: bool
) -> None:
    # What the journal makes of a message with a control character.
    message = list(WRITTEN[written](name, secret).encode())
    text = json.dumps(
        {"MESSAGE": message, "PRIORITY": "3"}, separators=(",", ":") if close else None
    )
    assert json.loads(MASK.text(text)) == {"MESSAGE": "***", "PRIORITY": "3"}


def unwrapped(text: str) -> str:
    """Return the text and what base64 in it stands for, to any depth."""
    out = [text]
    for _ in range(6):
        from opslog.stages.encodings import of_base64

        text = " ".join(decoded for _, _, decoded in of_base64(text))
        out.append(text)
    return "\n".join(out)


KEPT = st.sampled_from(
    ["6f1d2c3b-4a59-6877-8695-a4b3c2d1e0f9", "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce", "10.0.0.1", "ACTIVE",
     "compute-1.example.org", "/var/lib/nova/instances", "2026-03-10T10:00:00Z", "6f1d2c3b4a5968778695a4b3c2d1e0f9"]
)  # fmt: skip


@given(
    kept=KEPT,
    name=st.sampled_from(
        ["id", "request_id", "token_type", "token_count", "key_name", "public_key", "host", "password_expires_at",
         "next_page_token", "tokens_used", "primary_key", "secret_ref", "passed", "bypass", "keyboard", "monkey"]
    ),
    written=st.sampled_from(["repr", "json", "list", "tuple", "query", "xml", "yaml", "argv=", "keyword"]),
    encoded=st.lists(st.sampled_from(sorted(ENCODED)), max_size=4),
)  # fmt: skip
def test_what_is_no_secret_stays_in_any_nesting(
    kept: str, name: str, written: str, encoded: list[str]
) -> None:
    text = nested(name, kept, written, encoded)
    assert MASK.text(text) == text


def test_what_services_mask_is_secret() -> None:
    assert [key for key in strutils._SANITIZE_KEYS if not is_secret(key)] == []


PIECES = st.sampled_from(
    [*TRIGGERS, *commands.WORDS, *shapes.WORDS, *shapes.SHAPES, *shapes.URLS, *" \n:=,;'\"()[]{}@-%", "A1b2C3d4", "-p", "Qz7wVb3kLm9x"]
)  # fmt: skip
"""What makes a text suspected, and what stands around it."""


@given(
    text=st.text("pass word:=,'\"\\/%{}[]()<>@&;-\n#$Aa0")
    | st.text()
    | st.lists(PIECES, max_size=12).map("".join)
)
def test_any_text_can_be_masked(text: str) -> None:
    spans = find(text)
    assert all(begin < end for begin, end, _ in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    if spans:
        assert SUSPECTS.text(text.encode(errors="surrogatepass"))


_HOLES = ("{hex}", "{uuid}", "req-{uuid}", "{number}", "{address}", "{fernet}")
IDS = st.sampled_from(_HOLES)
AROUND = st.sampled_from(
    [*" :=,;'\"()[]{}@-%/.\\", "token: ", "'password': '", "', ", "X-Auth-Token: ", "://nova:", "@", ":5672/", " -P ", "ipmitool", "--password ",
     '"token": {"id": "', '"}}', "basic ", "Bearer ", "key=", "secret ", "GET /v3/auth/tokens/", "\n", "\\n", "%3D", "=> "]
)  # fmt: skip


def filled(pieces: list[str], rng: Random) -> str:
    """Return the pieces with ids and numbers of the lengths that ``pieces`` stand for."""
    digits = "0123456789"

    def of(chars: str, size: int) -> str:
        return "".join(rng.choices(chars, k=size))

    def hexadecimal(size: int) -> str:
        return of("abcdef", 1) + of(digits, 1) + of(digits + "abcdef", size - 2)

    return "".join(
        piece.format(
            hex=hexadecimal(32),
            uuid="-".join([hexadecimal(8), *(of(digits + "abcdef", 4) for _ in range(3)), hexadecimal(12)]),
            number=of("456789", 4),
            address=f"10.{of('12', 2)}.{of('1', 3)}.{of(digits, 1)}",
            fernet="gAAAAA" + of(digits + "abcXYZ-_", 100),
        )
        if piece in _HOLES
        else piece
        for piece in pieces
    )  # fmt: skip


@given(
    pieces=st.lists(IDS | AROUND | PIECES, max_size=12),
    rng=st.randoms(use_true_random=False),
)
def test_where_secrets_stand_is_the_same_whichever_ids_a_text_has(
    pieces: list[str], rng: Random
) -> None:
    first, second = filled(pieces, rng), filled(pieces, rng)
    kind = outline(first.encode())
    if kind is not None and kind == outline(second.encode()):
        spans = [span[:2] for span in searched(first)]
        if not any(SUSPECTS.base64(text.encode()) for text in (first, second)):
            assert spans == [span[:2] for span in searched(second)]
    assert find(first) == searched(first)
    assert find(second) == searched(second)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_outline_holds_no_id_of_a_case(case: dict[str, object]) -> None:
    text = str(case["text"])
    assert find(text) == find(text) == searched(text)
    made = outline(text.encode())
    assert made is None or len(made) == len(text)


def test_texts_that_differ_in_ids_only_have_one_outline() -> None:
    line = "token {} of {} at {}:{} for req-{}"
    ids = ["0a1b" * 8, "6f1d2c3b-4a59-6877-8695-a4b3c2d1e0f9", "10.0.0.1", "5672"]
    others = ["9f0e" * 8, "00000000-0000-0000-0000-00000000000a", "10.9.9.8", "1234"]
    assert outline(line.format(*ids, ids[1]).encode()) == outline(
        line.format(*others, others[1]).encode()
    )
    for text in ("token 0a1b" * 8, "token [1, 2]", "tokén 10", "a" * 2000):
        assert outline(text.encode()) in (None, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "a_key = Kx82mQpLw|b_secret = {}",
        "a_key = Kx82mQpLw'b_secret = {}",
        'a_key = Kx82mQpLw"X-Container-Sync-Key: {}',
        "private_key: Kx82m\"swiftclient.Connection(authurl='x', user='u', key='{}')",
    ],
)
def test_what_begins_in_a_secret_and_goes_on_behind_it_is_masked_too(text: str) -> None:
    assert "Mf4tWq8zRn2k" not in MASK.text(text.format("Mf4tWq8zRn2k"))


NASTY = [
    "password=", "password='", '"password": "', "{'token': [", "token: (", "://a:", "://", "password: a\n ",
    "-----BEGIN PRIVATE KEY-----", "eyJ", "eyJ." * 2, "--password ", "\\", "\\\\\"", "%25", "%22", "&amp;", "'\"'\"'",
    "mysql -p", "<password>", "<password", "a.", "password", "cookie: a=", "authorization: ", "YWJj", "/YWJjYWJjYWJjYWJj",
    "password is ", "name: password\n value: ", "curl -u ", "basic ", "@", ":a@b", ",", "$6$", "AQA", "token,", "[[", "| password |", "password |", "password\r\n\r\n", "A" * 50 + "\n", "?key=", "data:", "{'name': 'password', 'a': 'b', ", "createuser x md5 ", "thin:a/", "Connection(", "auth=('", "('password', ",
    "racadm set ", "user_a = b ", "login a password ", "a\n", "-----END PRIVATE KEY-----", "neighbor a password ", "crudini --set password a ", "proxy=a:", ".pgpass a:1:a:",
    "mysqladmin ", "snmp-server host ", "set password for ", "identified by 'a' replace ", "\x1b[1m", "#012", "proctitle=41", "{password, ", 'secrets:<key:"',
]  # fmt: skip


@pytest.mark.parametrize("piece", NASTY)
def test_a_long_text_of_the_worst_kind_is_masked_in_time(piece: str) -> None:
    find_in_time("token=x " + piece * (100_000 // len(piece)) + " password")


@pytest.mark.parametrize("piece", ["-", "- ", "=-", "--+", "\t"])
def test_a_long_line_that_is_nearly_the_one_of_a_table_is_masked_in_time(piece: str) -> None:
    find_in_time("token=x | b\n" + piece * (100_000 // len(piece)) + "x")


def find_in_time(text: str) -> None:
    # Patterns that go back and forth would take minutes.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(60)
    try:
        find(text)
    finally:
        signal.alarm(0)


def test_a_secret_with_more_quotes_than_are_looked_at_is_masked_to_the_end() -> None:
    text = 'password: "' + 'a"b' * 300 + "Zq83"
    assert any(span[1] == len(text) for span in find(text))
