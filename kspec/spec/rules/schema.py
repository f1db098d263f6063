"""KS2xx · sections, keys and values."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
