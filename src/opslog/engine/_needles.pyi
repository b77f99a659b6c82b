from collections.abc import Iterable

from opslog.kernel._block import Block

class Needles:
    def __init__(self, texts: Iterable[bytes]) -> None: ...
    def may_be_in(self, block: Block) -> bool: ...
