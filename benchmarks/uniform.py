"""Logs of one format each, beside oslo.log's: seeded lines in the shapes other programs write.

    python benchmarks/uniform.py KIND SIZE_MB PATH

The same size gives the same bytes.  Every line is a record.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cache import once, written
from events import START_MS

VERSION = 1
"""Part of a cached file's name: to be raised when the bytes change."""

_POOL = 512


class Values:
    """A clock, and values that messages take."""

    def __init__(self) -> None:
        self.rng = random.Random(5)
        below = self.rng.randrange
        self.micros = 1000 * START_MS
        self.ips = [f"10.{below(64)}.{below(256)}.{below(1, 255)}" for _ in range(_POOL)]
        self.hexes = [f"{self.rng.getrandbits(128):032x}" for _ in range(_POOL)]
        self.numbers = [below(1, 90_000) for _ in range(_POOL)]

    def tick(self) -> None:
        self.micros += 1 + int(self.rng.random() * 18_000)

    def of(self, pool: list[str]) -> str:
        return pool[int(self.rng.random() * len(pool))]

    def number(self) -> int:
        return self.numbers[int(self.rng.random() * _POOL)]

    def time(self, pattern: str) -> str:
        """Return the second as ``pattern`` writes it."""
        return _second(self.micros // 1_000_000, pattern)

    def message(self, messages: list[str]) -> str:
        """Return one of the messages with its holes filled."""
        text = self.of(messages)
        return text.format(ip=self.of(self.ips), hex=self.of(self.hexes), n=self.number())


@lru_cache(maxsize=16)
def _second(seconds: int, pattern: str) -> str:
    time = datetime.fromtimestamp(seconds, UTC)
    return time.strftime(pattern.replace("%e", f"{time.day:2}"))


_RABBITMQ = [
    "[info] <0.{n}.0> accepting AMQP connection <0.{n}.0> ({ip}:{n} -> 10.0.0.5:5672)",
    "[info] <0.{n}.0> connection <0.{n}.0> ({ip}:{n} -> 10.0.0.5:5672 - nova-compute:7:{hex}): "
    "user 'openstack' authenticated and granted access to vhost '/'",
    "[info] <0.{n}.0> closing AMQP connection <0.{n}.0> ({ip}:{n} -> 10.0.0.5:5672 - "
    "neutron-server:31:{hex}, vhost: '/', user: 'openstack')",
    "[warning] <0.{n}.0> closing AMQP connection <0.{n}.0> ({ip}:{n} -> 10.0.0.5:5672): "
    "client unexpectedly closed TCP connection",
    "[error] <0.{n}.0> Channel error on connection <0.{n}.0>, channel 1: operation queue.declare "
    "caused a channel exception not_found: no queue 'reply_{hex}' in vhost '/'",
    "[notice] <0.{n}.0> queue 'reply_{hex}' in vhost '/' expired",
]

_CEPH = [
    " 0 log_channel(cluster) log [DBG] : pgmap v{n}: 513 pgs: 513 active+clean; {n} GiB data",
    " 1 mon.ctl-1@0(leader).osd e{n} _set_new_cache_sizes cache_size:1020054731 inc_alloc: {n}",
    " 4 rocksdb: [db/column_family.cc:578] [default] Level-0 commit table #{n} started",
    "10 osd.7 pg_epoch: {n} pg[2.1f( v {n}'{n} lis/c {n}/{n} les/c/f {n}/{n}/0) [7,3,11] r=0 "
    "lpr={n} crt={n}'{n} active+clean] do_op osd_op(client.{n}.0:{n} 2.1f rbd_data.{hex})",
    "-1 osd.7 {n} heartbeat_check: no reply from {ip}:6806 osd.12 since back front",
    ' 0 mon.ctl-1@0(leader) e3 handle_command mon_command({{"prefix": "df"}} v 0) v1',
]

_APACHE = [
    '{ip} - - [TIME] "GET /v3/auth/tokens HTTP/1.1" 200 {n} "-" "python-keystoneclient"',
    '{ip} - - [TIME] "POST /v3/auth/tokens HTTP/1.1" 201 {n} "-" "keystoneauth1/5.6.0 '
    'python-requests/2.31.0 CPython/3.10.12"',
    '{ip} - - [TIME] "GET /v2.1/servers/{hex} HTTP/1.1" 404 {n} "-" "openstacksdk/1.5.0"',
    '{ip} - admin [TIME] "GET /dashboard/project/instances/?marker={hex} HTTP/1.1" 200 {n} '
    '"https://cloud.example.org/dashboard/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"',
    '{ip} - - [TIME] "OPTIONS / HTTP/1.0" 300 {n} "-" "HAProxy/healthcheck"',
]

_OVS = [
    "connmgr|INFO|br-int<->tcp:127.0.0.1:6633: {n} flow_mods in the {n} s starting {n} s ago",
    "bridge|INFO|bridge br-int: added interface tap{hex:.8}-57 on port {n}",
    "bridge|INFO|bridge br-int: deleted interface qvo{hex:.8}-1b on port {n}",
    "rconn|WARN|br-tun<->tcp:{ip}:6633: connection failed (Connection refused)",
    "ofproto_dpif_xlate(handler{n})|WARN|over max translation depth 64 on bridge br-int",
    "timeval(revalidator{n})|WARN|Unreasonably long {n}ms poll interval (3ms user, 2ms system)",
    "netdev_linux|INFO|ioctl(SIOCGIFHWADDR) on tap{hex:.8} device failed: No such device",
]

_SYSLOG = [
    "systemd[1]: Started Session {n} of user stack.",
    "systemd[1]: run-docker-runtime\\x2drunc-moby-{hex}-runc.mount: Deactivated successfully.",
    "dnsmasq-dhcp[{n}]: DHCPACK(tap0) {ip} fa:16:3e:5d:00:01 host-{n}",
    "sshd[{n}]: Accepted publickey for stack from {ip} port {n} ssh2: ED25519 SHA256:{hex}",
    "CRON[{n}]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "keepalived_vrrp[{n}]: (VI_1) Received advert from {ip} with lower priority {n}, ours 101",
    "chronyd[{n}]: Selected source {ip} (ntp.example.org)",
    "dockerd[{n}]: the health check of container {hex} took longer than {n} ms",
]

_SECRETS = [
    "REQ: curl -g -i -X GET http://{ip}:9696/v2.0/ports -H 'X-Auth-Token: {{SHA256}}{hex}{hex}'",
    "connecting to mysql+pymysql://nova:{hex}@{ip}:3306/nova",
    "{{'auth': {{'passwordCredentials': {{'username': 'nova', 'password': '{hex}'}}}}}}",
    "Running cmd: ipmitool -I lanplus -H {ip} -U admin -P {hex} power status",
    '{{"access": {{"token": {{"id": "{hex}", "expires": "2026-03-02T11:00:00Z"}}, "port": {n}}}}}',
]


def _secrets(values: Values) -> str:
    time = f"{values.time('%Y-%m-%d %H:%M:%S')}.{values.micros // 1000 % 1000:03d}"
    return f"{time} {values.number()} DEBUG nova.utils [-] {values.message(_SECRETS)}"


def _rabbitmq(values: Values) -> str:
    time = f"{values.time('%Y-%m-%d %H:%M:%S')}.{values.micros % 1_000_000:06d}+00:00"
    return f"{time} {values.message(_RABBITMQ)}"


def _ceph(values: Values) -> str:
    time = f"{values.time('%Y-%m-%dT%H:%M:%S')}.{values.micros // 1000 % 1000:03d}+0000"
    return f"{time} 7f{values.of(values.hexes)[:10]} {values.message(_CEPH)}"


def _apache(values: Values) -> str:
    return values.message(_APACHE).replace("TIME", values.time("%d/%b/%Y:%H:%M:%S +0000"))


def _ovs(values: Values) -> str:
    time = f"{values.time('%Y-%m-%dT%H:%M:%S')}.{values.micros // 1000 % 1000:03d}Z"
    return f"{time}|{values.number():05d}|{values.message(_OVS)}"


def _syslog(values: Values) -> str:
    return f"{values.time('%b %e %H:%M:%S')} cmp-{values.number() % 40} {values.message(_SYSLOG)}"


_LINES: dict[str, Callable[[Values], str]] = {
    "rabbitmq": _rabbitmq, "ceph": _ceph, "apache": _apache, "ovs": _ovs, "syslog": _syslog,
    "secrets": _secrets,
}  # fmt: skip
KINDS = tuple(_LINES)


def lines(kind: str) -> Iterator[bytes]:
    """Yield lines without end, the same ones each time."""
    values = Values()
    line = _LINES[kind]
    while True:
        values.tick()
        yield f"{line(values)}\n".encode()


def write(kind: str, size: int, path: Path) -> None:
    """Write at least ``size`` bytes of ``kind``."""
    written = 0
    with path.open("wb") as file:
        for line in lines(kind):
            written += file.write(line)
            if written >= size:
                return


def cached(kind: str, megabytes: int, folder: Path) -> Path:
    """Return a log, written on first use."""
    return once(__file__, kind, megabytes, folder / f"{kind}-{megabytes}mb-v{VERSION}.log")


def main() -> None:
    """Write the log asked for."""
    written("Write a log of one format.", KINDS, write)


if __name__ == "__main__":
    main()
