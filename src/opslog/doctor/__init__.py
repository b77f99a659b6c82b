"""What is in logs, file by file, and what they lose: for the first look at a deployment.

    >>> from opslog.doctor import examine
    >>> for report in examine("/var/log"):
    ...     print(report.path, report.recognised)

One pass over the bytes; what is kept of a file does not grow with it.
"""

from opslog.doctor.examine import examine
from opslog.doctor.report import FileReport

__all__ = ["FileReport", "examine"]
