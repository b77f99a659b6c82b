class Contexts:
    places: int
    forgotten: int
    def __init__(self, places: int) -> None: ...
    def find_calls(
        self,
        processes: memoryview,
        id_ends: memoryview,
        ids: memoryview | None,
        kinds: memoryview,
        times: memoryview,
        places: memoryview,
        target_ends: memoryview,
        targets: memoryview | None,
        statuses: memoryview,
        tellers: memoryview,
        calls: memoryview,
    ) -> None: ...
