"""Secrets that are known by their shape: tokens, hashes, private keys, passwords of URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from opslog.stages._suspects import PLAIN
from opslog.stages.encodings import decoded_base64

_BEFORE = r"(?<![0-9A-Za-z_-])"

_HASH = r"[0-9A-Za-z./$=,+*-]{16,}"
_SHAPES: dict[str, tuple[int, str, int]] = {
    # A word, so many letters behind it, the shape, and how far before the word it may begin.
    "gAAAAA": (20, r"gAAAAA[0-9A-Za-z_-]{20,}(?:=|%3D){0,2}", 0),  # Fernet
    "eyJ": (8, rf"{_BEFORE}eyJ[0-9A-Za-z_-]{{8,}}(?:\.[0-9A-Za-z_-]*){{2,4}}", 0),  # JWS, JWE
    "PKIZ_": (20, rf"{_BEFORE}PKIZ_[0-9A-Za-z_=-]{{20,}}", 0),  # PKI
    "YJKoZIhvcNAQcC": (
        0, rf"{_BEFORE}MI[I-L][0-9A-Za-z+/-]{{2,6}}YJKoZIhvcNAQcC[0-9A-Za-z+/=-]*", 9
    ),
    # Private keys without the lines around.
    **{
        word: (0, rf"{_BEFORE}MI[G-L][0-9A-Za-z+/]{{1,6}}{word}[0-9A-Za-z+/=\s]*", 9)
        for word in ("IBAAKC", "IBADANBgkqhkiG", "CAQAwBQYDK2Vw", "CAQEE")
    },
    "DHHC-1:": (2, r"DHHC-1:\d\d:[0-9A-Za-z+/=]{16,}:?", 0),  # NVMe's CHAP
    "OpenVPN Static key": (
        0, r"-----BEGIN OpenVPN Static key V\d-----(?s:.*?)(?:-----END OpenVPN [^\n]*|\Z)", 16
    ),
    "AUTH_tk": (16, r"AUTH_tk[0-9a-f]{16,}", 0),  # Swift's tempauth
    # Ceph: a type, a time, the length 16 and as many bytes.
    **{
        word: (35, rf"(?<![0-9A-Za-z+/]){word}[0-9A-Za-z+/]{{10}}[BRhx]AA[0-9A-Za-z+/]{{22}}==", 0)
        for word in ("AQA", "AQB", "AQC", "AQD")
    },
    "PRIVATE KEY": (
        0,
        r"-----BEGIN [0-9A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
        r"(?:-----END [0-9A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        32,
    ),
    **{
        word: (16, rf"{re.escape(word)}[\w-]*\$?{_HASH}", 0)
        for word in ("$2a$", "$2b$", "$2y$", "$2x$", "$2$", "$argon2", "$1$", "$5$", "$6$",
                     "$7$", "$y$", "$gy$", "$sha1$", "$apr1$", "$scrypt$", "$bcrypt-", "$pbkdf2")
    },
    **{
        word: (8, rf"{re.escape(word)}[0-9A-Za-z+/=.$]{{8,}}", 0)
        for word in ("{SSHA}", "{CRYPT}", "{SHA}", "{SMD5}", "{MD5}", "{SSHA256}", "{SSHA512}")
    },
    **{word: (16, rf"{_BEFORE}{word}[0-9A-Za-z_-]{{16,}}", 0) for word in ("hvs.", "hvb.", "hvr.")},
    # Vault, before 1.10
    "s.": (PLAIN + 24, rf"{_BEFORE}s\.(?=[A-Za-z]*\d)[0-9A-Za-z]{{24}}(?![0-9A-Za-z.])", 0),
    **{
        word: (16, rf"{_BEFORE}{word}[0-9A-Z]{{16}}(?![0-9A-Z])", 0)  # AWS
        for word in ("AKIA", "ASIA", "ABIA", "ACCA")
    },
    **{
        word: (30, rf"{_BEFORE}{word}[0-9A-Za-z]{{30,}}", 0)  # GitHub
        for word in ("gho_", "ghp_", "ghr_", "ghs_", "ghu_")
    },
    "github_pat_": (22, rf"{_BEFORE}github_pat_\w{{22,}}", 0),
    **{
        word: (20, rf"{_BEFORE}{word}[\w-]{{20,}}", 0)
        for word in ("glpat-", "glptt-", "gldt-", "glrt-", "glsoat-", "glcbt-", "glagent-",
                     "glsa_", "glc_", "xapp-", "ATATT3")
    },
    "xox": (10, rf"{_BEFORE}xox[abeoprs]-[0-9A-Za-z-]{{10,}}", 0),  # Slack
    **{
        word: (20, rf"{_BEFORE}{re.escape(word)}[\w.-]{{20,}}", 0)
        for word in ("pypi-AgEI", "AIza", "sk_live_", "rk_live_", "npm_", "dckr_pat_", "sha256~",
                     "ya29.", "SG.", "NRAK-")
    },
    # AWS's session tokens, an OpenSSH key without the lines around
    **{
        word: (16, rf"{_BEFORE}{word}[\w+/=-]{{16,}}", 0)
        for word in ("IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdz", "b3BlbnNzaC1rZXktdjE")
    },
    # Webhooks: who has the address may post.
    **{
        word: (9, rf"{re.escape(word)}([\w@/:.-]{{16,}})", 0)
        for word in ("hooks.slack.com/services/", "discord.com/api/webhooks/", "/webhookb2/")
    },
    "api.telegram.org/bot": (9, r"api\.telegram\.org/bot([\w:-]{16,})", 0),
    "grub.pbkdf2.": (16, r"grub\.pbkdf2\.[\w.]{16,}", 0),
    "AGE-SECRET-KEY-1": (40, rf"{_BEFORE}AGE-SECRET-KEY-1[0-9A-Z]{{40,}}", 0),
    "dop_v1_": (40, rf"{_BEFORE}dop_v1_[0-9a-f]{{40,}}", 0),
}  # fmt: skip
SHAPES = {word: size for word, (size, _, _) in _SHAPES.items()}
"""One of these is in every secret of a shape, with so many letters and the like behind it."""

URLS = ("://", ":\\", "%3a", "&#58;")
"""One of these is before the user of each URL, which is before an @."""

_BASIC = re.compile(r"(?i)\bbasic[ \t]{1,3}([0-9a-z+/_-]{6,}={0,2})")
_BEARER = re.compile(
    r"(?i)\bbearer[ \t]{1,3}(?=[^\s'\"]{0,200}\d)([0-9a-z._~+/-]{12,}={0,2})(?![0-9a-z])"
)
_UUID_TOKEN = re.compile(r"(?i)tokens?(?:[:=]?[ \t]{1,3}|/)['\"]?([0-9a-f]{32})(?![0-9a-f])")
_QUERY = re.compile(
    r"(?i)[?&;](?:code|state_token|x-amz-credential|awsaccesskeyid|ticket"
    r"|key(?==[a-z_~%/+-]*\d)(?==[\d_~%/+-]*[a-z]))=([0-9a-z._~%/+-]{8,}=*)"
)
_STRING = r"(?:'((?:[^'\\\n]|\\.|'')+)'|\"((?:[^\"\\\n]|\\.)+)\")"
_SQL = re.compile(
    r"(?i:\bidentified\s{1,9}(?:(?:with|via)\s{1,9}[\w'\"]{1,64}\s{1,9})?(?:by|as|using)\s{1,9}(?:password\s{1,9})?)"
    rf"{_STRING}(?:(?i:\s{{1,9}}replace\s{{1,9}}){_STRING})?"
    rf"|\b(?i:set\s{{1,9}}password(?:\s{{1,9}}for\s{{1,9}}\S{{1,200}})?\s{{0,9}}=\s{{0,9}}){_STRING}"
    rf"|\b(?i:(?:old_)?password)\({_STRING}\)"
)
_CALL = re.compile(
    r"\b(?:\w{0,40}_with_password|simple_bind(?:_s)?|bind_s|HTTPBasicAuth|basic_auth|set_password)"
    r"\s{0,3}\({1,2}\s{0,9}[ub]?(?:'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|[\w.]{1,64})\s{0,9},\s{0,9}"
    r"[ub]?(?:'([^'\n]+)'|\"([^\"\n]+)\")"
)
_CHPASSWD = re.compile(
    r"\blist:[ \t]{0,9}(?:[|>][+-]?)?[ \t]{0,9}\n"
    r"((?:[ \t]+(?:- )?(?!expire:|users:)[\w.-]+:[^\n]+(?:\n|\Z))+)"
)
_USER_LINE = re.compile(r"[ \t]+(?:- )?[\w.-]+:([^\n]+)")
_CERTIFICATE = re.compile(
    r"-----BEGIN ([0-9A-Z ]{0,20}(?:CERTIFICATE(?: REQUEST)?|PUBLIC KEY(?: BLOCK)?|CRL))-----"
    r"(?s:.*?)(?:-----END |\Z)"
)
_REST = re.compile(r"[^\s\"<>`]*")
_HOST = re.compile(r"@(\[[0-9A-Fa-f:.]{2,45}\]|[\w.-]+|(?=/))(?=[:/?#,;&)\]}'\"|\\]|\Z)")
_PORT = re.compile(r"\d{1,5}(?:/|\Z)")
_USER = re.compile(r"[^\s/:@?#]{0,200}:")
_LONG_USER = re.compile(r"(?=[0-9A-Za-z_-]*\d)[0-9A-Za-z_-]{20,}\Z")
_LONGEST_URL = 4096
_LONGEST_KEY = 16384
_KEY_LINE = re.compile(r"[ \t]*[0-9A-Za-z+/]{1,76}={0,2}[ \t\r]*\n")

WORDS = ("?key=", "&key=", ";key=", "basic ", "basic\t", "bearer ", "bearer\t", "code=",
         "code%3d", "state_token=",
         "credential=", "accesskeyid=", "ticket=", "identified ", "password(", "set password",
         "bind_s(",
         "simple_bind", "basicauth(", "basic_auth(", "list:")  # fmt: skip
"""One of these is in every other text with such a secret, in capitals or not."""


@cache
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(_SHAPES[word][1])


def shaped(text: str, word: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where the secret stands whose shape has ``word`` at ``at``."""
    back = _SHAPES[word][2]
    match = (
        _pattern(word).search(text, max(0, at - back)) if back else _pattern(word).match(text, at)
    )
    if match is None or match.start() > at:
        if word == "PRIVATE KEY":
            yield from _last_lines(text, at)
        return
    if (
        text[at:].startswith("PRIVATE KEY")
        or "BEGIN " not in text
        or not any(one.start() <= at < one.end() for one in _CERTIFICATE.finditer(text))
    ):
        yield match.span(match.lastindex or 0)


def _last_lines(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the lines of a private key before its end at ``at``, whose first lines are missing."""
    end = text.rfind("-----END ", max(0, at - 32), at)
    if end < 0 or "-----BEGIN " in text[max(0, end - _LONGEST_KEY) : end]:
        return
    begin = end
    while begin > 0:
        line = text.rfind("\n", 0, begin - 1) + 1
        if not _KEY_LINE.fullmatch(text, line, begin):
            break
        begin = line
    if begin < end:
        yield begin, end


def worded(text: str) -> Iterator[tuple[int, int]]:
    """Yield where secrets stand behind words that are no names."""
    for match in _BASIC.finditer(text):
        decoded = decoded_base64(match[1])
        if decoded is not None and ":" in decoded:
            yield match.span(1)
    for pattern in (_BEARER, _QUERY, _SQL, _CALL):
        for match in pattern.finditer(text):
            for group in range(1, pattern.groups + 1):
                if match[group] is not None:
                    yield match.span(group)
    if "chpasswd" in text:
        for block in _CHPASSWD.finditer(text):
            for line in _USER_LINE.finditer(text, *block.span(1)):
                yield line.span(1)


def uuid_token(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where keystone's UUID token stands behind the word at ``at``."""
    match = _UUID_TOKEN.match(text, at)
    if match is not None:
        yield match.span(1)


def authority(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where passwords stand in what follows a ``://``, whatever characters they have."""
    match = _REST.match(text, at, at + _LONGEST_URL)
    end = match.end() if match else at
    scheme = at - 3
    while scheme > 0 and (text[scheme - 1].isalnum() or text[scheme - 1] in "+.-"):
        scheme -= 1
    if scheme > 0 and text[scheme - 1] == "'":
        quote = text.find("'", at, end)
        end = end if quote < 0 else quote
    other = text.find("://", at, end)
    if other >= 0:
        end = other
        while end > at and (text[end - 1].isalnum() or text[end - 1] in "+.-"):
            end -= 1
    rest = text[at:end]
    if "@" not in rest or rest.startswith("["):
        return
    # Several hosts, each with its user: rabbit://a:x@h1:5672,a:y@h2:5672/
    begin = 0
    pieces = rest.split(",")
    if len(pieces) > 1 and all(_USER.match(one) and _HOST.search(one) for one in pieces):
        for piece in pieces:
            yield from _password(piece, at + begin)
            begin += len(piece) + 1
    else:
        yield from _password(rest, at)


def _password(rest: str, at: int) -> Iterator[tuple[int, int]]:
    hosts = list(_HOST.finditer(rest))
    if not hosts:
        return
    first = hosts[0].start()
    # An @ behind a query is one of its values.
    query = re.search(r"\?[\w.-]+=", rest[first:])
    if query is not None:
        hosts = [host for host in hosts if host.start() < first + query.start()]
    last = hosts[-1].start()
    user = _USER.match(rest)
    if user is None:
        if _LONG_USER.match(rest[:first]):
            yield at, at + first
        return
    begin = user.end()
    port = _PORT.match(rest, begin)
    if begin == last or (port is not None and "/" in rest[begin:last]):
        return
    if rest[begin:last].strip("*") == "":
        return
    yield at + begin, at + last
