"""What Python imports first in every process of the lab: it records, if LAB_TRUTH says so."""

import os

if os.environ.get("LAB_TRUTH"):
    from opslab import recorder

    recorder.install()
