"""Loading of a spec: a valid `Document`, or every problem at once."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from kspec.schemas import Spec
from kspec.schemas.base import Model
from kspec.schemas.data import Data, inside
from kspec.spec.aliases import rename
from kspec.spec.blocks import USE, Block, define
from kspec.spec.diagnostics import Diagnostic, KspecError, errors
from kspec.spec.document import Document, ResolvedStep
from kspec.spec.expansion import Expander, ExpansionError
from kspec.spec.extensions import Catalogue, layers_of
from kspec.spec.findings import Problems, TooManyProblemsError, in_order
from kspec.spec.inference import infer
from kspec.spec.messages import CONTEXT, explain
from kspec.spec.network import (
    Candidate,
    build_layers,
    check_outputs,
    check_use,
)
from kspec.spec.node import Node
from kspec.spec.overrides import OVERRIDES, override
from kspec.spec.parameters import Scope, substitute_sections
from kspec.spec.paths import check_file, check_source
from kspec.spec.reader import MAX_BYTES, decode, read, too_large
from kspec.spec.roots import Roots
from kspec.spec.sizes import Sizes
from kspec.spec.suggestions import nearest, suggest
from kspec.spec.untrusted import PlaceError, located

EMPTY: Mapping[str, Any] = MappingProxyType({})


def load(
    path: str | Path,
    *,
    overrides: Mapping[str, str] = EMPTY,
    targets: Mapping[str, type[Model]] = EMPTY,
    allow_python: bool = False,
    roots: Sequence[Path] = (),
) -> Document:
    """Read the spec at `path`, with `overrides` (path → value, as `--set` takes them) set in it.

    `targets` has the model of each target's options; if it is empty, targets are not judged. The
    Python file that a spec may name runs only if `allow_python`, and is refused otherwise. Data may
    be in the folders `roots` besides the spec's own.
    Raises KspecError with all problems found, in the order of the file.
    """
    path = Path(path)
    data = _bytes(path)
    return parse(
        data, path, overrides=overrides, targets=targets, allow_python=allow_python, roots=roots
    )


def parse(
    data: bytes,
    path: Path,
    *,
    overrides: Mapping[str, str] = EMPTY,
    targets: Mapping[str, type[Model]] = EMPTY,
    allow_python: bool = False,
    roots: Sequence[Path] = (),
) -> Document:
    """Return the document of a spec's bytes, like `load`; `path` need not exist."""
    text = decode(data, str(path))
    root, problems = read(text, str(path))
    root, more, shown = override(root, overrides)
    root, warnings = rename(root)
    sources = {str(path): text, OVERRIDES: shown} if overrides else {str(path): text}
    granted = Roots(path.parent, tuple(roots))
    found = Problems((*problems, *more, *warnings))
    loader = _Loader(path, root, targets, allow_python, found, granted)
    spec, steps = loader.run()
    listed = in_order(loader.problems, root)
    if errors(listed) or spec is None:
        raise KspecError(*listed, sources=sources)
    digest = _digest(spec, steps)
    return Document(
        path,
        text,
        spec,
        steps,
        digest,
        root,
        sources,
        tuple(listed),
        loader.sizes,
        granted=granted.granted,
    )


def _bytes(path: Path) -> bytes:
    try:
        return located(path, limit=MAX_BYTES).read()
    except PlaceError as error:
        if error.reason == "size":
            raise too_large(error.message, str(path)) from None
        message = f"the spec `{path}` cannot be read: {error.message}"
        raise KspecError(Diagnostic("KS115", message, help=_way_out(error, path))) from None


def _way_out(error: PlaceError, path: Path) -> str:
    if error.reason == "link":
        return "name the file itself: a spec is read without following links"
    names = [each.name for each in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    near = nearest(path.name, names)
    return f"did you mean `{path.parent / near}`?" if near else "`kspec init` writes a spec"


@dataclass(slots=True)
class _Loader:
    path: Path
    root: Node
    """The tree as written, with overrides: routes refer to it."""
    targets: Mapping[str, type[Model]]
    allow_python: bool
    problems: Problems
    roots: Roots
    sizes: Sizes = field(default_factory=Sizes)
    """Set together with the network."""

    def run(self) -> tuple[Spec | None, tuple[ResolvedStep, ...]]:
        """Return the spec and its valid steps; problems are in `problems`."""
        try:
            return self._run()
        except TooManyProblemsError:
            return None, ()

    def _run(self) -> tuple[Spec | None, tuple[ResolvedStep, ...]]:
        tree, scope = substitute_sections(self.root, self.problems)
        catalogue = self._catalogue(tree.mapping.get("python"))
        candidates = self._network(tree, scope, catalogue) if catalogue is not None else ()
        spec = self._spec(tree, candidates)
        self._targets(tree.mapping.get("targets"))
        self._source(tree.mapping.get("data"))
        self._weights(spec, candidates)
        resolved = [candidate.resolved() for candidate in candidates]
        return spec, tuple(step for step in resolved if step is not None)

    def _catalogue(self, python: Node | None) -> Catalogue | None:
        """Return the layers for steps; None if the spec's Python file is refused."""
        if python is None or not isinstance(python.value, str):
            return Catalogue(EMPTY)
        path, route = python.value, ("python",)
        try:
            inside(path)
        except PydanticCustomError:
            return None  # `_spec` reports the reason
        if not self.allow_python:
            message = f"the spec asks to run `{path}`, which was not allowed"
            help_ = "read the file, then allow it: `--allow-python`"
            self.problems.append(Diagnostic("KS410", message, route, python.point(), help_))
            return None
        if not check_file(path, self.path.parent, route, self.problems):
            return None
        try:
            return Catalogue(layers_of(self.path.parent / path))
        except KspecError as error:
            self.problems.extend(replace(each, route=route) for each in error.diagnostics)
            return None

    def _network(self, tree: Node, scope: Scope, layers: Catalogue) -> tuple[Candidate, ...]:
        """Return the steps with their layers, after checks of connections and shapes."""
        sections = tree.mapping
        inputs, outputs = sections.get("inputs"), sections.get("outputs")
        before = len(self.problems)
        keys = (USE, *layers)
        blocks = define(sections.get("blocks"), keys, self.problems)
        names = _keys(inputs)
        expander = Expander(blocks, keys, names, _keys(outputs), scope, self.problems)
        network = sections.get("network")
        try:
            steps = expander.run(network) if network is not None else ()
        except ExpansionError:
            return ()
        candidates = build_layers(steps, layers, self.problems)
        train = sections.get("train")
        batch = train.mapping.get("batch_size") if train is not None else None
        self.sizes = infer(candidates, inputs, batch, self.problems)
        if candidates:
            check_outputs(outputs, candidates, self.sizes.shapes(), self.problems)
        if len(self.problems) == before and candidates:
            # Unused names are reported only if no other problem can hide a use.
            check_use(candidates, inputs, outputs.mapping if outputs else {}, self.problems)
            self._report_unused(scope, blocks, expander.called)
        return candidates

    def _spec(self, tree: Node, candidates: tuple[Candidate, ...]) -> Spec | None:
        raw = tree.plain()
        network = tree.mapping.get("network")
        if network is not None and network.items:
            # Each layer was judged before; if one was refused, no spec is returned anyway.
            layers = [each.layer for each in candidates if each.layer is not None]
            raw["network"] = [{"layer": layer} for layer in layers]
        if isinstance(raw.get("blocks"), dict):
            raw["blocks"] = {}  # `define` judged them
        try:
            return Spec.model_validate(raw, context=CONTEXT)
        except ValidationError as error:
            found = explain(error, tree, Spec)
            hidden = bool(network is not None and network.items)
            self.problems.extend(
                each for each in found if not (hidden and each.route == ("network",))
            )
            return None

    def _source(self, section: Node | None) -> None:
        if section is None:
            return
        try:
            data = Data.model_validate(section.plain(), context=CONTEXT)
        except ValidationError:
            return  # `_spec` reports the reason
        check_source(data.source, self.roots, self.problems)

    def _weights(self, spec: Spec | None, candidates: tuple[Candidate, ...]) -> None:
        """Check that files of initial values exist, inside the spec's folder."""
        folder = self.path.parent
        if spec is not None and spec.weights is not None:
            check_file(spec.weights, folder, ("weights",), self.problems)
        for each in candidates:
            if each.layer is not None and (file := each.layer.weights_file()) is not None:
                place, path = file
                check_file(path, folder, (*each.step.route, *place), self.problems)

    def _targets(self, section: Node | None) -> None:
        if not self.targets or section is None:
            return
        for name, node in section.mapping.items():
            model = self.targets.get(name)
            if model is None:
                help_ = suggest(name, self.targets)
                problem = Diagnostic(
                    "KS212", f"unknown target `{name}`", node.route, node.key, help_
                )
                self.problems.append(problem)
            elif isinstance(node.value, dict):
                try:
                    model.model_validate(node.plain(), context=CONTEXT)
                except ValidationError as error:
                    self.problems.extend(explain(error, node, model))

    def _report_unused(
        self, scope: Scope, blocks: Mapping[str, Block], called: Collection[str]
    ) -> None:
        for name, node in scope.nodes.items():
            if name not in scope.used:
                self._unused(f"the param `{name}`", node)
        for block in blocks.values():
            if block.name not in called:
                self._unused(f"the block `{block.name}`", block.body)
                continue
            for name in block.parameters:
                if name not in block.used:
                    self._unused(f"the parameter `{name}` of `{block.name}`", block.body)

    def _unused(self, what: str, node: Node) -> None:
        self.problems.append(
            Diagnostic("KS316", f"{what} is never used", node.route, node.key, "remove it")
        )


def _keys(section: Node | None) -> tuple[str, ...]:
    return tuple(section.mapping) if section is not None else ()


def _digest(spec: Spec, steps: tuple[ResolvedStep, ...]) -> str:
    content = {
        "spec": spec.model_dump(mode="json", exclude={"params", "blocks", "network"}),
        "steps": [
            [
                step.name,
                step.layer.key,
                step.layer.model_dump(mode="json"),
                step.inputs,
                step.shared,
            ]
            for step in steps
        ],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
