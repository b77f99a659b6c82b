from opslog.assembly._records import Records
from opslog.rows._plan import Plan
from opslog.rows._values import Rows

class Matching(Rows):
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
        asked: int,
    ) -> None: ...
    def found(self, texts: bytes, ends: memoryview, whole: int, numbers: memoryview) -> int: ...
