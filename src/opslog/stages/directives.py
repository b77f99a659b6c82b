"""Secrets in configurations of other programs, whose lines have neither ``=`` nor ``:``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from opslog.stages.secret_values import is_kept, is_said

_GAP = r"""['"]?[ \t]*[ \t,][ \t]*[ub]?['"]?"""
_VALUE = r"""((?!--)[^\s'",;]{4,})"""
_CHANGED = (
    r"(?i:pass\w*|secret|token|_key)(?:\]/(?:value|password|content): \w+)?"
    r"\s+changed\s+(?:from\s+)?"
)
_SNMP = r"\b(?i:createUser|snmp-server user|usmUser)\b[^\n]{0,200}"
_KINDS = (
    # Words, one of which is in every such text, in capitals or not; the pattern.
    # tgt's CHAP, redis, kickstart, keepalived, QEMU's monitor
    (
        (
            "inguser",
            "requirepass",
            "masterauth",
            "auth-pass",
            "auth_pass ",
            "auth_pass\t",
            "insecure-password",
            "rootpw",
            "set_password",
        ),
        rf"\b(?:(?:incoming|outgoing)user{_GAP}[^\s'\",]+|(?i:requirepass|masterauth)"
        rf"|auth-pass{_GAP}[^\s'\",]+|auth_pass|insecure-password|rootpw(?:{_GAP}--\w+)*|set_password{_GAP}(?:vnc|spice)){_GAP}{_VALUE}",
    ),
    # RabbitMQ
    (
        ("amqp_params_",),
        r'\bamqp_params_(?:network|direct),\s{0,99}<<"[^"]*">>,\s{0,99}<<"([^"]+)">>',
    ),
    # a request of CSI, as protobuf's text
    (("secrets:<key",), r'\bsecrets:<key:"[^"]*" value:"((?:[^"\\\n]|\\.){1,4000})"'),
    # Vault, where the token stands in the path
    (("auth/token/",), r"\bauth/token/(?:lookup|renew|revoke|revoke-orphan)/([\w.-]{16,})"),
    # PHP's LDAP
    (("->bind(",), r"->bind\('[^'\n]{0,200}=[^'\n]{0,200}', '([^'\n]+)'"),
    # ZooKeeper
    (("addauth digest",), rf"\baddauth digest [^\s:]{{1,64}}:{_VALUE}"),
    # cinder
    (("provider_auth",), rf"\bprovider_auth['\"]?[ ]?[:=][ ]?[ub]?['\"]?CHAP[ ]+\S+[ ]+{_VALUE}"),
    ((" auth ", "'auth',"), rf"\b(?i:redis[\w-]*){_GAP}AUTH{_GAP}{_VALUE}"),
    # HAProxy, Galera
    (
        ("stats auth", "stats_auth", "sst_auth", "sst auth"),
        rf"\b(?:stats|sst)[ _]auth[ \t=]{{1,3}}['\"]?[^\s:'\"]{{1,64}}:{_VALUE}",
    ),
    # switches: the digit says how it is hidden
    (
        (
            "password 0",
            "password 5",
            "password 6",
            "password 7",
            "password 8",
            "password 9",
            "secret 0",
            "secret 5",
            "secret 8",
            "secret 9",
            "key 7",
            "community 7",
        ),
        r"\b(?:password|secret|key|community)[ \t]+[05-9][ \t]+(\S{6,})",
    ),
    (
        ("tacacs-server", "radius-server", "isakmp key"),
        rf"\b(?:(?:tacacs|radius)-server(?: host \S+)?|isakmp) key (?:\d )?{_VALUE}",
    ),
    (
        ("digest-key", "authentication-key"),
        rf"\b(?:message-digest|authentication)-key \d+ md5 (?:\d )?{_VALUE}",
    ),
    # ipmitool
    (("user set password",), rf"\buser set password \d+ {_VALUE}"),
    (
        ("enable secret", "enable password"),
        rf"\benable (?:secret|password) (?:level \d+ )?{_VALUE}[ \t]*(?=[\r\n'\"]|\Z)",
    ),
    (("secret sha", "password sha"), rf"\b(?:secret|password) sha\d* {_VALUE}"),
    (
        ("snmp-server host",),
        rf"\bsnmp-server host \S+ (?:traps |informs )?(?:version [12]c? )?(?!version\b|\*){_VALUE}",
    ),
    (("snmp-server community", "snmp community"), rf"\bsnmp(?:-server)? community {_VALUE}"),
    (
        ("neighbor ",),
        rf"\bneighbor \S+ password (?:\d )?(?!(?:mismatch|failure|error|missing)\b){_VALUE}",
    ),
    (
        ("racadm",),
        rf"\bracadm\b[^\n]{{0,200}}?\bset \S{{1,99}}(?i:password|passphrase|community) {_VALUE}",
    ),
    # .netrc
    (
        (" login ", "\nlogin ", "'login',"),
        rf"\blogin{_GAP}[^\s'\",]+\s+(?:password|passwd){_GAP}{_VALUE}",
    ),
    ((".pgpass",), rf"\.pgpass\b[^\n]{{0,40}}?[\w.*-]+:(?:\d+|\*):[\w*-]+:[\w.-]+:{_VALUE}"),
    # redis' monitor
    (('auth" "',), r"(?i)\"AUTH\"(?: \"[^\"\n]{0,64}\")? \"([^\"\n]+)\""),
    (("mysqladmin",), rf"\bmysqladmin\b[^\n|;]{{0,200}}?[ '\"]password{_GAP}{_VALUE}"),
    # Galera's state transfer
    (
        ("--auth ", "--auth=", "--auth'", '--auth"'),
        rf"--auth(?:[ =]|['\"], )['\"]?[^\s:'\"]{{1,64}}:{_VALUE}",
    ),
    # mod_auth_openidc
    (("basic_auth=",), rf"\bbasic_auth=[^\s:,()'\"]{{1,64}}:{_VALUE}"),
    (
        ("proxy =", "proxy=", "proxy:", 'proxy"', "proxy'"),
        r"(?i:proxy\w*)['\"]?\s?[=:]\s?['\"]?[\w.-]{1,64}:([^\s:@/'\"]+)@[\w.-]+:\d",
    ),
    # SMTP's login
    (("334 ugfzc3dvcmq6",), r"\b334 UGFzc3dvcmQ6\s+(?:[<>CS:]+\s*)*([A-Za-z0-9+/]{4,}={0,2})"),
    # Swift's tempauth
    (
        (" .admin", " .reseller_admin"),
        r"\buser(?:64)?_\w{1,80}\s?=\s?(\S{1,200})(?=(?: \S{1,64}){0,3} \.(?:reseller_)?admin\b)",
    ),
    # Junos
    (
        ('authentication-key "', "shared-key ascii", "shared-key hexa"),
        r"\b(?:authentication|pre-shared)-key (?:ascii-text |hexadecimal )?[\"']([^\"'\n]+)[\"']",
    ),
    # ip xfrm
    (("xfrm",), r"\b(?:enc|aead) \S{1,40} (0x[0-9a-fA-F]{17,})"),
    (("xfrm",), r"\bauth(?:-trunc)? \S{1,40} (0x[0-9a-fA-F]{17,})"),
    # debconf
    (
        ("password password ", "password-again password "),
        rf"password(?:-again)? password {_VALUE}[ \t]*(?=[\r\n]|\Z)",
    ),
    # lines of a block, as Fluentd's
    (
        ("  password ", "\tpassword ", "  shared_key ", "\tshared_key "),
        rf"(?:\A|\n)[ \t]+(?:password|shared_key)[ \t]+{_VALUE}[ \t]*(?=[\r\n]|\Z)",
    ),
    # FreeRADIUS
    (
        ("login incorrect", "login ok"),
        r"\bLogin (?:incorrect|OK)[^\[\n]{0,80}: \[[^/\]\n]{1,64}/(?!<)([^\]\n]+)\]",
    ),
    # Go's DSN of MySQL
    (("@tcp(", "@unix("), r"[\w.-]{1,64}:([^\s:@/'\"]+)@(?:tcp|unix)\("),
    # cloud-init's random ones
    (
        ("random passwords", "random' passwords"),
        r"'?random'? passwords\s+(?:ci-info: )?[\w.-]+:(\S+)",
    ),
    # SNMP's communities and users
    (
        ("authcommunity", "com2sec", "trapsink", "trap2sink", "informsink"),
        rf"\b(?:authCommunity|com2sec6?[ \t]+\S+|(?:trap2?|inform)sink)[ \t]+\S+[ \t]+{_VALUE}",
    ),
    (("createuser", "snmp-server user", "usmuser"), rf"{_SNMP}?\b(?i:MD5|SHA[-\d]*){_GAP}{_VALUE}"),
    (
        ("createuser", "snmp-server user", "usmuser"),
        rf"{_SNMP}\b(?i:3?DES|AES(?:[- ]?\d{{3}})?){_GAP}{_VALUE}",
    ),
    # PuTTY
    (("private-lines",), r"\bPrivate-Lines:[ \t]*\d+\s*((?:[A-Za-z0-9+/=]{4,}(?:\s+|\Z))+)"),
    # Puppet's changes
    (("changed '", "changed ['", "changed from '"), rf"{_CHANGED}\[?'([^'\n]+)'\]?\s+to"),
    (
        ("changed '", "changed ['", "changed from '"),
        rf"{_CHANGED}\[?'[^'\n]+'\]?\s+to\s+\[?'([^'\n]+)'",
    ),
    # Terraform's changes
    (('" -> "',), r"(?i:pass\w*|secret|token|_key)\s*=\s*\"[^\"\n]*\" -> \"([^\"\n]+)\""),
    # kubectl
    (("--from-literal",), r"--from-literal[= ]['\"]?[\w.-]+=([^\s'\"]+)"),
    # Azure
    (("accountkey=",), r"\bAccountKey=([^;\s'\"]+)"),
    # InfluxDB
    (("&p=",), r"[?&]u=[^&\s]+&p=([^&\s'\"]+)"),
    # QEMU
    (("iscsi://",), r"\biscsi://[^\s:@/%]+%([^\s@/]+)@"),
    # Oracle
    (("thin:",), r"\bthin:[^\s/@]{1,64}/([^\s@]{1,200})@"),
    # swiftclient
    (("connection(",), r"\bConnection\([^)\n]{0,400}\bkey=[ub]?['\"]([^'\"\n]+)"),
    (("securestring",), rf"\bConvertTo-SecureString(?:\s+-\w+)?\s+['\"]?{_VALUE}"),
    # QEMU's command line
    ((":key=",), r":key=([0-9A-Za-z+/]{10,}={0,2})(?=[:\\,'\"\s]|\Z)"),
    (("secret,id=",), r"\bsecret,id=[^,\s]+(?:,[\w-]+=[^,\s]*)*?,data=([^,\s'\"]+)"),
    # Vault, keystone
    (
        ("unseal key ", "recovery key ", "fernet key ", "master key "),
        r"\b(?i:(?:unseal|recovery|fernet|master)[ ]key[ ]\d{1,2}):\s*(\S{16,})",
    ),
    # SASL
    (
        ("auth plain", "auth login", "auth xoauth", "auth=plain", "auth=login", "auth=xoauth"),
        r"\bAUTH[ =](?:PLAIN|LOGIN|XOAUTH2?)[ \t]+([A-Za-z0-9+/]{8,}={0,2})",
    ),
    # a pair of a user and a password
    (
        ("auth=(", "auth': (", "auth': [", 'auth": ['),
        r"""\bauth['"]?\s?[:=]\s?[(\[][ub]?(?:'[^'\n]{0,200}'|"[^"\n]{0,200}"),\s?[ub]?(?:'([^'\n]+)'|"([^"\n]+)")[)\]]""",
    ),
)
WORDS = tuple(dict.fromkeys(word for words, _ in _KINDS for word in words))
"""One of these is in every text with such a secret, in capitals or not."""

_compiled = cache(re.compile)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where such secrets stand."""
    small = text.lower()
    for words, pattern in _KINDS:
        if not any(word in small for word in words):
            continue
        for match in _compiled(pattern).finditer(text):
            begin, end = match.span(match.lastindex or 0)
            if not is_kept(text[begin:end]) and not is_said(text, begin):
                yield begin, end
