"""How the property tests look for examples: the same ones in every run."""

from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.load_profile("check")
