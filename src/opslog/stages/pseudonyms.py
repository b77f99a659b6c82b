"""What stands for a secret, for a name and for an id."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeAlias

from opslog.model.errors import OpslogError

Pseudonym: TypeAlias = Callable[[str], str]
"""Makes of a secret what stands for it."""

STARS = "***"
KEYED = r"<secret:[0-9a-f]{8}>"
"""A pattern of what stands for a secret under a key."""

_MASKED = re.compile(rf"\**|{KEYED}")


def stars(secret: str) -> str:
    """Return the same for every secret."""
    return STARS


def keyed(key: bytes) -> Pseudonym:
    """Return what makes of equal secrets the same name, which tells nothing without ``key``.

    What is masked already stays.  Raises OpslogError for an empty key.
    """
    if not key:
        raise OpslogError("mask: expected a key of some bytes, found an empty one")
    short = blake2b(key).digest()

    def named(secret: str) -> str:
        if _MASKED.fullmatch(secret):
            return secret
        digest = blake2b(secret.encode(errors="surrogatepass"), digest_size=4, key=short)
        return f"<secret:{digest.hexdigest()}>"

    return named


def name_bytes(text: str) -> bytes:
    """Return text as bytes; those that were none of a text as they came."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half a character, as JSON may escape one
        return text.encode(errors="surrogatepass")


def name_of(key: bytes, kind: str, lower: str) -> str:
    """Return what stands for a name of a ``kind``, in small letters."""
    data = name_bytes(lower)
    digest = blake2b(data, digest_size=4, key=key, person=kind.encode()[:16])
    return f"{kind}-{digest.hexdigest()}"


def id_of(key: bytes, text: str) -> str:
    """Return the id, written as ``text`` is, that stands for it."""
    plain = text.replace("-", "").lower()
    new = blake2b(plain.encode(), digest_size=len(plain) // 2, key=key, person=b"id")
    digits = new.hexdigest()
    if len(digits) != 32:
        return digits
    digits = f"{digits[:12]}4{digits[13:16]}8{digits[17:]}"  # a UUID, as others are
    if "-" not in text:
        return digits
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
