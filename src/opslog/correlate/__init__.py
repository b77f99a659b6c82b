"""Which records belong to one request, over services and files.

- calls.py, contexts.py: which records tell of calls as services, and which are another call's.
- links.py, sent.py: what a record says of who called.
- graph.py, siblings.py, callers.py: the requests and who called whom.
- likely.py: who may have, where no record says so.
- tellers.py: which records tell of the same call.
- servers.py, matching.py: which requests servers' lines tell of that name none.
- memory.py: columns as kernels take them.
- roots.py: the column of the request that began it all.
- related.py: all records of a request or a resource.
- relations.py: the readings of the logs that find them; ``Logs`` has the words for it.
"""

from opslog.correlate.graph import RequestGraph
from opslog.correlate.links import Link

__all__ = ["Link", "RequestGraph"]
