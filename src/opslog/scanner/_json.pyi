WORD: int
USES: dict[str, int]

class JsonTable:
    slots: int
    def __init__(
        self,
        keys: list[tuple[int, int, int, int, int]],
        texts: bytes,
        numbers: bytes,
        shapes: list[tuple[int, ...]],
        slots: int,
        words: bytes,
        common: int,
        uses: bytes,
        pairs: bool,
    ) -> None: ...
