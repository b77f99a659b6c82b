import pyarrow as pa

from opslog.kernel._block import Block
from opslog.scanner._program import Program

class Records:
    block: Block
    count: int
    places: pa.Array | None
    def counts(self, program: Program) -> dict[int, tuple[int, int, int]]: ...
    def stored(self, program: Program) -> bytes | None: ...
    def stored_counts(
        self, program: Program, column: int
    ) -> dict[str | None, tuple[int, int, int]]: ...
