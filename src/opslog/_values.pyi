class Rows:
    count: int
