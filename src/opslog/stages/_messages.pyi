from opslog.rows._values import Rows

COLUMNS: tuple[str, ...]

class Messages(Rows):
    numbers: bytearray
    sizes: bytearray
    def told(self) -> list[tuple[bytes, bytes | None]]: ...
