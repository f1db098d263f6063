"""The table of all diagnostic codes, joined from a module for each family in `kspec/spec/rules`."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kspec.spec.rule import Rule
from kspec.spec.rules import (
    build,
    data,
    environment,
    language,
    network,
    schema,
    targets,
    text,
    training,
)

__all__ = ["FAMILIES", "RULES", "Rule"]

FAMILIES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "KS1": text.RULES,
        "KS2": schema.RULES,
        "KS3": language.RULES,
        "KS4": network.RULES,
        "KS5": data.RULES,
        "KS6": training.RULES,
        "KS7": targets.RULES,
        "KS8": build.RULES,
        "KS9": environment.RULES,
    }
)


def join(families: Mapping[str, Iterable[Rule]]) -> Mapping[str, Rule]:
    """Return one table of all rules, in the order of their codes.

    Raises ValueError for a duplicate code or a code outside its family.
    """
    rules: dict[str, Rule] = {}
    for prefix, family in families.items():
        for rule in family:
            if not rule.code.startswith(prefix):
                raise ValueError(f"{rule.code} ({rule.title}) stands in the family {prefix}")
            if rule.code in rules:
                raise ValueError(f"{rule.code}: both {rules[rule.code].title!r} and {rule.title!r}")
            rules[rule.code] = rule
    return MappingProxyType(dict(sorted(rules.items())))


RULES: Mapping[str, Rule] = join(FAMILIES)
