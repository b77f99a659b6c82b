"""Kinds of timestamps that a layout can name.

A kind is ``iso``, ``iso-msecs``, ``iso-zone`` or a strftime pattern such as ``%d/%b/%Y:%H:%M:%S``.
For each kind there are a regular expression and an operation of the scanner, which accept
the same texts.  The scanner reads microseconds since the epoch.  A text without an offset
is local time; the zone of its source turns it into UTC later.  A text without a year is of
the newest year in which it is at most a day later than the source's reference, a local time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from opslog.language.atoms import ANY, Atom, Atoms, byte_set, many, one, spelled
from opslog.model.severity import longest_first

_HOUR, _SIXTY = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FOREIGN_MONTHS = (
    "jan janv. ene gen sty янв Jän 1월 1月",
    "feb févr. fev lut фев 2월 2月",
    "Mär mar mars mrt мар 3월 3月",
    "apr avril abr kwi апр 4월 4月",
    "Mai mai may mag mei maj мая 5월 5月",
    "jun juin giu cze июн 6월 6月",
    "jul juil. lug lip июл 7월 7月",
    "aug août ago sie авг 8월 8月",
    "sep sept. set wrz сен 9월 9月",
    "Okt oct oct. ott out okt paź окт 10월 10月",
    "nov nov. lis ноя 11월 11月",
    "Dez dec dez des déc. dic gru дек 12월 12月",
)
"""What journalctl prints for each month in German, French, Spanish, Italian, Portuguese, Dutch,
Polish, Russian, Swedish and the like, Korean, Chinese and Japanese, where that is not English."""

_FOREIGN = "|".join(longest_first(" ".join(FOREIGN_MONTHS).split())).replace(".", r"\.")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_OFFSET = f"(?:Z|[+-]{_HOUR}:?{_SIXTY})"

_DIGIT, _DIGITS = one("0-9"), many("0-9")
_TWO = (_DIGIT, _DIGIT)
_WORD = (one("A-Za-z"),) * 3
_LETTERS = byte_set("A-Za-z") | (ANY ^ byte_set("\0-\x7f"))

DIRECTIVE = 256
"""A program's code of a directive is this plus its letter; smaller codes are literal bytes."""


class Directive(NamedTuple):
    """A strftime directive: what it accepts."""

    regex: str
    atoms: Atoms = _TWO


DIRECTIVES: dict[str, Directive] = {
    "Y": Directive("[0-9]{4}", _TWO + _TWO),
    "m": Directive("(?:0[1-9]|1[0-2])"),
    "d": Directive("(?:0[1-9]|[12][0-9]|3[01])"),
    "b": Directive(f"(?:{'|'.join(_MONTHS)})", _WORD),
    "B": Directive(
        f"(?>{_FOREIGN})",
        (
            Atom(_LETTERS | byte_set("0-9")),
            Atom(_LETTERS | byte_set("0-2")),
            Atom(_LETTERS),
            Atom(_LETTERS | byte_set("."), True, absent=1),
        ),
    ),
    "a": Directive(f"(?:{'|'.join(_DAYS)})", _WORD),
    "y": Directive("[0-9]{2}"),
    "H": Directive(_HOUR),
    "M": Directive(_SIXTY),
    "S": Directive(f"(?:{_SIXTY}|60)"),
    "e": Directive(
        "(?: *+(?:0[1-9]|[12][0-9]|3[01]|[1-9](?![0-9])))",
        (many(" ", absent=1), _DIGIT, one("0-9", absent=1)),
    ),
    "k": Directive("(?:[01][0-9]|2[0-3]| ?[0-9](?![0-9]))", (one("0-9 "), one("0-9", absent=1))),
    "I": Directive("(?:0[1-9]|1[0-2]|[1-9](?![0-9]))", (_DIGIT, one("0-9", absent=1))),
    "p": Directive("(?:[AP]M|[ap]m)", (one("APap"), one("Mm"))),
    "f": Directive("[0-9]{1,9}+", (_DIGITS,)),
    "L": Directive("[0-9]{1,3}+", (_DIGITS,)),
    "N": Directive("[0-9]{9}(?![0-9])", (_DIGITS,)),
    "z": Directive(_OFFSET, (one("Z+-"), many("0-9:", absent=1))),
    "Z": Directive("(?:UTC|GMT)", _WORD),
    "s": Directive("[0-9]{1,11}+", (_DIGITS,)),
    "g": Directive(
        r"[0-9](?:\.[0-9]{1,18}+)?+e\+(?:0[89]|10)",
        (_DIGIT, one(".", absent=2), _DIGITS, *spelled(b"e+"), *_TWO),
    ),
    "-m": Directive("(?:1[0-2]|0?[1-9](?![0-9]))", (_DIGIT, one("0-9", absent=1))),
}
"""The strftime directives of patterns, by letter.

``%f`` is a decimal fraction of a second (1 to 9 digits), ``%N`` one
of nine digits, ``%L`` whole milliseconds (1 to 3
digits, as ``%(msecs)d`` prints them), ``%s`` seconds since the epoch, ``%g`` these as
printf's %g and %e print a large number: ``1.7e+09``.  ``%-m`` is a month of one or two
digits, ``%e`` a day of one or two behind any number of blanks; ``%k`` an hour of two digits,
of one, or of one behind a blank.  ``%I`` is an hour of half a day, 1 to 12, in one digit or
two, and ``%p`` says which half: AM or PM.  ``%a`` is accepted and ignored.
``%B`` is a month that is abbreviated in another language than English.
"""

_SHORTHANDS = {"T": "%H:%M:%S", "F": "%Y-%m-%d", "D": "%m/%d/%y", "R": "%H:%M"}

ZONES = (
    "UTC|GMT|BST|IST|WET|WEST|CET|CEST|EET|EEST|MSK|SAST|EAT|WAT|CAT|PKT|WIB|WITA|WIT|SGT|HKT|PHT|"
    "JST|KST|AWST|AEST|AEDT|ACST|ACDT|NZST|NZDT|AST|ADT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|AKST|AKDT|"
    "HST|BRT|ART|CLT"
)
"""The names of zones that are known to be no other words, for regular expressions."""
_ENDS = "(?![0-9A-Za-z_.:+-])"
_BEHIND = (
    rf" (?:[+-]{_HOUR}:?{_SIXTY}{_ENDS}(?: (?:{ZONES}|[+-][0-9]{{2}}(?:[0-9]{{2}})?){_ENDS})?+"
    rf"|(?:UTC|GMT){_ENDS})(?: m=[+-][0-9]++\.[0-9]++{_ENDS})?+"
)
"""An offset behind a blank, maybe with the zone's name and a reading of the monotonic clock.

Go prints a time so: https://pkg.go.dev/time#Time.String, and .NET with a colon in the offset.
Of names alone only those of UTC say how far it is from there.
"""

_ISO = (
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[ T]"
    f"{_HOUR}:{_SIXTY}:(?:{_SIXTY}|60)(?:[.,][0-9]{{1,9}}+%s)?+(?:{_OFFSET}%s)?+"
)
_ISO_ATOMS = (
    *_TWO, *_TWO, one("-"), *_TWO, one("-"), *_TWO, one(" T"), *_TWO, one(":"), *_TWO, one(":"),
    *_TWO, one(".,", absent=2), _DIGITS, one(".", absent=2), _DIGITS,
    one("Z", absent=1), one("+-", absent=6), *_TWO, one(":", absent=1), *_TWO,
)  # fmt: skip
_BEHIND_ATOMS = (
    one(" ", absent=4), one("+UG-"), many("0-9TMC:"), many(" 0-9A-Zm=.+-", absent=1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimestampKind:
    """A kind of timestamps: its regular expression, its atoms and its ``program``.

    The program is what the scanner's operation for patterns reads; it is empty for the ISO
    kinds, which have an operation of their own.
    """

    name: str
    regex: str
    atoms: Atoms
    program: tuple[int, ...] = ()
    dated: bool = True
    """Whether it tells the day, as a timestamp must."""


def kind(name: str) -> TimestampKind:
    """Return the kind called ``name``; raises ValueError if there is none, or it tells no date."""
    found = kind_or_clock(name)
    if not found.dated:
        raise ValueError(f"timestamp pattern {name!r} does not name month and day")
    return found


def kind_or_clock(name: str) -> TimestampKind:
    """Return the kind called ``name``, or a time without a date; raises ValueError if neither."""
    if name == "iso":
        return TimestampKind(name, _ISO % ("", ""), _ISO_ATOMS)
    if name == "iso-zone":
        return TimestampKind(name, _ISO % ("", f"|{_BEHIND}"), _ISO_ATOMS + _BEHIND_ATOMS)
    if name == "iso-msecs":
        # oslo.log prints asctime, "." and msecs; asctime itself may end in ",mmm".
        return TimestampKind(name, _ISO % (r"(?:\.[0-9]{3})?+", ""), _ISO_ATOMS)
    if "%" in name:
        return _of_pattern(name)
    raise ValueError(
        f"unknown timestamp kind {name!r}: expected iso, iso-msecs, iso-zone or a strftime pattern"
    )


def _of_pattern(text: str) -> TimestampKind:
    regex, program, atoms = "", list[int](), tuple[Atom, ...]()
    used: set[str] = set()
    expanded = _PERCENT.sub(lambda match: _SHORTHANDS.get(match[1], match[0]), text)
    for piece in _PIECE.findall(expanded):
        if piece[0] != "%" or piece == "%%":
            literal = piece[0].encode()
            regex += re.escape(piece[0])
            program += literal
            atoms += spelled(literal)
        elif piece[1:] in DIRECTIVES:
            directive = DIRECTIVES[piece[1:]]
            regex += directive.regex
            program.append(DIRECTIVE + ord(piece[-1]) + (_UNPADDED if piece[1] == "-" else 0))
            atoms += directive.atoms
            used.add(piece[-1])
        else:
            raise ValueError(
                f"timestamp pattern {text!r}: {piece} is not supported; "
                f"expected one of {' '.join('%' + letter for letter in DIRECTIVES)}"
            )
    dated = bool(used & {"s", "g"}) or bool(used & {"m", "b", "B"} and used & {"d", "e"})
    return TimestampKind(text, regex, atoms, tuple(program), dated)


_PERCENT = re.compile("%(.?)", re.DOTALL)
_PIECE = re.compile("%-?.?|[^%]", re.DOTALL)
_UNPADDED = 128
"""What the code of a directive without padding is greater by."""
