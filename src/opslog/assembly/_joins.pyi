from opslog.scanner._program import Program

class JoinedRecords:
    def __init__(self, program: Program) -> None: ...
