import pyarrow as pa

from opslog.kernel._block import Block
from opslog.scanner._program import Program

class Records:
    block: Block
    count: int
    places: pa.Array | None
    def counts(self, program: Program) -> dict[int, tuple[int, int, int]]: ...
