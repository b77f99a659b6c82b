"""Which records belong to one request, over services and files.

- links.py: what a record says of a call.
- graph.py: the requests and who called whom.
- roots.py: the column of the request that began it all.
- related.py: all records of a request or a resource.
- relations.py: the readings of the logs that find them; ``Logs`` has the words for it.
"""

from opslog.correlate.graph import RequestGraph
from opslog.correlate.links import Link

__all__ = ["Link", "RequestGraph"]
