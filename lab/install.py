"""Gets the programs: MariaDB and RabbitMQ from Debian's packages, OpenStack from PyPI.

Debian's packages are downloaded and unpacked, not installed: no root privileges are needed, and
nothing starts by itself.  What the machine has already is taken from where it is.
"""

from __future__ import annotations

import re
import subprocess
import venv
from pathlib import Path

from places import RELEASES, Places

_DEBIAN = ("mariadb-server-core", "mariadb-client-core", "rabbitmq-server")
_OPENSTACK = ("nova", "keystone", "glance", "openstack-placement", "neutron", "cinder")
_BESIDES = ("pyuwsgi", "pymysql", "python-memcached", "setuptools")


def install(places: Places) -> None:
    """Install what is missing."""
    places.home.mkdir(parents=True, exist_ok=True)
    if not places.debian.exists():
        _unpack(places.debian)
    done = places.venv / "complete"
    if not done.exists():
        venv.create(places.venv, with_pip=True, clear=True)
        pins = RELEASES / f"{places.release}.txt"
        pip = [places.program("pip"), "install", "-q", "--no-warn-script-location"]
        subprocess.run([*pip, "-c", str(pins), *_OPENSTACK, *_BESIDES], check=True)
        done.touch()


def _unpack(root: Path) -> None:
    packages = root.with_name("packages")
    packages.mkdir(exist_ok=True)
    missing = ["apt-get", "install", "--simulate", "--no-install-recommends", *_DEBIAN]
    plan = subprocess.run(missing, check=True, capture_output=True, text=True).stdout
    names = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    subprocess.run(["apt-get", "download", "-q", *names], cwd=packages, check=True)
    unfinished = root.with_suffix(".unfinished")
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(unfinished)], check=True)
    _move_erlang(unfinished, root)
    unfinished.rename(root)


def _move_erlang(unpacked: Path, root: Path) -> None:
    """Tell Erlang's scripts, which name their folder, where it will be."""
    for script in (unpacked / "usr/lib/erlang").glob("**/bin/*"):
        if script.is_file() and script.read_bytes().startswith(b"#!/bin/sh"):
            text = script.read_text()
            script.write_text(text.replace("=/usr/lib/erlang", f"={root}/usr/lib/erlang"))
