"""Each line of a log through oslo.utils' mask_password, as a script would do it: mask.py LOG."""

from __future__ import annotations

import sys

from oslo_utils.strutils import mask_password

with open(sys.argv[1], errors="surrogateescape") as log:
    sys.stdout.reconfigure(errors="surrogateescape")
    for line in log:
        sys.stdout.write(mask_password(line))
