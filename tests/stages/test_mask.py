"""Masking: what oslo.utils masks, and every other form in which secrets stand in logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from helpers import opslog
from opslog.model import schema
from opslog.stages import Mask

FERNET = "gAAAAABmZ0abcdefghijklmnopqrstuvwxyz-_0123456789AB=="
SECRET = "c0ffee5e3b5d4f7fa2c4e6d8b0a19283"


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        *(f"{name}: {SECRET}" for name in ("password", "auth_password", "adminPass", "X-Auth-Key",
          "X-Trove-Token", "luks_passphrase", "application_credential_secret", "private_key")),
        *(f"{name}={SECRET}" for name in ("aws_secret_access_key", "memcache_secret_key",
          "encryption_key")),
        f"{{'adminPass': u'{SECRET}', 'a': 1}}",
        f'{{"auth": {{"passwordCredentials": {{"password": "{SECRET}"}}}}}}',
        rf'{{"message": "{{\"password\": \"{SECRET}\"}}"}}',
        rf'"{{\\\"auth_token\\\": \\\"{SECRET}\\\"}}"',
        rf"{{\"x\": \"{{\\\"Authorization\\\": \\\"Bearer {SECRET}\\\"}}\"}}",
        rf"http:\/\/user:{SECRET}@host\/",
        f"<adminPass>{SECRET}</adminPass>",
        f"mysql --password {SECRET} -h db",
        f"OS_PASSWORD={SECRET}",
        f'curl -g -i -X GET http://a/ -H "X-Auth-Token: {SECRET}"',
        f"X-Subject-Token: {SECRET}",
        f"{{'X-Service-Token': '{SECRET}'}}",
        f"'HTTP_X_AUTH_TOKEN': '{SECRET}'",
        f"Authorization: Bearer {SECRET}",
        f"authorization: AWS AKIA123:{SECRET}",
        f"'Authorization': 'Basic {SECRET}='",
        f"Cookie: sessionid={SECRET}; csrftoken={SECRET}",
        f"Set-Cookie: a={SECRET}; path=/",
        f"X-Instance-ID-Signature: {SECRET}",
        f"'secret_key': '{SECRET}', 'access-key': '{SECRET}', api_key={SECRET}",
        f"passwd={SECRET}",
        f"GET /vnc_auto.html?path=%3Ftoken%3D{SECRET} HTTP/1.1",
        f"GET /v1/AUTH_x/c/o?temp_url_sig={SECRET}&temp_url_expires=1",
        f"GET /?X-Amz-Signature={SECRET}",
        f"GET /v2.0/tokens/{SECRET} HTTP/1.1",
        f"Could not find token: {SECRET}",
        f"Authorization failed for token {SECRET}",
        f"transport_url = rabbit://openstack:{SECRET}@10.0.0.1:5672,openstack:{SECRET}@10.0.0.2:5672/nova",
        f"mysql+pymysql://nova:p@ss,{SECRET}@db/nova",
        f"http://user:{SECRET}@host/",
        f"AUTH_tk{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"openstack --os-password {SECRET} server list",
        f"['openstack', '--os-password', u'{SECRET}', 'server']",
        f"--os-token {SECRET} --os-passcode={SECRET}",
        f"openstack application credential create --secret '{SECRET}' x",
        f"mysql -u root -p{SECRET} nova",
        f"/usr/bin/mysqldump --single-transaction -h db -uroot -p'{SECRET}' nova > x",
        f"['mariadb-dump', '-uroot', '-p{SECRET}']",
        f"got token: {SECRET}-b1, gone",
        f"{{'token': u'{SECRET}'}}",
        f"'user_data': '{SECRET}=='",
        rf'"user_data": "{SECRET}\n{SECRET}=\n", "a": 1',
        f"mysql+pymysql://nova:a/{SECRET}@db/nova",
        f"rabbit://openstack:{SECRET}/b@10.0.0.1:5672/",
    ],
)  # fmt: skip
def test_no_form_of_a_secret_is_left(text: str) -> None:
    for mask in (Mask(), Mask(b"key")):
        masked = mask.text(f"before {text} ")
        assert SECRET not in masked
        assert masked.startswith("before ")


@pytest.mark.parametrize(
    "token",
    [
        FERNET,
        FERNET.replace("=", "%3D"),
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "MIIVVgYJKoZIhvcNAQcCoIIVRzCCFUMCAQExDTALBglghkgBZQMEAgEw",
        "AQBvG2VhAAAAABAAcWfXyfkpQXs8eJ8H3hHbUw==",
        "AQD0M3xoQbK2LBAAB9OHmu/z1VbQmVvX+0aLGA==",
        "PKIZ_eJyFWNuSmzAQ_ReeKUPYW1I4l_gLQoJMLo",
    ],
)
def test_tokens_are_known_by_their_shape(token: str) -> None:
    assert Mask().text(f"found {token}, gone") == "found ***, gone"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization failed for the request",
        "-H 'X-Auth-Token: {SHA256}5e884898da28047151d0e56f8dc62927'",
        "POST http://10.26.4.18:5000/v3/auth/tokens",
        "git://user@host:22/path and mail a:b@c",
        "instance 3f7b1c52-8d4e-4a1f-b6c9-5e2d7a9f0b13 tokens expired",
        "GET /v3/users?name=x&signed=1",
        "invalid token: expected identifier",
        "Unexpected token: None, token: 0x00007f1b",
        "token: 2026-03-10T10:00:00Z",
        "cinder --api-key -v --os-auth-type password",
        "error: argument --os-token: expected one argument",
        "mysql -P3306 -u root -p nova",
        "mysqld --port 3306 -pid; ssh -p22 host; mkdir -p /x; docker run -p8080:80 mysql",
        "user_data=None, 'user_data': '/var/lib/cloud/instance/user-data.txt'",
        "image AQBvG2VhAAAAABAAcWfXyfkpQXs8eJ8H3hHbUw and AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==",
        "http://host:8774/v2/a@b and http://[fd00::1]:80/a@b",
        "docker://quay.io:5000/openstack.kolla/nova-api@sha256:0123",
        "NXST_FLOW reply (xid=0x4):\n cookie=0x0, duration=1.5s, table=0, cookie: 0x5",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Mask().text(text) == text


def test_json_stays_json() -> None:
    for value in (["x1", "y2"], {"id": "x1"}, [{"id": ["x1"]}], "x1y2z3"):
        text = json.dumps({"a": 1, "auth_token": value, "b": 2})
        assert json.loads(Mask().text(text)) == {"a": 1, "auth_token": "***", "b": 2}
        inner = json.loads(Mask().text(json.dumps({"body": text})))
        assert json.loads(inner["body"]) == {"a": 1, "auth_token": "***", "b": 2}


def test_equal_secrets_have_equal_names_under_one_key() -> None:
    one, other = Mask(b"one"), Mask(b"other")
    texts = [
        f"X-Auth-Token: {FERNET}",
        f"token={FERNET} x",
        f"{{'auth_token': '{FERNET}', 'a': 'b'}}",
        FERNET,
    ]
    names = {name for text in texts for name in re.findall("<secret:[0-9a-f]{8}>", one.text(text))}
    assert len(names) == 1
    assert names.isdisjoint(re.findall("<secret:[0-9a-f]{8}>", other.text(FERNET)))
    assert one.text(one.text(texts[0])) == one.text(texts[0])
    assert one.text("password=***") == "password=***"
    assert SECRET not in repr(Mask(SECRET.encode()))


def test_attributes_are_masked_by_name_and_by_value() -> None:
    attributes = [("auth_token", SECRET), ("url", f"http://u:{SECRET}@h/"), ("plain", "yes")]
    rows = [{"attributes": []}, {"attributes": attributes}, {"attributes": [("a", "b")]}]
    batch = pa.RecordBatch.from_pylist(rows, schema=schema.arrow_schema())
    for part in (batch, batch.slice(1)):
        [masked] = Mask()(iter([part]))
        masked.validate(full=True)
        assert masked["attributes"].to_pylist()[-2:] == [
            [("auth_token", "***"), ("url", "http://u:***@h/"), ("plain", "yes")],
            [("a", "b")],
        ]


def test_what_an_attribute_names_is_found_in_the_line_too() -> None:
    row = {
        "body": f"10.0.0.1 - {SECRET} 0.1", "original": f"x {SECRET}\n".encode() + b"\xff",
        "attributes": [("auth_token", SECRET), ("token", "-")],
    }  # fmt: skip
    batch = pa.RecordBatch.from_pylist(
        [{}, row, {"body": SECRET}], schema=schema.arrow_schema(True)
    )
    [masked] = Mask()(iter([batch]))
    assert masked["body"].to_pylist() == [None, "10.0.0.1 - *** 0.1", SECRET]
    assert masked["original"].to_pylist()[1] == b"x ***\n\xff"
    assert dict(masked["attributes"][1].as_py()) == {"auth_token": "***", "token": "-"}
    assert Mask()(iter([masked])).__next__() == masked


LINE = "2026-03-10 10:00:00.112 2412 {} nova.api [-] {}\n"
TRACEBACK = f"""\
Traceback (most recent call last):
  File "/nova/x.py", line 1, in f
    connect("mysql://nova:{SECRET}@db/nova")
nova.Error: cannot log in with password={SECRET}"""


@pytest.mark.parametrize("kind", ["jsonl", "text", "parquet", "arrow"])
@pytest.mark.parametrize("merge", [[], ["--merge"]])
def test_no_output_has_the_secret_in_any_column(
    kind: str, merge: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "nova-api.log"
    with log.open("w") as file:
        file.write(LINE.format("INFO", f"X-Auth-Token: {SECRET}"))
        file.write(
            LINE.format(
                "INFO", f'10.0.0.1 "GET /a?token={SECRET} HTTP/1.1" status: 200  len: 1 time: 0.1'
            )
        )
        for line in ["failed", *TRACEBACK.splitlines()]:
            file.write(
                LINE.format("ERROR", line).replace("[-] ", "[-] " if line == "failed" else "")
            )
        file.write(f"no format knows http://u:{SECRET}@h/ this\n")
    out = tmp_path / "out"
    original = [] if kind == "text" else ["--original"]
    full = ["--full"] if kind == "text" else []
    plain = opslog("filter", "--to", kind, "-o", str(out), *original, *full, *merge, str(log))
    assert plain.returncode == 0
    if kind != "parquet":
        assert out.read_bytes().count(SECRET.encode()) >= 5
    for flags in (["--mask"], ["--mask-key", str(log)]):
        result = opslog(
            "filter", "--to", kind, "-o", str(out), *original, *full, *merge, *flags, str(log)
        )
        assert (result.returncode, result.stderr) == (0, b"")
        data = out.read_bytes()
        if kind == "parquet":
            import pyarrow.parquet as pq

            data = str(pq.read_table(out).to_pylist()).encode()
        assert SECRET.encode() not in data
        assert b"cannot log in with password=" in data
