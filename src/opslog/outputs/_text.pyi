from typing import Any

from typing_extensions import Buffer

class TextRows:
    count: int
    def __init__(
        self, arrays: list[Any], count: int, colored: bool, full: bool, measured: bool
    ) -> None: ...

class TextLines(Buffer):
    def __init__(self, width: int, hosts: bool) -> None: ...
    def put(self, rows: TextRows) -> None: ...
