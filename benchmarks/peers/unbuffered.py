"""Puts each line of standard input into JSON at once: the least a filter in a pipe does."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Write one object a line, each as soon as its line is there."""
    for line in sys.stdin:
        print(json.dumps({"body": line.rstrip("\n")}), flush=True)


if __name__ == "__main__":
    main()
