"""Secrets in configurations of other programs, whose lines have neither ``=`` nor ``:``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opslog.stages.secret_values import is_kept, is_said

_GAP = r"""['"]?[ \t]*[ \t,][ \t]*[ub]?['"]?"""
_VALUE = r"""((?!--)[^\s'",;]{4,})"""
_CHANGED = (
    r"(?i:pass\w*|secret|token|_key)(?:\]/(?:value|password|content): \w+)?"
    r"\s+changed\s+(?:from\s+)?"
)
_SNMP = r"\b(?i:createUser|snmp-server user|usmUser)\b[^\n]{0,200}"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # tgt's CHAP, redis, kickstart, keepalived, QEMU's monitor
        rf"\b(?:(?:incoming|outgoing)user{_GAP}[^\s'\",]+|(?i:requirepass|masterauth)"
        rf"|auth-pass{_GAP}[^\s'\",]+|auth_pass|insecure-password|rootpw(?:{_GAP}--\w+)*|set_password{_GAP}(?:vnc|spice)){_GAP}{_VALUE}",
        rf"\bprovider_auth['\"]?[ ]?[:=][ ]?[ub]?['\"]?CHAP[ ]+\S+[ ]+{_VALUE}",  # cinder
        rf"\b(?i:redis[\w-]*){_GAP}AUTH{_GAP}{_VALUE}",
        rf"\b(?:stats|sst)[ _]auth[ \t=]{{1,3}}['\"]?[^\s:'\"]{{1,64}}:{_VALUE}",  # HAProxy, Galera
        # switches: the digit says how it is hidden
        r"\b(?:password|secret|key|community)[ \t]+[05-9][ \t]+(\S{6,})",
        rf"\b(?:(?:tacacs|radius)-server(?: host \S+)?|isakmp) key (?:\d )?{_VALUE}",
        rf"\b(?:message-digest|authentication)-key \d+ md5 (?:\d )?{_VALUE}",
        rf"\buser set password \d+ {_VALUE}",  # ipmitool
        rf"\benable (?:secret|password) (?:level \d+ )?{_VALUE}[ \t]*(?=[\r\n'\"]|\Z)",
        rf"\b(?:secret|password) sha\d* {_VALUE}",
        rf"\bsnmp-server host \S+ (?:traps |informs )?(?:version [12]c? )?(?!version\b|\*){_VALUE}",
        rf"\bneighbor \S+ password (?:\d )?(?!(?:mismatch|failure|error|missing)\b){_VALUE}",
        rf"\bracadm\b[^\n]{{0,200}}?\bset \S{{1,99}}(?i:password|passphrase|community) {_VALUE}",
        rf"\blogin{_GAP}[^\s'\",]+\s+(?:password|passwd){_GAP}{_VALUE}",  # .netrc
        rf"\.pgpass\b[^\n]{{0,40}}?[\w.*-]+:(?:\d+|\*):[\w*-]+:[\w.-]+:{_VALUE}",
        r"(?i)\"AUTH\"(?: \"[^\"\n]{0,64}\")? \"([^\"\n]+)\"",  # redis' monitor
        rf"\bmysqladmin\b[^\n|;]{{0,200}}?[ '\"]password{_GAP}{_VALUE}",
        rf"--auth(?:[ =]|['\"], )['\"]?[^\s:'\"]{{1,64}}:{_VALUE}",  # Galera's state transfer
        rf"\bbasic_auth=[^\s:,()'\"]{{1,64}}:{_VALUE}",  # mod_auth_openidc
        r"(?i:proxy\w*)['\"]?\s?[=:]\s?['\"]?[\w.-]{1,64}:([^\s:@/'\"]+)@[\w.-]+:\d",
        r"\b334 UGFzc3dvcmQ6\s+(?:[<>CS:]+\s*)*([A-Za-z0-9+/]{4,}={0,2})",  # SMTP's login
        # Swift's tempauth
        r"\buser(?:64)?_\w{1,80}\s?=\s?(\S{1,200})(?=(?: \S{1,64}){0,3} \.(?:reseller_)?admin\b)",
        r"\bLogin (?:incorrect|OK)[^\[\n]{0,80}: \[[^/\]\n]{1,64}/(?!<)([^\]\n]+)\]",  # FreeRADIUS
        r"[\w.-]{1,64}:([^\s:@/'\"]+)@(?:tcp|unix)\(",  # Go's DSN of MySQL
        # cloud-init's random ones
        r"'?random'? passwords\s+(?:ci-info: )?[\w.-]+:(\S+)",
        # SNMP's communities and users
        rf"\b(?:authCommunity|com2sec6?[ \t]+\S+|(?:trap2?|inform)sink)[ \t]+\S+[ \t]+{_VALUE}",
        rf"{_SNMP}?\b(?i:MD5|SHA[-\d]*){_GAP}{_VALUE}",
        rf"{_SNMP}\b(?i:3?DES|AES(?:[- ]?\d{{3}})?){_GAP}{_VALUE}",
        r"\bPrivate-Lines:[ \t]*\d+\s*((?:[A-Za-z0-9+/=]{4,}(?:\s+|\Z))+)",  # PuTTY
        # Puppet's changes
        rf"{_CHANGED}\[?'([^'\n]+)'\]?\s+to",
        rf"{_CHANGED}\[?'[^'\n]+'\]?\s+to\s+\[?'([^'\n]+)'",
        # Terraform's changes
        r"(?i:pass\w*|secret|token|_key)\s*=\s*\"[^\"\n]*\" -> \"([^\"\n]+)\"",
        r"--from-literal[= ]['\"]?[\w.-]+=([^\s'\"]+)",  # kubectl
        r"\bAccountKey=([^;\s'\"]+)",  # Azure
        r"[?&]u=[^&\s]+&p=([^&\s'\"]+)",  # InfluxDB
        r"\biscsi://[^\s:@/%]+%([^\s@/]+)@",  # QEMU
        r"\bthin:[^\s/@]{1,64}/([^\s@]{1,200})@",  # Oracle
        r"\bConnection\([^)\n]{0,400}\bkey=[ub]?['\"]([^'\"\n]+)",  # swiftclient
        rf"\bConvertTo-SecureString(?:\s+-\w+)?\s+['\"]?{_VALUE}",
        # QEMU's command line
        r":key=([0-9A-Za-z+/]{10,}={0,2})(?=[:\\,'\"\s]|\Z)",
        r"\bsecret,id=[^,\s]+(?:,[\w-]+=[^,\s]*)*?,data=([^,\s'\"]+)",
        r"\b(?i:(?:unseal|recovery|fernet|master)[ ]key[ ]\d{1,2}):\s*(\S{16,})",  # Vault, keystone
        r"\bAUTH[ =](?:PLAIN|LOGIN|XOAUTH2?)[ \t]+([A-Za-z0-9+/]{8,}={0,2})",  # SASL
        # a pair of a user and a password
        r"""\bauth['"]?\s?[:=]\s?[(\[][ub]?(?:'[^'\n]{0,200}'|"[^"\n]{0,200}"),\s?[ub]?(?:'([^'\n]+)'|"([^"\n]+)")[)\]]""",
    )
)
WORDS = (
    "inguser", "requirepass", "masterauth", "auth-pass", "rootpw", "set_password", " auth ",
    "stats auth", "sst_auth", "password 0", "password 5", "password 6", "password 7", "password 8",
    "password 9", "secret 0", "secret 5", "secret 8", "secret 9", "key 7", "community 7",
    "provider_auth", "createuser", "snmp-server", "usmuser", "private-lines", "changed '",
    "tacacs-server", "radius-server", "isakmp key", "digest-key", "authentication-key",
    "user set password", "authcommunity", "com2sec", "trapsink", "trap2sink", "informsink",
    '" -> "', "--from-literal", "accountkey=", "&p=", "iscsi://", "thin:", "connection(",
    "securestring", ":key=",
    "secret,id=", "auth plain", "auth login", "auth xoauth", "auth=(", "auth': (", "auth': [",
    'auth": [', "auth_pass ", "auth_pass\t", "insecure-password", "enable secret",
    "enable password",
    "secret sha", "password sha", "neighbor ", "racadm", " login ", "\nlogin ", ".pgpass",
    'auth" "',
    "mysqladmin", "--auth ", "--auth=", "--auth'", '--auth"', "basic_auth=", "proxy =", "proxy=",
    "proxy:", 'proxy"', "proxy'", "334 ugfzc3dvcmq6", " .admin", " .reseller_admin",
    "random passwords",
    "random' passwords", "]/value: value changed", "]/password: ",
    "changed ['", "login incorrect", "login ok", "@tcp(", "@unix(",
    "unseal key ", "recovery key ", "fernet key ", "master key ",
)  # fmt: skip
"""One of these is in every such text, in capitals or not."""


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where such secrets stand."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            begin, end = match.span(match.lastindex or 0)
            if not is_kept(text[begin:end]) and not is_said(text, begin):
                yield begin, end
