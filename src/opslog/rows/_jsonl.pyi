from typing import Any

from typing_extensions import Buffer

from opslog.rows._json_rows import JsonRows

ARRAY_KINDS: dict[str, int]

class JsonLines(Buffer):
    exports: int
    def encode_rows(self, rows: JsonRows, heads: bool = False) -> int: ...
    def encode(self, columns: list[tuple[str, str, Any]], rows: int) -> int: ...
