"""How messages and paths name resources, and which lines tell of calls as clients."""

from __future__ import annotations

import re

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_WORDS = (
    r"(?:volume|snapshot|backup|share|instance|network-vif-[a-z]+|loadbalancer-flow)-"
    r"|instance-[0-9a-f]{8} \("
    r"|stacks?(?:/[^/\s]+/|\s\"[^\"]+\" \[)"
    r"|^device "  # neutron's ports; a port's device_id is an instance's
    r"|(?:share (?:server|instance|replica|group)|snapshot instance|volume_attachment"
    r"|network-vif-[a-z]+|instance|server|port deleted|port|volume|snapshot|backup|image"
    r"|load ?balancer|lb|stack|node|share)s?"
    r"(?:[_ ](?:with )?(?:uu)?id)?(?:[ :=]+['\"(\[]?|['\"(\[]|/)"
)
"""A pattern of the words before the id of a resource."""

CLIENT_LOGGERS = r"connectionpool|client\b|keystoneauth|^requests\b"
"""A pattern (RE2) of loggers that tell of calls as clients."""

CLIENT_TEXTS = (
    r"^(?:REQ: |RESP: |RESP STATUS|curl |HTTP/\d|[A-Z]{3,7} call to "
    r'|(?:\w+://\S+ )?"[A-Z]+ \S+ HTTP/[\d.]+" \d+ (?:\d+|None)$)'
)
"""A pattern (RE2) of what clients print, under whatever logger; the last is urllib3's."""

TOKENS = r"/v\d[^/]*(?:/auth)?/tokens(?:$|[/?])"
"""A pattern (RE2) of what they read to check the token of a call, which has no context yet."""


def is_client(logger: str | None, body: str | None) -> bool:
    """Return whether a record tells of a call as a client, by its logger or by what it says."""
    by_logger = re.search(CLIENT_LOGGERS, logger or "")
    return by_logger is not None or re.match(CLIENT_TEXTS, body or "") is not None


def naming(id: str = UUID) -> str:  # noqa: A002
    """Return a pattern (RE2) of a resource that a message or a path names with its kind.

    ``id`` is a pattern of its id.  Groups: ``named`` are the words before it, ``id`` is the id.
    A list of ids names none of them, nor does the path of a resource's allocations.
    """
    return rf"(?i)\b(?P<named>{_WORDS})(?P<id>{id})(?:$|[^0-9a-f-])"
