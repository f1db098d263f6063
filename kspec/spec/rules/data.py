"""KS5xx · data."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
