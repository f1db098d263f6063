"""Property tests look for the same examples in every run; stores are sealed with a key of tests,
so that no test makes one in the home of its user."""

import os

from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.load_profile("check")

os.environ.setdefault("KSPEC_STORE_KEY", "tests")
