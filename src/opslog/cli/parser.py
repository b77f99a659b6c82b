"""The command line's parser: help that fits the terminal, errors of one line."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from opslog.model.terminal import harmless


class Parser(argparse.ArgumentParser):
    """A parser whose subcommands are parsed in the same way."""

    def __init__(self, **given: Any) -> None:
        super().__init__(formatter_class=_Help, **given)
        self._mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, but let options stand between arguments, as other tools do."""
        if self._subparsers is not None or self._mixing:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"opslog: {harmless(message)}; `{self.prog} --help` says more\n")


class _Help(argparse.HelpFormatter):
    """Wraps texts, but leaves those that are examples as they stand."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 16  # room for the name of each subcommand

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return "".join(indent + line for line in text.splitlines(keepends=True))
        return super()._fill_text(text, width, indent)
