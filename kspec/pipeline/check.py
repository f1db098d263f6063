"""All checks of a spec that need no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from kspec.data.sampling import check_data
from kspec.features.kinds import input_kind
from kspec.pipeline.proof.gates import check_gates
from kspec.schemas import Spec
from kspec.schemas.layers.base import show
from kspec.spec.amounts import spell_bytes, spell_count
from kspec.spec.diagnostics import Diagnostic, KspecError, errors
from kspec.spec.document import Document
from kspec.spec.findings import in_order
from kspec.spec.load import load
from kspec.spec.sizes import BYTES, LARGEST_TENSOR, Value
from kspec.targets.formats.card import Card
from kspec.targets.registry import formats, platforms, target_options
from kspec.targets.request import Subject
from kspec.targets.sizes import way_out
from kspec.training.endings import check_endings
from kspec.training.objectives import check_training

NONE: Mapping[str, str] = MappingProxyType({})


def check(
    path: str | Path,
    *,
    overrides: Mapping[str, str] = NONE,
    allow_python: bool = False,
    roots: Sequence[Path] = (),
) -> tuple[Diagnostic, ...]:
    """Return all problems and warnings of the spec at `path`, with their places."""
    try:
        document = load_checked(path, overrides=overrides, allow_python=allow_python, roots=roots)
        return document.warnings
    except KspecError as error:
        return error.diagnostics


def load_checked(
    path: str | Path,
    *,
    overrides: Mapping[str, str] = NONE,
    allow_python: bool = False,
    roots: Sequence[Path] = (),
    strict: bool = False,
) -> Document:
    """Return the document of a spec after all checks that precede the build: of the text, the
    options of the targets, the gates, the training settings, and the first rows of the data. The
    spec's Python file runs only with `allow_python`. The data may be in the spec's own folder or
    in one of the folders `roots`.

    Warnings are part of the document; with `strict` they are errors. Raises KspecError with all
    problems of the text, or, if the text has none, with all other problems.
    """
    document = load(
        path,
        overrides=overrides,
        targets=target_options(),
        allow_python=allow_python,
        roots=roots,
    )
    keyed = [
        *check_gates(document.spec),
        *_judge_targets(document),
        *check_endings(document),
        *_without_test(document.spec),
    ]
    found = [replace(each, span=document.root.nearest(each.route).key) for each in keyed]
    found += _raised(lambda: _check_training(document.spec))
    found += check_data(document)
    told = in_order([*found, *document.warnings], document.root)
    if strict:
        told = [replace(each, is_strict=True) for each in told]
    if errors(told):
        raise KspecError(*told, document=document)
    return replace(document, warnings=tuple(told), strict=strict)


def _check_training(spec: Spec) -> None:
    if spec.train is not None and spec.data is not None:
        split = spec.data.split
        check_training(spec, validated=split.column is not None or split.validation > 0)


def _without_test(spec: Spec) -> Iterator[Diagnostic]:
    if spec.train is None or spec.data is None or spec.data.split.column is not None:
        return
    split = spec.data.split
    if split.validation == split.test == 0:
        yield Diagnostic(
            "KS552",
            "no rows are kept apart, so artifacts and metrics are judged on the training rows",
            ("data", "split"),
            help="split: {validation: 0.1, test: 0.2}",
        )


def _judge_targets(document: Document) -> Iterator[Diagnostic]:
    """Yield the limits of formats that the spec exceeds: symbolic dimensions without a size if the
    format has fixed shapes, and weights larger than its files."""
    spec = document.spec
    open_sizes = {
        size
        for each in spec.inputs.values()
        for size in input_kind(each.kind).shape(each.kind)
        if isinstance(size, str)
    }
    fixed: dict[str, tuple[str, int]] = {}
    for target, written in spec.targets.items():
        platform = platforms()[target]
        options = platform.options.model_validate(written)
        for request in platform.requests(options, Subject(spec.inputs, Card())):
            format_ = formats()[request.format]
            given = format_.fixed(request.options)
            if format_.fixed_shapes and (missing := sorted(open_sizes - given.keys())):
                yield Diagnostic(
                    "KS713",
                    f"the target {target} has fixed shapes, and no size for {', '.join(missing)}",
                    ("targets", target),
                    help=way_out(platform, written, Subject(spec.inputs, Card()), set(missing)),
                )
            for name in sorted(open_sizes & given.keys()):
                first, size = fixed.setdefault(name, (target, given[name]))
                if size != given[name]:
                    yield Diagnostic(
                        "KS717",
                        f"the target {target} fixes {name} at {given[name]}, and {first} at {size}",
                        ("targets", target),
                        help=f"fix {name} at one size: all targets are judged on the same rows",
                    )
            yield from islice(_too_large(document, target, given), 1)
            limit, needed = format_.largest_bytes, document.sizes.artifact_bytes
            if limit is not None and needed > limit:
                yield Diagnostic(
                    "KS436",
                    f"the weights take {spell_bytes(needed)}, and a {format_.name} artifact of the "
                    f"target {target} holds {spell_bytes(limit)}",
                    ("targets", target),
                    help=_largest_step(document),
                )


def _too_large(document: Document, target: str, given: Mapping[str, int]) -> Iterator[Diagnostic]:
    """Yield KS431 for each tensor that the sizes of a target make larger than a tensor may be."""
    for name, value in document.sizes.values.items():
        if value is None or not any(isinstance(size, str) for size in value.shape):
            continue
        shape = tuple(
            given.get(size, size) if isinstance(size, str) else size for size in value.shape
        )
        elements = Value(shape).elements
        if elements > LARGEST_TENSOR:
            size = f"{spell_count(elements)} values, {spell_bytes(BYTES * elements)}"
            yield Diagnostic(
                "KS431",
                f"with the sizes of the target {target}, `{name}` is {show(shape)}: {size} for"
                " each row",
                ("targets", target),
                help=f"a tensor holds at most {LARGEST_TENSOR:,} values for each row",
            )


def _largest_step(document: Document) -> str:
    """Return help that names the step with the most weights."""
    held = {
        name: sum(weight.size for weight in weights or ())
        for name, weights in document.sizes.weights.items()
    }
    name = max(held, key=held.__getitem__)
    return f"`{name}` holds {spell_bytes(BYTES * held[name])} of them"


def _raised(judge: Callable[[], None]) -> Iterable[Diagnostic]:
    try:
        judge()
    except KspecError as error:
        return error.diagnostics
    return ()
