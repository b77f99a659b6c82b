from collections.abc import Callable
from typing import Any

from typing_extensions import Buffer

from opslog._assemble import Records
from opslog._values import Plan, Rows, Services

ARRAY_KINDS: dict[str, int]

class JsonKeys:
    def __init__(
        self,
        columns: list[tuple[str, str]],
        shown: int,
        formats: list[str],
        source: str,
        program: str | None,
    ) -> None: ...

class JsonRows(Rows):
    def __init__(
        self,
        records: Records,
        plan: Plan,
        services: Services,
        selection: memoryview | None,
        ambiguous: memoryview | None,
        decode_list: Callable[[bytes], bytes | None],
        names: JsonKeys,
        moments: memoryview | None,
        timed: memoryview | None,
    ) -> None: ...

class JsonLines(Buffer):
    def encode_rows(self, rows: JsonRows) -> int: ...
    def encode(self, columns: list[tuple[str, str, Any]], rows: int) -> int: ...
