"""KS9xx · the environment."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
