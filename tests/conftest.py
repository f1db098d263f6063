"""How hard the property tests look: `check` in every run, `fuzz` by `make fuzz`."""

from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", deadline=None, max_examples=5000)
settings.load_profile("check")
