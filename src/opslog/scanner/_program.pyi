from opslog.scanner._json import JsonTable
from opslog.scanner.trees import Trees

OPS: dict[str, int]
FLAGS: dict[str, int]
ROLES: dict[str, int]
DIRECTIVE: int
WORKER_SLOTS: int
DEEPEST: int
WIDEST_TAIL: int
BEHIND_ALL: int
NODE_SIZE: int
LEAF_SIZE: int
WORD_SIZE: int
WORD_GROUPS: int

class Program:
    leaf_count: int
    most_slots: int
    def __init__(
        self,
        *,
        nodes: bytes,
        firsts: bytes,
        roots: bytes,
        literals: bytes,
        classes: bytes,
        words: bytes,
        times: bytes,
        tails: bytes,
        details: bytes,
        leaves: bytes,
        closings: bytes,
        slots: bytes,
        most_slots: int,
        trees: Trees,
        known: object = None,
        json: JsonTable | None = None,
        pairs: JsonTable | None = None,
    ) -> None: ...
    def prepare(self) -> None: ...
    def accepts(self, node: int, text: bytes) -> bool: ...
    def ends(self, message: bytes) -> int: ...
    def detail(self, number: int, line: bytes) -> int: ...
    def probe(self, line: bytes) -> tuple[int, list[tuple[int, int]], int, int]: ...
