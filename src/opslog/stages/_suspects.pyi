from collections.abc import Callable

from opslog.kernel._screen import Screen

ANYWHERE: int
NAME: int
URL: int
PLAIN: int
BYTES: int

class Suspects(Screen):
    def __init__(
        self, words: list[tuple[bytes, int]], is_secret: Callable[[str], bool]
    ) -> None: ...
    def hits(self, text: bytes) -> list[tuple[int, int, int]]: ...
    def text(self, text: bytes) -> bool: ...
    def base64(self, text: bytes) -> bool: ...
    def rows(self, offsets: memoryview, data: memoryview, first: int, count: int) -> list[int]: ...
