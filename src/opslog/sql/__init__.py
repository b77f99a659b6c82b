"""Questions in SQL: DuckDB over the records of logs, which are read as it asks for them.

    >>> import opslog
    >>> from opslog.sql import query
    >>> logs = opslog.read("/var/log/nova")
    >>> query(logs, "SELECT service_name, count(*) FROM records GROUP BY ALL").read_all()

- tables.py: the tables there are, and what DuckDB lets them leave out.
- query.py: the question and its answer.
"""

from opslog.sql.query import query

__all__ = ["query"]
