"""KS4xx · wiring and shapes of the network."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
