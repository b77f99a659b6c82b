r"""The types of a layout's holes: one table, which is all that a type is made of.

Layouts know their types, the docs list them, the scanner's program, the automaton of first
bytes (scanner/prefix.py) and the regular expression of a layout are made from this table.
A new type is one entry here; only if it needs an operation that the scanner does not have
yet, that is added to scanner/_ops.pxd and _program.pyx.

Regular expressions are those of the ``regex`` package, possessive: a hole takes the longest
text its type allows and never gives back.  In them ``<after>`` stands for the literal behind
the hole, and ``<stop>``, in a class, for that literal's first byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from opslog.language import timestamps
from opslog.language.atoms import ANY, ANYTHING, Atom, Atoms, byte_set, many, one
from opslog.model.severity import WORDS

UNBOUNDED = 1 << 30


@dataclass(frozen=True, slots=True)
class HoleType:
    """One type: what its holes accept, in words and for each reader of layouts."""

    name: str
    accepts: str
    """In words, for the docs and for the diagnosis of a line that does not match."""
    regex: str
    """Empty for level words, which the vocabulary of the format says."""
    op: str
    """The scanner's operation, a name of ``_program.OPS``."""
    atoms: Atoms
    """What its texts are made of, for the automaton of first bytes."""
    argument: int = 0
    """What the operation needs to know: of a run its most bytes, of tokens how many, else which
    variant of it is meant."""
    program: tuple[int, ...] = ()
    """Of a timestamp of a pattern: its program."""
    member: str = ""
    """The regular expression of one character, if the type is a run of characters of one class.

    Such a value may be filled up with blanks, and so may a level word.
    """
    stops: bool = False
    """Whether the first byte of the literal behind it ends it, whatever that is."""
    change: str = ""
    """How the value kept differs from the text; empty if it does not.

    ``milliseconds`` and ``microseconds`` become seconds, ``percent`` is decoded, of a syslog
    priority the ``facility`` is kept.
    """
    fills: tuple[str, ...] = ()
    """The kinds of columns of numbers (schema.py) that its values are numbers of."""
    vague: bool = False
    """Whether it says little of a line that begins with it: almost any word may be of it."""

    @property
    def paddable(self) -> bool:
        """Whether blanks may fill its values up to a width."""
        return bool(self.member) or self.op == "severity"

    def regex_before(self, after: str) -> str:
        """Return its regular expression where the literal ``after`` is behind it, if any."""
        return _before(self.regex, after)

    def member_before(self, after: str) -> str:
        """Return the regular expression of one of its characters likewise."""
        return _before(self.member, after)

    def stop(self, after: str) -> int:
        """Return the byte that ends it before the literal ``after``: a blank if none else does."""
        byte = after.encode()[0] if after else ord(" ")
        return byte if self.atoms[0].bytes >> byte & 1 else ord(" ")

    def atoms_before(self, after: str) -> Atoms:
        """Return its atoms likewise."""
        if not self.stops:
            return self.atoms
        others = ~(1 << self.stop(after))
        return tuple(atom._replace(bytes=atom.bytes & others) for atom in self.atoms)


def escaped(text: str) -> str:
    """Return a regular expression for the UTF-8 bytes of ``text``."""
    return "".join(
        re.escape(chr(byte)) if byte < 128 else rf"\x{byte:02x}" for byte in text.encode()
    )


def _before(regex: str, after: str) -> str:
    stop = rf"\x{after.encode()[0]:02x}" if after else ""
    return regex.replace("<after>", escaped(after)).replace("<stop>", stop)


_HEX = "0-9A-Fa-f"
_UUID = f"[{_HEX}]{{8}}-[{_HEX}]{{4}}-[{_HEX}]{{4}}-[{_HEX}]{{4}}-[{_HEX}]{{12}}"
_REQUEST = f"(?:req-[0-9A-Za-z-]++|{_UUID}|[{_HEX}]{{32}})"
_TRANSACTION = f"(?:req-{_UUID}|tx[{_HEX}]{{21}}-[{_HEX}]{{10}}[0-9A-Za-z._-]*+)"
_REQUEST_BYTES = "0-9A-Za-z._-"
_HOST = "0-9A-Za-z_.:%-"
_NAME = "0-9A-Za-z_.-"
_LEVELS = "|".join(WORDS)
_ZONE = rf"{timestamps.ZONES}|[-+][0-9]{{4}}"
NO_NAME = rf"(?:[\[(< ]*+(?!audit)(?i:{_LEVELS})[\])>: ]*|[\[(< ]*+[^:]*+:|{_ZONE})"
"""The regular expression of a text that names nothing: a level, maybe in brackets, or a zone.

Levels are of any case, but audit in small letters is what systemd calls the kernel's audit.
"""

_LOGGERS = (
    "nova|neutron|cinder|glance|keystone|heat|horizon|swift|ironic|octavia|designate|barbican|manila|"
    "magnum|placement|trove|sahara|mistral|senlin|zun|murano|masakari|aodh|ceilometer|gnocchi|panko|"
    "watcher|cloudkitty|blazar|tacker|vitrage|freezer|cyborg|kuryr|networking|eventlet|wsgi|oslo|"
    "root|alembic|sqlalchemy|urllib3|requests|paramiko|stevedore|kazoo|kombu|amqp|tooz|websockify"
)
_ENDINGS = "conf|cfg|ini|yaml|yml|toml|txt|pem|crt|sock|qcow2|html|gz|org|com"
_NO_FILE = f"(?![{_NAME}]*?\\.(?:{_ENDINGS})(?![{_NAME}]))"
_LOGGER = f"(?![{_NAME}]*?\\.[0-9])(?!(?:[{_NAME}]*?\\.)?(?:\\.|(?![{_NAME}]))){_NO_FILE}"
_GOES_ON = (
    "is|are|was|were|has|have|had|does|did|not|will|would|can|cannot|could|must|should|started|stopped|"
    "failed|died|exited|returned|answered|became|timed|took|needs|and|service|services|api|endpoint"
)
_SD_NAME = r"[!#-<>-\\^-~]++"
_NUMBER = r"[0-9]{1,18}+(?:\.[0-9]++)?+"
_TOKEN = r"(?:(?!#(?=[^ <stop>]{3})033\[|\^\[)[^ \t\[\]\x1b<stop>])"
_IN_TOKEN = ANY & ~byte_set(" \t[]\x1b")
_PATH = "[^ <stop>]"
_SOLID = Atom(ANY & ~byte_set(" "), True)
_FRACTION = "decimal digits with an optional fraction"
_REQUEST_ID = "req- and what belongs to it, a dashed UUID or 32 hex digits"
_FLOAT = ("float64",)
_INT = ("int64", "float64")


def _run(
    name: str,
    accepts: str,
    characters: str,
    most: int = UNBOUNDED,
    fills: tuple[str, ...] = (),
    vague: bool = False,
) -> HoleType:
    """Return a type whose texts are runs of characters of one class, of up to ``most`` bytes.

    ``characters`` is that class, for regular expressions and for ``byte_set`` alike.
    """
    member = f"[{characters}]"
    regex = f"{member}++" if most == UNBOUNDED else f"{member}{{1,{most}}}+"
    atoms = (many(characters),)
    return HoleType(
        name, accepts, regex, "run", atoms, most, member=member, fills=fills, vague=vague
    )


_TYPES = (
    HoleType(
        "text", "anything up to the literal that follows (the default)",
        "(?:(?!<after>).)*+", "text", (ANYTHING,), vague=True,
    ),
    HoleType("rest", "everything to the end of the line", ".*+", "rest", (ANYTHING,)),
    _run("int", "1 to 18 decimal digits", "0-9", most=18, fills=_INT),
    HoleType(
        "int?", "1 to 18 decimal digits, or - or -1 where there is none",
        "(?>[0-9]{1,18}|-1?)", "int?", (many("0-9-"),), fills=_INT,
    ),
    HoleType("number", _FRACTION, _NUMBER, "number", (many("0-9."),), fills=_FLOAT),
    HoleType(
        "milliseconds", f"{_FRACTION}; a duration, kept in seconds",
        _NUMBER, "number", (many("0-9."),), fills=_FLOAT, change="milliseconds",
    ),
    HoleType(
        "microseconds", f"{_FRACTION}; a duration, kept in seconds",
        _NUMBER, "number", (many("0-9."),), fills=_FLOAT, change="microseconds",
    ),
    _run("hex", "hexadecimal digits", _HEX),
    HoleType(
        "pointer", "an address in memory: 0x and hex digits, or 10 to 14 of them, one a letter",
        f"(?>0x[{_HEX}]{{1,16}}+|(?=[0-9]*+[A-Fa-f])[{_HEX}]{{10,14}}+)(?![{_HEX}])", "pointer",
        (many(f"{_HEX}x"),),
    ),
    _run("word", "letters, digits and _ . -", "0-9A-Za-z_.-", vague=True),
    _run("capitals", "capital letters", "A-Z"),
    _run(
        "addresses", "what IP addresses, lists of them and <local> are made of",
        f"{_HEX}:.,%<>loc", vague=True,
    ),
    HoleType(
        "url", "http:// or https:// and what follows up to a blank or quote",
        r"https?+://[^ \"]++", "url", (one("h"), _SOLID),
    ),
    HoleType(
        "address", "an address or host name, up to the port behind its last colon",
        rf"(?:(?!:[0-9]++(?![{_HOST}]))[{_HOST}])++", "address", (many(_HOST),), vague=True,
    ),
    HoleType(
        "quoted", "anything up to a double quote that no backslash stands before, or nothing",
        r"(?:[^\"\\]|\\.)*+", "quoted", (ANYTHING,), vague=True,
    ),
    HoleType(
        "structure", 'elements of RFC 5424, one behind the other: [id name="value" name="value"]',
        rf'(?:\[{_SD_NAME}(?: {_SD_NAME}="(?:[^"\\]|\\.)*+")*+\])++', "structure",
        (one("["), Atom(ANY, True)),
    ),
    HoleType(
        "token",
        "characters other than blanks, brackets, color codes and the first one of what follows",
        f"{_TOKEN}++", "token", (Atom(_IN_TOKEN, True),), argument=1,
        member=_TOKEN, stops=True, vague=True,
    ),
    HoleType(
        "token?", "a token, or nothing",
        f"{_TOKEN}*+", "token?", (Atom(_IN_TOKEN, True, 1),), argument=1,
        stops=True, vague=True,
    ),
    HoleType(
        "percent", "a token in which %XX stands for a byte; kept decoded",
        f"{_TOKEN}++", "token", (Atom(_IN_TOKEN, True),), argument=1,
        stops=True, vague=True, change="percent",
    ),
    HoleType("blanks", "one or more blanks", " ++", "run", (many(" "),), UNBOUNDED),
    HoleType("uuid", "a dashed UUID", _UUID, "uuid", (many(f"{_HEX}-"),)),
    HoleType("request", _REQUEST_ID, f"(?>{_REQUEST})", "request", (many(_REQUEST_BYTES),)),
    HoleType(
        "request?", f"{_REQUEST_ID}; or None, or -, or nothing",
        f"(?>(?:{_REQUEST}|None|-|))", "request", (many(_REQUEST_BYTES, absent=1),), argument=1,
    ),
    HoleType(
        "transaction",
        "req- and a dashed UUID, or an id of Swift (tx, 21 and 10 hex digits), or -",
        f"(?>(?:{_TRANSACTION}|-))", "request", (many(_REQUEST_BYTES),), argument=2,
    ),
    HoleType(
        "resource", "letters and _, but not req, with which request ids begin",
        "(?!req(?![A-Za-z_]))[A-Za-z_]++", "resource", (many("A-Za-z_"),),
    ),
    HoleType(
        "name", "letters, digits and _ . -, but no word for a level",
        f"(?!(?!audit)(?i:{_LEVELS})(?![{_NAME}]))[{_NAME}]++", "name", (many(_NAME),), vague=True,
    ),
    HoleType(
        "logger",
        "a logger, no word of a text, no file: parts with dots between, a _ in it, or a project",
        f"{_LOGGER}(?>(?:{_LOGGERS})(?![{_NAME}])|(?=[0-9A-Za-z-]*[_.])[A-Za-z_][{_NAME}]*+)",
        "name", (many(_NAME),), argument=1,
    ),
    HoleType(
        "lone-logger", "the same, but no project with which a sentence begins: nova is down",
        f"{_LOGGER}(?>(?:{_LOGGERS})(?![{_NAME}])(?! (?:{_GOES_ON})(?: |$))|"
        f"(?=[0-9A-Za-z-]*[_.])[A-Za-z_][{_NAME}]*+)",
        "name", (many(_NAME),), argument=5,
    ),
    HoleType(
        "label",
        "letters, digits and _ . -, but no file, and no word with a capital or the like of failed",
        f"(?!(?:[A-Z][0-9A-Za-z-]*+|spawned|exited|success|stopped|failed|done)(?![{_NAME}]))"
        f"{_NO_FILE}[{_NAME}]++",
        "name", (many(_NAME),), argument=2, vague=True,
    ),
    HoleType(
        "entity", "a daemon of Ceph: mon, osd, mgr or mds, a dot and its name",
        f"(?:mon|osd|mgr|mds)\\.[{_NAME}]++",
        "name", (one("mo"), many(_NAME)), argument=4,
    ),
    HoleType(
        "unit", "a unit of Juju and a hook: unit.NAME/NUMBER.HOOK",
        r"unit\.[0-9A-Za-z_-]++/[0-9]++\.[0-9A-Za-z_-]++",
        "name", (one("u"), many("0-9A-Za-z_./-")), argument=3,
    ),
    HoleType(
        "id", "a dashed UUID, 32 or 64 hex digits, - or None",
        f"(?>(?:{_UUID}|[{_HEX}]{{64}}|[{_HEX}]{{32}}|None|-))", "id", (many(f"{_HEX}Non-"),),
    ),
    HoleType(
        "source",
        "a path without blanks up to what follows, ending in .py, .pyc or .pyx, or <...>",
        rf"(?>{_PATH}{{3,}}+(?<=\.py)|{_PATH}{{4,}}+(?<=\.pyc|\.pyx)|{_PATH}++(?<=>))",
        "source", (_SOLID,), stops=True,
    ),
    HoleType(
        "go", "a path without blanks up to what follows, ending in .go",
        rf"{_PATH}{{4,}}+(?<=\.go)", "source", (_SOLID,), argument=1, stops=True,
    ),
    HoleType("severity", "a word of the format's severity vocabulary", "", "severity", ()),
    HoleType(
        "pri",
        "a syslog priority, 0 to 191: the severity is known from it, its value is the facility",
        "(?:1[0-8][0-9]|19[01]|[1-9]?[0-9])(?![0-9])", "pri", (many("0-9"),), change="facility",
    ),
)  # fmt: skip

HOLE_TYPES: dict[str, HoleType] = {known.name: known for known in _TYPES}
"""The types by name, but those of timestamps; a hole without a type is of the first."""

COLORS = HoleType(
    "~", "color codes", r"(?:(?:\x1b|#033|\^\[)\[[0-9;]*+m)*+", "colors",
    (one("\x1b#^", absent=2), many("\x1b#^[0-9;m")),
)  # fmt: skip
"""What stands for any number of terminal color codes, also none."""


def hole_type(name: str) -> HoleType:
    """Return the type called ``name``, or the one of a kind of timestamps.

    Raises ValueError with the reason if there is neither.
    """
    return HOLE_TYPES.get(name) or timestamp_type(name)


_ISO_VARIANTS = {"iso-msecs": 1, "iso-zone": 2}


@lru_cache(maxsize=256)
def timestamp_type(name: str) -> HoleType:
    """Return the type of a kind of timestamps; raises ValueError with the reason if it is none."""
    kind = timestamps.kind_or_clock(name)
    return HoleType(
        name, f"a timestamp of kind {name}", f"(?>{kind.regex})", "time" if kind.program else "iso",
        kind.atoms, _ISO_VARIANTS.get(name, 0), kind.program,
    )  # fmt: skip
