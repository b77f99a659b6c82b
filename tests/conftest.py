"""Settings of all tests: --hypothesis-profile=thorough tries more examples, =same always the same."""

import os
import signal

from hypothesis import settings

# The formats of the person who runs the tests are none of theirs.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
# What they read is nothing that it would pay to know.
os.environ["XDG_CACHE_HOME"] = "/dev/null/cache"

# What a shell starts in the background ignores SIGINT, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes -n auto means: one more than processors, as many tests wait."""
    return len(os.sched_getaffinity(0)) + 1


settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.register_profile("same", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("default")
