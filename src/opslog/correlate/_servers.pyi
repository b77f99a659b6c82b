class Lines:
    most: int
    oldest: int
    def __init__(self) -> None: ...
    def match(
        self,
        last: bool,
        lines: memoryview,
        requests: memoryview,
        known: memoryview,
        *rows: memoryview,
    ) -> int: ...

def mark(numbers: memoryview, marks: memoryview) -> None: ...
