"""Which values name users, projects, domains and hosts, and which names are nobody's."""

from __future__ import annotations

import re

KINDS: dict[str, str] = {
    **dict.fromkeys(
        ("user", "user_id", "user_name", "username", "userid", "os_username", "os_user_id",
         "x_user_id", "x_user_name", "http_x_user_id", "http_x_user_name", "user_identity",
         "trustor_user_id", "trustee_user_id", "acting_user", "remote_user", "home"),
        "user",
    ),
    **dict.fromkeys(
        ("project", "project_id", "project_name", "tenant", "tenant_id", "tenant_name",
         "os_project_name", "os_project_id", "os_tenant_name", "x_project_id", "x_project_name",
         "x_tenant_id", "x_tenant_name", "http_x_project_id", "http_x_project_name", "account"),
        "project",
    ),
    **dict.fromkeys(
        ("domain_id", "domain_name", "user_domain", "user_domain_id", "user_domain_name",
         "project_domain", "project_domain_id", "project_domain_name", "x_domain_id",
         "os_user_domain_name", "os_project_domain_name", "x_user_domain_id",
         "x_project_domain_id"),
        "domain",
    ),
    **dict.fromkeys(
        ("host", "host_name", "hostname", "node", "node_name", "nodename", "fqdn", "hosts",
         "compute_host", "source_host", "dest_host", "peer_host", "source_compute",
         "dest_compute", "source_node", "dest_node", "hypervisor_hostname", "client_address",
         "publisher_host"),
        "host",
    ),
    "publisher_id": "publisher",
}  # fmt: skip
"""What a value names, by its own name, in small letters with low lines."""

UNLEARNED = frozenset({"user", "home", "project", "tenant", "account", "host", "node", "hosts"})
"""Names whose values may be other words: they are replaced where they stand, not elsewhere."""

NOBODY = frozenset(
    [
        "nova", "neutron", "cinder", "glance", "keystone", "placement", "heat", "swift", "ironic",
        "octavia", "barbican", "manila", "designate", "trove", "ceilometer", "gnocchi", "aodh",
        "magnum", "mistral", "zaqar", "zun", "cyborg", "masakari", "watcher", "horizon",
        "heat_domain_admin", "admin", "service", "services", "default", "demo", "localhost",
        "localhost4", "localhost6", "root", "none", "null", "true", "false", "all", "any",
        "unknown", "local", "openstack", "rabbit", "guest", "www-data", "rabbitmq", "mysql",
        "undefined", "internal", "public", "trace", "debug", "info", "notice", "warn", "warning",
        "error", "err", "critical", "fatal", "audit", "get", "post", "put", "delete", "head",
        "patch", "options",
    ]
)  # fmt: skip
"""Names that are the same in every cloud, and words that are no name."""

PUBLIC = (
    "openstack.org", "launchpad.net", "python.org", "github.com", "opendev.org", "w3.org",
    "readthedocs.io", "example.org", "example.com", "example.net", "openssh.com", "libssh.org",
    "kernel.org", "docker.io", "quay.io", "k8s.io", "kubernetes.io", "ietf.org", "oasis-open.org",
    "dmtf.org", "xmlsoap.org", "sqlalche.me", "docker.com", "ubuntu.com", "debian.org",
    "redhat.com", "ovirt.org", "libvirt.org", "qemu.org", "apache.org",
)  # fmt: skip
"""Domains that everybody's logs name."""

UNITS = frozenset(
    {"service", "socket", "timer", "slice", "scope", "mount", "target", "log", "conf", "gz", "xz",
     "bz2", "zst", "txt", "json", "jsonl", "out", "err", "old", "pid", "sock", "py", "xml", "yaml"}
)  # fmt: skip
"""What may stand behind a dot and is no domain: units of systemd, files."""


HEX = re.compile(
    r"[0-9a-fA-F]{32}|[0-9a-fA-F]{64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
"""An id: a UUID, or as many digits, or twice as many."""
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)*([a-z][a-z0-9-]*[a-z])")


def kind_of(name: str) -> str | None:
    """Return what the value called ``name`` names, None if nobody."""
    return KINDS.get(name.lower().replace("-", "_"))


def is_public(host: str) -> bool:
    """Return whether ``host`` is of a domain that everybody's logs name."""
    lower = host.lower()
    return any(lower == domain or lower.endswith(f".{domain}") for domain in PUBLIC)


def is_domain(text: str) -> bool:
    """Return whether ``text``, in small letters, may be a domain: no file's ending."""
    match = _DOMAIN.fullmatch(text)
    return match is not None and UNITS.isdisjoint(text.split("."))


def is_telling(text: str) -> bool:
    """Return whether ``text`` is no word of a language, a program or a number, but a name."""
    return (
        len(text) > 2
        and any(char.isdigit() for char in text)
        and any(char.isalpha() for char in text)
        and not HEX.fullmatch(text)
    )
