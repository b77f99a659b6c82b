from collections.abc import Callable

class Services:
    def __init__(self, find: Callable[[bytes], bytes | None], program: bytes) -> None: ...
