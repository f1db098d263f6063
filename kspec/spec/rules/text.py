"""KS1xx · the YAML text."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
