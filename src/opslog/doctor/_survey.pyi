from opslog.assembly._records import Records
from opslog.scanner._program import Program

INCOMPLETE: tuple[str, ...]

def survey(
    records: Records,
    program: Program,
    leaves: memoryview,
    lines: memoryview,
    joined: memoryview,
    marks: memoryview,
    chains: memoryview,
) -> None: ...
def hash_texts(
    offsets: memoryview, data: memoryview, times: memoryview, hashes: memoryview
) -> None: ...
def holds(records: Records, needle: bytes) -> bool: ...
