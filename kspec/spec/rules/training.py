"""KS6xx · training."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
