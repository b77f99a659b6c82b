from collections.abc import Callable

from opslog.kernel._block import Block
from opslog.scanner._program import Program

def scan(
    program: Program,
    block: Block,
    most_lines: int,
    reference: int | None = None,
    floor: int = 0,
) -> int: ...
def layers(program: Program, block: Block) -> list[list[int]]: ...
def recognise(
    program: Program,
    block: Block,
    find: Callable[[bytes], object],
    reference: int | None = None,
) -> None: ...
