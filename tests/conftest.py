"""Settings of all tests: more examples with --hypothesis-profile=thorough."""

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("default")
