"""KS8xx · gates, build and store."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
