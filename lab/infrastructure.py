"""MariaDB and RabbitMQ, with data folders of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from places import DATABASE_PORT, MESSAGES_PORT, Places
from processes import Processes, wait_until

DATABASES = (
    "keystone",
    "glance",
    "placement",
    "nova_api",
    "nova_cell0",
    "nova",
    "neutron",
    "cinder",
)
_EPMD_PORT, _ERLANG_PORT = 43690, 25672


def start(places: Places, processes: Processes) -> None:
    """Start both and wait until they answer."""
    _start_database(places, processes)
    _start_messages(places, processes)
    wait_until("MariaDB answers", lambda: _sql(places, "select 1") == 0, 60)
    wait_until("RabbitMQ answers", lambda: _rabbitmqctl(places, "await_startup") == 0, 120)


def stop(places: Places) -> None:
    """End Erlang's own helper, which RabbitMQ leaves behind."""
    epmd = _found(places, "epmd")
    subprocess.run(
        [epmd, "-kill"], env=_messages_environment(places), capture_output=True, check=False
    )


def database_folder(places: Places) -> Path:
    """Return where MariaDB keeps its data."""
    return places.state / "mariadb"


def create_databases(places: Places) -> None:
    """Create the databases of all services, empty."""
    for name in DATABASES:
        code = _sql(places, f"drop database if exists {name}; create database {name} charset utf8")
        if code:
            raise RuntimeError(f"MariaDB did not create the database {name}; see {places.run}")


def _start_database(places: Places, processes: Processes) -> None:
    data = database_folder(places)
    base, environment = places.debian / "usr", _database_environment(places)
    if not (data / "mysql").exists():
        make = [_found(places, "mariadb-install-db"), "--no-defaults", f"--basedir={base}"]
        make += [f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        with (places.run / "mariadb-install.out").open("w") as out:
            subprocess.run(
                [*make, *_as_root()], env=environment, stdout=out, stderr=out, check=True
            )
    run = [_found(places, "mariadbd"), "--no-defaults", f"--basedir={base}", f"--datadir={data}"]
    run += ["--bind-address=127.0.0.1", f"--port={DATABASE_PORT}", f"--socket={_socket(places)}"]
    run += ["--max-connections=600", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    run += [f"--log-error={places.run / 'mariadb.log'}", *_as_root()]
    processes.start("mariadb", run, environment)


def _start_messages(places: Places, processes: Processes) -> None:
    folder = places.state / "rabbitmq"
    folder.mkdir(exist_ok=True)
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "environment.conf").touch()
    run = [_rabbitmq(places, "rabbitmq-server")]
    processes.start("rabbitmq", run, _messages_environment(places))


def _sql(places: Places, statement: str) -> int:
    run = [_found(places, "mariadb"), "--no-defaults", "-uroot", "-S", str(_socket(places))]
    return _code([*run, "-e", statement], _database_environment(places))


def _rabbitmqctl(places: Places, command: str) -> int:
    return _code([_rabbitmq(places, "rabbitmqctl"), command], _messages_environment(places))


def _code(command: list[str], environment: dict[str, str]) -> int:
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def _found(places: Places, program: str) -> str:
    """Return the path of a program: an unpacked one, or the machine's own."""
    own = [str(places.debian / folder) for folder in ("usr/sbin", "usr/bin")]
    path = shutil.which(program, path=os.pathsep.join([*own, "/usr/sbin", "/usr/bin"]))
    if path is None:
        raise RuntimeError(f"expected {program} below {places.debian} or in /usr, found none")
    return path


def _rabbitmq(places: Places, script: str) -> str:
    return str(_rabbitmq_folder(places) / "sbin" / script)


def _rabbitmq_folder(places: Places) -> Path:
    for root in (places.debian, Path("/")):
        for folder in (root / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-*"):
            return folder
    raise RuntimeError(f"expected RabbitMQ below {places.debian} or in /usr, found none")


def _socket(places: Places) -> Path:
    return places.run / "mariadb.sock"


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _database_environment(places: Places) -> dict[str, str]:
    libraries = sorted(str(folder) for folder in (places.debian / "usr/lib").glob("*-linux-gnu"))
    return os.environ | {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def _messages_environment(places: Places) -> dict[str, str]:
    folder = places.state / "rabbitmq"
    path = os.pathsep.join([str(places.debian / "usr/bin"), os.environ["PATH"]])
    return os.environ | {
        "PATH": path,
        "HOME": str(places.state),
        "ERL_EPMD_PORT": str(_EPMD_PORT),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "opslab@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(MESSAGES_PORT),
        "RABBITMQ_DIST_PORT": str(_ERLANG_PORT),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PLUGINS_DIR": str(_rabbitmq_folder(places) / "plugins"),
        "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "plugins"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment.conf"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
    }
