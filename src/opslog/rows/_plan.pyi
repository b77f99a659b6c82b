from collections.abc import Sequence

from opslog.scanner._program import Program

KINDS: dict[str, int]
CHANGES: dict[str, int]
SHAPES: dict[str, int]
FIELDS: tuple[str, ...]
FIXED_TEXTS: list[bytes]
WITHOUT_SLOT: int
COLUMN_LIMIT: int

class Plan:
    count: int
    texts: list[bytes]
    def __init__(
        self,
        *,
        lines: Program,
        messages: Program,
        kinds: list[tuple[str, bool]],
        line_fields: Sequence[Sequence[tuple[int, ...]]],
        message_fields: Sequence[Sequence[tuple[int, ...]]],
        line_owners: list[int],
        message_owners: list[int],
        special: dict[str, int],
        services: list[int],
        texts: list[bytes],
        slots: dict[str, int],
        tails: bool,
        details: bool,
        requests: bool,
    ) -> None: ...
