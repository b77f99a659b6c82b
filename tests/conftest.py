"""Settings of all tests: more examples with --hypothesis-profile=thorough."""

import os

from hypothesis import settings

# The formats of the person who runs the tests are none of theirs.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"

settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("default")
