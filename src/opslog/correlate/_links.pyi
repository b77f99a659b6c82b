from typing_extensions import Buffer

from opslog.assembly._records import Records

USERS: tuple[int, int]
ADOPTED: int

class Sights(Buffer): ...

def find_links(
    records: Records,
    moments: memoryview,
    timed: memoryview | None,
    pairs: memoryview,
    quotes: memoryview,
    adopted: bool,
    stored: memoryview | None = None,
) -> tuple[int, int, Sights]: ...

class Sightings:
    places: int
    evicted: int
    def __init__(self, places: int) -> None: ...
    def add(self, sights: Sights) -> None: ...
    def see(self, id: str, time: int, named: bool | None, heads: bool) -> None: ...  # noqa: A002
    def get(self, id: str) -> tuple[int, int, bool, bool] | None: ...  # noqa: A002
