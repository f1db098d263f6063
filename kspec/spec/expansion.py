"""From the steps as written to a flat list: blocks and `repeat` expanded, names resolved.

Names. A step without a name is called after its layer: `conv2d`, `conv2d_2`, …. What a block call
holds is called `call/step`, and the call's own name means its last step; likewise for `repeat`,
whose rounds are `name_1`, `name_2`, …. An output's name goes to the very step that gives it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kspec.spec.blocks import INPUT, USE, Block, bind
from kspec.spec.diagnostics import Diagnostic, Route, Span
from kspec.spec.node import Node
from kspec.spec.parameters import Scope, substitute
from kspec.spec.steps import Head, StepReader
from kspec.spec.suggestions import suggest
from kspec.spec.words import describe

MAX_STEPS = 10_000
MAX_BLOCKS = 50
"""Calls of blocks inside of each other."""
MAX_VALUES = 200_000
MAX_PROBLEMS = 100

Sources = tuple[str, ...] | None
"""Names of steps or inputs; None where a name was unknown, which was reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Expanded:
    """A step with its place in the graph, its layer not yet judged."""

    name: str
    key: str
    """The layer's key."""
    node: Node
    """The layer as `{key: arguments}` or as the bare key, all `${…}` computed."""
    inputs: Sources
    route: Route
    calls: tuple[Route, ...]
    is_known: bool
    """Whether there is such a layer."""
    shared: str | None = None
    """The step whose layer, with its variables, is called again."""

    def point(self) -> Span:
        """The place of the layer's key."""
        arguments = self.node.mapping.get(self.key)
        return arguments.key if arguments and arguments.key else self.node.point()


@dataclass(slots=True)
class _Level:
    """One list of steps that is being expanded: the network, or a block's body in a call."""

    scope: Scope
    prefix: str
    incoming: Sources
    calls: tuple[Route, ...]
    blocks: tuple[str, ...]
    """The blocks whose calls led here."""
    reserved: set[str]
    """Names that steps without one must not take."""
    previous: Sources = None
    below: dict[str, Node] = field(default_factory=dict)
    """Names that stand further down."""
    counts: dict[str, int] = field(default_factory=dict)
    """The last number given to each stem of a name."""


class ExpansionError(Exception):
    """The network is too large, or too wrong, to go on with; this was reported."""


class Expander:
    """Expands one network. Problems are collected; what they hide stays unknown."""

    def __init__(
        self,
        blocks: Mapping[str, Block],
        layers: Collection[str],
        inputs: Collection[str],
        outputs: Collection[str],
        params: Scope,
        problems: list[Diagnostic],
    ) -> None:
        self.blocks, self.layers = blocks, layers
        self.inputs, self.outputs = inputs, outputs
        self.params, self.problems = params, problems
        self.steps: list[Expanded] = []
        self.places: dict[str, str | None] = {}
        """What each full name means: a step, or None for one that is not known."""
        self.incoming: dict[str, Sources] = {}
        """What each block call takes, by its full name."""
        self.spans: dict[str, tuple[int, int]] = {}
        """Which of the steps each call of a layer or block gave, by its full name."""
        self.called: set[str] = set()
        """The blocks that were called."""
        self.calls = 0
        self.values = 0

    def run(self, network: Node) -> tuple[Expanded, ...]:
        """All steps of `network`, in order. Raises ExpansionError when there are far too many."""
        alone = tuple(self.inputs) if len(self.inputs) == 1 else None
        level = _Level(self.params, "", alone, (), (), set(self.inputs), alone)
        self._expand(network.items, level)
        return tuple(self.steps)

    def _expand(self, nodes: list[Node], level: _Level) -> None:
        reader = StepReader(level.scope, self.problems, level.calls)
        heads = [reader.read(node, self.layers, self.blocks) for node in nodes]
        self._reserve([head for head in heads if head is not None], level)
        for place, head in enumerate(heads):
            if place == 0 and head is not None and not level.prefix:
                self._check_first(head)
            if head is None:
                level.previous = None
            else:
                self._step(head, level)
            if len(self.problems) > MAX_PROBLEMS:
                raise ExpansionError

    def _reserve(self, heads: list[Head], level: _Level) -> None:
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

    def _step(self, head: Head, level: _Level) -> None:
        sources = self._sources(head, level)
        for turn in range(1, head.repeat + 1):
            name, start = self._name(head, level, turn), len(self.steps)
            last = self._call(head, name, sources, level)
            self.spans[level.prefix + name] = (start, len(self.steps))
            sources = (last,) if last is not None else None
        if head.name is not None:
            level.below.pop(head.name, None)
            self._alias(head.name, level, sources)
        level.previous = sources

    def _call(self, head: Head, name: str, sources: Sources, level: _Level) -> str | None:
        """The name of the step that gives the result."""
        self._count(head, level)
        full = level.prefix + name
        if head.key == USE:
            return self._use(head, full, sources, level)
        block = self.blocks.get(head.key)
        if block is None:
            self._emit(head, full, sources, level)
            self.places[full] = full if head.is_known else None
            return self.places[full]
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
        inner = _Level(scope, f"{full}/", sources, calls, blocks, {INPUT}, sources)
        self._expand(block.body.items, inner)
        last = inner.previous[-1] if inner.previous else None
        self.places[full] = last
        return last

    def _use(self, head: Head, full: str, sources: Sources, level: _Level) -> str | None:
        """Copy the steps of what is named, each to call the layer of its original."""
        self.places[full] = None
        target = self._used(head, level)
        if target is None or sources is None:
            return None
        originals = self.steps[slice(*self.spans[target])]
        before = self.incoming.get(target, originals[0].inputs) or ()
        if len(before) != len(sources):
            needed = "one input" if len(before) == 1 else f"{len(before)} inputs"
            message = f"`{target.removeprefix(level.prefix)}` takes {needed}, found {len(sources)}"
            self._report("KS412", message, head.node, level, "name as many in `from`")
            return None
        names = dict(zip(before, sources, strict=True))
        names |= {step.name: full + step.name.removeprefix(target) for step in originals}
        self.steps += [self._copy(step, names, head, level) for step in originals]
        keys = [target]
        if target in self.incoming:
            self.incoming[full] = sources
            keys += [key for key in self.places if key.startswith(f"{target}/")]
        for key in keys:
            self.places[full + key.removeprefix(target)] = names.get(self.places[key] or "")
        return self.places[full]

    def _used(self, head: Head, level: _Level) -> str | None:
        """The full name of the step or call that `use` names."""
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
        if target in self.spans:
            return target
        rounds = f"the rounds of `{node.value}` are called `{node.value}_1`, …"
        help_ = rounds if f"{target}_1" in self.spans else "`use` names one of these"
        message = f"`{node.value}` is neither a step above nor a call of a block"
        self._report("KS412", message, written, level, help_)
        return None

    def _copy(
        self, step: Expanded, names: Mapping[str, str], head: Head, level: _Level
    ) -> Expanded:
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

    def _emit(self, head: Head, full: str, sources: Sources, level: _Level) -> None:
        body = head.body
        if body is not None:
            body = substitute(body, level.scope, self.problems, level.calls)
            self.values += _count(body, MAX_VALUES)
        layer = head.node.with_value({head.key: body} if body is not None else head.key)
        if self.values > MAX_VALUES:
            raise self._too_large(f"more than {MAX_VALUES:,} values", head, level)
        step = Expanded(full, head.key, layer, sources, head.route, level.calls, head.is_known)
        self.steps.append(step)

    def _count(self, head: Head, level: _Level) -> None:
        self.calls += 1
        if self.calls > MAX_STEPS:
            raise self._too_large(f"more than {MAX_STEPS:,} steps", head, level)

    def _too_large(self, what: str, head: Head, level: _Level) -> ExpansionError:
        message = f"the network has {what} after blocks and `repeat` are expanded"
        self._report("KS310", message, head.node, level)
        return ExpansionError(message)

    def _name(self, head: Head, level: _Level, turn: int) -> str:
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

    def _alias(self, name: str, level: _Level, sources: Sources) -> None:
        """Let `name` mean the last step, and call that step so when it is an output."""
        full = level.prefix + name
        last = sources[-1] if sources else None
        self.places[full] = last
        if last is None or level.prefix or last == name or name not in self.outputs:
            return
        self.steps[-1] = replace(self.steps[-1], name=name)
        self.places = {key: name if place == last else place for key, place in self.places.items()}

    def _sources(self, head: Head, level: _Level) -> Sources:
        if head.sources is None:
            return level.previous
        found = [self._look_up(node, level) for node in head.sources]
        names = [name for each in found for name in each or ()]
        return tuple(names) if None not in found else None

    def _check_first(self, head: Head) -> None:
        if head.sources is not None or len(self.inputs) < 2:
            return
        message = "the first step has several inputs to take"
        inputs = ", ".join(f"`{name}`" for name in self.inputs)
        help_ = f"add `from:` with one or more of {inputs}"
        self.problems.append(Diagnostic("KS409", message, head.route, head.node.point(), help_))

    def _look_up(self, node: Node, level: _Level) -> Sources:
        name = str(node.value)
        if node.style == "unknown":
            return None
        if level.prefix and name == INPUT:
            return level.incoming
        if level.prefix + name in self.places:
            place = self.places[level.prefix + name]
            return (place,) if place is not None else None
        if not level.prefix and name in self.inputs:
            return (name,)
        help_: str | None
        if name in level.below:
            line = level.below[name].span.line
            help_ = f"it stands below, on line {line}; a step takes what stands above it"
        else:
            above = [
                key.removeprefix(level.prefix)
                for key, place in self.places.items()
                if key.startswith(level.prefix) and place is not None
            ]
            help_ = suggest(
                name, [INPUT, *above[-500:]] if level.prefix else [*self.inputs, *above[-500:]]
            )
        self._report("KS401", f"no step or input is called `{name}`", node, level, help_)
        return None

    def _report(
        self, code: str, message: str, node: Node, level: _Level, help_: str | None = None
    ) -> None:
        self.problems.append(
            Diagnostic(code, message, node.route, node.point(), help_, level.calls)
        )


def _count(node: Node, limit: int) -> int:
    """How many values stand at and below `node`, counted no further than `limit`."""
    total = 0
    waiting = [node]
    while waiting and total <= limit:
        total += 1
        waiting.extend(waiting.pop().children())
    return total
