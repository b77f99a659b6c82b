from opslog.scanner._program import Program

KINDS: dict[str, int]
CHANGES: dict[str, int]
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
        line_fields: list[list[tuple[int, ...]]],
        message_fields: list[list[tuple[int, ...]]],
        special: dict[str, int],
        services: list[int],
        texts: list[bytes],
        slots: dict[str, int],
        tails: bool,
        details: bool,
        requests: bool,
    ) -> None: ...
