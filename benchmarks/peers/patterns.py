"""The patterns the table engines share: linear-time syntax (RE2, Rust regex)."""

LINE = (
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (\d+) ([A-Z]+) (\S+) "
    r"(?:\[(-|(?:None |req-)[^\]]*)\] )?(?:\[instance: ([0-9a-f-]+)\] )?(.*)$"
)
"""A prefixed line; without a context it is one of a traceback."""

LINE_FIELDS = ("time", "pid", "level", "logger", "context", "instance", "message")

SUFFIX = r"^(.*) (\S+) (/\S+):(\d+)$"
"""A message at DEBUG with the place that logged it."""

SUFFIX_FIELDS = ("body", "function", "file", "line")

HTTP = (
    r'^([0-9a-f.:,]+) (?:- - \[[^\]]*\] )?"([A-Z]+) (\S+)(?: HTTP/[0-9.]+)?" (?:status: )?(\d+) +'
    r"(?:len: )?(\d+)(?: microversion: \S+)?(?: (?:time: )?([0-9.]+))?$"
)
"""A message that is a request line of eventlet or placement."""

HTTP_FIELDS = ("client", "method", "target", "status", "size", "seconds")

SERIOUS = r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) "
"""A prefixed line of WARNING and above."""

SERVICES = (
    "aodh", "barbican", "cinder", "designate", "glance", "heat", "ironic", "keystone", "magnum",
    "manila", "neutron", "nova", "octavia", "placement", "swift", "trove",
)  # fmt: skip

SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}
