"""``F``: filters as people write them; each is a plain pyarrow expression.

    F.severity >= "WARNING"
    (F.service_name == "nova") & ~F.body.contains("heartbeat")

A leaf is never null: where the record has no value it is false, so ``~f`` keeps
exactly what ``f`` drops, records without a value included.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from opslog.filters import arrow, times
from opslog.filters.texts import checked
from opslog.model import arrays, schema, severity
from opslog.model.column_words import meant
from opslog.model.errors import FilterError
from opslog.model.zones import Zone

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

SEVERITY = "severity"
"""The one alias: severity_number, compared with words."""

_TEXTS = ("string", "dictionary")
_KINDS = {column.name: column.kind for column in schema.COLUMNS} | {SEVERITY: SEVERITY}
_EXPECTED = {
    "string": "text", "dictionary": "text", "int64": "a whole number", "float64": "a number",
    "uint8": f"a number from 1 to {severity.MOST}", "binary": "bytes",
}  # fmt: skip


class Field:
    """A column to be compared; every comparison returns a pyarrow expression."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str, kind: str, expression: pc.Expression, zone: Zone) -> None:
        self._name = name
        self.kind = kind
        """The kind of its values, as in schema.py, or ``severity``."""
        self._expression = expression
        self._zone = zone

    def __repr__(self) -> str:
        return f"F.{self._name}"

    def __bool__(self) -> NoReturn:
        raise FilterError(
            self._name, "a column is no condition: compare it, or use .is_valid(); "
            "join conditions with &, | and ~",
        )  # fmt: skip

    def __eq__(self, value: object) -> pc.Expression:
        least, greatest = self._span(value)
        if least == greatest:
            return _leaf(self._expression == least)
        return _leaf((self._expression >= least) & (self._expression <= greatest))

    def __ne__(self, value: object) -> pc.Expression:
        """Whether there is a value, and another one."""
        least, greatest = self._span(value)
        if least == greatest:
            return _leaf(self._expression != least)
        return _leaf((self._expression < least) | (self._expression > greatest))

    def __lt__(self, value: object) -> pc.Expression:
        return _leaf(self._expression < self._span(value)[0])

    def __le__(self, value: object) -> pc.Expression:
        return _leaf(self._expression <= self._span(value)[1])

    def __gt__(self, value: object) -> pc.Expression:
        return _leaf(self._expression > self._span(value)[1])

    def __ge__(self, value: object) -> pc.Expression:
        return _leaf(self._expression >= self._span(value)[0])

    def __getitem__(self, name: str) -> Field:
        """Return the attribute ``name`` as a text column: ``F.attributes["api_microversion"]``."""
        if self.kind != "map":
            raise FilterError(
                self._name, "expected attributes, the only column with values of a name, found"
            )
        # Acero finds nothing to bind in a key of Python's: an Arrow scalar it must be.
        options = arrow.compute.MapLookupOptions(arrays.text(checked(name)), "first")
        value = arrow.call("map_lookup", self._expression, options=options)
        return Field(f"attributes[{name!r}]", "string", value, self._zone)

    def between(self, start: object, stop: object) -> pc.Expression:
        """Whether the value is ``start`` or more, and less than ``stop``."""
        return (self >= start) & (self < stop)

    def isin(self, values: Iterable[object]) -> pc.Expression:
        """Whether the value is one of ``values``."""
        import pyarrow as pa

        if isinstance(values, (str, bytes)):
            raise FilterError(str(values), f"{self._name}: expected several values, found")
        if self.kind == SEVERITY:
            values = [number for value in values for number in self._numbers(value)]
        each = [pa.repeat(self._scalar(value), 1) for value in values]
        if not each:
            return arrow.constant(arrays.boolean(False))
        options = arrow.compute.SetLookupOptions(pa.concat_arrays(each))
        return _leaf(arrow.call("is_in", self._expression, options=options))

    def is_valid(self) -> pc.Expression:
        """Whether there is a value."""
        return self._expression.is_valid()

    def is_null(self) -> pc.Expression:
        """Whether there is none."""
        return self._expression.is_null()

    def contains(self, text: str, *, ignore_case: bool = False) -> pc.Expression:
        """Whether ``text`` stands in the value."""
        return self._matching("match_substring", checked(text), ignore_case)

    def startswith(self, text: str) -> pc.Expression:
        """Whether the value begins with ``text``."""
        return self._matching("starts_with", checked(text))

    def endswith(self, text: str) -> pc.Expression:
        """Whether the value ends with ``text``."""
        return self._matching("ends_with", checked(text))

    def matches(self, pattern: str, *, ignore_case: bool = False) -> pc.Expression:
        """Whether the regular expression ``pattern`` is found anywhere in the value.

        The syntax is that of RE2, whose time is linear in the text: no
        look-around, no back-references.  Raises FilterError for a bad one.
        """
        try:
            options = arrow.compute.MatchSubstringOptions(checked(pattern))
            arrow.compute.call_function("match_substring_regex", [arrays.text("")], options)
        except ValueError as error:
            reason = str(error).removeprefix("Invalid regular expression: ")
            raise FilterError(
                pattern, f"expected a regular expression of RE2 ({reason}), found"
            ) from None
        return self._matching("match_substring_regex", pattern, ignore_case)

    def like(self, pattern: str, *, ignore_case: bool = False) -> pc.Expression:
        """Whether the whole value is ``pattern``: ``%`` for any text, ``_`` for one character."""
        return self._matching("match_like", checked(pattern), ignore_case)

    def lower(self) -> Field:
        """Return the column with its text in small letters."""
        return Field(
            f"lower({self._name})", "string", arrow.call("utf8_lower", self._text()), self._zone
        )

    def upper(self) -> Field:
        """Return the column with its text in capitals."""
        return Field(
            f"upper({self._name})", "string", arrow.call("utf8_upper", self._text()), self._zone
        )

    def glob(self, pattern: str) -> pc.Expression:
        """Whether the whole value is ``pattern``: ``*`` for any text, ``?`` for one character."""
        if not set("*?") & set(pattern):
            return self == pattern
        parts = {"*": ".*", "?": "."}
        return self.matches("(?s)^" + "".join(parts.get(c) or re.escape(c) for c in pattern) + "$")

    def _matching(self, function: str, pattern: str, ignore_case: bool = False) -> pc.Expression:
        options = arrow.compute.MatchSubstringOptions(pattern, ignore_case=ignore_case)
        return _leaf(arrow.call(function, self._text(), options=options))

    def _text(self) -> pc.Expression:
        if self.kind not in _TEXTS:
            raise FilterError(self._name, "expected a column of text to search, found")
        if self.kind == "dictionary":  # Arrow has no kernel that searches one
            return self._expression.cast(schema.arrow_types()["string"])
        return self._expression

    def _span(self, value: object) -> tuple[pa.Scalar, pa.Scalar]:
        """Return the least and the greatest of what a value stands for: mostly one."""
        if self.kind == SEVERITY and isinstance(value, str):
            least, greatest = severity.span(value)
            return arrays.uint8(least), arrays.uint8(greatest)
        scalar = self._scalar(value)
        return scalar, scalar

    def _numbers(self, value: object) -> Iterable[object]:
        """Return the severities that a word or number stands for."""
        if not isinstance(value, str):
            return [value]
        least, greatest = severity.span(value)
        return range(least, greatest + 1)

    def _scalar(self, value: object) -> pa.Scalar:
        """Return what to compare with; raises FilterError if the column holds nothing like it."""
        kind = self.kind
        if value is None:
            raise FilterError(self._name, "nothing equals null: use .is_null() or .is_valid()")
        if isinstance(value, str):
            if kind in _TEXTS:
                return arrays.text(checked(value))
            if kind == "timestamp":
                return arrays.timestamp(times.instant(value, self._zone))
        elif isinstance(value, datetime) and kind == "timestamp":
            return arrays.timestamp(self._zone.instant(value))
        elif isinstance(value, date) and kind == "timestamp":
            midnight = datetime(value.year, value.month, value.day)
            return arrays.timestamp(self._zone.instant(midnight))
        elif isinstance(value, int) and not isinstance(value, bool):
            if kind in ("uint8", SEVERITY) and 0 <= value <= severity.MOST:
                return arrays.uint8(value)
            if kind == "int64" and -(2**63) <= value < 2**63:
                return arrays.int64(value)
            if kind == "float64" and abs(value) < 2**1000:
                return arrays.float64(float(value))
        elif isinstance(value, float) and kind == "float64" and not math.isnan(value):
            return arrays.float64(value)
        elif isinstance(value, bytes) and kind == "binary":
            return arrays.binary(value)
        raise FilterError(str(value), f"{self._name}: {self._expected()}, found")

    def _expected(self) -> str:
        if self.kind == "map":
            return "expected an attribute's name, F.attributes['name']"
        if self.kind == SEVERITY:
            return f"expected a severity word or a number from 1 to {severity.MOST}"
        if self.kind == "timestamp":
            return "expected a time"
        return f"expected {_EXPECTED[self.kind]}"


class Fields:
    """The columns by name: ``F.body``; ``timezone`` is that of times without an offset."""

    def __init__(self, timezone: str = "UTC") -> None:
        self._zone = Zone(timezone)

    def __getattr__(self, name: str) -> Field:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Field:
        if name not in _KINDS:
            raise FilterError(
                name, "expected a column (`opslog schema` lists them), found", meant(name, _KINDS)
            )
        column = "severity_number" if name == SEVERITY else name
        return Field(name, _KINDS[name], arrow.column(column), self._zone)

    def __contains__(self, name: str) -> bool:
        return name in _KINDS

    def __dir__(self) -> list[str]:
        return list(_KINDS)


def _leaf(condition: Any) -> pc.Expression:
    return arrow.call("coalesce", condition, arrow.constant(arrays.boolean(False)))


F = Fields()
"""The columns; times without an offset are UTC, or use ``Fields("Europe/Berlin")``."""
