from opslog._block import Block
from opslog._program import Program

class Records:
    block: Block
    count: int
    def counts(self, program: Program) -> dict[int, tuple[int, int, int]]: ...

class Assembler:
    def __init__(self, program: Program) -> None: ...
    def feed(self, block: Block, final: bool) -> Records: ...
