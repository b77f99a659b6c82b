"""Host names from paths: which machine a file was collected from.

A path tells its host where its layout does (``ctl1/var/log/nova/nova-api.log``,
``sosreport-ctl1-2023-04-01-abcdefg/...``, ``/var/log/remote/ctl1/nova-api.log``), or where
the folder around those of services and logs is called like a machine
(``cmp1/nova/nova-compute.log``); an archive counts like a folder (``cmp1.tar.gz!/nova/...``).
A wrong host is worse than none: a name that may be a case's, a job's or a user's tells nothing.
Only the path as it was given counts, no other
file, so that a record is the same whatever else is read.
"""

from __future__ import annotations

import re
from functools import lru_cache

from opslog.model.services import service_of_program

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_ADDRESS = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_WORD_OR_NUMBER = re.compile(r"[a-z]+|\d+", re.ASCII)
_DATE_OR_NUMBER = re.compile(r"\d[\d_.:tz-]*", re.ASCII)
_HASH = re.compile(r"(?=.*\d)[0-9a-f]{6,}|(?:[0-9a-f]{4,}-)+[0-9a-f]{4,}", re.ASCII)

_SINGLE_ROLES = {
    "aio", "allinone", "bastion", "blade", "cmp", "cn", "comp", "compute", "controller", "ctl",
    "ctlr", "ctr", "ctrl", "dcn", "deployer", "director", "edge", "gateway", "gtw", "gw", "hci",
    "host", "hv", "hyp", "hypervisor", "infra", "kvm", "machine", "master", "mgmt", "minion",
    "mon", "net", "network", "networker", "node", "osd", "overcloud", "primary", "secondary",
    "seed", "server", "slave", "srv", "stor", "storage", "subnode", "supernode", "undercloud",
    "worker",
}  # fmt: skip
_ROLES = _SINGLE_ROLES | {
    "blockstorage", "cephstorage", "computehci", "novacompute", "objectstorage",
}  # fmt: skip
"""Words by which machines are called; with a number they are the name of one."""

_NEVER = {
    "agent", "api", "archive", "backup", "bug", "build", "case", "cases", "copy", "driver",
    "dump", "exporter", "extract", "incident", "issue", "job", "log", "logs", "lp", "manager",
    "old", "operator", "proxy", "report", "support", "tar", "ticket", "tmp", "unit",
}  # fmt: skip
"""Words in a name that say that it is not a machine's."""

_LOG_FOLDERS = {
    "archive", "archived", "archives", "audit", "config-data", "container", "containers",
    "current", "extra", "host_service_logs", "journal", "kolla", "log", "logs", "messages", "old",
    "openstack", "out", "output", "previous", "private", "rotated", "service-logs", "stdouts",
    "syslog", "uwsgi", "var",
}  # fmt: skip
"""Folders of logs that stand below a machine's, besides those of services and of dates."""

_NO_MACHINES = {
    "all", "app", "apps", "artifacts", "backups", "base", "bitnami", "bundle", "cache",
    "chroot", "collected", "common", "data", "default", "devstack", "diff", "disk", "dumps",
    "env", "etc", "export", "extracted", "files", "fs", "home", "homebrew", "host", "hostfs",
    "hosts", "image", "images", "lib", "lib64", "local", "localhost", "lower", "lxc", "lxd",
    "merged", "mnt", "mount", "mounts", "new", "node", "nodes", "opt", "overlay", "overlay2",
    "prefix", "rescue", "rescued", "root", "rootfs", "run", "sample", "samples", "share",
    "shared", "snap", "snapshot", "snapshots", "sos", "spool", "srv", "stack", "staging",
    "state", "sys", "sysimage", "sysroot", "system", "target", "temp", "test", "tests",
    "unpacked", "upper", "usr", "venv", "volume", "volumes", "work", "workspace",
}  # fmt: skip
"""Folders with a ``var/log`` below them that are called after something else than a machine."""

_GATHERED = {"by-host", "hosts", "nodes", "per-host"}
_GATHERED_LOGS = {"remote", "rsyslog"}
"""Folders with one folder for each machine; the second where they stand in a folder of logs."""

_HOMES = {"home", "Users"}

_SOS = re.compile(
    r"sosreport-([A-Za-z0-9][A-Za-z0-9.-]*?)(?:[.-]\d{6,})?-"
    r"(?:\d{4}-\d\d-\d\d-[a-z]{7}|\d{14}(?:-[0-9a-z]+)?)(?:-obfuscated)?"
)
"""sos's folders: the host, maybe the case, the date, and what makes it unique."""

_OSA = re.compile(rf"({_LABEL})_[a-z0-9_]+_container-[0-9a-f]{{8}}")
"""OpenStack-Ansible's containers: the machine on which they run stands before."""

_ARCHIVE = re.compile(r"(?<=[^/])\.(?:tar(?:\.(?:bz2|gz|xz|zst))?|t[bgx]z|tzst|tbz2)!(?=/)")
"""The end of an archive's name before that of what lies in it: it is a folder called so without."""

_RABBIT = re.compile(r"rabbit@([A-Za-z0-9.-]*?[A-Za-z0-9])(?:-sasl|_upgrade)?\.log\b.*")
"""RabbitMQ's files: a node is called after its host."""


def host_of_path(path: str) -> str | None:
    """Return the host that the path of a file tells; None if it tells none."""
    folder, _, file = path.rpartition("/")
    if "!" in folder:
        folder = _ARCHIVE.sub("", f"{folder}/").rstrip("/")
    rabbit = _RABBIT.fullmatch(file)
    if rabbit and rabbit[1] != "localhost":
        return rabbit[1]
    return _host_of_folder(folder)


@lru_cache(maxsize=4096)
def _host_of_folder(path: str) -> str | None:
    """Return the host that the path of a folder tells; thousands of files may lie in one."""
    folders = [name for name in path.split("/") if name != "."]
    if "pods" in folders:
        # A pod is no machine: it moves from one to another.
        del folders[folders.index("pods") :]
    return _host_of_folders(folders)


def _host_of_folders(folders: list[str]) -> str | None:
    """Return the innermost host that the folders tell, the outermost of which comes first."""
    unknown = False
    for at in range(len(folders) - 1, -1, -1):
        name, around, below = folders[at], folders[:at], folders[at + 1 : at + 2]
        if name == ".." or _HOMES & {name, *around[-1:]}:
            return None
        if host := _host_in_name(name):
            return host
        if _is_gathered(around) and _may_be_host(name):
            return name
        if name == "var" and below == ["log"]:
            if host := _host_of_root(around):
                return host
            unknown = True
        if not unknown and not _is_of_logs(name):
            if _is_host(name, single=below == ["logs"]):
                return name
            # What stands around it may be anything, unless its layout tells.
            unknown = True
    return None


def _host_in_name(folder: str) -> str | None:
    """Return the host that a folder of sos or OpenStack-Ansible names beside other things."""
    told = _SOS.fullmatch(folder) or _OSA.fullmatch(folder)
    return told[1] if told else None


def _is_gathered(folders: list[str]) -> bool:
    """Whether the last of these folders has one for each machine."""
    if not folders:
        return False
    *around, name = folders
    return name in _GATHERED or (name in _GATHERED_LOGS and around[-1:] in (["log"], ["logs"]))


def _host_of_root(folders: list[str]) -> str | None:
    """Return the host whose ``var/log`` lies in the last of these folders."""
    if not folders:
        return None
    *around, name = folders
    if name == "baremetal" and around and around[-1].isdecimal():
        # juju-crashdump has 4/baremetal/var/log and 4/lxd/1/var/log, of machine-4 to Juju.
        return f"machine-{around[-1]}"
    if len(around) > 1 and around[-1] == "lxd" and name.isdecimal() and around[-2].isdecimal():
        return f"machine-{around[-2]}-lxd-{name}"
    if host := _host_in_name(name):
        return host
    if _HOMES & {*around[-1:]}:
        return None
    # Below / a disk is mounted, whatever it is called.
    is_mounted = around == [""]
    return name if _is_host(name, single=True) or (not is_mounted and _may_be_host(name)) else None


def _is_of_logs(name: str) -> bool:
    """Whether a folder is one of logs, of a service or of a date: a machine's stands around it."""
    lower = name.lower()
    if _ADDRESS.fullmatch(lower) or _is_full_name(lower):
        return False
    return (
        not lower
        or lower in _LOG_FOLDERS
        or _DATE_OR_NUMBER.fullmatch(lower) is not None
        or service_of_program(lower) is not None
    )


def _is_full_name(lower: str) -> bool:
    """Whether a name is one with a domain."""
    first, *labels = lower.split(".")
    return (
        len(labels) > 1
        and _NAME.fullmatch(lower) is not None
        and not first.isdecimal()
        and first not in {"com", "io", "net", "org", "snap"}
        and not any(map(str.isdecimal, labels))
        and re.fullmatch("[a-z]{2,}", labels[-1]) is not None
        and labels[-1] not in {"gz", "json", "scope", "service", "slice", "socket", "txt"}
        and service_of_program(labels[-1]) is None
    )


def _is_host(name: str, single: bool) -> bool:
    """Whether a name is that of a machine; with ``single`` a role without a number is one, too."""
    lower = name.lower()
    if _ADDRESS.fullmatch(lower):
        return True
    words = set(_WORD_OR_NUMBER.findall(lower))
    if not _NAME.fullmatch(lower) or words & _NEVER:
        return False
    if _is_full_name(lower):
        return True
    if lower[0].isdecimal() or _HASH.fullmatch(lower) or service_of_program(lower):
        return False
    if single and lower in _SINGLE_ROLES - _NO_MACHINES:
        return True
    numbers = [word for word in words if word.isdecimal()]
    return bool(words & _ROLES) and bool(numbers) and max(map(len, numbers)) < 6


def _may_be_host(name: str) -> bool:
    """Whether a name can be a machine's, where its place says that it is one."""
    lower = name.lower()
    if _ADDRESS.fullmatch(lower):
        return True
    return (
        _NAME.fullmatch(lower) is not None
        and not set(_WORD_OR_NUMBER.findall(lower)) & _NEVER
        and lower not in _NO_MACHINES | _LOG_FOLDERS
        and not _HASH.fullmatch(lower)
        and not _DATE_OR_NUMBER.fullmatch(lower)
        # A machine may be called after what runs on it, with a number: ceph-1.
        and (lower[-1].isdecimal() or _is_full_name(lower) or service_of_program(lower) is None)
    )
