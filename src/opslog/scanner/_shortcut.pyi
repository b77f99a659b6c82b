STREAK: int
LONGEST_SHORTCUT: int
BEGINNINGS: tuple[str | None, ...]
