"""Both of Fluentd's doors to a child process: events in, events of records out.

    bytes ─codec─▶ events ─▶ a stream a tag ─▶ records ─▶ events ─codec─▶ bytes

An event is a map; one of its fields holds a raw line.  Lines of different tags
never join.  A record takes the other fields of the event its first line came in.
"""

from importlib.util import find_spec

from opslog.model.errors import OpslogError

if missing := [name for name in ("orjson", "msgpack") if find_spec(name) is None]:
    raise OpslogError(
        f"fluentd: expected {' and '.join(missing)}, which write events; install opslog[fluentd]"
    )
from opslog.fluentd.child import Child
from opslog.fluentd.codecs import Shape
from opslog.fluentd.streams import Counts, Streams, Wanted

__all__ = ["Child", "Counts", "Shape", "Streams", "Wanted"]
