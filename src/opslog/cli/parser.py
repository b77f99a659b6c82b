"""The parser of the command line: help that fits the terminal, errors of one line.

An option with a value is given once: a second value would silently take the place
of the first, so it is an error.  An option that may be given again says so in its
help, and all its values count.  A switch may be repeated, which changes nothing.
An empty value is an error: it is a variable that somebody forgot to set.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any, NoReturn, TypeAlias

from opslog.terminal.escape import escaped

_SIGNED = ("--timezone", "--since", "--until", "--good-since", "--good-until")
"""Options whose value may begin with a minus, which argparse takes for an option."""

DEDUP = "1m"
"""The window of --dedup without one."""

SECRETS, SHARE = "secrets", "share"
"""What --mask masks: without a value, and for a public bug."""

_WORDINGS = (
    (r"^argument (?=\S+: )", ""),
    (r"expected (one argument|at least one argument)$", "expected a value, found none"),
    (r"ignored explicit argument (.*)$", r"expected no value, found \1"),
    (r"not allowed with argument (.*)$", r"cannot go with \1: leave one of them out"),
    (r"^the following arguments are required: (.*)$", r"expected \1, found nothing"),
    (r"^ambiguous option: (\S+) could match (.*)$", r"\1: expected one option, found \2"),
    (r"^unrecognized arguments: (.*)$", r"expected an option or a command, found \1"),
)
"""What argparse says, as a pattern, and how it is said here."""


class CommandParser(argparse.ArgumentParser):
    """A parser whose subcommands are parsed in the same way."""

    def __init__(self, **given: Any) -> None:
        super().__init__(formatter_class=_Help, **given)
        self.register("action", None, _Once)
        self.register("action", "store", _Once)
        self.register("action", "append", _Repeatable)
        self._mixing = False
        self._arguments: list[str] = []
        self.on_error: Callable[[list[str], str], None] | None = None
        """Is told the arguments and what is wrong with them, before it is said."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, but let options stand between arguments, as other tools do."""
        self._arguments = self._arguments or list(args or ())
        if self._subparsers is not None or self._mixing:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            if "--" in self._arguments:  # of two parsings the second would not see it
                options, unknown = super().parse_known_args(args, namespace)
                if not unknown:
                    return options, unknown
            options, unknown = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False
        if unknown:
            self._refuse_unknown(unknown[0])
        return options, unknown

    def _get_option_tuples(self, option_string: str) -> list[Any]:
        """Return the options that a flag abbreviates, but none where it means another by habit.

        One dash has no abbreviation, but a letter and its value: ``-n9``.
        """
        found = super()._get_option_tuples(option_string)
        if not option_string.startswith("--"):
            return found
        from opslog.cli.habits import option_meant  # start-up: most flags are whole

        flag = option_string.partition("=")[0]
        meant = option_meant(flag, self._option_string_actions)
        if meant is None:
            return found
        action = self._option_string_actions.get(meant.partition(" ")[0])
        return [one for one in found if one[0] is action]

    def _refuse_unknown(self, argument: str) -> NoReturn:
        flag = argument.partition("=")[0]
        what = "an option" if flag.startswith("-") else "no further argument"
        near = _near(flag, self._option_string_actions)
        self.error(f"expected {what} of `{self.prog}`, found {argument!r}{near}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and exit with code 2."""
        for pattern, wording in _WORDINGS:
            message = re.sub(pattern, wording, message)
        message = f"{escaped(message)}; `{self.prog} --help` says more"
        if self.on_error is not None:
            self.on_error(self._arguments, message)
        self.exit(2, f"opslog: {message}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = ", ".join(action.choices)
            from opslog.cli.habits import command_meant  # start-up: most words are known

            meant = isinstance(action, argparse._SubParsersAction) and command_meant(value)
            near = f"; did you mean {meant!r}?" if meant else did_you_mean(value, action.choices)
            raise argparse.ArgumentError(action, f"expected one of {known}, found {value!r}{near}")


def _near(flag: str, known: Collection[str]) -> str:
    """Return the end of an error that asks for the option meant, by habit or by its letters."""
    from opslog.cli.habits import option_meant  # start-up: most words are known

    meant = option_meant(flag, known)
    if meant is None:
        return did_you_mean(flag, known)
    return f"; did you mean {meant!r}?" if meant else ""


Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"
"""What a command is added to."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of an error that asks for the nearest known word, nothing without one."""
    import difflib  # start-up: most words are known

    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def with_signed_values(arguments: list[str]) -> list[str]:
    """Join to its option each value that begins with a minus and a digit: ``--since=-2h``."""
    out: list[str] = []
    for argument in arguments:
        if out and out[-1] in _SIGNED and re.match(r"-\d", argument):
            out[-1] += f"={argument}"
        else:
            out.append(argument)
    return out


_IMPLIED = {"--dedup": DEDUP, "--mask": SECRETS}
_VALUES = {
    "--dedup": re.compile("[0-9.]+ ?[a-z]*"),
    "--mask": re.compile(f"{SECRETS}|{SHARE}"),
}


def with_implied(arguments: list[str]) -> list[str]:
    """Give options that may have a value theirs: argparse would take the next argument, a file.

    What follows is the value where it can be one and no file has that name.
    """
    out: list[str] = []
    for argument in arguments:
        flag = out[-1] if out else ""
        if flag in _IMPLIED and _VALUES[flag].fullmatch(argument) and not os.path.exists(argument):
            out[-1] = f"{flag}={argument}"
        else:
            out.append(argument)
    return [f"{one}={_IMPLIED[one]}" if one in _IMPLIED else one for one in out]


class _Once(argparse._StoreAction):
    """Stores the value of an option that is given once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        _refuse_empty(self, values)
        given = vars(namespace).setdefault("given", set())
        if self.option_strings and self.dest in given:
            raise argparse.ArgumentError(self, "expected once, found twice: leave one of them out")
        given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)


class _Repeatable(argparse._AppendAction):
    """Adds the value of an option that may be given again."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        _refuse_empty(self, values)
        super().__call__(parser, namespace, values, option_string)


def _refuse_empty(action: argparse.Action, values: Any) -> None:
    if values == "" or (isinstance(values, list) and "" in values):
        raise argparse.ArgumentError(action, "expected a value, found ''")


def _columns() -> int:
    """Return how wide help is: as shutil tells, whose import takes as long as all options do."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isdecimal() and int(stated):
        return int(stated)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns or 80
    except (OSError, ValueError):  # closed, or no terminal
        return 80


class _Help(argparse.HelpFormatter):
    """Wraps texts, but leaves those that are examples as they stand."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)  # as argparse has it
        self._action_max_length = 16  # room for the name of each subcommand

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return "".join(indent + line for line in text.splitlines(keepends=True))
        return super()._fill_text(text, width, indent)
