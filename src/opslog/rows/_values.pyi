class Rows:
    count: int
    some_stored: bool
