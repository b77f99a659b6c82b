from typing import Any

from typing_extensions import Buffer

from opslog.assembly._records import Records
from opslog.rows._plan import Plan
from opslog.rows._values import Rows
from opslog.scanner._program import Program

class Memory(Buffer): ...

class Columns(Rows):
    def __init__(
        self,
        records: Records,
        plan: Plan,
        service: bytes,
        program: bytes,
        host: bytes,
        selection: memoryview | None,
        ambiguous: memoryview | None,
        *,
        source: bytes,
        shown: int,
    ) -> None: ...
    def column(self, number: int) -> Any: ...

def times(records: Records, selection: memoryview | None) -> tuple[int, Memory, Memory, Memory]: ...
def last_time(records: Records) -> tuple[int, bool] | None: ...
def severities(records: Records, selection: memoryview | None) -> tuple[int, Memory, Memory]: ...
def within(
    records: Records,
    selection: memoryview | None,
    least: int,
    moments: memoryview | None,
    known: memoryview | None,
    since: int,
    until: int,
) -> tuple[int, Memory]: ...
def formats(
    records: Records, program: Program, selection: memoryview | None
) -> tuple[int, Memory, Memory]: ...
def offsets(records: Records, selection: memoryview | None) -> Memory: ...
def sizes(records: Records, selection: memoryview | None) -> Memory: ...
def originals(records: Records, selection: memoryview | None) -> tuple[Memory, Memory]: ...
