"""What stands for a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeAlias

from opslog.model.errors import OpslogError

Pseudonym: TypeAlias = Callable[[str], str]
"""Makes of a secret what stands for it."""

STARS = "***"
_MASKED = re.compile(r"\**|<secret:[0-9a-f]{8}>")


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
