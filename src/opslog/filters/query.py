"""The text form of filters: SQL's words and precedence, the columns of schema.py.

    severity >= WARNING and service_name = 'nova' and not body ~ 'heartbeat'

    condition  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation   = "not" negation | "(" condition ")" | "@" filter | comparison
    comparison = column ( "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) value
               | column ( "~" | "~*" | "!~" | "!~*" ) pattern
               | column [ "not" ] ( ( "like" | "ilike" ) pattern | "contains" text
                                  | "in" "(" value { "," value } ")" )
               | column "is" [ "not" ] "null"
    column     = named | ( "lower" | "upper" ) "(" named ")"
    named      = name | "attributes." name

``@filter`` is a condition with a name, as if it stood here in parentheses.  ``&&`` and ``||``
are and and or.  With ``*`` behind the sign, or ``ilike``, letters match
either case.  A value is a number, a word, or text in quotes, which are doubled inside.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from opslog.filters.fields import Field, Fields
from opslog.filters.joined import MOST_CONDITIONS, joined
from opslog.model.errors import FilterError, QueryError

if TYPE_CHECKING:
    import pyarrow.compute as pc

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      |(?P<operator><=|>=|<>|!=|==|!~\*?|~\*?|[=<>(),])
      |(?P<word>[^\s'"=<>!~(),]+)
      |(?P<end>$)
      |(?P<bad>.))""",
    re.VERBOSE | re.DOTALL,
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_NUMBERS = ("int64", "uint8", "float64")
_MATCHING = ("like", "ilike", "contains")
_WORDS = ("and", "or", "not", "in", "is", "null", "between", *_MATCHING)
_SIGNS = {"&&": "and", "||": "or"}
_DEEPEST = 100


def parse(
    text: str, timezone: str = "UTC", named: Mapping[str, str] = MappingProxyType({})
) -> pc.Expression:
    """Return the expression ``text`` means; times without an offset are of ``timezone``.

    ``named`` are the texts of filters by the names that stand for them in this text and in
    their own.  Raises QueryError, which shows the place, for what is no condition, for an
    unknown column or name, for a filter that holds itself, and for a value the column cannot have.
    """
    return _Query(text, Fields(timezone), named).whole()


def used(text: str, named: Mapping[str, str]) -> list[str]:
    """Return the names of the filters that ``text`` names, and of those these name, each once."""
    found: dict[str, None] = {}
    waiting = [text]
    while waiting:
        for match in _TOKEN.finditer(waiting.pop()):
            name = (match["word"] or "").removeprefix("@")
            if name != match["word"] and name in named and name not in found:
                found[name] = None
                waiting.append(named[name])
    return list(found)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The keyword it is, else nothing."""
        lower = _SIGNS.get(self.text, self.text.lower())
        return lower if self.kind == "word" and lower in _WORDS else ""


class _Query:
    def __init__(
        self, text: str, fields: Fields, named: Mapping[str, str],
        within: tuple[str, ...] = (), depth: int = 0, left: Iterator[int] | None = None,
    ) -> None:  # fmt: skip
        self.text = text
        self.fields = fields
        self.filters = named
        self.within = within
        self.tokens = []
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            self.tokens.append(_Token(kind, match[kind], match.start(kind)))
        self.next = 0
        self.depth = depth
        self.left = iter(range(MOST_CONDITIONS)) if left is None else left
        """Runs out with the last comparison that may be made, those of named filters included."""

    # -- grammar -------------------------------------------------------------------

    def whole(self) -> pc.Expression:
        condition = self.condition()
        if self.token.kind != "end":
            raise self.expected("and, or, or the end")
        return condition

    def condition(self) -> pc.Expression:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise QueryError(self.text, self.token.at, f"nested more than {_DEEPEST} deep")
        found = [self.conjunction()]
        while self.takes("or"):
            found.append(self.conjunction())
        self.depth -= 1
        return joined(operator.or_, found)

    def conjunction(self) -> pc.Expression:
        found = [self.negation()]
        while self.takes("and"):
            found.append(self.negation())
        return joined(operator.and_, found)

    def negation(self) -> pc.Expression:
        negative = False
        while self.takes("not"):
            negative = not negative
        if self.takes("("):
            found = self.condition()
            if not self.takes(")"):
                raise self.expected("and, or, or )")
        elif self.names_filter():
            found = self.filter()
        else:
            found = self.comparison()
        return ~found if negative else found

    def names_filter(self) -> bool:
        """Whether a filter's name stands here, and no column that others call ``@timestamp``."""
        token, behind = self.token, self.tokens[self.next + 1 :][:1]
        if token.kind != "word" or not token.text.startswith("@"):
            return False
        compared = behind and (behind[0].kind == "operator" and behind[0].text != ")")
        return token.text[1:] in self.filters or not compared

    def filter(self) -> pc.Expression:
        """Return what the filter means whose name stands here."""
        token = self.token
        name = token.text[1:]
        if name not in self.filters:
            raise QueryError(self.text, token.at, _unknown(token.text, self.filters))
        if name in self.within:
            way = ", ".join(f"@{one}" for one in (*self.within, name))
            raise QueryError(
                self.text, token.at, f"expected a filter that does not hold itself, found {way}"
            )
        self.next += 1
        inner = (*self.within, name)
        try:
            text = self.filters[name]
            return _Query(text, self.fields, self.filters, inner, self.depth, self.left).whole()
        except FilterError as error:
            error.named = error.named or name
            raise

    def comparison(self) -> pc.Expression:
        column, field = self.token, self.column()
        if next(self.left, None) is None:
            raise QueryError(
                self.text, column.at, f"expected at most {MOST_CONDITIONS:,} conditions in all "
                "(many values go into one, with in), found more",
            )  # fmt: skip
        negative = self.takes("not")
        where = self.token
        try:
            found = self.test(column, field)
        except QueryError:
            raise
        except FilterError as error:
            at = where.at if error.text == column.text else self.tokens[self.next - 1].at
            raise QueryError(self.text, at, str(error)) from None
        if found is None:
            raise self.expected(
                "in, like, ilike or contains"
                if negative
                else "=, <, >, ~, in, like, contains, is, or such"
            )
        if negative and where.word not in ("in", *_MATCHING):
            raise QueryError(self.text, where.at, "expected in, like, ilike or contains behind not")
        return ~found if negative else found

    def test(self, column: _Token, field: Field) -> pc.Expression | None:
        """Return the comparison of ``field`` that stands here, None if none does."""
        sign = self.token
        if sign.word == "between":
            raise QueryError(
                self.text, sign.at, f"write {column.text} >= a and {column.text} < b: whether "
                "both ends belong to it can then be seen",
            )  # fmt: skip
        if sign.kind != "operator" and sign.word not in ("in", "is", *_MATCHING):
            return None
        if sign.text in ("(", ")", ","):
            return None
        self.next += 1
        if "~" in sign.text:
            found = field.matches(self.pattern(), ignore_case=sign.text.endswith("*"))
            return ~found if sign.text.startswith("!") else found
        if sign.word in ("like", "ilike"):
            return field.like(self.pattern(), ignore_case=sign.word == "ilike")
        if sign.word == "contains":
            return field.contains(self.pattern())
        if sign.word == "in":
            return field.isin(self.values(field))
        if sign.word == "is":
            negative = self.takes("not")
            if not self.takes("null"):
                raise self.expected("null")
            return field.is_valid() if negative else field.is_null()
        if self.token.word == "null":
            negative = sign.text in ("!=", "<>")
            raise QueryError(
                self.text, sign.at, f"nothing equals null: write {column.text} is "
                f"{'not ' if negative else ''}null",
            )  # fmt: skip
        return _COMPARE[sign.text](field, self.value(field))

    def column(self) -> Field:
        token = self.token
        if token.kind != "word" or token.word:
            raise self.expected("the name of a column")
        self.next += 1
        case = token.text.lower()
        try:
            if case in ("lower", "upper") and self.takes("("):
                token = self.token
                field = self.named()
                if not self.takes(")"):
                    raise self.expected(")")
                return field.lower() if case == "lower" else field.upper()
            self.next -= 1
            return self.named()
        except QueryError:
            raise
        except FilterError as error:
            raise QueryError(self.text, token.at, str(error)) from None

    def named(self) -> Field:
        token = self.token
        if token.kind != "word" or token.word:
            raise self.expected("the name of a column")
        self.next += 1
        name, _, attribute = token.text.partition(".")
        field = self.fields[name if name in self.fields else token.text]
        return field[attribute] if attribute else field

    def values(self, field: Field) -> list[object]:
        if not self.takes("("):
            raise self.expected("( and values")
        values = [self.value(field)]
        while self.takes(","):
            values.append(self.value(field))
        if not self.takes(")"):
            raise self.expected(", or )")
        return values

    def value(self, field: Field) -> object:
        token = self.token
        text = self.pattern()
        if token.kind == "word" and field.kind in _NUMBERS:
            for number in (int, float):
                try:
                    return number(text)
                except ValueError:
                    continue
        return text

    def pattern(self) -> str:
        token = self.token
        if token.kind == "text":
            quote = token.text[0]
            self.next += 1
            return token.text[1:-1].replace(2 * quote, quote)
        if token.kind != "word" or token.word:
            raise self.expected("a value (text in quotes, a word or a number)")
        self.next += 1
        return token.text

    # -- tokens --------------------------------------------------------------------

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def takes(self, text: str) -> bool:
        """Whether the next token is this keyword or sign; if so it is passed."""
        token = self.token
        if token.word == text or (token.kind == "operator" and token.text == text):
            self.next += 1
            return True
        return False

    def expected(self, what: str) -> QueryError:
        token = self.token
        if token.text in ("'", '"'):
            return QueryError(
                self.text, token.at, "expected the quote that ends this text, found the end"
            )
        found = repr(token.text) if token.text else "the end"
        return QueryError(self.text, token.at, f"expected {what}, found {found}")


def _unknown(said: str, filters: Mapping[str, str]) -> str:
    import difflib  # start-up: most names are known

    known = [f"@{name}" for name in filters]
    near = difflib.get_close_matches(said, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    there = (
        f"expected one of the filters {', '.join(known)}"
        if known
        else ("expected a condition: no filters with a name are known")
    )
    return f"{there}, found {said!r}{hint}"
