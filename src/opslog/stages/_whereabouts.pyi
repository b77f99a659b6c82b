WORD: int
NUMBERS: int
GROUPS: int
MAIL: int
NAME: int
URL: int

class Whereabouts:
    def __init__(self, names: list[bytes]) -> None: ...
    def forget(self) -> None: ...
    def know(self, word: bytes) -> None: ...
    def find(self, data: bytes) -> list[tuple[int, int, int]]: ...
    def column(
        self, offsets: memoryview, data: memoryview, first: int, count: int
    ) -> list[tuple[int, int, int]]: ...

def replaced(
    offsets: memoryview,
    data: memoryview,
    first: int,
    count: int,
    changes: list[tuple[int, int, bytes]],
) -> tuple[bytearray, bytearray]: ...
