"""Where the lab keeps what it installs and runs: below one folder outside of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RELEASES = HERE / "releases"
"""The packages of each release, as pip reads constraints."""

HOSTS = ("cmp1", "cmp2")
CONTROLLER = "ctl1"

PORTS = {
    "keystone": 5000,
    "glance": 9292,
    "placement": 8778,
    "nova": 8774,
    "neutron": 9696,
    "cinder": 8776,
}
DATABASE_PORT, MESSAGES_PORT = 3306, 5672

PASSWORD = "opslab"
"""Of every account; everything listens on 127.0.0.1 only."""


def url(service: str) -> str:
    """Return where a service's API answers."""
    paths = {"keystone": "/v3", "nova": "/v2.1", "cinder": "/v3"}
    return f"http://127.0.0.1:{PORTS[service]}{paths.get(service, '')}"


@dataclass(frozen=True)
class Places:
    """The folders of one release."""

    home: Path
    release: str

    @property
    def debian(self) -> Path:
        """The root below which Debian packages are unpacked."""
        return self.home / "debian"

    @property
    def venv(self) -> Path:
        return self.home / f"venv-{self.release}"

    @property
    def kept(self) -> Path:
        """What stays from one drive to the next."""
        return self.home / f"state-{self.release}"

    @property
    def state(self) -> Path:
        """Databases, queues, images, locks: made anew for each drive."""
        return self.kept / "now"

    @property
    def fresh(self) -> Path:
        """MariaDB's data as it is before any drive."""
        return self.kept / "fresh"

    @property
    def settings(self) -> Path:
        return self.kept / "etc"

    @property
    def run(self) -> Path:
        """Process ids, sockets, and what processes print."""
        return self.kept / "run"

    def program(self, name: str) -> str:
        """Return the path of a program of the release."""
        return str(self.venv / "bin" / name)
