"""Tables of rules, keyed by class: the dispatch mechanism of this project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

Rule = TypeVar("Rule", bound=Callable[..., object])


class Table(Mapping[type, Rule], Generic[Rule]):
    """Rules by class. Decorated functions fill a table; ``|`` joins tables. Two rules for one class
    raise an error that names both. Unsupported classes are entries too, each with a reason::

        rules = Table("onnx")

        @rules(ops.Relu, ops.Tanh)
        def unary(node, context): ...

        rules.refuse("ONNX has no such operator", ops.Mish)
    """

    def __init__(
        self,
        name: str,
        rules: Mapping[type, Rule] | None = None,
        *,
        refused: Mapping[type, str] | None = None,
    ) -> None:
        self.name = name
        self._rules: dict[type, Rule] = dict(rules or {})
        self.refused: dict[type, str] = dict(refused or {})
        """The reason for each class that is never supported."""

    def __call__(self, *classes: type) -> Callable[[Rule], Rule]:
        def enter(rule: Rule) -> Rule:
            for each in classes:
                self._claim(each, rule)
                self._rules[each] = rule
            return rule

        return enter

    def refuse(self, reason: str, *classes: type) -> None:
        for each in classes:
            self._claim(each, reason)
            self.refused[each] = reason

    def __or__(self, other: Table[Rule]) -> Table[Rule]:
        joined = Table(self.name, self._rules, refused=self.refused)
        for each, rule in other.items():
            joined(each)(rule)
        for each, reason in other.refused.items():
            joined.refuse(reason, each)
        return joined

    def _claim(self, each: type, claimant: object) -> None:
        holder = self._rules.get(each) or self.refused.get(each)
        if holder is not None:
            raise ValueError(f"{self.name}: {each.__name__} has two rules, {holder} and {claimant}")

    def __getitem__(self, key: type) -> Rule:
        return self._rules[key]

    def __iter__(self) -> Iterator[type]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)
