from collections.abc import Iterator

from typing_extensions import Buffer

def heads(places: memoryview, size: int) -> bytearray: ...

class Taken(Buffer):
    exports: int
    def order(self, runs: int) -> tuple[bytearray, bytearray]: ...

class Merge:
    def __init__(
        self, fd: int, parts: list[Iterator[tuple[int, int]]], lines: bool, window: int
    ) -> None: ...
    def take(self, out: Taken, rows: int, size: int) -> int: ...
