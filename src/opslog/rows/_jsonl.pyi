from collections.abc import Callable
from typing import Any

from typing_extensions import Buffer

from opslog.assembly._records import Records
from opslog.kernel._screen import Screen
from opslog.rows._plan import Plan
from opslog.rows._values import Rows

ARRAY_KINDS: dict[str, int]

class JsonKeys:
    def __init__(
        self,
        columns: list[tuple[str, str]],
        shown: int,
        formats: list[str],
    ) -> None: ...

class JsonRows(Rows):
    def __init__(
        self,
        records: Records,
        plan: Plan,
        service: bytes,
        program: bytes,
        host: bytes,
        selection: memoryview | None,
        ambiguous: memoryview | None,
        names: JsonKeys,
        moments: memoryview | None,
        timed: memoryview | None,
        source: bytes,
        screen: Screen | None = None,
        change: Callable[[bytes], bytes | None] | None = None,
    ) -> None: ...

class JsonLines(Buffer):
    exports: int
    def encode_rows(self, rows: JsonRows, places: memoryview | None = None) -> bool: ...
    def encode(self, columns: list[tuple[str, str, Any]], rows: int) -> int: ...
