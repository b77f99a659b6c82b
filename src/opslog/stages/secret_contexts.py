"""Names that are those of secrets only beside something else: ``payload``, ``data``, ``key``."""

from __future__ import annotations

import re
from collections.abc import Iterator

_KUBERNETES = r"""['"]?kind\\*['"]?:\s?\\*['"]?Secret\b"""
_CONTEXTS = (
    # What else stands in the text, and the names.
    (re.compile(r"\b(?:payload_content|secret_type)|\bsecret payload"), re.compile(r"\bpayload\b")),
    (re.compile(_KUBERNETES), re.compile(r"\b(?:data|stringData)\b(?=\\*['\"]?:)")),
    (re.compile(r"""qom-type\\*['"]:\s?\\*['"]secret\b"""), re.compile(r"\bdata\b")),
    (re.compile(r"sys/(?:unseal|rekey|init|generate-root)"), re.compile(r"\b(?:keys?|nonce)\b")),
    # Keyrings of Ceph, and what it says of them in JSON
    (
        re.compile(r"""\[(?:client|mon|mgr|osd|mds)\.|\\*['"]entity\\*['"]\s?:"""),
        re.compile(r"""(?<![\w.-])key\b(?=\s?=|\\*['"]:)"""),
    ),
    (
        re.compile(r"""\bkeys\\*['"]:\s?\[\s?\\*['"][0-9a-f]{64}"""),  # Vault's shares
        re.compile(r"""\bkeys\b(?=\\*['"]:\s?\[\s?\\*['"][0-9a-f]{64})"""),
    ),
)  # fmt: skip
WORDS = (
    "payload_content", "secret_type", "secret payload", "kind: secret", 'kind":"secret',
    'kind": "secret', "kind': 'secret", "qom-type", "sys/unseal", "sys/rekey", "sys/init",
    "sys/generate-root", 'keys": ["', 'keys":["', "keys': ['", "[client.", "[mon.", "[mgr.",
    "[osd.", "[mds.", "entity'", 'entity"', 'entity\\"',
)  # fmt: skip
"""One of these is in every such text, in capitals or not."""


def names(text: str) -> Iterator[tuple[int, int]]:
    """Yield where such names stand."""
    for context, name in _CONTEXTS:
        if context.search(text):
            for match in name.finditer(text):
                yield match.span()
