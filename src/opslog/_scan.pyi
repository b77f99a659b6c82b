from collections.abc import Callable

from opslog._block import Block
from opslog._program import Program

def scan(program: Program, block: Block, most_lines: int) -> int: ...
def recognise(program: Program, block: Block, find: Callable[[bytes], object]) -> None: ...
