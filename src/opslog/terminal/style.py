"""Colors of text, and the terminal they are for."""

from __future__ import annotations

import os

BOLD, DIM = "\x1b[1m", "\x1b[2m"
RED, GREEN, YELLOW, MAGENTA, CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[36m"
BOLD_RED = "\x1b[1;31m"
RESET = "\x1b[0m"


class Style:
    """Gives texts their colors, or leaves them as they are."""

    def __init__(self, colored: bool) -> None:
        self._colored = colored

    def __call__(self, color: str, text: str) -> str:
        """Return ``text`` in ``color`` (one of this module's, or none: "")."""
        return f"{color}{text}{RESET}" if self._colored and color and text else text


def terminal_width() -> int:
    """Return the columns of the terminal that standard output is, 0 if it is none."""
    return os.get_terminal_size(1).columns if os.isatty(1) else 0
