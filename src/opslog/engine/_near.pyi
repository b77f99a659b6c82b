from opslog.kernel._block import Block
from opslog.scanner._program import Program

def around(
    program: Program, block: Block, places: list[int], ends: bool
) -> tuple[int, int] | None: ...
