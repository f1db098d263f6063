"""Expansion of blocks and `repeat` into a flat list of steps with resolved names.

Names. A step without a name is called after its layer: `conv2d`, `conv2d_2`, …. The steps of a
block call are called `call/step`, and the call's name means its last step; likewise for `repeat`,
whose rounds are `name_1`, `name_2`, …. An output's name becomes the name of the step with its
result.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import islice

from kspec.spec.blocks import INPUT, USE, Block, bind
from kspec.spec.diagnostics import Diagnostic
from kspec.spec.expanded import Expanded, Level, Sources
from kspec.spec.namespace import Call, Namespace
from kspec.spec.node import Node
from kspec.spec.parameters import Scope, substitute
from kspec.spec.steps import Head, StepReader
from kspec.spec.suggestions import suggest
from kspec.spec.words import describe

MAX_STEPS = 10_000
MAX_BLOCKS = 50
"""Maximum depth of nested block calls."""
MAX_VALUES = 200_000
MAX_PROBLEMS = 100
MAX_COMPARED = 500
"""Maximum number of names with which an unknown name is compared."""
MAX_NAMED = 12
"""Maximum number of inputs in a message."""


class ExpansionError(Exception):
    """The network is too large or has too many problems; this was reported."""


class Expander:
    """Expands one network. Problems are collected; values that depend on them are unknown."""

    def __init__(
        self,
        blocks: Mapping[str, Block],
        layers: Collection[str],
        inputs: Collection[str],
        outputs: Collection[str],
        params: Scope,
        problems: list[Diagnostic],
    ) -> None:
        self.blocks = blocks
        self.inputs, self.outputs = dict.fromkeys(inputs), dict.fromkeys(outputs)
        self.params, self.problems = params, problems
        self.known = dict.fromkeys((*layers, *blocks))
        """The keys of all layers and blocks."""
        self.steps: list[Expanded] = []
        self.names = Namespace()
        self.incoming: dict[str, Sources] = {}
        """The sources of each block call, by its full name."""
        self.called: set[str] = set()
        """The blocks that were called."""
        self.calls = 0
        self.values = 0

    def run(self, network: Node) -> tuple[Expanded, ...]:
        """Return all steps of `network`, in order. Raises ExpansionError beyond the bounds."""
        alone = tuple(self.inputs) if len(self.inputs) == 1 else None
        level = Level(self.params, "", alone, (), (), set(self.inputs), alone)
        self._expand(network.items, level)
        return tuple(self.steps)

    def _expand(self, nodes: list[Node], level: Level) -> None:
        reader = StepReader(level.scope, self.problems, level.calls)
        heads = []
        for node in nodes:
            heads.append(reader.read(node, self.known))
            self._check_problems()
        self._reserve([head for head in heads if head is not None], level)
        for place, head in enumerate(heads):
            if place == 0 and head is not None and not level.prefix:
                self._check_first(head)
            if head is None:
                level.previous = None
            else:
                self._step(head, level)
            self._check_problems()

    def _check_problems(self) -> None:
        if len(self.problems) > MAX_PROBLEMS:
            raise ExpansionError

    def _reserve(self, heads: list[Head], level: Level) -> None:
        for head in heads:
            if head.name is None or head.name_node is None:
                continue
            if head.name in level.below:
                self._report(
                    "KS402", f"the name `{head.name}` is given twice", head.name_node, level
                )
            elif head.name in level.reserved:
                message = f"`{head.name}` is the name of what goes in"
                self._report("KS402", message, head.name_node, level)
            level.below[head.name] = head.name_node
        level.reserved |= set(level.below)

    def _step(self, head: Head, level: Level) -> None:
        sources, start = self._sources(head, level), len(self.names.order)
        for turn in range(1, head.repeat + 1):
            name, steps, names = (
                self._name(head, level, turn),
                len(self.steps),
                len(self.names.order),
            )
            last = self._call(head, name, sources, level)
            added = Call(slice(steps, len(self.steps)), slice(names, len(self.names.order)))
            self.names.calls[level.prefix + name] = added
            sources = (last,) if last is not None else None
        if head.name is not None:
            level.below.pop(head.name, None)
            self._alias(head.name, level, sources, start)
        level.previous = sources

    def _call(self, head: Head, name: str, sources: Sources, level: Level) -> str | None:
        """Return the name of the step with the call's result."""
        self._count(head, level)
        full = level.prefix + name
        if head.key == USE:
            return self._use(head, full, sources, level)
        block = self.blocks.get(head.key)
        if block is None:
            self._emit(head, full, sources, level)
            self.names.add(full, full if head.is_known else None)
            return self.names.meanings[full]
        if block.name in level.blocks:
            way = " → ".join([*level.blocks[level.blocks.index(block.name) :], block.name])
            self._report("KS309", f"the block calls itself: {way}", head.node, level)
            return None
        if len(level.blocks) >= MAX_BLOCKS:
            raise self._too_large(f"blocks nested deeper than {MAX_BLOCKS} levels", head, level)
        self.called.add(block.name)
        self.incoming[full] = sources
        calls = (*level.calls, head.route)
        scope = bind(
            block, head.body, level.scope, self.params, self.problems, head.node, level.calls
        )
        blocks = (*level.blocks, block.name)
        inner = Level(scope, f"{full}/", sources, calls, blocks, {INPUT}, sources)
        self._expand(block.body.items, inner)
        last = inner.previous[-1] if inner.previous else None
        self.names.add(full, last)
        return last

    def _use(self, head: Head, full: str, sources: Sources, level: Level) -> str | None:
        """Copy the steps of the named step or call; each copy calls the layer of its original."""
        self.names.add(full, None)
        target = self._used(head, level)
        if target is None or sources is None:
            return None
        originals = self.steps[self.names.calls[target].steps]
        before = self.incoming.get(target, originals[0].inputs) or ()
        if len(before) != len(sources):
            needed = "one input" if len(before) == 1 else f"{len(before)} inputs"
            message = f"`{target.removeprefix(level.prefix)}` takes {needed}, found {len(sources)}"
            self._report("KS412", message, head.node, level, "name as many in `from`")
            return None
        names = dict(zip(before, sources, strict=True))
        names |= {step.name: full + step.name.removeprefix(target) for step in originals}
        self.steps += [self._copy(step, names, head, level) for step in originals]
        is_block = target in self.incoming
        if is_block:
            self.incoming[full] = sources
        self.names.repeat(target, full, names.get, inside=is_block)
        return self.names.meanings[full]

    def _used(self, head: Head, level: Level) -> str | None:
        """Return the full name of the step or call that `use` names."""
        written = head.body or head.node
        node = substitute(written, level.scope, self.problems, level.calls)
        if not isinstance(node.value, str):
            if node.style != "unknown":
                message = f"expected the name of a step or block call, found {describe(node)}"
                self._report("KS203", message, node, level)
            return None
        target = level.prefix + node.value
        if self._look_up(node, level) is None:
            return None
        if target in self.names.calls:
            return target
        rounds = f"the rounds of `{node.value}` are called `{node.value}_1`, …"
        help_ = rounds if f"{target}_1" in self.names.calls else "`use` names one of these"
        message = f"`{node.value}` is neither a step above nor a call of a block"
        self._report("KS412", message, written, level, help_)
        return None

    def _copy(self, step: Expanded, names: Mapping[str, str], head: Head, level: Level) -> Expanded:
        self._count(head, level)
        return replace(
            step,
            name=names[step.name],
            node=head.node,
            inputs=step.inputs and tuple(names[each] for each in step.inputs),
            route=head.route,
            calls=level.calls,
            shared=step.shared or step.name,
        )

    def _emit(self, head: Head, full: str, sources: Sources, level: Level) -> None:
        body = head.body
        if body is not None:
            body = substitute(body, level.scope, self.problems, level.calls)
            self.values += body.count(MAX_VALUES)
        layer = head.node.with_value({head.key: body} if body is not None else head.key)
        if self.values > MAX_VALUES:
            raise self._too_large(f"more than {MAX_VALUES:,} values", head, level)
        step = Expanded(full, head.key, layer, sources, head.route, level.calls, head.is_known)
        self.steps.append(step)

    def _count(self, head: Head, level: Level) -> None:
        self.calls += 1
        if self.calls > MAX_STEPS:
            raise self._too_large(f"more than {MAX_STEPS:,} steps", head, level)

    def _too_large(self, what: str, head: Head, level: Level) -> ExpansionError:
        message = f"the network has {what} after blocks and `repeat` are expanded"
        self._report("KS310", message, head.node, level)
        return ExpansionError(message)

    def _name(self, head: Head, level: Level, turn: int) -> str:
        if head.name is not None and head.repeat == 1:
            return head.name
        stem = head.key if head.name is None else f"{head.name}_{turn}"
        name, count = stem, level.counts.get(stem, 1)
        while name in level.reserved:
            count += 1
            name = f"{stem}_{count}"
        level.reserved.add(name)
        level.counts[stem] = count
        return name

    def _alias(self, name: str, level: Level, sources: Sources, start: int) -> None:
        """Let `name` mean the last step, and rename that step if `name` is an output.

        Only the names of this step, from place `start` on, can mean its last step.
        """
        last = sources[-1] if sources else None
        self.names.add(level.prefix + name, last)
        if last is None or level.prefix or last == name or name not in self.outputs:
            return
        self.steps[-1] = replace(self.steps[-1], name=name)
        self.names.rename(last, name, start)

    def _sources(self, head: Head, level: Level) -> Sources:
        if head.sources is None:
            return level.previous
        found = [self._look_up(node, level) for node in head.sources]
        names = [name for each in found for name in each or ()]
        return tuple(names) if None not in found else None

    def _check_first(self, head: Head) -> None:
        if head.sources is not None or len(self.inputs) < 2:
            return
        message = "the first step has several inputs to take"
        inputs = ", ".join(f"`{name}`" for name in islice(self.inputs, MAX_NAMED))
        more = f" and {len(self.inputs) - MAX_NAMED} more" if len(self.inputs) > MAX_NAMED else ""
        help_ = f"add `from:` with one or more of {inputs}{more}"
        self.problems.append(Diagnostic("KS409", message, head.route, head.node.point(), help_))

    def _look_up(self, node: Node, level: Level) -> Sources:
        name = str(node.value)
        if node.style == "unknown":
            return None
        if level.prefix and name == INPUT:
            return level.incoming
        if level.prefix + name in self.names.meanings:
            step = self.names.meanings[level.prefix + name]
            return (step,) if step is not None else None
        if not level.prefix and name in self.inputs:
            return (name,)
        help_: str | None
        if name in level.below:
            line = level.below[name].span.line
            help_ = f"it stands below, on line {line}; a step takes what stands above it"
        else:
            above = self.names.newest(level.prefix, MAX_COMPARED)
            inputs = [INPUT] if level.prefix else islice(self.inputs, MAX_COMPARED)
            help_ = suggest(name, [*inputs, *above])
        self._report("KS401", f"no step or input is called `{name}`", node, level, help_)
        return None

    def _report(
        self, code: str, message: str, node: Node, level: Level, help_: str | None = None
    ) -> None:
        self.problems.append(
            Diagnostic(code, message, node.route, node.point(), help_, level.calls)
        )
        self._check_problems()
