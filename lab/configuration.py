"""The configuration of every service, for a form of the logs and a folder to write them to."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from places import CONTROLLER, DATABASE_PORT, HOSTS, MESSAGES_PORT, PASSWORD, Places, url

Options = Mapping[str, object]
Sections = dict[str, Options]

FORMATS: dict[str, Options] = {
    "default": {},
    "custom": {
        "logging_context_format_string": "%(asctime)s.%(msecs)03d"
        " %(process)d %(levelname)s %(name)s"
        " [%(global_request_id)s %(request_id)s %(project_name)s %(user_name)s]"
        " %(instance)s%(message)s"
    },
    "json": {"use_json": True},
}

_LEVELS = (
    "amqp=WARN,sqlalchemy=WARN,oslo.messaging=INFO,oslo_messaging=INFO,urllib3.connectionpool=WARN,"
    "routes.middleware=WARN,stevedore=WARN,taskflow=WARN,keystoneauth=DEBUG,keystonemiddleware=WARN,"
    "oslo_policy=INFO,dogpile.core.dogpile=INFO"
)
"""oslo.log's own, with keystoneauth at DEBUG."""


@dataclass(frozen=True)
class Logging:
    """What the services log, and where."""

    folder: Path
    format: str = "default"
    debug: bool = False
    keystoneauth: bool = False

    def options(self, host: str, service: str, file: str | None = None) -> Options:
        """Return the options of [DEFAULT]; without `file`, oslo.log names it by the program."""
        folder = self.folder / host / service
        folder.mkdir(parents=True, exist_ok=True)
        options = {"debug": self.debug, "log_dir": folder, **FORMATS[self.format]}
        if file:
            options["log_file"] = file
        if self.keystoneauth:
            options["default_log_levels"] = _LEVELS
        return options


def write(places: Places, logs: Logging) -> None:
    """Write all files, each service's in a folder named as the service or the service and host."""
    settings = places.settings
    _write(settings / "keystone" / "keystone.conf", _keystone(places, logs))
    _write(settings / "glance" / "glance-api.conf", _glance(places, logs))
    _write(settings / "placement" / "placement.conf", _placement(logs))
    for folder, file in (("nova", None), ("nova-api", "nova-api.log")):
        default = logs.options(CONTROLLER, "nova", file)
        _write(
            settings / folder / "nova.conf", _nova(places, CONTROLLER, default) | _nova_databases()
        )
    for host in HOSTS:
        default = logs.options(host, "nova")
        _write(settings / f"nova-{host}" / "nova.conf", _nova(places, host, default))
    for folder, file in (("neutron", None), ("neutron-api", "neutron-server.log")):
        _write(settings / folder / "neutron.conf", _neutron(places, logs, file))
    for folder, file in (("cinder", None), ("cinder-api", "cinder-api.log")):
        _write(settings / folder / "cinder.conf", _cinder(places, logs, file))
    _copy_pipelines(places)


def _copy_pipelines(places: Places) -> None:
    """Put the packages' descriptions of their WSGI pipelines beside the files that need them."""
    shipped = places.venv / "etc"
    for folder in ("nova", "nova-api", *(f"nova-{host}" for host in HOSTS)):
        shutil.copy(shipped / "nova" / "api-paste.ini", places.settings / folder)
    for folder in ("neutron", "neutron-api"):
        shutil.copy(shipped / "neutron" / "api-paste.ini", places.settings / folder)
    for folder in ("cinder", "cinder-api"):
        for file in ("api-paste.ini", "resource_filters.json"):
            shutil.copy(shipped / "cinder" / file, places.settings / folder)
    shutil.copy(shipped / "glance" / "glance-api-paste.ini", places.settings / "glance")


def _keystone(places: Places, logs: Logging) -> Sections:
    keys = places.settings / "keystone"
    return {
        "DEFAULT": logs.options(CONTROLLER, "keystone", "keystone.log"),
        "database": _database("keystone"),
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": keys / "tokens"},
        "credential": {"key_repository": keys / "credentials"},
    }


def _glance(places: Places, logs: Logging) -> Sections:
    images = places.state / "images"
    return {
        "DEFAULT": {
            **logs.options(CONTROLLER, "glance", "glance-api.log"),
            "enabled_backends": "file:file",
        },
        "database": _database("glance"),
        "glance_store": {"default_backend": "file"},
        "file": {"filesystem_store_datadir": _made(images / "data")},
        "os_glance_staging_store": {"filesystem_store_datadir": _made(images / "staging")},
        "os_glance_tasks_store": {"filesystem_store_datadir": _made(images / "tasks")},
        "keystone_authtoken": _tokens("glance"),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": places.settings / "glance" / "glance-api-paste.ini",
        },
        "oslo_concurrency": _locks(places),
    }


def _placement(logs: Logging) -> Sections:
    return {
        "DEFAULT": logs.options(CONTROLLER, "placement", "placement-api.log"),
        "placement_database": _database("placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": _tokens("placement"),
    }


def _nova(places: Places, host: str, default: Options) -> Sections:
    return {
        "DEFAULT": {
            **default,
            "host": host,
            "my_ip": "127.0.0.1",
            "state_path": _made(places.state / host),
            "transport_url": _messages(),
            "compute_driver": "lab_driver.LabDriver",
            "vif_plugging_is_fatal": False,
            "vif_plugging_timeout": 30,
        },
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": _tokens("nova"),
        "service_user": {"send_service_user_token": True, **_account("nova")},
        "glance": _account("nova"),
        "placement": _account("nova"),
        "neutron": _account("nova"),
        "cinder": {
            **_account("nova"),
            "os_region_name": "RegionOne",
            "catalog_info": "block-storage:cinder:publicURL",
        },
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 15},
        "conductor": {"workers": 1},
        "vnc": {"enabled": False},
        "oslo_concurrency": _locks(places),
        "oslo_messaging_notifications": {"driver": "noop"},
    }


def _nova_databases() -> Sections:
    """Return what a compute host must not have."""
    return {"api_database": _database("nova_api"), "database": _database("nova")}


def _neutron(places: Places, logs: Logging, file: str | None) -> Sections:
    return {
        "DEFAULT": {
            **logs.options(CONTROLLER, "neutron", file),
            "host": CONTROLLER,
            "state_path": _made(places.state / "neutron"),
            "api_paste_config": places.settings / "neutron" / "api-paste.ini",
            "transport_url": _messages(),
            "core_plugin": "ml2",
            "service_plugins": "",
            "auth_strategy": "keystone",
            "notify_nova_on_port_status_changes": True,
            "notify_nova_on_port_data_changes": True,
            "rpc_workers": 1,
            "rpc_state_report_workers": 0,
        },
        "ml2": {
            "type_drivers": "vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "logger,opslab",
        },
        "ml2_type_vxlan": {"vni_ranges": "1:1000"},
        "database": _database("neutron"),
        "keystone_authtoken": _tokens("neutron"),
        "nova": _account("nova"),
        "placement": _account("placement"),
        "oslo_concurrency": _locks(places),
    }


def _cinder(places: Places, logs: Logging, file: str | None) -> Sections:
    settings = places.settings / "cinder"
    return {
        "DEFAULT": {
            **logs.options(CONTROLLER, "cinder", file),
            "host": CONTROLLER,
            "my_ip": "127.0.0.1",
            "state_path": _made(places.state / "cinder"),
            "api_paste_config": settings / "api-paste.ini",
            "resource_query_filters_file": settings / "resource_filters.json",
            "transport_url": _messages(),
            "auth_strategy": "keystone",
            "enabled_backends": "fake",
            "glance_api_servers": url("glance"),
        },
        "fake": {
            "volume_driver": "cinder.tests.fake_driver.FakeLoggingVolumeDriver",
            "volume_backend_name": "fake",
        },
        "database": _database("cinder"),
        "keystone_authtoken": _tokens("cinder"),
        "service_user": {"send_service_user_token": True, **_account("cinder")},
        "nova": _account("nova"),
        "oslo_concurrency": _locks(places),
    }


def _account(user: str) -> Options:
    return {
        "auth_type": "password",
        "auth_url": url("keystone"),
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
    }


def _tokens(user: str) -> Options:
    return {
        **_account(user),
        "www_authenticate_uri": url("keystone"),
        "service_token_roles": "service",
        "service_token_roles_required": True,
    }


def connection(database: str) -> str:
    """Return the address of a database."""
    return f"mysql+pymysql://root@127.0.0.1:{DATABASE_PORT}/{database}?charset=utf8"


def _database(name: str) -> Options:
    return {"connection": connection(name)}


def _messages() -> str:
    return f"rabbit://guest:guest@127.0.0.1:{MESSAGES_PORT}/"


def _locks(places: Places) -> Options:
    return {"lock_path": _made(places.state / "locks")}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, sections: Sections) -> None:
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{option} = {value}" for option, value in options.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
