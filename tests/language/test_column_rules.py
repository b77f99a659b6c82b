"""What a format may fill the columns with: each is filled, or refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import opslog as library
from helpers import records
from opslog.language.format import Format
from opslog.language.format_file import from_dict
from opslog.model import schema
from opslog.model.errors import FormatError
from opslog.scanner.catalog import Catalog

COMPUTED = [
    "severity_number", "trace_id", "exception_type", "exception_message", "exception_stacktrace",
    "attributes", "format", "source", "source_offset", "original", "root_request_id",
    "fingerprint",
]  # fmt: skip
READ = ["severity_text", "body", "logger", "request_id", "global_request_id"]
NUMBERS = [
    c.name for c in schema.COLUMNS if c.kind in ("int64", "float64") and c.name not in COMPUTED
]
OTHERS = [c for c in schema.BY_NAME if c not in (*COMPUTED, *READ, *NUMBERS, "timestamp")]


def own(**data: Any) -> Format:
    return from_dict({"name": "own", "title": "own", **data}, "own.toml")


def of_layout(layout: str) -> Format:
    return own(layouts=[{"layout": layout}])


def first(one: Format, line: str) -> dict[str, Any]:
    """Return the first of two records of the line, whose columns the second has, too."""
    found, other = records(f"{line}\n{line}\n", catalog=Catalog.of([one]))
    assert {**found, "source_offset": len(line.encode()) + 1} == other
    return found


@pytest.mark.parametrize("name", [*READ, *NUMBERS, *OTHERS])
def test_a_hole_fills_any_column_that_opslog_does_not_fill_itself(name: str) -> None:
    kind, text = ("int", "77") if name in NUMBERS else ("token", "abc")
    one = of_layout(f"{{timestamp:iso}} {{{name}:{kind}}} {{rest:rest}}")
    found = first(one, f"2024-01-01T00:00:00Z {text} hello")
    assert found[name] == (77 if name in NUMBERS else text)
    assert found["attributes"] == {"rest": "hello"}


@pytest.mark.parametrize("name", [*NUMBERS, *OTHERS])
def test_a_constant_fills_a_column(name: str) -> None:
    text = "77" if name in NUMBERS else "abc"
    one = of_layout(f"{{timestamp:iso}} - {{{name}={text}}}{{body:rest}}")
    found = first(one, "2024-01-01T00:00:00Z - hello")
    assert found[name] == (77 if name in NUMBERS else text)
    assert found["body"] == "hello"


@pytest.mark.parametrize("name", [*NUMBERS, *OTHERS])
def test_a_value_that_is_no_id_fills_the_second_of_two_names(name: str) -> None:
    kind, text = ("int", "77") if name in NUMBERS else ("token", "abc")
    one = of_layout(f"{{timestamp:iso}} {{x|{name}:{kind}}} {{body:rest}}")
    found = first(one, f"2024-01-01T00:00:00Z {text} hello")
    assert found[name] == (77 if name in NUMBERS else text)
    assert found["body"] == "hello"
    assert "attributes" not in found


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        *((f"{{{name}:token}}", f"{name} is filled by opslog itself; capture under another name")
          for name in COMPUTED),
        *((f"{{{name}=x}}", f"{name} is filled by opslog itself; capture under another name")
          for name in COMPUTED),
        *((f"{{{name}=x}}", f"{name} is a constant; expected a hole, {{{name}:...}}")
          for name in [*READ, "severity"] if name != "logger"),
        *((f"{{x|{name}:token}}", f"{name} is one of two names; expected a hole for {name} alone")
          for name in READ),
        *((f"{{{name}=x}}", f"{name} is a column of numbers: expected digits, found 'x'; "
           "another name makes it an attribute") for name in NUMBERS),
        ("{process_pid=1.5}", "process_pid is a column of numbers: expected digits, found '1.5'; "
         "another name makes it an attribute"),
        ("{service_name=}", "service_name is an empty constant; expected {service_name=VALUE}"),
        ("{servicename=x}", "there is no column 'servicename'; did you mean 'service_name'?"),
        ("{stream=x}", "there is no column 'stream'; a constant is the value of a column"),
    ],
)  # fmt: skip
def test_a_layout_whose_value_would_be_lost_is_refused(part: str, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        of_layout(f"{{timestamp:iso}} {part} {{rest:rest}}")
    assert str(caught.value) == f"own.toml: layouts[0].layout: {reason}"


@pytest.mark.parametrize("name", [*READ, *NUMBERS, *OTHERS])
def test_a_key_fills_any_column_that_opslog_does_not_fill_itself(name: str) -> None:
    one = own(json={"required": ["t"], "iso": "t", "columns": {name: "k"}})
    value = 77 if name in NUMBERS else "abc"
    found = first(one, json.dumps({"t": "2024-01-01T00:00:00Z", "k": value}))
    assert found[name] == value


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, f"{name} is filled by opslog itself; capture under another name")
          for name in COMPUTED if name != "exception_stacktrace"),
        ("timestamp", "the time is not a column like others; say its key as epoch or iso"),
        ("severity", "there is no such column; the level's word is severity_text"),
    ],
)  # fmt: skip
def test_a_key_whose_value_would_be_lost_is_refused(name: str, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        own(json={"required": ["t"], "iso": "t", "columns": {name: "k"}})
    assert str(caught.value) == f"own.toml: json.columns.{name}: {reason}"


# -- program, and the service it tells ----------------------------------------------------

SYSLOG = own(
    layouts=[
        {"layout": "{timestamp:iso} {program:token}: {severity} {body:rest}"},
        {"layout": "{timestamp:iso} {program:token}: <{logger:token}> {body:rest}"},
        {"layout": "{timestamp:iso} {severity} {body:rest}"},
    ],
)
SAID = [
    ("nova-compute: INFO x", "nova-compute", "nova"),
    ("neutron_dhcp: INFO x", "neutron_dhcp", "neutron"),
    ("agentd: INFO x", "agentd", None),
    ("-: INFO x", None, None),
    ("INFO x", None, None),
    ("nova-api: <cinder.api> x", "nova-api", "cinder"),
    ("nova-api: <requests> x", "nova-api", "nova"),
    ("agentd: <requests> x", "agentd", None),
]
"""A line behind its time, the program it tells and the service that tells."""


@pytest.mark.parametrize(("file", "program", "service"), [
    ("messages", None, None), ("heat-engine.log", "heat-engine", "heat"),
])  # fmt: skip
def test_a_line_tells_its_program_and_service_before_the_file_does(
    file: str, program: str | None, service: str | None, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.write_text("".join(f"2024-01-01T00:00:00Z {line}\n" for line, _, _ in SAID) + "noise\n")
    expected = [(p or program, s or service) for _, p, s in SAID] + [(program, None)]
    logs = library.read(path, formats=[SYSLOG])
    assert [(record.program, record.service_name) for record in logs] == expected
    logs.write_jsonl(tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [(line.get("program"), line.get("service_name")) for line in lines] == expected


def test_records_can_be_kept_by_the_service_their_program_tells(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text("".join(f"2024-01-01T00:00:00Z {line}\n" for line, _, _ in SAID))
    logs = library.read(path, formats=[SYSLOG]).filter(library.F.service_name == "nova")
    assert [record.program for record in logs] == ["nova-compute", "nova-api"]


def test_a_line_tells_its_host_before_the_folder_does(tmp_path: Path) -> None:
    path = tmp_path / "cmp1" / "nova-compute.log"
    path.parent.mkdir()
    lines = [
        "2024-01-01 00:00:00.000 7 INFO nova.compute [-] from the folder",
        "Jan  1 00:00:01 ctl9 nova-compute[7]: 2024-01-01 00:00:01.000 7 INFO nova.compute [-] said",
        '{"message": "said, too", "hostname": "ctl8", "levelname": "INFO", "created": 1704067202.0}',
        "noise",
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    logs = library.read(path)
    hosts = ["cmp1", "ctl9", "ctl8", "cmp1"]
    assert [record.host_name for record in logs] == hosts
    assert logs.to_table(["host_name"]).column(0).to_pylist() == hosts
    logs.write_jsonl(tmp_path / "out")
    written = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [line["host_name"] for line in written] == hosts
    kept = library.read(path).filter(library.F.host_name == "cmp1")
    assert [record.body for record in kept] == ["from the folder", "noise"]
    normalizer = library.Normalizer(source="cmp1/nova-compute.log")
    batches = [*normalizer.feed(path.read_bytes()), *normalizer.close()]
    assert [host for batch in batches for host in batch["host_name"].to_pylist()] == hosts


def test_columns_that_no_layout_fills_are_told_by_the_path(tmp_path: Path) -> None:
    path = tmp_path / "cmp1" / "nova-compute.log"
    path.parent.mkdir()
    path.write_text("2024-01-01T00:00:00Z INFO text\n")
    logs = library.read(path, formats=[of_layout("{timestamp:iso} {severity} {body:rest}")])
    (record,) = logs
    assert (record.program, record.host_name) == ("nova-compute", "cmp1")
    logs.write_jsonl(tmp_path / "out")
    line = json.loads((tmp_path / "out").read_text())
    assert (line["program"], line["host_name"]) == ("nova-compute", "cmp1")


def test_a_key_of_json_objects_tells_the_program() -> None:
    one = own(json={"required": ["t"], "iso": "t", "columns": {"program": "p"}})
    found = first(one, '{"t": "2024-01-01T00:00:00Z", "p": "nov\\u0061-api"}')
    assert (found["program"], found["service_name"]) == ("nova-api", "nova")
