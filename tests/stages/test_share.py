"""Records to share: nobody is named, and what belonged together still does."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import opslog as library
from helpers import opslog, table
from opslog.stages import Share
from opslog.stages.addresses import Addresses
from opslog.stages.identities import Identities

REQUEST = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
USER, PROJECT = "8c1f5e7d2b3a4c6d9e0f1a2b3c4d5e6f", "2a9d8c7b6e5f4d3c2b1a0f9e8d7c6b5a"
DASHED = "2a9d8c7b-6e5f-4d3c-2b1a-0f9e8d7c6b5a"
INSTANCE = "3f7b1c52-8d4e-4a1f-b6c9-5e2d7a9f0b13"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def identities() -> Identities:
    known = Identities(b"key")
    for kind, name in (
        ("host", "compute-01.cloud.acme.com"), ("host", "controller"), ("user", "joe"),
        ("user", USER), ("project", PROJECT), ("project", "My Project"), ("user", "nova"),
    ):  # fmt: skip
        known.learn(kind, name)
    return known


HOST, SHORT = r"host-[0-9a-f]{8}\.example\.org", "host-[0-9a-f]{8}"
HEX = "[0-9a-f]"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("at 10.0.0.7,", r"at 10\.\d+\.\d+\.\d+,"),
        ("net 10.0.0.0/24 of", r"net 10\.\d+\.\d+\.0/24 of"),
        ("8.8.8.8:53", r"(?!8\.8\.8\.8)\d+\.\d+\.\d+\.\d+:53"),
        ("a%3D10.0.0.7%3A80", r"a%3D10\.(?!0\.0\.7)[\d.]+%3A80"),
        (r"x\n10.0.0.7\n", r"x\\n10\.(?!0\.0\.7)[\d.]+\\n"),
        ("[fd00::1]:80", r"\[fd(?!00::1\])[0-9a-f:]+\]:80"),
        ("host=fd00::1 up", r"host=fd(?!00::1)[0-9a-f:]+ up"),
        ("from 2a01:4f8::17: gone", r"from (?!2a01:)[0-9a-f:]+: gone"),
        ("::ffff:10.0.0.7", r"::ffff:10\.(?!0\.0\.7)[\d.]+"),
        ("fe80::f816:3eff:fe01:203%eth0", r"fe80::(?!f816)[0-9a-f:]+%eth0"),
        ("mac fa:16:3e:01:02:03", r"mac [0-9a-f][26ae](:[0-9a-f]{2}){5}"),
        ("mail j.d@acme.com.", r"mail user-[0-9a-f]{8}@example\.org\."),
        ("user joe, 'joe'", r"user user-[0-9a-f]{8}, 'user-[0-9a-f]{8}'"),
        ("My Project is full", "project-[0-9a-f]{8} is full"),
        (f"id={USER}", "id=(?!8c1f)[0-9a-f]{32}"),
        (f"AUTH_{PROJECT}/c", "AUTH_(?!2a9d)[0-9a-f]{32}/c"),
        (DASHED, "(?!2a9d)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("on compute-01:80", f"on {SHORT}:80"),
        ("on COMPUTE-01.cloud.acme.com", f"on {HOST}"),
        ("queue compute.compute-01", rf"queue compute\.{SHORT}"),
        ("compute_fanout_compute-01", f"compute_fanout_{SHORT}"),
        ("/var/log/compute-01/x.log", f"/var/log/{SHORT}/x.log"),
        ("compute-01.log.1", rf"{SHORT}\.log\.1"),
        ("rabbit@compute-01", f"rabbit@{SHORT}"),
        ("db7.cloud.acme.com", HOST),
        ("http://db7:3306/x", f"http://{SHORT}:3306/x"),
        (r"http:\/\/db7\/x of db7", rf"http:\\/\\/{SHORT}\\/x of {SHORT}"),
        ("http://u:***@db7.other.de/x", rf"http://u:\*\*\*@{HOST}/x"),
        ("'user_name': 'ann'", "'user_name': 'user-[0-9a-f]{8}'"),
        (r"{\"tenant_id\": \"ab12\"}", r"\{\\\"tenant_id\\\": \\\"project-[0-9a-f]{8}\\\"\}"),
        ('"publisher_id": "compute.cmp1", cmp1', rf'"publisher_id": "compute\.{SHORT}", {SHORT}'),
        ("hostname=db9 ok", f"hostname={SHORT} ok"),
        ('File "/home/ann/x.py"', r'File "/home/user-[0-9a-f]{8}/x\.py"'),
        ("GET /?project_id=abc&x=1", r"GET /\?project_id=project-[0-9a-f]{8}&x=1"),
    ],
)  # fmt: skip
def test_what_names_somebody_is_replaced(text: str, pattern: str) -> None:
    found = identities().text(text)
    assert re.fullmatch(pattern, found), found


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 0.0.0.0 255.255.255.0 169.254.169.254 192.0.2.7 224.0.0.18 ::1 2001:db8::1",
        "00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 01:00:5e:00:00:12",
        "2026-03-10 10:00:00.112 std::string 0000:00:1f.2 version 29.2.0",
        f"{REQUEST} {INSTANCE}",
        "nova.compute.manager joey xjoe joe-1 controllers",
        "nova neutron-server compute.instance.create.start",
        "https://docs.openstack.org/nova/latest/ http://localhost:80/",
        "user_id=None, project_id: null, host: localhost",
        "getty@tty1.service aes256-gcm@openssh.com",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert identities().text(text) == text


def test_one_thing_has_one_pseudonym_however_it_is_spelled() -> None:
    known = identities()
    assert known.text(DASHED).replace("-", "") == known.text(PROJECT)
    assert known.text("compute-01.cloud.acme.com") == known.text("compute-01") + ".example.org"
    assert known.text("FD00::1") == known.text("fd00:0::1")
    assert known.text("FA:16:3E:01:02:03") == known.text("fa:16:3e:01:02:03")
    assert known.whole("host", "compute-01") == known.text("compute-01")
    assert Identities(b"other").whole("user", "joe") != known.text("joe")


@given(st.sampled_from([32, 128]), st.data())
def test_addresses_share_as_many_bits_as_before(bits: int, data: st.DataObject) -> None:
    one = data.draw(st.integers(0, 2**bits - 1))
    other = one ^ data.draw(st.integers(0, 2 ** data.draw(st.integers(0, bits)) - 1))
    make = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
    if any("ffff" in str(make(each).exploded) and each >> 32 == 0xFFFF for each in (one, other)):
        return  # IPv4 in IPv6
    addresses = Addresses(b"key")
    new = [int(make(addresses.ip(str(make(each))) or "")) for each in (one, other)]
    assert (new[0] ^ new[1]).bit_length() == (one ^ other).bit_length()


def line(second: int, host: str, user: str, project: str, text: str) -> str:
    return (
        f"2026-03-10T10:00:{second:02}.112000+00:00 {host} nova-api: 2026-03-10 10:00:{second:02}"
        f".112 7 INFO nova.osapi_compute.wsgi.server [{REQUEST} {user} {project} - default default] {text}\n"
    )


NAMES = st.from_regex(r"[a-z]{3,8}-[0-9]{1,3}", fullmatch=True)
ADDRESSES = st.ip_addresses(v=4, network="10.0.0.0/8").map(str)


@given(rows=st.lists(st.tuples(NAMES, NAMES, NAMES, ADDRESSES), min_size=1, max_size=6))
def test_no_known_name_is_left_and_records_stay_what_they_were(
    rows: list[tuple[str, str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("share")
    text = "".join(
        line(n, host, user, project,
             f'{at} "GET /v2/{project}/x?host={host} HTTP/1.1" status: 200  len: 7 time: 0.1 by {user}')
        for n, (host, user, project, at) in enumerate(rows)
    )  # fmt: skip
    (folder / "a.log").write_text(text)
    logs = library.read(folder / "a.log", original=True)
    whole = pa.Table.from_batches(logs.batches())
    cut = [whole.slice(at, 2).combine_chunks().to_batches()[0] for at in range(0, len(whole), 2)]
    shares = [Share(b"key"), Share(b"key")]
    for share in shares:
        share.learn(logs.batches())
    found = pa.Table.from_batches(shares[0](iter(whole.to_batches())), whole.schema)
    again = pa.Table.from_batches(shares[1](iter(cut)), whole.schema)
    assert found.to_pylist() == again.to_pylist()
    said = json.dumps(found.drop_columns(["source", "timestamp"]).to_pylist(), default=str)
    for names in rows:
        for name in names:
            assert not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", said), name
    masked = folder / "b.log"
    masked.write_bytes(b"".join(found["original"].to_pylist()))
    parsed = library.read(masked, original=True).to_table()
    same = ["timestamp", "format", "severity_number", "severity_text", "request_id", "http_status",
            "host_name", "user_id", "project_id", "client_address", "body", "http_target"]  # fmt: skip
    assert parsed.select(same).to_pylist() == found.select(same).to_pylist()


@pytest.mark.parametrize("files", ["boot", "nova-compute.log", "events"])
def test_the_examples_have_the_same_requests_when_they_are_shared(
    files: str, tmp_path: Path
) -> None:
    share = Share(b"key")
    logs = library.read(EXAMPLES / files, original=True)
    share.learn(logs.batches())
    for row in logs.pipe(share).to_table().to_pylist():
        path = tmp_path / Path(row["source"]).name
        with path.open("ab") as out:
            out.write(row["original"])
    keys = ["request_id", "start", "duration", "services", "status", "records", "severity_number"]

    def requests(path: Path) -> list[dict[str, object]]:
        found = opslog("requests", "--to", "jsonl", str(path)).stdout.decode().splitlines()
        return [{key: json.loads(each).get(key) for key in keys} for each in found]

    assert requests(tmp_path) == requests(EXAMPLES / files) != []


@pytest.mark.parametrize(
    "arguments",
    [
        ["filter", "--original", "--to", "jsonl"], ["filter", "--to", "text", "--full"],
        ["stats", "--json"], ["trace", REQUEST], ["trace", REQUEST, "--json"],
        ["trace", REQUEST, "--html", "-"], ["trace", REQUEST, "--otlp", "-"],
        ["requests", "--to", "jsonl"], ["requests", "--to", "text"], ["resources"],
        ["doctor", "--json", "--examples", "5"], ["events", "--rows", "events"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_names_anybody(arguments: list[str], tmp_path: Path) -> None:
    log = tmp_path / "nova-api.log"
    log.write_text(
        line(0, "db-7", "joe77", "acme-1", "no format says joe77 of acme-1 on db-7 at 10.1.2.3")
        + "joe77 at db-7 with 10.1.2.3\n"
    )
    result = opslog(*arguments, "--mask=share", str(log))
    assert result.returncode in (0, 1), result.stderr
    for name in (b"joe77", b"acme-1", b"db-7", b"10.1.2.3"):
        assert name not in result.stdout
    assert b"opslog: replaced: " in result.stderr


def test_mask_takes_no_path_for_its_value(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(line(0, "db-7", "joe", "acme", "password=geheim at 10.1.2.3"))
    for arguments in (["--mask", str(log)], [str(log), "--mask"]):
        result = opslog("filter", *arguments)
        assert b"password=***" in result.stdout
        assert b"10.1.2.3" in result.stdout
        assert not result.stderr
    result = opslog("filter", "--mask=share", "--mask-key", str(log), str(log))
    assert (
        result.stdout == opslog("filter", "--mask=share", "--mask-key", str(log), str(log)).stdout
    )
    assert b"replaced: 1 address, 1 host, 1 user, 1 project, 1 secret" in result.stderr
    assert b"expected one of secrets, share" in opslog("filter", "--mask=all", str(log)).stderr


def test_names_that_are_too_many_to_remember_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opslog.stages.identities._MOST", 10)
    share = Share(b"key")
    for n in range(12):
        share._identities.learn("user", f"user{n}x")
    assert share.text("by user11x") != "by user11x"
    assert share.report() == (
        "replaced: 1 user; there were more names than are remembered: texts may still hold some that "
        "came long before, so mask smaller parts of the logs"
    )


@given(name=st.text(st.sampled_from("ab \udcff\ud800é0"), min_size=1, max_size=6))
@example("é" * 400)
@example("0é\udcff" * 400)
def test_a_name_need_not_be_valid_text(name: str) -> None:
    # Bytes that are no text in lines as read, half a character in JSON.
    share = Share(b"key")
    share.plain({"user_name": name, "host": name, "note": f"user_name={name} of {name}"})
    line = f"Mar  1 10:00:00 {name} n[1]: host={name} {name}\n".encode(errors="replace")
    for data in (line, line.replace(b"?", b"\xff")):
        found = table(data, original=True)
        for batch in share(iter(found.to_batches())):
            batch.validate(full=True)


@given(
    texts=st.lists(
        st.lists(
            st.sampled_from(["host=", "user: ", "http://", "joe", "c1-7", "c2.acme.com", "My", "Project", " ", ",", "10.0.0.7", "j@acme.com",
                             "/home/", "x", "compute.c1-7", "fd00::1"]),
            max_size=5,
        ).map("".join),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_texts_of_a_column_are_masked_each_by_itself(texts: list[str]) -> None:
    known = identities()
    column = pa.array(texts)
    buffers = [memoryview(buffer).cast("B") for buffer in column.buffers()[1:] if buffer]
    if len(buffers) < 2 or not buffers[1]:
        return
    offsets, data = buffers[0].cast("i"), buffers[1]
    for _ in range(2):  # what the first learns from texts, the second knows
        found = known.column(offsets, data, 0, len(texts))
    new = column if found is None else pa.Array.from_buffers(
        column.type, len(texts), [None, *map(pa.py_buffer, found)]
    )  # fmt: skip
    new.validate(full=True)
    assert new.to_pylist() == [known.text(text) for text in texts]
