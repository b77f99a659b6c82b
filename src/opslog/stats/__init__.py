"""What records are, counted: over services, severities and time, loggers, errors and requests.

    >>> import opslog
    >>> from opslog.stats import count_records
    >>> report = count_records(opslog.read("/var/log/nova"), top=5)
    >>> [(one.service, one.records) for one in report.services]

One pass; what is kept does not grow with the records.
"""

from opslog.stats.count import StatsCounter, count_records
from opslog.stats.report import StatsReport

__all__ = ["StatsCounter", "StatsReport", "count_records"]
