"""Records about a resource are those that say so; to mention it is less."""

from __future__ import annotations

from pathlib import Path

import pytest

import opslog as library
from opslog.filters.about import about
from opslog.model.errors import FilterError
from opslog.trace import requests

X = "fd0ca798-4a9b-432e-9c03-347bcef7180a"
A = "req-aaaaaaaa-0000-4000-8000-000000000001"
B = "req-bbbbbbbb-0000-4000-8000-000000000001"


def kept(text: str, *ids: str, folder: Path) -> int:
    """Return how many records of a log are about these resources."""
    (folder / "a.log").write_text(text)
    return len([*library.read(folder / "a.log").filter(about(*ids))])


def line(body: str, logger: str = "nova.compute.manager", request: str = A) -> str:
    return f"2026-03-10 10:00:01.000 7 INFO {logger} [None {request} u p - - d d] {body}\n"


@pytest.mark.parametrize(
    "text",
    [
        line(f"[instance: {X}] Took 1.00 seconds to build instance."),
        line(f'10.0.0.2 "DELETE /v2.1/servers/{X}" status: 204 len: 0 time: 0.1', "nova.api.openstack.requestlog"),
        line(f'10.0.0.2 "GET /v2.1/servers/{X}/os-interface HTTP/1.1" status: 200 len: 0 time: 0.1', "nova.wsgi.server"),
        line(f"GET http://c:8776/v3/volumes/{X}", "cinder.api.openstack.wsgi"),
        line(f'10.0.0.2 "PUT /v2.0/ports/{X}.json HTTP/1.1" status: 200 len: 0 time: 0.1', "neutron.wsgi"),
        line(f"Creating event network-vif-plugged:{X} for instance x"),
        line(f"Deleting instance {X}"),
        line(f"Volume volume-{X} ({X}): created successfully"),
        line(f"Build of instance {X} aborted: no"),
        line(f"Refusing to bind port {X} to dead agent", "neutron.plugins.ml2"),
    ],
)  # fmt: skip
def test_what_is_about_a_resource(text: str, tmp_path: Path) -> None:
    assert kept(text, X, folder=tmp_path) == 1
    assert kept(text, X.upper(), folder=tmp_path) == 1
    assert kept(text, X[:8], folder=tmp_path) == 1
    assert kept(text, X.replace("f", "e"), folder=tmp_path) == 0


@pytest.mark.parametrize(
    "text",
    [
        line(f"Update host state with instances: ['{X}']", "nova.scheduler.host_manager"),
        line(f"Instance {X} actively managed on this compute host", "nova.compute.resource_tracker"),
        line(f'10.0.0.2 "GET /allocations/{X}" status: 200 len: 2 microversion: 1.36', "placement.requestlog"),
        line(f'REQ: curl -g -i -X GET http://n/v2.1/servers/{X} -H "a: b"', "keystoneauth.session"),
        line(f"GET call to compute for http://n/v2.1/servers/{X} used request id {A}", "keystoneauth.session"),
        line(f"something with {X}"),
        line(f"Took 1 s, instances: {X.replace('f', 'e')}, {X}"),
    ],
)  # fmt: skip
def test_what_only_mentions_it(text: str, tmp_path: Path) -> None:
    assert kept(text, X, folder=tmp_path) == 0


def test_an_id_is_whole_or_has_eight_digits() -> None:
    with pytest.raises(FilterError, match="8 digits"):
        about("fd0ca7")


def test_the_id_may_have_any_text_in_it(tmp_path: Path) -> None:
    text = line(f"Deleting instance {X}")
    assert kept(text, "fd0ca798-*7180a", folder=tmp_path) == 1
    assert kept(text, "fd0ca798-*0000", folder=tmp_path) == 0
    assert kept(text, f"{X[:-1]}?", folder=tmp_path) == 1
    assert kept(line(f"[instance: {X}] x"), "FD0CA798*", folder=tmp_path) == 1


def test_a_call_that_names_a_resource_is_its_and_not_its_callers(tmp_path: Path) -> None:
    child = (
        f"2026-03-10 10:00:02.000 9 INFO nova.api.openstack.requestlog [{A} {B} u p - - d d] "
        f'10.0.0.7 "DELETE /v2.1/servers/{X}" status: 204 len: 0 microversion: 2.1 time: 0.1\n'
    )
    stack = '10.0.0.2 "DELETE /v1/p/stacks/s HTTP/1.1" status: 204 len: 0 time: 1.5'
    (tmp_path / "heat-api.log").write_text(line(stack, "eventlet.wsgi.server"))
    (tmp_path / "nova-api.log").write_text(child)
    rows = requests(library.read(tmp_path), about(X)).to_pylist()
    assert [row["request_id"] for row in rows] == [B]
    everything = requests(library.read(tmp_path)).to_pylist()
    assert [row["request_id"] for row in everything] == [A]


def test_a_call_with_an_id_the_user_sent_is_told_under_that(tmp_path: Path) -> None:
    (tmp_path / "nova-api.log").write_text(
        f"2026-03-10 10:00:02.000 9 INFO nova.api.openstack.requestlog [{A} {B} u p - - d d] "
        f'10.0.0.7 "DELETE /v2.1/servers/{X}" status: 204 len: 0 microversion: 2.1 time: 0.1\n'
    )
    [row] = requests(library.read(tmp_path), about(X)).to_pylist()
    assert (row["request_id"], row["http_method"]) == (A, "DELETE")
