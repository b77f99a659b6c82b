"""A loop over the lines with one regular expression, which only counts what a filter keeps.

    python count.py INPUT service NAME
    python count.py INPUT time START STOP

Times are written as the lines write them.  It is the least a script of one's
own must do: nothing but the line's beginning is looked at, no record is built.
"""

from __future__ import annotations

import re
import sys

HEAD = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \d+ [A-Z]+ ([^. ]+)\S* \[(?!instance)")


def main() -> None:
    """Print how many records there are."""
    path, kind, *wanted = sys.argv[1:]
    values = [value.encode() for value in wanted]
    count = 0
    with open(path, "rb") as file:
        for line in file:
            match = HEAD.match(line)
            if match is None:
                continue
            if kind == "service":
                count += match[2] == values[0]
            else:
                count += values[0] <= match[1] < values[1]
    print(count)


if __name__ == "__main__":
    main()
