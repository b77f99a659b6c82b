"""Which service a program or a file belongs to."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import opslog
from opslog.model.services import (
    NEIGHBOURS,
    SERVICES,
    VLOG_MODULES,
    WORDS,
    of_path,
    service_of_logger,
    service_of_module,
    service_of_program,
)

PROGRAMS = {
    "nova": "nova-compute nova_api nova-compute.service openstack-nova-api devstack@n-api.service "
    "kolla-nova_api-container.service tripleo_nova_compute edpm_nova_compute "
    "snap.openstack-hypervisor.nova-compute /usr/bin/nova-conductor nova",
    "neutron": "neutron-openvswitch-agent neutron_l3_agent devstack@q-svc neutron-keepalived-state-change "
    "ovn_metadata_agent ovn-metadata-agent edpm_ovn_metadata_agent ovn-bgp-agent neutron-ovn-agent",
    "masakari": "masakari-engine masakari-instancemonitor masakari_hostmonitor",
    "skyline": "skyline skyline-apiserver skyline_console",
    "ironic": "ironic-inspector ironic_inspector ironic-conductor",
    "keystone": "keystone devstack@keystone keystone-wsgi-public",
    "swift": "proxy-server account-server container-replicator object-auditor object-expirer "
    "swift-proxy-server swift_object_server devstack@s-proxy.service",
    "ovs": "ovs-vswitchd ovsdb-server ovs-vsctl openvswitch-switch openvswitch_vswitchd",
    "ovn": "ovn-controller ovn-northd ovn_controller ovsdb-server-nb",
    "libvirt": "libvirtd virtqemud virtlogd libvirtd.service",
    "qemu": "qemu-kvm qemu-system-x86_64 qemu",
    "rabbitmq": "rabbitmq-server rabbitmq rabbit@ctl1 rabbitmq-server.service",
    "mariadb": "mariadbd mysqld mysqld_safe mariadb mysql",
    "haproxy": "haproxy haproxy-metadata-proxy-5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a",
    "apache": "apache2 httpd apache2.service",
    "ceph": "ceph-osd ceph-mon ceph-mgr radosgw ceph-osd@3.service",
    "etcd": "etcd",
    "memcached": "memcached",
    "redis": "redis-server redis valkey-server",
    "pacemaker": "pacemakerd pacemaker-controld crmd",
    "corosync": "corosync",
    "juju": "juju jujud-machine-0",
    "keepalived": "keepalived Keepalived_vrrp",
    "dnsmasq": "dnsmasq dnsmasq-dhcp",
    "kernel": "kernel",
    "sudo": "sudo",
    "vault": "vault",
    "bind": "named bind9",
    "mysql-router": "mysqlrouter mysql-router",
    "networkmanager": "NetworkManager",
    "rook": "rook-ceph-operator",
    "systemd": "systemd systemd-networkd systemd-logind.service",
    "sshd": "sshd sshd(pam_unix)",
    "cron": "cron CRON crond",
    None: "python3 - journal uwsgi n-api object account proxy bash",
}


@pytest.mark.parametrize(
    ("program", "service"),
    [(program, service) for service, names in PROGRAMS.items() for program in names.split()],
)
def test_a_program_says_its_service(program: str, service: str | None) -> None:
    assert service_of_program(program) == service


@pytest.mark.parametrize(
    ("path", "service", "program"),
    [
        ("/var/log/nova/nova-compute.log", "nova", "nova-compute"),
        ("/var/log/neutron/l3-agent.log.1.gz", "neutron", "neutron-l3-agent"),
        ("/var/log/openvswitch/ovs-vswitchd.log", "ovs", "ovs-vswitchd"),
        ("/var/log/ovn/ovn-controller.log-20240101", "ovn", "ovn-controller"),
        ("/var/log/rabbitmq/rabbit@ctl1.log", "rabbitmq", None),
        ("/var/log/mysql/error.log", "mariadb", None),
        ("/var/log/apache2/error.log", "apache", None),
        ("/var/log/apache2/keystone_access.log", "keystone", None),
        ("/var/log/httpd/access_log", "apache", None),
        ("/var/log/haproxy.log", "haproxy", "haproxy"),
        ("/var/log/libvirt/qemu/instance-00000001.log", "qemu", None),
        ("/var/log/libvirt/libvirtd.log", "libvirt", "libvirtd"),
        ("/var/log/ceph/ceph-osd.3.log", "ceph", "ceph-osd"),
        ("/var/log/juju/unit-nova-compute-0.log", "juju", None),
        ("/var/log/kolla/mariadb/mariadb.log", "mariadb", "mariadb"),
        ("/var/log/swift/proxy.log", "swift", "swift-proxy"),
        ("/var/log/proxy-server.log", "swift", "proxy-server"),
        ("/var/log/skyline/error.log", "skyline", None),
        ("/var/log/cloud-init.log", "cloud-init", "cloud-init"),
        ("/var/log/dmesg", "kernel", "dmesg"),
        ("/var/log/syslog", None, None),
        ("app.log", None, None),
    ],
)
def test_a_file_says_its_service_and_program(
    path: str, service: str | None, program: str | None
) -> None:
    assert of_path(path) == (service, program)


@pytest.mark.parametrize(
    ("logger", "service"),
    [
        ("masakarimonitors.ha.masakari", "masakari"),
        ("networking_bgpvpn.neutron.plugin", "neutron"),
        ("skyline_apiserver.main", "skyline"),
        ("etcdserver/membership", "etcd"),
        ("op-mon", "rook"),
        # What several programs have says nothing.
        ("oslo_messaging._drivers.impl_rabbit", None),
        ("ovn_octavia_provider.driver", None),
        ("embed", None),
    ],
)
def test_a_logger_says_its_service(logger: str, service: str | None) -> None:
    assert service_of_logger(logger) == service


@pytest.mark.parametrize("module", sorted(VLOG_MODULES))
def test_a_module_only_ovn_has_says_so_in_its_kind_of_lines(module: str) -> None:
    assert service_of_module(module, "ovs") == "ovn"
    assert service_of_module(module, "") is None


@pytest.mark.parametrize(
    ("source", "module", "service"),
    [
        ("-", "ofctrl", "ovn"),
        ("-", "ovn_northd", "ovn"),
        ("-", "ofproto_dpif_xlate", "ovs"),
        ("-", "reconnect", "ovs"),
        ("ovn-controller.log", "reconnect", "ovn"),
        ("ovsdb-server-nb.log", "ovsdb_server", "ovn"),
        ("ovs-vswitchd.log", "reconnect", "ovs"),
        ("messages", "lflow", "ovn"),
    ],
)
def test_a_line_of_vlog_is_of_a_service(source: str, module: str, service: str) -> None:
    normalizer = opslog.Normalizer(source=source)
    normalizer.feed(f"2024-05-06T07:08:09.123Z|00042|{module}|INFO|text\n".encode())
    assert normalizer.close()[0].column("service_name").to_pylist() == [service]


def test_a_logger_of_another_format_is_no_module() -> None:
    normalizer = opslog.Normalizer()
    normalizer.feed(b"2024-05-06 07:08:09.123 7 INFO main [-] text\n")
    assert normalizer.close()[0].column("service_name").to_pylist() == [None]


PIECES = st.sampled_from(
    [*sorted(WORDS), *"-_@.:( [", "7", "17432", "é", "Nova", "x", "server", "kolla-", "devstack@"]
)
NAMES = st.lists(PIECES, min_size=1, max_size=6).map("".join)


def found(line: str, *columns: str) -> list[list[str | None]]:
    """Return columns of the records that a log makes of a line twice."""
    normalizer = opslog.Normalizer()
    batches = [*normalizer.feed(f"{line}\n".encode() * 2), *normalizer.close()]
    return [[row[name] for name in columns] for batch in batches for row in batch.to_pylist()]


@given(NAMES)
@example("lib/nova")
@example("object-server17")
def test_of_a_record_of_syslog_the_whole_program_tells_the_service(name: str) -> None:
    line = f"Mar 10 10:00:00 node {name}[7]: text"
    for program, logger, service, format_name in found(
        line, "program", "logger", "service_name", "format"
    ):
        if format_name == "syslog.rfc3164" and program and not logger:
            assert service == service_of_program(program)


@given(NAMES)
def test_of_a_record_of_oslo_the_whole_logger_tells_the_service(name: str) -> None:
    line = f"2026-03-10 10:00:00.000 7 INFO {name} [-] text"
    for logger, service, format_name in found(line, "logger", "service_name", "format"):
        if format_name == "oslo.text":
            assert service == service_of_logger(logger or "")


def test_no_name_is_read_as_words_of_another() -> None:
    assert all("0" not in name for name in (*SERVICES, *NEIGHBOURS, *VLOG_MODULES))
    assert not any(re.search(r"\d\d", name) for name in (*SERVICES, *NEIGHBOURS, *VLOG_MODULES))
