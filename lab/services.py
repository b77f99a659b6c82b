"""The services: their processes, and what must be in their databases before they start."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from configuration import connection
from infrastructure import create_databases
from places import CONTROLLER, HERE, HOSTS, PASSWORD, PORTS, Places, url
from processes import Processes, wait_until


@dataclass(frozen=True)
class Api:
    """A service's API under uwsgi."""

    service: str
    application: str
    processes: int
    threads: int
    arguments: str = ""


_APIS = (
    Api("keystone", "keystone.wsgi.api:application", 2, 2),
    Api("glance", "glance.wsgi.api:application", 1, 4),
    Api("placement", "placement.wsgi.api:application", 1, 4),
    Api("nova", "nova.wsgi.osapi_compute:application", 2, 4),
    Api("neutron", "neutron.wsgi.api:application", 2, 2),
    Api(
        "cinder", "cinder.wsgi.api:application", 1, 4, "--config-file {etc}/cinder-api/cinder.conf"
    ),
)
_CONTROLLER = (
    ("nova-conductor", "nova/nova.conf"),
    ("nova-scheduler", "nova/nova.conf"),
    ("cinder-scheduler", "cinder/cinder.conf"),
    ("cinder-volume", "cinder/cinder.conf"),
    ("neutron-rpc-server", "neutron/neutron.conf"),
    ("neutron-periodic-workers", "neutron/neutron.conf"),
)
_START = 180
"""Seconds that an API may need to answer on a busy machine."""


def start(places: Places, processes: Processes, out: Path) -> None:
    """Start all services; their logs and the truth go below `out`."""
    variables = environment(places) | {"LAB_TRUTH": str(out / "truth")}
    start_apis(places, processes, out, variables)
    for program, settings in _CONTROLLER:
        _start_program(places, processes, CONTROLLER, program, settings, variables)
    for host in HOSTS:
        settings = f"nova-{host}/nova.conf"
        _start_program(places, processes, host, "nova-compute", settings, variables)


def start_apis(
    places: Places,
    processes: Processes,
    out: Path,
    variables: Mapping[str, str],
    only: Sequence[str] = tuple(PORTS),
) -> None:
    """Start the APIs and wait until each answers."""
    started = [api for api in _APIS if api.service in only]
    for api in started:
        own = {
            "LAB_HOST": CONTROLLER,
            "LAB_SERVICE": f"{api.service}-api",
            "LAB_APPLICATION": api.application,
            "LAB_ARGUMENTS": api.arguments.format(etc=places.settings),
        }
        processes.start(f"{api.service}-api", _uwsgi(places, api, out), {**variables, **own})
    for api in started:
        wait_until(f"{api.service}'s API answers", partial(answers, api.service), _START)


def answers(service: str) -> bool:
    """Return whether anything answers at a service's address."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORTS[service]}/", timeout=10).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def _uwsgi(places: Places, api: Api, out: Path) -> list[str]:
    log = out / CONTROLLER / api.service / f"{api.service}-api-uwsgi.log"
    run = [places.program("uwsgi"), "--module", "opslab.wsgi:application", "--master"]
    run += ["--http-socket", f"127.0.0.1:{PORTS[api.service]}", "--logto2", str(log)]
    run += ["--processes", str(api.processes), "--threads", str(api.threads), "--enable-threads"]
    run += [
        "--lazy-apps",
        "--need-app",
        "--die-on-term",
        "--thunder-lock",
        "--buffer-size",
        "65535",
    ]
    run += ["--http-chunked-input", "--http-raw-body", "--socket-timeout", "30"]
    return [*run, "--add-header", "Connection: close"]


def _start_program(
    places: Places,
    processes: Processes,
    host: str,
    program: str,
    settings: str,
    variables: Mapping[str, str],
) -> None:
    own = {"LAB_HOST": host, "LAB_SERVICE": program}
    command = [places.program(program), "--config-file", str(places.settings / settings)]
    processes.start(f"{host}-{program}", command, {**variables, **own})


def environment(places: Places) -> dict[str, str]:
    temporary = places.state / "tmp"
    temporary.mkdir(exist_ok=True)
    folders = {"NOVA": "nova-api", "NEUTRON": "neutron-api"}
    settings = {
        f"OS_{name}_CONFIG_DIR": str(places.settings / folders.get(name, name.lower()))
        for name in ("KEYSTONE", "GLANCE", "PLACEMENT", "NOVA", "NEUTRON")
    }
    path = os.pathsep.join([str(places.venv / "bin"), os.environ["PATH"]])
    return (
        os.environ
        | settings
        | {
            "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
            "PYTHONPATH": str(HERE / "inside"),
            "PATH": path,
            "HOME": str(places.state),
            "TMPDIR": str(temporary),
        }
    )


def prepare(places: Places, processes: Processes, out: Path) -> None:
    """Fill the databases, and tell keystone of the services and their users."""
    create_databases(places)
    variables = environment(places)
    variables["OS_PLACEMENT_CONFIG_DIR"] = str(places.settings / "placement")

    def manage(program: str, *arguments: str) -> None:
        with (places.run / f"{program}.out").open("ab") as printed:
            run = [places.program(program), *arguments]
            subprocess.run(run, env=variables, stdout=printed, stderr=printed, check=True)

    def of(name: str) -> tuple[str, str]:
        return "--config-file", str(places.settings / name)

    keystone, nova = of("keystone/keystone.conf"), of("nova/nova.conf")
    manage("keystone-manage", *keystone, "db_sync")
    owner = ["--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid())]
    for keys in ("tokens", "credentials"):
        (places.settings / "keystone" / keys).mkdir(mode=0o700, exist_ok=True)
    manage("keystone-manage", *keystone, "fernet_setup", *owner)
    manage("keystone-manage", *keystone, "credential_setup", *owner)
    addresses = [
        f"--bootstrap-{kind}-url={url('keystone')}" for kind in ("admin", "internal", "public")
    ]
    account = [f"--bootstrap-password={PASSWORD}", "--bootstrap-region-id=RegionOne"]
    manage("keystone-manage", *keystone, "bootstrap", *account, *addresses)
    manage("glance-manage", *of("glance/glance-api.conf"), "db_sync")
    manage("placement-manage", *of("placement/placement.conf"), "db", "sync")
    manage("nova-manage", *nova, "api_db", "sync")
    cell0 = f"--database_connection={connection('nova_cell0')}"
    manage("nova-manage", *nova, "cell_v2", "map_cell0", cell0)
    manage("nova-manage", *nova, "cell_v2", "create_cell", "--name", "cell1")
    manage("nova-manage", *nova, "db", "sync")
    manage("cinder-manage", *of("cinder/cinder.conf"), "db", "sync")
    manage("neutron-db-manage", *of("neutron/neutron.conf"), "upgrade", "heads")
    unread = {**variables, "LAB_TRUTH": str(places.run)}
    start_apis(places, processes, out, unread, ["keystone"])
    run = [places.program("python"), str(HERE / "accounts.py")]
    subprocess.run(run, env=variables, check=True)
    processes.stop()
