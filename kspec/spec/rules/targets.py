"""KS7xx · targets, emission and parity."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
