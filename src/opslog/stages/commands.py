"""Secrets among the arguments of commands, as a shell or a list has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, zip_longest

from opslog.stages.secret_names import is_secret
from opslog.stages.secret_values import is_kept

_COMMANDS = {
    # Options whose value is the next argument or joined to them, options with a joined value only.
    "sshpass": (("-p",), ("-p",)),
    "ipmitool": (("-P", "-k", "-y"), ("-P",)),
    "ldapsearch": (("-w",), ("-w",)), "ldapadd": (("-w",), ("-w",)),
    "ldapmodify": (("-w",), ("-w",)),
    "ldapdelete": (("-w",), ("-w",)), "ldapwhoami": (("-w",), ("-w",)), "ldappasswd": (("-w", "-s",
    "-a"), ()),
    "snmpwalk": (("-c", "-A", "-X"), ("-c",)), "snmpget": (("-c", "-A", "-X"), ("-c",)),
    "snmpset": (("-c", "-A", "-X"), ("-c",)), "snmpbulkwalk": (("-c", "-A", "-X"), ("-c",)),
    "snmptrap": (("-c", "-A", "-X"), ("-c",)), "snmpgetnext": (("-c", "-A", "-X"), ("-c",)),
    "redis-cli": (("-a",), ()), "sqlcmd": (("-P",), ("-P",)),
    **dict.fromkeys(("swift", "st"), (("-K", "--key"), ("-K", "--key="))),
    "openssl": (("-k", "-K"), ()), "ssh-keygen": (("-N", "-P"), ()), "uemcli": (("-p",), ()),
    "winrm": (("-p",), ()), "ceph-authtool": (("--add-key", "-a"), ("--add-key=",)),
    "ipa-client-install": (("-w",), ()), "kadmin": (("-w",), ()), "ilorest": (("-p",), ()),
    "ipa-server-install": (("-p", "-a"), ()),
    "mongo": (("-p",), ()), "mongosh": (("-p",), ()), "mongodump": (("-p",), ()),
    "useradd": (("-p",), ()), "usermod": (("-p",), ()), "racadm": (("-p",), ()),
    "hponcfg": (("-p",), ()),
    **dict.fromkeys(("ceph", "rbd", "rados"), (("--key",), ("--key=",))),
    "xe": (("-pw",), ()), "plink": (("-pw",), ()), "pscp": (("-pw",), ()), "psexec": (("-p",), ()),
    "rabbitmqadmin": (("-p",), ()), "check_mysql": (("-p",), ("-p",)), "check_pgsql": (("-p",), ()),
    "check_snmp": (("-C", "-A", "-X"), ("-C",)), "check_ldap": (("-P",), ()),
    "check_ipmi_sensor": (("-P",), ()), "zip": (("-P",), ()), "unzip": (("-P",), ()),
    "rdesktop": (("-p",), ()),
    "ncftp": (("-p",), ()),
    "mysql": ((), ("-p",)), "mysqldump": ((), ("-p",)), "mysqladmin": ((), ("-p",)),
    "mysqlimport": ((), ("-p",)), "mysqlcheck": ((), ("-p",)), "mysqlshow": ((), ("-p",)),
    "mysql_upgrade": ((), ("-p",)), "mariadb": ((), ("-p",)), "mariadb-dump": ((), ("-p",)),
    "mariadb-admin": ((), ("-p",)), "mariadb-check": ((), ("-p",)), "mariabackup": ((), ("-p",)),
    "xtrabackup": ((), ("-p",)), "innobackupex": ((), ("-p",)), "xfreerdp": ((), ("/p:",)),
    **{
        f"fence_{device}": (("-p",), ("-p",))
        for device in (
            "ipmilan", "ilo", "ilo2", "ilo3", "ilo4", "ilo5", "idrac", "drac", "drac5", "imm",
            "apc", "apc_snmp", "redfish", "virsh", "vmware_soap", "vmware_rest", "bladecenter",
            "cisco_ucs", "rhevm", "openstack", "ibmblade", "wti", "brocade", "eps", "hpblade",
        )
    },
}  # fmt: skip

_PAIRED = {
    "curl": ("-u", "--user", "-U", "--proxy-user", "-E", "--cert", "--proxy-cert"),
    "smbclient": ("-U", "--user"),
    "rpcclient": ("-U",), "winexe": ("-U", "--user"), "smbget": ("-U",), "net": ("-U", "--user"),
    "etcdctl": ("--user",), "check_http": ("-a", "-b"),
}  # fmt: skip
"""Options whose value is user:password, or user%password."""

_KEYED = {"nsupdate": ("-y",), "dig": ("-y",), "delv": ("-y",)}
"""Options whose value is a key's name and the key, or an algorithm and both."""

_LOGINS = ("docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "crane", "oc", "az")

_PLACED = (
    # Words, and how many arguments further the secret is; options do not count.
    (("net", "user"), 1), (("rabbitmqctl", "add_user"), 1), (("rabbitmqctl", "change_password"), 1),
    (("rabbitmqctl", "authenticate_user"), 1), (("vault", "login"), 0), (("vault", "unseal"), 0),
    (("operator", "unseal"), 0), (("virsh", "secret-set-value"), 1), (("redis-cli", "auth"), 0),
    (("kubeadm", "certificate-key"), 0), (("pro", "attach"), 0), (("ua", "attach"), 0),
    (("net", "use"), 1), (("net", "use"), 2), (("cinder-rtstool", "create"), 3),
    (("sethost", "initchap"), 0), (("sethost", "targetchap"), 0),
)  # fmt: skip
_SETTERS = ("crudini", "openstack-config", "iniset", "aws", "nmcli")
"""Commands that have a name as one argument, and its value as the next."""

_WORDS = {
    *_COMMANDS,
    *_PAIRED,
    *_KEYED,
    *_LOGINS,
    *_SETTERS,
    "htpasswd",
    "pcs",
    *(words[0] for words, _ in _PLACED),
}
_COMMAND = re.compile(
    r"(?<![\w.-])(" + "|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True)))
    + r")(?:\.exe)?(?=[\s'\",])"
)  # fmt: skip
_ARGUMENT = re.compile(
    r"""[^\S\n]*(?:,[ ]?)?(?:[ub]?'((?:[^'\\\n]|\\.)*)'|[ub]?"((?:[^"\\\n]|\\.)*)\""""
    r"""|((?:[^\s'",|;&\]\\]|\\.|,(?=\S))+))"""
)
_PASS = re.compile(r"(?:-pass(?:in|out)?|-passphrase)['\",\s=]{1,4}['\"]?pass:([^\s'\",]+)")
_ECHO = re.compile(
    r"""\b(?:echo|printf)\s+(?:-[en]+\s+)?(?:'([^'\n]+)'|"([^"\n]+)"|([^\s'"|]+))\s*\|\s*(?:sudo\s+(?:-\w+\s+)*)?"""
    r"""(?:chpasswd|passwd\s+--stdin|sudo\s+-S|cryptsetup|docker\s+login|kinit|realm)"""
)
_HERE = re.compile(
    r"""\b(?:chpasswd|passwd|sudo|kinit)\b[^|\n]{0,40}<<<\s*(?:'([^'\n]+)'|"([^"\n]+)"|(\S+))"""
)
_CHPASSWD = re.compile(
    r"""(?:\bchpasswd\b|'random'[ ]passwords)[^\n]{0,80}(?:\n"""
    r"""((?:[ \t]{0,20}\w[\w.-]{0,31}:[^\s:]{4,}[ \t\r]*(?:\n|\Z)){1,50})"""
    r"""|(?<=[\s{"'])(?:list|stdin|input|data)['"]?[ ]?[=:][ ]?b?"""
    r"""((?:\[?[ ]?['"]\w[\w.-]{0,31}:[^'"\n]{4,}['"],?){1,50}))"""
)
_USER = re.compile(r"""(?:(?<=['"\n])|\A)[ \t]*\w[\w.-]*:([^\s'"]+)""")
"""Users with their passwords, in lines and lists."""
WORDS = (
    "sshpass", "ipmitool", "ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami",
    "ldappasswd", "snmpwalk", "snmpget", "snmpset", "snmpbulk", "snmptrap", "ncftp", "redis-cli",
    "sqlcmd", "swift -", "swift'", 'swift"', "mongo", "useradd", "usermod", "racadm", "hponcfg",
    "plink", "pscp", "psexec", "rdesktop", "winexe", "mysql ", "mysql'", 'mysql"', "mysqld",
    "mysqla", "mysqli", "mysqlc", "mysqls", "mysql_", "mariad", "mariab", "xtrabackup",
    "innobackupex", "freerdp", " -u", "'-u", '"-u', "--user ", "--user=", "--user'", '--user"',
    "proxy-user", " login", "'login'", '"login"', "htpasswd", "net user", "net', 'user",
    'net", "user', "rabbitmqctl", "vault ", "vault'", 'vault"', "unseal", "virsh", "pass:",
    "--key", "--add-key", " -k ", "'-k'", '"-k"', "ssh-keygen", "uemcli", "winrm", "-authtool",
    "ipa-", " -y ", "'-y'", '"-y"', "net use", "net rpc", "net ads", " -e ", "--cert", "pro attach",
    "ua attach", "rtstool", "initchap", "targetchap", "kinit", "kadmin", "ilorest",
    "realm ", "<<<", "fence_",
    "xe -", "xe'", 'xe"', "chpasswd", "--stdin", "sudo -s", "cryptsetup",
    "rabbitmqadmin", "check_mysql", "check_pgsql", "check_snmp", "check_ldap", "check_ipmi",
    "check_http",
    "'random' passwords",
    "zip -", "pcs ", "pcs'", "crudini", "openstack-config", "iniset ", "configure set", "nmcli",
)  # fmt: skip
"""One of these is in every text with such a secret."""

_MOST = 60


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where arguments stand that are secrets."""
    for match in _COMMAND.finditer(text):
        yield from _arguments(match[1], text, match.end())
    if "pass:" in text:
        for match in _PASS.finditer(text):
            yield match.span(1)
    if "chpasswd" in text or "'random' passwords" in text:
        for block in _CHPASSWD.finditer(text):
            for match in _USER.finditer(block[block.lastindex or 0]):
                begin = block.start(block.lastindex or 0)
                yield begin + match.start(1), begin + match.end(1)
    for match in (*_ECHO.finditer(text), *_HERE.finditer(text)):
        begin, end = match.span(match.lastindex or 0)
        user = text[begin:end].partition(":")
        yield (begin + len(user[0]) + 1 if user[1] else begin), end


def _arguments(command: str, text: str, at: int) -> Iterator[tuple[int, int]]:
    if at < len(text) and text[at] in "'\"":
        at += 1  # the command was quoted, in a list
    found: list[tuple[str, int, int]] = []
    while len(found) < _MOST and (match := _ARGUMENT.match(text, at)) is not None:
        place = next(number for number in (1, 2, 3) if match[number] is not None)
        found.append((match[place], match.start(place), match.end(place)))
        at = match.end()
    following, joined = _COMMANDS.get(command, ((), ()))
    paired = _PAIRED.get(command, ())
    if command in _LOGINS and any(word == "login" for word, _, _ in found):
        following = ("-p",)
    if command == "pcs" and any(word == "auth" for word, _, _ in found):
        following = ("-p",)
    if command in _SETTERS:
        yield from _set(found)
    for (word, begin, end), behind in zip_longest(found, found[1:]):
        if behind is not None and word in following and not _is_open(behind[0]):
            yield behind[1], behind[2]
        elif behind is not None and word in paired:
            yield from _password(*behind)
        elif behind is not None and word in _KEYED.get(command, ()):
            yield behind[1] + behind[0].rfind(":") + 1, behind[2]
        elif (option := next((o for o in joined if word.startswith(o)), None)) is not None:
            if len(word) > len(option):
                yield begin + len(option), end
            elif behind is not None and behind[1] <= end + 1 and text[end] in "'\"":
                yield behind[1], behind[2]
        elif paired and word[:2] in paired and len(word) > 2 and not word.startswith("--"):
            yield from _password(word[2:], begin + 2, end)
    plain = [one for one in found if not one[0].startswith("-")]
    for words, distance in _PLACED:
        if words[0] == command and plain and plain[0][0] == words[1] and len(plain) > distance + 1:
            word, begin, end = plain[distance + 1]
            if not word.startswith(("/", "\\")):
                yield begin, end
    if command == "htpasswd":
        options = "".join(word for word, _, _ in found if word.startswith("-"))
        wanted = 1 if "n" in options else 2
        if "b" in options and len(plain) > wanted:
            yield plain[wanted][1:]


def _set(found: list[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the last argument, if the one before it is the name of a secret."""
    plain = [one for one in found if not one[0].startswith("-")]
    for (name, _, _), (value, begin, end) in pairwise(plain):
        if is_secret(name) and not is_kept(value) and not is_secret(value):
            yield begin, end


def _is_open(word: str) -> bool:
    """Return whether the argument is an option, or says where the secret is."""
    return word.startswith(("-", "<")) or (word.startswith("$") and not word[1:2].isdigit())


def _password(word: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    for sign in ":%":
        user, found, password = word.partition(sign)
        if found and password:
            yield begin + len(user) + 1, end
            return
