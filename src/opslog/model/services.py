"""Service and program names from loggers and file names: one table.

``service_name`` is the OpenStack service (or neighbour) a record belongs to;
``program`` the process that wrote it (``nova-compute``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

SERVICES: dict[str, str] = {
    name: name
    for name in [
        "adjutant",
        "aetos",
        "aodh",
        "barbican",
        "blazar",
        "ceilometer",
        "cinder",
        "cloudkitty",
        "congress",
        "cyborg",
        "designate",
        "freezer",
        "glance",
        "gnocchi",
        "heat",
        "horizon",
        "ironic",
        "karbor",
        "keystone",
        "kuryr",
        "magnum",
        "manila",
        "masakari",
        "mistral",
        "monasca",
        "murano",
        "neutron",
        "nova",
        "octavia",
        "panko",
        "placement",
        "qinling",
        "rally",
        "sahara",
        "searchlight",
        "senlin",
        "skyline",
        "solum",
        "storlets",
        "swift",
        "tacker",
        "tricircle",
        "trove",
        "venus",
        "vitrage",
        "watcher",
        "zaqar",
        "zun",
    ]
} | {
    "ec2api": "ec2-api",
    "freezer_api": "freezer",
    "glance_store": "glance",
    "ironic_inspector": "ironic",
    "ironic_lib": "ironic",
    "ironic_prometheus_exporter": "ironic",
    "ironic_python_agent": "ironic",
    "kuryr_kubernetes": "kuryr",
    "kuryr_libnetwork": "kuryr",
    "magnum_capi_helm": "magnum",
    "masakarimonitors": "masakari",
    "mistral_extra": "mistral",
    "mistral_lib": "mistral",
    "monasca_agent": "monasca",
    "monasca_api": "monasca",
    "monasca_events_api": "monasca",
    "monasca_log_api": "monasca",
    "monasca_notification": "monasca",
    "monasca_persister": "monasca",
    "monasca_transform": "monasca",
    "neutron_lib": "neutron",
    "neutron_taas": "neutron",
    "octavia_lib": "octavia",
    "openstack_dashboard": "horizon",
    "openstack_auth": "horizon",
    "networking_bagpipe": "neutron",
    "networking_bgp": "neutron",
    "networking_bgpvpn": "neutron",
    "networking_odl": "neutron",
    "networking_ovn": "neutron",
    "networking_sfc": "neutron",
    "neutron_dynamic_routing": "neutron",
    "neutron_fwaas": "neutron",
    "neutron_lbaas": "neutron",
    "neutron_vpnaas": "neutron",
    "neutron_plugin_contrail": "neutron",
    "os_vif": "nova",
    "ovn_bgp_agent": "neutron",
    "skyline_apiserver": "skyline",
    # etcd's and Rook's names of packages (capnslog) that nobody else has.
    "etcdmain": "etcd",
    "etcdserver": "etcd",
    "rafthttp": "etcd",
    "op-cluster": "rook",
    "op-config": "rook",
    "op-flags": "rook",
    "op-k8sutil": "rook",
    "op-mgr": "rook",
    "op-mon": "rook",
    "op-osd": "rook",
    "rookcmd": "rook",
}
"""First part of a logger's name, or of a program's, to the service it belongs to.

The official projects and what they deliver, those of the past, too:
https://opendev.org/openstack/governance/src/branch/master/reference/projects.yaml
A client library (``novaclient``), a shared library (``oslo_messaging``) and a driver that a
service of another project loads (``networking_baremetal``, ``ovn_octavia_provider``) say nothing
about the service that uses them and are not listed.
"""

_PROGRAMS: dict[str, str] = dict.fromkeys(
    ["ovn_agent", "ovn_bgp_agent", "ovn_metadata_agent"], "neutron"
)
"""Programs of OpenStack whose names begin with a neighbour's, to their service."""

NEIGHBOURS: dict[str, str] = {
    name: service
    for service, names in {
        "ansible": "ansible ansible-playbook",
        "apache": "apache apache2 httpd",
        "bind": "bind bind9 named",
        "ceph": "ceph cephadm radosgw rbd rbd-mirror",
        "chrony": "chrony chronyd",
        "cloud-init": "cloud-init",
        "consul": "consul",
        "corosync": "corosync",
        "cron": "cron crond crontab anacron",
        "dbus": "dbus dbus-daemon dbus-broker",
        "dnsmasq": "dnsmasq",
        "docker": "docker dockerd containerd",
        "elasticsearch": "elasticsearch",
        "etcd": "etcd",
        "fluentd": "fluentd td-agent",
        "grafana": "grafana grafana-server",
        "haproxy": "haproxy",
        "iscsi": "iscsid tgtd",
        "juju": "juju jujud",
        "keepalived": "keepalived",
        "kernel": "kernel dmesg",
        "kubernetes": "kubelet",
        "libvirt": "libvirt libvirtd virtqemud virtlogd virtlockd virtnetworkd virtnodedevd "
        "virtproxyd virtsecretd virtstoraged virtnwfilterd virtinterfaced",
        "mariadb": "mariadb mariadbd mysql mysqld galera",
        "memcached": "memcached",
        "mongodb": "mongodb mongod mongos",
        "multipath": "multipath multipathd",
        "mysql-router": "mysqlrouter mysql-router",
        "networkmanager": "networkmanager",
        "nginx": "nginx",
        "nomad": "nomad",
        "ntp": "ntp ntpd",
        "opensearch": "opensearch",
        "ovn": "ovn ovsdb-server-nb ovsdb-server-sb",
        "ovs": "ovs ovsdb openvswitch",
        "pacemaker": "pacemaker pacemakerd crmd pengine lrmd stonithd stonith-ng cib attrd",
        "podman": "podman conmon",
        "postgresql": "postgresql postgres",
        "prometheus": "prometheus",
        "proxysql": "proxysql",
        "qemu": "qemu",
        "rabbitmq": "rabbitmq rabbit",
        "redis": "redis valkey",
        "rook": "rook",
        "rsyslog": "rsyslogd syslogd",
        "sshd": "sshd",
        "sudo": "sudo",
        "systemd": "systemd",
        "unattended-upgrades": "unattended-upgrades unattended-upgrade",
        "vault": "vault",
        "xinetd": "xinetd",
        "zookeeper": "zookeeper",
    }.items()
    for name in names.split()
}
"""Programs beside OpenStack's, or the first part of their names, to what they belong to."""

VLOG_MODULES: dict[str, str] = {
    module: service
    for service, modules in {
        "ovn": "acl_ids acl_log actions binding brctl brflowmgr brofctrl chassis chassis_index "
        "controller_lb ct_zone datapath_sync debug en_bridge_data en_datapath_logical_router "
        "en_datapath_logical_switch en_global_config en_group_ecmp_route en_ic en_lb_data "
        "en_learned_route_sync en_lflow en_lr_nat en_lr_stateful en_ls_stateful en_meters "
        "en_multicast en_northd en_pflow en_port_group en_sampling_app en_sync_from_sb "
        "en_sync_to_sb encaps evpn_arp evpn_binding evpn_fdb exchange expr extend_table features "
        "garp_rarp gateway gchassis ha_chassis host_if_monitor ic_nbctl ic_sbctl if_status "
        "inc_proc_eng inc_proc_ic inc_proc_northd ipam lb ldata lflow lflow_cache lflow_mgr lport "
        "mac_binding_aging mac_binding_index mac_cache mac_learn main memory_trim nbctl neighbor "
        "neighbor_exchange neighbor_exchange_netlink neighbor_table_notify nexthop_exchange northd "
        "northd_acl_ids northd_lb ofctrl ovn_bfd ovn_dbctl ovn_ic ovn_netlink_notifier ovn_northd "
        "ovn_parallel_hmap ovn_util ovndns ovntrace ovsport patch physical pinctrl port_mirror "
        "resource_dep route_exchange route_exchange_netlink route_table_notify sbctl statctrl "
        "vif_plug vif_plug_dummy vif_plug_provider vtep",
    }.items()
    for module in modules.split()
}
"""Modules of vlog that only OVN's programs have, of any release, to their service.

OVN is made of Open vSwitch's library: modules of that (``reconnect``, ``poll_loop``) do not tell.
"""

_SWIFT = re.compile(
    r"(?:proxy|account|container|object)-(?:server|replicator|auditor|updater|reaper|reconstructor|"
    r"expirer|sharder|sync|reconciler)(?![a-z])"
)
"""Swift's programs, which leave out its name."""

_DEVSTACK: dict[str, str] = {
    "n": "nova", "q": "neutron", "c": "cinder", "g": "glance", "h": "heat", "s": "swift",
    "key": "keystone", "placement": "placement", "o": "octavia", "ir": "ironic",
}  # fmt: skip
"""Prefixes of DevStack's unit and screen names."""

_ROTATED = re.compile(
    r"(?:\.(?:gz|bz2|xz|zst|txt|log|out|json|jsonl|old|\d{1,3})"
    r"|[-.]\d{4}-?\d\d-?\d\d(?:[-_T]\d{2,6})*)+$"
)

_SEPARATOR = re.compile("[./]")
_UNITS = (".service", ".scope", ".socket", ".timer", ".slice")
_PACKAGED = re.compile(r"(?:snap\.[^.]*\.|openstack-|(?:edpm|kolla|tripleo)[-_])")
_FIRST_END = re.compile(r"[-_@.:(\[ ]")
_WORD = re.compile(r"[a-z][a-z0-9-]*")

WORDS = frozenset(
    chain.from_iterable(
        re.findall("[a-z]+", text)
        for text in [
            *SERVICES, *_PROGRAMS, *NEIGHBOURS, *VLOG_MODULES, *_DEVSTACK, "devstack",
            *_UNITS, *(rule.pattern for rule in (_SWIFT, _PACKAGED)),
        ]
    )
)  # fmt: skip
"""The words that names of loggers and programs are known by, and those around them.

Another word, or a number of several digits, may as well be any other: the service is the same.
"""


@lru_cache(maxsize=4096)
def service_of_logger(logger: str) -> str | None:
    """Return the service a logger belongs to, or None if its name does not say."""
    return SERVICES.get(_SEPARATOR.split(logger, maxsplit=1)[0])


def service_of_module(module: str, family: str) -> str | None:
    """Return the service a logger of a format's ``family`` is of, where only its kind tells.

    A family is the service to which lines of a format belong if nothing else says.
    """
    return VLOG_MODULES.get(module) if family == "ovs" else None


@lru_cache(maxsize=4096)
def service_of_program(program: str) -> str | None:
    """Return the service a program belongs to, as syslog, a unit or a container names it.

    None if the name does not say.
    """
    name = program.rpartition("/")[2].lower()
    name = name.rpartition(".")[0] if name.endswith(_UNITS) else name
    devstack = name.startswith("devstack@")
    name = name.removeprefix("devstack@")
    if packaged := _PACKAGED.match(name):
        name = name[packaged.end() :]
    first = _FIRST_END.split(name, maxsplit=1)[0]
    if devstack and first in _DEVSTACK:
        return _DEVSTACK[first]
    known = (
        _PROGRAMS.get(name.replace("-", "_"))
        or NEIGHBOURS.get(name)
        or SERVICES.get(name)
        or SERVICES.get(first)
    )
    if known is None and _SWIFT.match(name):
        return "swift"
    return known or NEIGHBOURS.get(first)


@lru_cache(maxsize=4096)
def service_said(said: bytes) -> bytes | None:
    """Return the service that logger or program say, or None if they do not.

    Logger, program and the format's service stand behind each other, a newline between;
    what is empty at the end may be missing.
    """
    logger, program, family = [*said.decode("utf-8", "replace").split("\n"), "", ""][:3]
    found = service_of_logger(logger) or service_of_module(logger, family) or of_path(program)[0]
    return found.encode() if found else None


@lru_cache(maxsize=4096)
def of_path(path: str) -> tuple[str | None, str | None]:
    """Return (service, program) as the file's name and folder say, each None if they do not."""
    folder, _, name = path.rpartition("/")
    if rotated := _ROTATED.search(name):
        name = name[: rotated.start()]
    parent = folder.rpartition("/")[2]
    own = name.removeprefix("screen-")
    first, _, rest = (name.removeprefix("devstack@") if own == name else own).partition("-")
    if first in _DEVSTACK and (rest or first in SERVICES) and name != first:
        return _DEVSTACK[first], None
    stem = name.partition("_")[0] if name.partition("-")[0] not in SERVICES else name
    service = SERVICES.get(first) or SERVICES.get(stem)
    if service:
        return service, name if _WORD.fullmatch(name) else None
    program = name if _WORD.fullmatch(name) else None
    if service := service_of_program(name):
        return service, program
    if parent in SERVICES and name not in ("access", "error") and _WORD.fullmatch(name):
        # RDO and packages of old name files after the agent: neutron/l3-agent.log.
        return SERVICES[parent], f"{parent}-{name}"
    return service_of_program(parent), None
