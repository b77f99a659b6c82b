"""Who and where: pseudonyms of users, projects, domains, hosts, mails and addresses in texts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b

from opslog.stages import _whereabouts as places
from opslog.stages.addresses import Addresses
from opslog.stages.identity_names import (
    HEX,
    KINDS,
    NOBODY,
    UNITS,
    UNLEARNED,
    is_domain,
    is_public,
    is_telling,
    kind_of,
)
from opslog.stages.pseudonyms import KEYED, id_of, name_bytes, name_of

_MOST = 65_536
"""Names, and words looked at, that are remembered."""

MOST_COUNTED = 1 << 20
"""Things of a kind that are told from each other, to count how many were replaced."""

_NEAR = 600
"""Bytes behind the name of a value in which that stands; what goes on there names nobody."""

_MAIL = re.compile(r"[\w.+%-]{1,64}@((?:[\w-]+\.)+([A-Za-z]{2,24}))")
_WORD = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")
_DONE = re.compile(
    r"(?:host|user|project|domain)-[0-9a-f]{8}(?:\.example\.org|@example\.org)?|\*+|" + KEYED
)
_VALUE = re.compile(
    rb"""(?:\\*["'])?\s{0,3}(?:=|:|%3D|\s=\s)\s{0,3}[ub]?(\\*["'])?([^\s"'\\,;&<>(){}\[\]|=:%/]+)"""
)
_BEHIND_HOME = re.compile(rb"/([\w.@-]+)(?=/)")
_AUTHORITY = re.compile(rb"""(?:[^\s/"'\\@<>]{0,300}@)?([A-Za-z0-9_][\w.-]*)""")
_GROUP = re.compile(rb"[0-9a-fA-F]{1,4}")
_PART = re.compile("[._]")
_NUMBER = re.compile(r"[\d.,:-]+")

Change = tuple[int, int, bytes]


class Identities:
    """Knows names as they come, and replaces them and all addresses by pseudonyms of ``key``.

    ``replaced`` counts what was replaced, by kind: each thing once.
    """

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key).digest()
        self._addresses = Addresses(self._key)
        spelled = {name for one in KINDS for name in (one, one.replace("_", "-"))}
        self._where = places.Whereabouts([name.encode() for name in spelled])
        self._known: dict[str, str] = {}
        """What a name, in small letters, is of."""
        self._phrases: dict[str, list[str]] = {}
        """Names of several words, by their first one."""
        self._domains: set[str] = set()
        self._words: dict[tuple[int, bytes], bytes | None] = {}
        self._seen: dict[str, dict[str, None]] = {}
        self.forgot = False
        """Whether names were forgotten since there were too many."""

    @property
    def replaced(self) -> dict[str, int]:
        """How many things of each kind were replaced."""
        return {kind: len(seen) for kind, seen in self._seen.items()}

    def learn(self, kind: str, name: str) -> None:
        """Know the name, or id, of a ``user``, ``project``, ``domain`` or ``host``."""
        lower = name.lower()
        if lower in self._known or not self._is_somebody(name):
            return
        if len(self._known) >= _MOST:
            self._forget()
        if kind == "host" and "." in lower:
            short, _, domain = lower.partition(".")
            self._know(lower, kind)
            self._learn_domain(domain)
            lower = short
            if not self._is_somebody(lower) or lower in self._known:
                return
        elif HEX.fullmatch(lower) and len(lower) < 64:
            plain = lower.replace("-", "")
            dashed = f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
            self._know(plain, kind)
            lower = dashed
        self._know(lower, kind)

    def whole(self, kind: str, text: str) -> str:
        """Return what stands for a text that is a name or an id as a whole."""
        lower = text.lower()
        if not lower.strip("-") or lower in NOBODY or _DONE.fullmatch(text):
            return text
        if (address := self._address(text)) is not None:
            return address
        if kind == "publisher":  # as compute.host
            service, dot, host = text.partition(".")
            self.learn("host", host)
            return service + dot + self.whole("host", host)
        if kind == "host" and ("," in text or " " in text or "@" in text or ":" in text):
            return self.text(text)
        if _MAIL.fullmatch(text):
            return self._mail(text)
        known = self._known.get(lower)
        kind = known or kind  # one word has one pseudonym
        if HEX.fullmatch(text):
            self._count(kind, lower)
            return id_of(self._key, text)
        if kind == "host":
            return self._host(text)
        if known is None and _NUMBER.fullmatch(text) and len(text) < 4:
            return text
        self._count(kind, lower)
        return name_of(self._key, kind, lower)

    def text(self, text: str) -> str:
        """Return ``text`` with what is known, and addresses, replaced."""
        data = text.encode(errors="surrogatepass")
        found = self._all_changes(data, (0, len(data)), lambda: self._where.find(data))
        if not found:
            return text
        out, at = [], 0
        for begin, end, new in found:
            out += [data[at:begin], new]
            at = end
        return b"".join([*out, data[at:]]).decode(errors="surrogatepass")

    def column(
        self, offsets: memoryview, data: memoryview, first: int, count: int
    ) -> tuple[bytearray, bytearray] | None:
        """Return offsets and bytes of the texts with the same replaced; None if nothing is."""
        ends = offsets[first : first + count + 1]
        found = self._all_changes(
            data, ends, lambda: self._where.column(offsets, data, first, count)
        )
        return places.replaced(offsets, data, first, count, found) if found else None

    def _all_changes(
        self,
        data: bytes | memoryview,
        ends: Sequence[int],
        find: Callable[[], list[tuple[int, int, int]]],
    ) -> list[Change]:
        """Return the changes in what ``find`` finds; again, if that made names known."""
        before = len(self._known), len(self._domains)
        found = self._changes(data, ends, find())
        if before != (len(self._known), len(self._domains)):
            found = self._changes(data, ends, find())
        return found

    def _changes(
        self, data: bytes | memoryview, ends: Sequence[int], hits: list[tuple[int, int, int]]
    ) -> list[Change]:
        """Return what to replace where, in order; ``ends`` says where texts in ``data`` end."""
        out: list[Change] = []
        words = self._words
        behind = 0
        for kind, begin, stop in hits:
            if begin < behind:
                continue
            if kind == places.URL or kind == places.NAME:
                near = bytes(data[stop : min(stop + _NEAR, ends[bisect_right(ends, begin)])])
                change = self._beside(kind, data, begin, stop, near)
                if change is not None:
                    out.append(change)
                    behind = change[1]
                continue
            word = bytes(data[begin:stop])
            try:
                new = words[kind, word]
            except KeyError:
                if len(words) >= _MOST:
                    words.clear()
                new = words[kind, word] = self._found(kind, word)
            if kind == places.WORD and self._phrases:
                number = bisect_right(ends, begin)
                phrase = self._phrase(data, begin, word, ends[number - 1], ends[number])
                if phrase is not None:
                    out.append(phrase)
                    behind = phrase[1]
                    continue
            if new is not None:
                out.append((begin, stop, new))
                behind = stop
        return out

    # -- findings ---------------------------------------------------------------------------

    def _found(self, kind: int, word: bytes) -> bytes | None:
        text = word.decode(errors="surrogateescape")
        new: str | None = None
        if kind == places.GROUPS:
            new = self._in_groups(text)
        elif kind == places.NUMBERS:
            new = self._addresses.numbers(text)
            if new is not None and new != text:
                self._count("address", text.partition("/")[0])
            new = new or self._in_word(text)
        elif kind == places.MAIL:
            new = self._at(text)
        else:
            new = self._in_word(text)
        return None if new is None or new == text else name_bytes(new)

    def _in_groups(self, text: str) -> str | None:
        mac = self._addresses.mac(text)
        if mac is not None:
            if mac != text:
                self._count("MAC address", text.lower())
            return mac
        plain, slash, length = text.partition("/")
        body = plain
        if body.startswith(":") and not body.startswith("::"):
            body = body[1:]
        lead = plain[: len(plain) - len(body)]
        core = body.rstrip(".")
        core = core[:-1] if core.endswith(":") and not core.endswith("::") else core
        if not any(char.isdigit() for char in core) and core.count(":") < 4:
            return None
        new = self._address(core + slash + length) if core == body else self._address(core)
        if new is None:
            return None
        return lead + new if core == body else lead + new + body[len(core) :] + slash + length

    def _in_word(self, text: str) -> str | None:
        """Return a word with the names in it replaced; None if there is none."""
        lower = text.lower()
        known = self._known.get(lower)
        if known is not None:
            return self.whole(known, text)
        at = lower.find(".")
        while at >= 0:
            if lower[at + 1 :] in self._domains:
                return self._host(text)
            at = lower.find(".", at + 1)
        short, _, domain = lower.partition(".")
        known = self._known.get(short)
        if known == "host" and is_domain(domain):
            self._learn_domain(domain)
            return self._host(text)
        out, begin = [], 0
        for end in [*(match.start() for match in _PART.finditer(text)), len(text)]:
            part = text[begin:end]
            known = self._known.get(part.lower())
            # "compute" is a word of its own in compute.instance.create.
            telling = len(part) > 3 and any(char.isdigit() or char == "-" for char in part)
            out.append(self.whole(known, part) if known and telling else part)
            out.append(text[end : end + 1])
            begin = end + 1
        new = "".join(out)
        return None if new == text else new

    def _at(self, text: str) -> str | None:
        """Return a mail, or two words around an @, with what they name replaced."""
        name, _, host = text.partition("@")
        known = self._in_word(host)
        match = _MAIL.fullmatch(text)
        if known is None and match and match[2] not in UNITS and not is_public(match[1]):
            return self._mail(text)
        if known is not None and match and name not in NOBODY and host.lower() not in self._known:
            return self._mail(text)
        return f"{self._in_word(name) or name}@{known or host}"

    def _phrase(
        self, data: bytes | memoryview, begin: int, word: bytes, least: int, most: int
    ) -> Change | None:
        """Return the change of a name of several words, between ``least`` and ``most``."""
        text = word.decode(errors="surrogateescape").lower()
        for name in self._phrases.get(text, ()):
            first = name.find(text)
            size = len(name_bytes(name))
            start = begin - len(name_bytes(name[:first]))
            if start < least or start + size > most:
                continue
            found = bytes(data[start : start + size]).decode(errors="surrogateescape")
            if found.lower() == name:
                kind = self._known[name]
                return start, start + size, name_bytes(self.whole(kind, found))
        return None

    def _beside(
        self, kind: int, data: bytes | memoryview, begin: int, end: int, near: bytes
    ) -> Change | None:
        """Return the change in ``near``, which stands behind the name of a value, or ``://``."""
        if kind == places.URL:
            match = _AUTHORITY.match(near)
            if match is None or match.end() == _NEAR:
                return None
            host = match[1].decode(errors="surrogateescape")
            if host.rstrip(".-_") != host or is_public(host) or host.lower() in NOBODY:
                return None
            what = "host"
            domain = host.lower().partition(".")[2]
            if is_domain(domain):
                self._learn_domain(domain)
        else:
            name = bytes(data[begin:end]).decode(errors="surrogateescape")
            what = kind_of(name) or "user"
            if name == "home":
                match = (
                    _BEHIND_HOME.match(near)
                    if begin and bytes(data[begin - 1 : begin]) == b"/"
                    else None
                )
                group = 1
            else:
                match = _VALUE.match(near)
                group = 2
            if match is None or match.end() == _NEAR:
                return None
            if near[match.end() : match.end() + 1] == b":" and _GROUP.fullmatch(match[group]):
                return None  # an address, which is found by itself
            host = match[group].decode(errors="surrogateescape").rstrip(".")
            start, size = match.start(group), len(name_bytes(host))
            if "@" in host and what == "host":
                host = host.partition("@")[0]
                size = len(name_bytes(host))
            if not self._is_somebody(host) or (what == "host" and is_public(host)):
                return None
            if is_telling(host) or (HEX.fullmatch(host) and name.lower() not in UNLEARNED):
                self.learn(what, host)
            new = name_bytes(self.whole(what, host))
            return end + start, end + start + size, new
        if is_telling(host):
            self.learn(what, host)
        start = end + match.start(1)
        new = name_bytes(self.whole(what, host))
        return start, start + len(match[1]), new

    # -- pseudonyms -------------------------------------------------------------------------

    def _address(self, text: str) -> str | None:
        new = self._addresses.ip(text)
        if new is not None and new != text:
            self._count("address", text.partition("/")[0])
        return new

    def _mail(self, text: str) -> str:
        self._count("mail", text.lower())
        return f"{name_of(self._key, 'user', text.lower())}@example.org"

    def _host(self, text: str) -> str:
        lower = text.lower()
        if _DONE.fullmatch(lower):
            return text
        short, dot, _ = lower.partition(".")
        if short in NOBODY:
            return short + ".example.org" if dot else text
        self._count("host", short)
        return name_of(self._key, "host", short) + (".example.org" if dot else "")

    # -- what is known ----------------------------------------------------------------------

    def _is_somebody(self, name: str) -> bool:
        lower = name.lower()
        return (
            len(name) > 1
            and len(name) <= 255
            and lower not in NOBODY
            and not _DONE.fullmatch(name)
            and not (_NUMBER.fullmatch(name) and len(name) < 4)
        )

    def _know(self, lower: str, kind: str) -> None:
        self._known[lower] = kind
        self._words.clear()
        word = _WORD.search(lower)
        if word is None:
            return
        if word[0] != lower:
            self._phrases.setdefault(word[0], []).append(lower)
        self._where.know(name_bytes(word[0]))

    def _learn_domain(self, domain: str) -> None:
        """Know that words that end like this are hosts."""
        if "." in domain and domain not in self._domains and not is_public(domain):
            self._domains.add(domain)
            self._where.know(name_bytes(domain))
            self._words.clear()

    def _forget(self) -> None:
        """Forget the older half of the names."""
        kept = list(self._known.items())[_MOST // 2 :]
        self.forgot = True
        self._known, self._phrases, self._domains = {}, {}, set()
        self._where.forget()
        for name, kind in kept:
            self.learn(kind, name)

    def _count(self, kind: str, what: str) -> None:
        seen = self._seen.setdefault(kind, {})
        if len(seen) < MOST_COUNTED:
            seen[what] = None
