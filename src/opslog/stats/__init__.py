"""What records are, counted: over services, severities and time, loggers, errors and requests.

    >>> import opslog
    >>> from opslog.stats import stats_of
    >>> report = stats_of(opslog.read("/var/log/nova"), top=5)
    >>> [(one.service, one.records) for one in report.services]

One pass; what is kept does not grow with the records.
"""

from opslog.stats.count import Counted, stats_of
from opslog.stats.report import Report

__all__ = ["Counted", "Report", "stats_of"]
