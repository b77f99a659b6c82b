"""Which records belong to one request, over services and files.

- links.py: what a record says of a call.
- graph.py: the requests and who called whom.
- roots.py: the column of the request that began it all.
- related.py: all records of a request or a resource.
"""

from opslog.correlate.graph import RequestGraph
from opslog.correlate.links import Link
from opslog.correlate.related import with_requests, with_resources
from opslog.correlate.roots import with_roots

__all__ = ["Link", "RequestGraph", "with_requests", "with_resources", "with_roots"]
