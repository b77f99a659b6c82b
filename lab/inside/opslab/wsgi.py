"""The application that uwsgi serves: LAB_APPLICATION (module:name), recorded.

LAB_ARGUMENTS are what the service reads as its command line.
"""

import importlib
import os
import sys

from opslab import recorder

sys.argv = [os.environ["LAB_SERVICE"], *os.environ.get("LAB_ARGUMENTS", "").split()]
_module, _, _name = os.environ["LAB_APPLICATION"].partition(":")
application = recorder.recorded_application(getattr(importlib.import_module(_module), _name))
