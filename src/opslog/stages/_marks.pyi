from typing_extensions import Buffer

def places(
    ends: Buffer, known: int, rows: Buffer, names: int, replaced: Buffer | None
) -> tuple[bytearray, bytearray]: ...
