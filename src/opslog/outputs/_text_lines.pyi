from typing_extensions import Buffer

from opslog.outputs._text_rows import TextRows

class TextLines(Buffer):
    def __init__(self, width: int, hosts: bool) -> None: ...
    def put(self, rows: TextRows) -> None: ...
