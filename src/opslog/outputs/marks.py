"""What a pattern found in texts for people, marked: where each match begins and ends.

Both marks are characters that no text may hold (Unicode's noncharacters), so what stands for
them in a text is replaced before; the kernels turn them into the terminal's commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opslog.model.arrow import pa

BEGIN, END = "\ufdd0", "\ufdd1"


@dataclass(frozen=True, slots=True)
class Marks:
    """Patterns (RE2) of which each match is marked."""

    patterns: tuple[str, ...]
    ignore_case: bool = False

    def columns(self, columns: list[pa.Array], names: Sequence[str]) -> list[pa.Array]:
        """Return the ``columns``, called ``names``, with the texts marked that were searched.

        Type and message of an exception are one text, as they are shown, which is its type then.
        """
        import pyarrow.compute as pc

        found = dict(zip(names, columns, strict=True))
        kind, message = found["exception_type"], found["exception_message"]
        whole = pc.binary_join_element_wise(pc.fill_null(kind, "None"), message, ": ")
        said = pc.fill_null(pc.not_equal(message, ""), False)
        found["exception_type"] = self.texts(pc.if_else(said, whole, kind))
        found["exception_message"] = pa.nulls(len(message), pa.string())
        for name in ("body", "exception_stacktrace"):
            found[name] = self.texts(found[name])
        return [*found.values()]

    def texts(self, texts: pa.Array) -> pa.Array:
        """Return ``texts`` with each match between both marks.

        Patterns that do not fit together, as behind one with an open ``\\Q``, mark nothing, nor
        do those that find parts of characters.
        """
        import pyarrow.compute as pc

        for mark in (BEGIN, END):
            texts = pc.replace_substring(texts, mark, "\ufffd")
        flags = "(?i)" if self.ignore_case else ""
        every = "|".join(f"(?:{pattern})" for pattern in self.patterns)
        try:
            found = pc.replace_substring_regex(texts, f"{flags}({every})", rf"{BEGIN}\1{END}")
            found.validate(full=True)  # of a part of a character
        except ValueError:
            return texts
        return pc.replace_substring(found, BEGIN + END, "")
