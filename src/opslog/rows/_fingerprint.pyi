from collections.abc import Sequence

from typing_extensions import Buffer

def fingerprints_of(severities: Buffer, columns: Sequence[tuple[Buffer, Buffer]]) -> bytearray: ...
