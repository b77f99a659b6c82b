"""The errors opslog raises, split by who must act.

A bad *line* is never an error: it becomes a record.  These classes are for a
bad definition, argument, file or disk.  Every message is one line that says
what was expected, what was found, where, and what to do; the same facts are
attributes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

_PASSWORD = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]*@")

E = TypeVar("E", bound="OpslogError")


class OpslogError(Exception):
    """Base of every error opslog raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception would call the class with its message alone.
        return _unpickled, (type(self), self.args, vars(self))


def _unpickled(kind: type[E], args: tuple[Any, ...], facts: dict[str, Any]) -> E:
    error = kind.__new__(kind, *args)
    vars(error).update(facts)
    return error


class LayoutError(OpslogError):
    """A layout text is not a layout; ``column`` (0-based) says where."""

    def __init__(self, layout: str, column: int, reason: str) -> None:
        self.layout = layout
        self.column = column
        self.reason = reason
        super().__init__(f"{reason}\n  {layout}\n  {' ' * column}^")


class FormatError(OpslogError):
    """A format file cannot be used; ``path`` and ``key`` say where, ``hint`` what to do."""

    def __init__(self, path: str, key: str, reason: str, hint: str = "") -> None:
        self.path = path
        self.key = key
        self.reason = reason
        self.hint = hint
        super().__init__(f"{path}: {key}: {reason}" + (f"; {hint}" if hint else ""))


class SampleError(FormatError):
    """A sample of a format file is not read as the file says.

    ``line`` is the line in question and ``matched_up_to`` the byte column up to
    which it was read, or where the value found stands; ``note`` says which.
    """

    def __init__(
        self,
        path: str,
        key: str,
        line: str,
        matched_up_to: int,
        expected: str,
        found: str,
        note: str = "",
    ) -> None:
        self.line = line
        self.matched_up_to = matched_up_to
        self.expected = expected
        self.found = found
        self.note = note
        # A tab or a color code would move the caret away from its place.
        shown = "".join(c if c.isprintable() else "\ufffd" for c in line)
        column = len(line.encode()[:matched_up_to].decode(errors="replace"))
        caret = f"{' ' * column}^ {note}".rstrip()
        super().__init__(path, key, f"expected {expected}, found {found}\n  {shown}\n  {caret}")


class OsloOptionError(OpslogError):
    """An oslo.log format option cannot be turned into a layout; ``path``: whose it is."""

    def __init__(self, option: str, value: str, reason: str, path: str = "") -> None:
        self.option = option
        self.value = value
        self.reason = reason
        self.path = path
        place = f"{path}: {option}" if path else option
        super().__init__(
            f"{place}: {reason}\n  {value!r}\n"
            "  change the option, or write a format for these lines, with [[layouts]]"
        )


class SwiftTemplateError(OpslogError):
    """A log_msg_template cannot be turned into a layout; ``column`` (0-based) says where."""

    def __init__(self, template: str, column: int, reason: str, path: str = "") -> None:
        self.template = template
        self.column = column
        self.reason = reason
        self.path = path
        place = f"{path}: log_msg_template" if path else "log_msg_template"
        super().__init__(
            f"{place}: {reason}\n  {template}\n  {' ' * column}^\n"
            "  change the option, or write a format for these lines, with [[layouts]]"
        )


class FilterError(OpslogError):
    """A filter names a column or value that does not exist; ``named``: in which named filter."""

    named = ""

    def __init__(self, text: str, reason: str, did_you_mean: str | None = None) -> None:
        self.text = text
        self.reason = reason
        self.did_you_mean = did_you_mean
        hint = f"; did you mean {did_you_mean!r}?" if did_you_mean else ""
        colon = "" if reason.endswith("found") else ":"
        super().__init__(f"{reason}{colon} {text!r}{hint}")


class QueryError(FilterError):
    """The text of a filter cannot be read; ``column`` (0-based) says where."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(text, reason)
        self.column = column
        self.args = (f"{reason}\n  {text}\n  {' ' * column}^",)


class ConfigError(OpslogError):
    """A file of settings cannot be used; ``path`` and ``line`` (from 1; 0: all of it) say where."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        self.path = path
        self.line = line
        self.reason = reason
        super().__init__(f"{path}:{line}: {reason}" if line else f"{path}: {reason}")


class SourceError(OpslogError):
    """An input cannot be read, or not to its end; ``path`` says which.

    The message shows no password of a URL.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(_PASSWORD.sub("***@", f"{path}: {reason}"))


class SourceErrors(SourceError, ExceptionGroup[SourceError]):  # noqa: N818 (a group of them)
    """Several inputs cannot be read, or not to their ends.

    ``exceptions`` are their SourceErrors in the order of the inputs; ``path`` and
    ``reason`` are those of the first.
    """

    def __init__(self, message: str, errors: Sequence[SourceError]) -> None:
        self.path = errors[0].path
        self.reason = errors[0].reason

    def derive(self, errors: Sequence[SourceError]) -> SourceErrors:  # type: ignore[override]
        """Return the group of some of them."""
        return SourceErrors(self.message, errors)


def raise_all(errors: Sequence[SourceError]) -> None:
    """Raise what kept sources from being read, if anything did."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SourceErrors("some sources could not be read", errors)


class SinkError(OpslogError):
    """An output cannot be written; ``path`` says which.

    The message shows no password of a URL.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(_PASSWORD.sub("***@", f"{path}: {reason}"))
