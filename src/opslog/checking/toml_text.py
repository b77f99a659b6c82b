"""The text of a format file."""

from __future__ import annotations

from typing import Any

import tomli_w


def to_toml(data: dict[str, Any]) -> str:
    """Return the text of the format file that states ``data``."""
    return tomli_w.dumps(data, multiline_strings=True)
