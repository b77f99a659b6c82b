"""Which names are those of secrets: by their last word, with a table of exceptions.

Where the words come from: oslo.utils' ``strutils`` (what services mask in their own
logs), the options that nova, keystone, cinder, glance, neutron, heat, swift,
ironic, octavia, barbican, manila, designate, trove, ceilometer, zaqar and the oslo
and keystone libraries register as ``secret=True``, and what clouds write beside:
Vault, Kubernetes, SAML, OpenID Connect, EC2 and S3, Ceph, SNMP and IPMI.
"""

from __future__ import annotations

import re
from functools import lru_cache

_LAST = frozenset([
    "password", "passwords", "passwd", "passwds", "passwort", "pass", "pwd", "pw", "pswd",
    "passphrase", "passphrases", "passcode", "passkey", "secret", "secrets", "token", "tokens",
    "jwt", "cookie", "cookies", "credential", "credentials", "authorization", "signature",
    "sig", "psk", "kek", "otp", "totp", "apikey", "verifier", "cred", "creds", "kennwort", "passe",
    "authtok",
])  # fmt: skip
"""Last words of a name that is a secret's."""

_KEYS = frozenset([
    "access", "account", "activation", "aes", "api", "app", "application", "auth", "ca", "cbc",
    "certs", "client", "consumer", "credential", "crypto", "customer", "decryption", "enc", "encr",
    "encrypt", "encrypted", "encryption", "fernet", "fixed",
    "hash", "heartbeat", "hmac", "license", "luks", "master", "priv", "private", "psk", "rndc",
    "rsa", "secret", "server", "service", "session", "shared", "signing", "ssl", "ssh",
    "storage", "store", "swift", "symmetric", "sync", "tls", "tsig", "unseal", "recovery", "url",
    "volume", "wrapping", "zone",
])  # fmt: skip
"""Words before ``key`` in the name of a secret one."""

_OPEN = frozenset([
    "page|token", "next|token", "continue|token", "continuation|token", "marker|token",
    "sync|token", "unexpected|token", "invalid|token", "unexpected|tokens", "hash|key",
    "url|key", "zone|key", "host|key", "account|key", "volume|key", "server|key",
    "storage|key", "by|pass", "no|pass", "all|pass", "first|pass", "second|pass",
])  # fmt: skip
"""Last two words of names that are none; a hash key is one of a table."""

_BEHIND = frozenset([
    "value", "values", "plain", "plaintext", "cleartext", "text", "data", "string", "str",
    "bytes", "raw", "b", "base", "hex", "material",
    "encoded", "encrypted", "hash", "hashed", "new", "old",
    "confirm", "confirmation", "repeat", "again", "in",
])  # fmt: skip
"""Words behind the last: ``password_hash``, ``client-key-data``."""

_WHOLE = frozenset([
    "adminpass", "newpass", "rootpass", "userpass", "bindpw", "rootpw", "userpw", "sshpw",
    "vapwd", "syspswd", "userpassword", "configdrive", "fernetkey", "sslkey", "cephclusterfsid",
    "octaviaheartbeatkey", "cephmanilaclientkey", "pacemakerremoteauthkey", "designaterndckey",
    "cephadminkey", "heatauthencryptionkey", "cephclientkey", "keystonecredential",
    "barbicansimplecryptokek", "cephrgwkey", "swifthashsuffix", "migrationsshkey", "cephmdskey",
    "cephmonkey", "chapsecret", "secretuuid", "authkey", "authtoken", "tempurlkey",
    "xaccountmetatempurlkey", "xaccountmetatempurlkey2", "xcontainermetatempurlkey",
    "swifthashpathsuffix", "swifthashpathprefix", "hashpathsuffix", "hashpathprefix",
    "flashbladeapi", "quobyteapi", "dnspasskey", "synologyonetimepass", "messagingurls",
    "approleroleid", "approlesecretid", "secretid", "roottokenid", "tokenid", "sessionid",
    "jsessionid", "phpsessid", "sid", "sessid", "samlresponse", "samlart", "samlassertion",
    "clientassertion", "assertion", "codeverifier", "community", "snmpcommunity",
    "readcommunity", "writecommunity", "rocommunity", "rwcommunity", "communitystring",
    "communityread", "communitywrite",
    "snmpcommunitystring", "userdata", "osuserdata", "xauthkey", "xstoragepass",
    "xstorageuserpass", "clientkeydata", "keyring", "preshared", "presharedkey",
    "kubeadmcertificatekey", "certificatekey", "dockerconfigjson", "privatelines",
    "joincommand", "mfacode", "pincode", "pin", "bmcpin", "cephkey", "rabbitcookie",
    "erlangcookie", "keydata", "keysbase", "unsealkeysb", "idtokenhint",
    "mkey", "kg", "ipmikg", "kgkey", "dek", "wepkey", "wpapsk",
    "datakey", "storepass", "keypass", "ipaotp", "sshpass", "sopin", "userpin",
    "jenkinscrumb", "activationkey", "tlspsk", "wsrepsstauth", "processinput", "keymaterial",
    "unsealkeyshex", "password", "passwd", "passphrase", "spiceticket", "vncticket", "soapsession",
    "vmwaresoapsession", "dbpass", "smtppass", "ldappass", "ftppass", "authpass", "mysqlpass",
    "sqlpass", "httppass", "svcpass", "servicepass", "hmcpass",
])  # fmt: skip
"""Names that are secrets' by their letters alone."""

_ENDS = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey",
    "privatekey", "encryptionkey", "credentials", "cookie", "authkey", "tempurlkey", "pwd",
)  # fmt: skip
"""Ends of words that were written together: ``rabbitpassword``."""

TRIGGERS = (
    "pass", "pswd", "pwd", "pw", "secret", "token", "jwt", "cookie", "cred", "authoriz",
    "kennwort", "authtok", "crumb", "sst_auth", "sst-auth", "process_input",
    "signature", "sig", "psk", "kek", "otp", "verifier", "key", "configdrive", "config_drive",
    "fsid", "hashsuffix", "hash_path_", "_api", "messaging_urls", "role_id", "role-id", "roleid",
    "sessionid", "session_id", "session-id", "sessid", "sid", "saml", "assertion", "community",
    "user_data", "userdata", "user-data", "dockerconfig", "mfa", "pin", "dek", "kg",
    "private-lines",
    "joincommand", "join_command", "join-command", "preshared", "pre-shared", "pre_shared",
    "ticket", "soap_session",
)  # fmt: skip
"""One of these is in every name of a secret, in capitals or not."""

LONGEST = 80
"""Characters of a name, more of which are no name."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_FLAGS = frozenset([
    "is", "has", "no", "use", "used", "uses", "allow", "allows", "enable", "enabled", "require",
    "requires",
])  # fmt: skip


@lru_cache(maxsize=8192)
def is_secret(name: str) -> bool:
    """Return whether what ``name`` names is a secret, as a rule."""
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if len(words) > 1 and words[-1] in _BEHIND and _is_secret(words[:-1]):
        return True
    return _is_secret(words)


def _is_secret(words: list[str]) -> bool:
    if not words or (words[0] in _FLAGS and len(words) > 1):
        return False
    for first in range(max(0, len(words) - 5), len(words)):
        joined = "".join(words[first:])
        # A short one is a name of its own: `pin`, not `crop_pin`.
        if joined in _WHOLE and (first == 0 or len(joined) > 3):
            return True
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    if last == "chpasswd":
        return False
    if f"{before}|{last}" in _OPEN:
        return "|".join(words[-3:]) in {"temp|url|key", "volume|encryption|key"}
    if last in _LAST:
        return True
    if last in ("key", "keys"):
        return before in _KEYS
    return len(last) > 6 and last.endswith(_ENDS)
