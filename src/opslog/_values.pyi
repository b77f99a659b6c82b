from collections.abc import Callable

from opslog._scan import Program

KINDS: dict[str, int]
FIXED_TEXTS: list[bytes]

class Plan:
    count: int
    texts: list[bytes]
    def __init__(
        self,
        *,
        lines: Program,
        messages: Program,
        kinds: list[tuple[str, bool]],
        line_fields: list[list[tuple[int, int, int, int]]],
        message_fields: list[list[tuple[int, int, int, int]]],
        special: dict[str, int],
        texts: list[bytes],
        slots: dict[str, int],
        tails: bool,
        requests: bool,
    ) -> None: ...

class Services:
    def __init__(self, find: Callable[[bytes], bytes | None]) -> None: ...

class Rows:
    count: int
