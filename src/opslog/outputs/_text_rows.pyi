from typing import Any

class TextRows:
    count: int
    def __init__(
        self,
        arrays: list[Any],
        count: int,
        colored: bool,
        full: bool,
        measured: bool,
        local: Any = None,
        marked: bool = False,
    ) -> None: ...
