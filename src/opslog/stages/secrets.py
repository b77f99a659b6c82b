"""Secrets that mask_password does not know: headers, tokens by their shape, URLs, keys.

Each pattern's time is linear: what may be long is bounded by what it cannot
hold, and begins only where it cannot go on from a match not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from opslog.stages.pseudonyms import Pseudonym

_QUOTED = r"""(['"]?[ \t]{0,9}[:=][ \t]{0,9}(?:[ub]?['"])?)"""
"""Between a name and its value: `: `, `=`, `': u'`."""

_HASHED = r"(?!\{SHA\w{1,4}\})"
"""What keystoneauth has made of a token already stays."""

_BEFORE = r"(?<![0-9A-Za-z_-])"

_FOLLOWED = (
    # Tokens in headers, as names and values of any notation.
    rf"(?i)({_BEFORE}x-(?:auth|subject|service|storage|trove)-token{_QUOTED})"
    rf"{_HASHED}[^\s'\",;}}\]]+",
    rf"(?i)({_BEFORE}x-instance-id-signature{_QUOTED}){_HASHED}[^\s'\",;}}\]]+",
    # All of the value: schemes have parameters.
    rf"(?i)({_BEFORE}(?:proxy-)?authorization{_QUOTED}(?:(?:basic|bearer|digest)[ \t]{{1,9}})?)"
    rf"{_HASHED}[^'\"\r\n]+",
    # A name and a value, unlike the cookies of flows.
    r"(?i)((?:set-)?cookie['\"]?[ \t]{0,9}:[ \t]{0,9}(?:[ub]?['\"])?)"
    r"(?=[^'\"\r\n=;]{1,99}=)[^'\"\r\n]+",
    # As YAML and headers have it, and keys with words before: mask_password wants quotes or `=`.
    rf"(?i)((?:password|adminpass|passwd|passphrase|[_-]secret|x-auth-key|x-storage-pass"
    rf"|(?:api|access|secret|encryption|private)[_-]?key){_QUOTED}){_HASHED}"
    r"(?![{\[(])[^\s'\",;&}\]]+",
    # Keystone's UUID tokens, in messages and paths.
    r"(?i)(tokens?(?:[:=]?[ \t]{1,3}|/)['\"]?)[0-9a-f]{32}(?![0-9a-f])",
    # What is called one and looks like one: `invalid token: expected ...` does not.
    rf"(?i)({_BEFORE}token{_QUOTED})(?!0x|\d{{4}}-\d\d-\d\d)"
    r"(?=[a-z_.~+/=-]{0,99}[0-9])(?=[0-9_.~+/=-]{0,99}[a-z])[0-9a-z_.~+/=-]{8,}",
    # Options of commands, as a shell or a list has them.
    r"(?i)((?<![0-9a-z-])--[a-z0-9-]{0,40}(?:password|passwd|passcode|passphrase|token|secret"
    r"|(?:api|access|secret|private)-key)(?:=|[ \t]{1,3}|['\"],[ \t]{0,3}[ub]?['\"])['\"]?)"
    rf"(?!-){_HASHED}[^\s'\",;\]]+",
    # The one that has no blank before its value, of few words; -P is a port.
    r"((?<![0-9A-Za-z_-])(?:mysql|mariadb)(?:-?(?:dump|admin|import|check|show))?"
    r"(?:[ \t'\",]{1,9}[^\s'\",|;&]{1,99}){0,15}?[ \t'\",]{1,9}-p['\"]?)[^\s'\",]+",
    # What a server is given to begin with, in base64: nobody knows what stands in it.
    rf"(?i)({_BEFORE}user_?data{_QUOTED})(?!/)(?:[0-9a-z+/]|\\n){{16,}}={{0,2}}(?![\w.+/-])",
    # A slash in the password of a URL; digits before it are a port.
    r"(://[^\s/:'\"<>?#@\[\]]{1,99}:)(?!\d{1,5}/)"
    r"[^\s/'\"<>?#@]{0,99}/[^\s'\"<>?#@]{0,99}(?=@[\w\[])",
    # Parameters of URLs, of those in another URL, too.
    r"(?i)((?:[?&;]|%3f|%26)(?:[a-z_-]{0,20}token|x-amz-signature|signature|sig|temp_url_sig)"
    rf"(?:=|%3d)){_HASHED}[^\s'\"&#;%]+",
)
"""A secret behind what says so, which is the first group."""

_SHAPED = (
    r"gAAAAA[0-9A-Za-z_-]{20,}(?:=|%3D){0,2}",  # Fernet
    rf"{_BEFORE}eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*",  # JWS
    rf"{_BEFORE}(?:PKIZ_[0-9A-Za-z_=-]{{20,}}|MII[0-9A-Za-z+/=-]{{40,}})",  # PKI
    r"AUTH_tk[0-9a-f]{16,}",  # Swift's tempauth
    # Ceph: a type, a time, the length 16 and as many bytes.
    r"(?<![0-9A-Za-z+/])AQ[A-D][0-9A-Za-z+/]{10}[BRhx]AA[0-9A-Za-z+/]{22}==",
    r"-----BEGIN [0-9A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [0-9A-Z ]{0,20}PRIVATE KEY-----)?",
)
"""A secret from beginning to end."""


WORDS = (
    r"(?i:x-(?:auth|subject|service|storage|trove)-token|x-instance-id-signature"
    r"|authorization|cookie|passw(?:or)?d|adminpass|passphrase|[_-]secret|x-auth-key|x-storage-pass"
    r"|(?:api|access|secret|encryption|private)[_-]?key|(?:token|signature|sig)(?:=|%3d)"
    r"|tokens?(?:[:=]?[ \t]+|/)['\x22]?[0-9a-f]{8}|token['\x22]?[ \t]*[:=]"
    r"|--[a-z0-9-]*(?:token|secret|passcode)|user_?data['\x22]?[ \t]*[:=])"
    r"|(?:mysql|mariadb).*[ \t'\x22,]-p|AQ[A-D][0-9A-Za-z+/]{10}[BRhx]AA"
    r"|gAAAAA|eyJ|PKIZ_|MII|AUTH_tk|PRIVATE KEY|:\\*/\\*/[^\s]*@"
)
"""A pattern (RE2) found in every text with such a secret."""

_followed = [re.compile(pattern, re.ASCII) for pattern in _FOLLOWED]
_shaped = [re.compile(pattern, re.ASCII) for pattern in _SHAPED]
_authority = re.compile(r"://([^\s/'\"<>?#]+)@")
_HOST = re.compile(r"(.*:.*)@([\w.\[\]:-]+)")
NAMES = (
    r"(?i:passwo?r?d|passphrase|secret|token|cookie|authorization|credentials?"
    r"|(?:api|access|secret|private)_key)$"
)
"""A pattern (RE2) found in the name of an attribute that is a secret as a whole."""


def masked(text: str, pseudonym: Pseudonym) -> str:
    """Return ``text`` with pseudonyms in place of secrets."""
    for pattern in _followed:
        text = pattern.sub(_behind(pseudonym), text)
    for pattern in _shaped:
        text = pattern.sub(lambda match: pseudonym(match[0]), text)
    return _authority.sub(lambda match: f"://{_users(match[1], pseudonym)}@", text)


def _behind(pseudonym: Pseudonym) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        return match[1] + pseudonym(match[0][len(match[1]) :])

    return replaced


def _users(authority: str, pseudonym: Pseudonym) -> str:
    """Return `user:password`, behind other hosts with theirs if so, without the passwords."""
    *hosts, last = authority.split(",")
    found = [_HOST.fullmatch(host) for host in hosts]
    if not all(found) or ":" not in last:  # the comma is one of the password
        return _user(authority, pseudonym)
    others = [f"{_user(match[1], pseudonym)}@{match[2]}" for match in found if match]
    return ",".join([*others, _user(last, pseudonym)])


def _user(text: str, pseudonym: Pseudonym) -> str:
    user, colon, password = text.partition(":")
    return user + colon + pseudonym(password) if password else text
