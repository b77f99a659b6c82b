"""Which host a path tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.model.hosts import host_of_path
from opslog.model.services import NEIGHBOURS, SERVICES

TOLD = {
    "a folder called like a machine": {
        "cmp1/nova-compute.log": "cmp1",
        "./cmp1/nova-compute.log": "cmp1",
        "../cmp1/nova-compute.log": "cmp1",
        "cmp1/nova/nova-compute.log": "cmp1",
        "RACK1-CMP02/nova-compute.log": "RACK1-CMP02",
        "region1/ctl1/nova-api.log": "ctl1",
        "cmp1/2024-01-05/nova-compute.log": "cmp1",
        "cmp1/old/nova-compute.log.3.gz": "cmp1",
        "compute-0.localdomain/nova-compute.log": "compute-0.localdomain",
        "zeus.example.org/nova/nova-compute.log": "zeus.example.org",
        "10.0.0.5/nova-compute.log": "10.0.0.5",
        "/home/anna/ctl1/nova-api.log": "ctl1",
    },
    "a root of logs, as Ansible's fetch and TripleO leave it": {
        "ctl1/var/log/nova/nova-api.log": "ctl1",
        "zeus/var/log/kolla/nova/nova-api.log": "zeus",
        "controller-0/var/log/containers/nova/nova-api.log.1.gz": "controller-0",
        "logs/undercloud/var/log/extra/logstash.txt.gz": "undercloud",
        "logs/overcloud-novacompute-0/var/log/containers/nova/nova-compute.log": "overcloud-novacompute-0",
        "ceph-1/var/log/ceph/ceph.log": "ceph-1",
        "10.0.0.5/var/log/nova/nova-api.log": "10.0.0.5",
    },
    "sos": {
        "sosreport-zeus-2023-04-01-abcdefg/var/log/nova/nova-api.log": "zeus",
        "sosreport-cmp-01-01234567-2023-04-01-abcdefg/sos_commands/logs/journalctl": "cmp-01",
        "/cases/7/sosreport-ctl1.example.org.01234567-20230401123456/var/log/messages": "ctl1.example.org",
        "sosreport-ctl1-20230401123456-1f3a/var/log/pods/a_b_c/nova/0.log": "ctl1",
    },
    "Juju": {
        "juju-crashdump-1f/4/baremetal/var/log/nova/nova-api.log": "machine-4",
        "juju-crashdump-1f/4/lxd/1/var/log/nova/nova-api.log": "machine-4-lxd-1",
        "machine-4/nova/nova-compute.log": "machine-4",
    },
    "an archive, called like the folder of which it was made": {
        "cmp1.tar.gz!/nova/nova-compute.log": "cmp1",
        "cmp1.tgz!/var/log/nova/nova-compute.log": "cmp1",
        "sosreport-zeus-2023-04-01-abcdefg.tar.xz!/sos_commands/logs/journalctl": "zeus",
        "x.tar!/sosreport-zeus-2023-04-01-abcdefg-obfuscated.tar.xz!/var/log/messages": "zeus",
        "juju-crashdump-1f.tar.xz!/4/baremetal/var/log/nova/nova-api.log": "machine-4",
        "-!/4/lxd/1/var/log/nova/nova-api.log": "machine-4-lxd-1",
    },
    "jobs of Zuul": {
        "compute1/logs/screen-n-cpu.txt": "compute1",
        "4c56def/controller/logs/screen-n-cpu.txt": "controller",
        "primary/logs/kolla/nova/nova-api.txt": "primary",
        "8de6e74/logs/subnode-2/screen-n-cpu.txt": "subnode-2",
    },
    "one folder for each machine": {
        "/var/log/remote/zeus/nova-api.log": "zeus",
        "must-gather/nodes/zeus.example.org/journal.log": "zeus.example.org",
        "loghost1/var/log/remote/zeus/messages": "zeus",
    },
    "containers of OpenStack-Ansible": {
        "/openstack/log/infra1_nova_api_container-3ea8e9a4/nova/nova-api.log": "infra1",
    },
    "a node of RabbitMQ": {
        "rabbitmq/rabbit@zeus.log": "zeus",
        "rabbitmq/rabbit@zeus-sasl.log.1": "zeus",
        "rabbit@zeus_upgrade.log": "zeus",
        "ctl1/rabbitmq/rabbit@localhost.log": "ctl1",
    },
}

UNTOLD = {
    "where logs stand on any machine": "/var/log/nova/nova-api.log /var/log/kolla/nova/nova-api.log nova-api.log "
    "./nova-api.log - kolla/nova/nova-api.log /opt/stack/logs/n-cpu.log /var/log/juju/machine-0.log",
    "a user's home": "/home/ctl1/nova-api.log /home/ctl1/var/log/nova-api.log /Users/node1/nova-api.log "
    "/root/nova-api.log",
    "a disk": "/mnt/var/log/messages /zeus/var/log/messages rootfs/var/log/messages host/var/log/messages "
    "/var/lib/docker/overlay2/9f8ab12/merged/var/log/x.log /var/lib/lxc/infra1/rootfs/var/log/x.log",
    "a case, a job, a time, a part of a cloud": "case-4711/nova-api.log bug12/var/log/nova-api.log "
    "8de6e74/logs/screen-n-cpu.txt 2023.1/nova-api.log drive2/nova/nova-api.log compute-20240105/nova-api.log "
    "cell1/nova-conductor.log region1/nova-api.log compute/nova-compute.log test/nova-compute.log",
    "a service, a program, a unit, a pod": "nova-compute-1/x.log unit-nova-compute-3/x.log node-exporter-2/x.log "
    "namespaces/openstack/pods/compute-0/nova/logs/current.log /var/log/remote/nova/x.log com.example.app/x.log",
    "what stands around an unknown folder": "server2/export/stuff/nova-api.log cmp1/../nova-api.log ../x.log",
}


@pytest.mark.parametrize(
    ("path", "host"), [(path, host) for one in TOLD.values() for path, host in one.items()]
)
def test_a_path_tells_the_host(path: str, host: str) -> None:
    assert host_of_path(path) == host


@pytest.mark.parametrize("path", [path for one in UNTOLD.values() for path in one.split()])
def test_a_path_that_may_mean_something_else_tells_no_host(path: str) -> None:
    assert host_of_path(path) is None


NO_HOSTS = sorted({
    *SERVICES, *NEIGHBOURS, "nova-compute", "neutron-server", "swift-proxy", "", ".", "var", "log",
    "logs", "containers", "kolla", "pods", "archive", "old", "tmp", "2024-01-05", "20240105", "7",
    "openstack", "journal", "remote", "home", "localhost", "compute", "controllers",
})  # fmt: skip


@given(st.lists(st.sampled_from(NO_HOSTS)), st.sampled_from(["nova-api.log", "messages", "x.gz"]))
def test_names_of_services_programs_roots_and_dates_are_never_hosts(
    folders: list[str], file: str
) -> None:
    # A role is a machine's name right above a folder of logs.
    if host := host_of_path("/".join([*folders, file])):
        assert host == "compute"


@given(st.text(st.characters(exclude_characters="/"), min_size=1).filter(lambda s: s not in "..."))
def test_any_folder_is_a_host_by_its_own_name_or_none(folder: str) -> None:
    for path in (f"{folder}/x.log", f"{folder}/logs/x.log", f"a/{folder}/var/log/nova/x.log"):
        host = host_of_path(path)
        assert host is None or host in folder


@given(st.text())
def test_any_path_may_be_asked(path: str) -> None:
    host = host_of_path(path)
    assert host is None or host in path or host.startswith("machine-")
