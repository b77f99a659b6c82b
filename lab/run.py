"""Sets up a small OpenStack on 127.0.0.1, uses it, and scores what opslog tells of its logs.

    python lab/run.py --to FOLDER [--format default|custom|json] [--level INFO|DEBUG]
                      [--keystoneauth] [--release 2026.2] [--home ~/.cache/opslab]
    python lab/run.py --stop

FOLDER gets the logs in `ctl1`, `cmp1` and `cmp2` and the truth in `truth`, as `score.py` reads
them.  The first run of a release installs it, which takes some minutes; every run takes some five
more, 4 GB of memory and the usual ports.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import configuration
import infrastructure
import services
from install import install
from places import DATABASE_PORT, HERE, MESSAGES_PORT, PORTS, RELEASES, Places
from processes import Processes

_SETTLE = 20
"""Seconds in which what the user began last comes to an end."""


class Lab:
    """One release on this machine."""

    def __init__(self, places: Places) -> None:
        self._places = places
        places.run.mkdir(parents=True, exist_ok=True)
        self._infrastructure = Processes(places.run, "infrastructure")
        self._services = Processes(places.run, "services")

    def drive(self, logs: configuration.Logging) -> None:
        """Start everything anew, let the user work, and stop."""
        self.stop()
        _refuse_used_ports()
        try:
            if not self._places.fresh.exists():
                self._prepare()
            self._renew()
            shutil.copytree(self._places.fresh, infrastructure.database_folder(self._places))
            (logs.folder / "truth").mkdir(parents=True)
            configuration.write(self._places, logs)
            _tell("starting MariaDB, RabbitMQ and the services")
            infrastructure.start(self._places, self._infrastructure)
            services.start(self._places, self._services, logs.folder)
            _tell("the user works")
            self._use(logs.folder / "truth")
            time.sleep(_SETTLE)
        finally:
            self.stop()

    def stop(self) -> None:
        """End every process of the lab."""
        self._services.stop()
        self._infrastructure.stop()
        if self._places.debian.exists():
            infrastructure.stop(self._places)

    def _prepare(self) -> None:
        """Fill the databases and keep them; what is logged meanwhile is no part of a drive."""
        _tell("filling the databases")
        self._renew()
        logs = configuration.Logging(self._places.run / "preparation")
        configuration.write(self._places, logs)
        infrastructure.start(self._places, self._infrastructure)
        services.prepare(self._places, self._services, logs.folder)
        self.stop()
        unfinished = self._places.fresh.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(infrastructure.database_folder(self._places), unfinished)
        unfinished.rename(self._places.fresh)

    def _renew(self) -> None:
        """Forget what the last drive left."""
        shutil.rmtree(self._places.state, ignore_errors=True)
        self._places.state.mkdir()

    def _use(self, truth: Path) -> None:
        environment = services.environment(self._places)
        environment |= {"LAB_TRUTH": str(truth), "LAB_HOST": "user", "LAB_SERVICE": "client"}
        run = [self._places.program("python"), str(HERE / "user.py")]
        subprocess.run(run, env=environment, check=True)


def _refuse_used_ports() -> None:
    for port in (*PORTS.values(), DATABASE_PORT, MESSAGES_PORT):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise SystemExit(f"expected port {port} to be free; something listens there")


def _end(*_: object) -> None:
    raise SystemExit("ended")


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


def main() -> int:
    signal.signal(signal.SIGTERM, _end)  # what was started is stopped then, too
    releases = sorted(path.stem for path in RELEASES.glob("*.txt"))
    parser = argparse.ArgumentParser(
        prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", metavar="FOLDER", type=Path, help="where logs and truth go")
    parser.add_argument("--format", choices=tuple(configuration.FORMATS), default="default")
    parser.add_argument(
        "--level", choices=("INFO", "DEBUG"), default="INFO",
        help="nova-api answers 500 with --format json and DEBUG: its JSON formatter recurses",
    )  # fmt: skip
    parser.add_argument("--keystoneauth", action="store_true", help="keystoneauth at DEBUG")
    parser.add_argument("--release", choices=releases, default=releases[-1])
    parser.add_argument(
        "--home", type=Path, default=Path("~/.cache/opslab").expanduser(),
        help="what is installed and the databases (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--stop", action="store_true", help="only end what a run left behind")
    options = parser.parse_args()
    places = Places(options.home.absolute(), options.release)
    if options.stop:
        for release in releases:
            Lab(Places(places.home, release)).stop()
        return 0
    if options.to is None:
        parser.error("expected --to FOLDER or --stop")
    if options.to.exists() and any(options.to.iterdir()):
        parser.error(f"expected a new or empty folder, found files in {options.to}")
    _tell(f"installing what is missing below {places.home}")
    install(places)
    folder = options.to.absolute()
    debug = options.level == "DEBUG"
    Lab(places).drive(configuration.Logging(folder, options.format, debug, options.keystoneauth))
    return subprocess.run(
        [sys.executable, str(HERE / "score.py"), str(folder)], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
