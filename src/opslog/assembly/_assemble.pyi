from opslog.assembly._records import Records
from opslog.kernel._block import Block
from opslog.scanner._program import Program

class Assembler:
    def __init__(self, program: Program) -> None: ...
    cut: int
    def feed(self, block: Block, final: bool, held: int = -1) -> Records: ...
    @property
    def open_end(self) -> int | None: ...
