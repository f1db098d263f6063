"""KS3xx · params, expressions, blocks and --set."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = ()
