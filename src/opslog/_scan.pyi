from opslog._block import Block
from opslog._program import Program

def scan(program: Program, block: Block, most_lines: int) -> int: ...
