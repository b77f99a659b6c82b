"""Pseudonyms of IP and MAC addresses, which are addresses, too, and as near to each other."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from hashlib import blake2b

_KEPT = [
    ("0.0.0.0/8", 32), ("10.0.0.0/8", 8), ("100.64.0.0/10", 10), ("127.0.0.0/8", 32),
    ("169.254.0.0/16", 32), ("172.16.0.0/12", 12), ("192.0.2.0/24", 32), ("192.168.0.0/16", 16),
    ("198.51.100.0/24", 32), ("203.0.113.0/24", 32), ("224.0.0.0/4", 32), ("240.0.0.0/4", 32),
    ("::/96", 128), ("2001:db8::/32", 128), ("fc00::/7", 7), ("fe80::/64", 64),
    ("ff00::/8", 128), ("ff02::1:ff00:0/104", 104),
]  # fmt: skip
"""Networks that tell no place, and how many bits of their addresses stay.

Those of netmasks and multicast, of one host and one link, of documentation stay
as they are; of private ones the network stays.
"""

_GROUPS = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5,}")
_IP4 = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_LENGTH = re.compile(r"/(\d{1,3})\Z")


class Addresses:
    """Makes of addresses others: those that share the first bits share as many afterwards.

    ``key`` is of at most 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._flips = lru_cache(65_536)(self._flips_of)

    def ip(self, text: str) -> str | None:
        """Return what stands for an address or a network, None for what is none."""
        plain, length = text, None
        if (match := _LENGTH.search(text)) is not None:
            plain, length = text[: match.start()], int(match[1])
        try:
            found = ipaddress.ip_address(plain)
        except ValueError:
            return None
        bits = found.max_prefixlen
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        if mapped is not None:
            return f"::ffff:{self.ip(str(mapped))}{text[len(plain) :]}"
        number = self._number(int(found), bits)
        if length is not None and length < bits and not int(found) & ((1 << (bits - length)) - 1):
            number = number >> (bits - length) << (bits - length)  # a network stays one
        return f"{type(found)(number)}{text[len(plain) :]}"

    def mac(self, text: str) -> str | None:
        """Return what stands for a MAC address, or other bytes between colons; None for none.

        It is one that nobody has given to a maker.  Those of all and of groups stay.
        """
        plain, slash, mask = text.partition("/")
        if _GROUPS.fullmatch(plain) is None:
            return None
        data = bytes.fromhex(plain.replace(":", ""))
        if data.count(0) == len(data) or data.count(255) == len(data) or data[0] & 1:
            return text
        named = blake2b(data, key=self._key, person=b"mac").digest()
        while len(named) < len(data):
            named += blake2b(named, key=self._key, person=b"mac").digest()
        named = bytes([named[0] & 0xFC | 2]) + named[1 : len(data)]
        return named.hex(":") + slash + mask

    def numbers(self, text: str) -> str | None:
        """Return ``text`` with the IPv4 addresses in it replaced; None where there is none."""
        if text.endswith("/") or _IP4.search(text) is None:
            return None
        length = _LENGTH.search(text)
        end = length.start() if length else len(text)

        def named(match: re.Match[str]) -> str:
            whole = match[0] if match.end() < end else match[0] + text[end:]
            found = self.ip(whole) or self.ip(match[0]) or match[0]
            return found.partition("/")[0]

        return _IP4.sub(named, text[:end]) + text[end:]

    def _number(self, number: int, bits: int) -> int:
        """Return the bits of the address, each flipped as the key and those before it say."""
        kept = next((stay for net, length, stay in _NETS[bits]
                     if number >> (bits - length) == net), 0)  # fmt: skip
        if kept == bits:
            return number
        data = number.to_bytes(bits // 8, "big")
        out = bytearray()
        for place, byte in enumerate(data):
            flips = self._flips(bits, data[:place])
            new = byte
            for bit in range(8):
                depth = 8 * place + bit
                if depth < kept or (bits, depth, number >> (bits - depth)) in _PATHS:
                    continue
                node = 1 << bit | byte >> (8 - bit)
                if flips[node >> 3] >> (node & 7) & 1:
                    new ^= 128 >> bit
            out.append(new)
        return int.from_bytes(out, "big")

    def _flips_of(self, bits: int, before: bytes) -> bytes:
        """Return a bit for each beginning of the byte behind ``before``."""
        return blake2b(before, key=self._key, person=b"ip%d" % bits, digest_size=32).digest()


def _nets(bits: int) -> list[tuple[int, int, int]]:
    nets = [(ipaddress.ip_network(net), stay) for net, stay in _KEPT]
    found = [
        (int(net.network_address) >> (bits - net.prefixlen), net.prefixlen, stay)
        for net, stay in nets
        if net.max_prefixlen == bits
    ]
    return sorted(found, key=lambda each: -each[1])  # the smallest network says


_NETS = {bits: _nets(bits) for bits in (32, 128)}
_PATHS = {
    (bits, depth, net >> (length - depth))
    for bits, nets in _NETS.items()
    for net, length, _ in nets
    for depth in range(length)
}
"""Beginnings of the networks: the bit behind them stays, so that nothing else comes there."""
