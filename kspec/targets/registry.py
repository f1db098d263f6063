"""The formats and platforms: the built-in ones, listed here, and those of installed packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any

from kspec.schemas.base import Model
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.extensions import FAILURES, installed
from kspec.targets.formats.format import Format
from kspec.targets.platforms.plain import plain
from kspec.targets.platforms.platform import Platform

_FORMATS = (
    "kspec.targets.formats.onnx.format:Onnx",
    "kspec.targets.formats.coreml.format:CoreML",
    "kspec.targets.formats.tflite.format:TFLite",
    "kspec.targets.formats.tf_serving.format:TfServing",
)
_PLATFORMS = (
    "kspec.targets.platforms.ios:IOS",
    "kspec.targets.platforms.android:Android",
    "kspec.targets.platforms.browser:Browser",
    "kspec.targets.platforms.server:Server",
    "kspec.targets.platforms.jvm:Jvm",
    "kspec.targets.platforms.raspberry_pi:RaspberryPi",
)


@dataclass(frozen=True, slots=True)
class _Found:
    made: Any
    origin: str
    """The distribution with its version; empty for built-in formats and platforms."""

    @property
    def whose(self) -> str:
        return self.origin or "kspec itself"


def formats() -> Mapping[str, Format[Any]]:
    """Return every format by name, including formats of the entry point ``kspec.formats``. Raises
    KspecError KS906 or KS907 for an extension that cannot be used."""
    return _made(_formats())


def platforms() -> Mapping[str, Platform]:
    """Return every platform by name, including platforms of the entry point ``kspec.platforms``,
    and each format as a bare target. Raises KspecError as `formats` does."""
    return _made(_platforms())


def target_options() -> Mapping[str, type[Model]]:
    """Return the options of each target, as ``kspec.spec.load`` takes them."""
    return {name: platform.options for name, platform in platforms().items()}


def origin(target: str) -> str:
    """Return the distribution that provides a target, with its version, which is part of the key of
    its bundles. Empty for built-in targets."""
    return _platforms()[target].origin


@cache
def _formats() -> Mapping[str, _Found]:
    return _by_name(_loaded("kspec.formats", _FORMATS, Format))


@cache
def _platforms() -> Mapping[str, _Found]:
    as_platforms = (_Found(plain(each.made), each.origin) for each in _formats().values())
    return _by_name([*_loaded("kspec.platforms", _PLATFORMS, Platform), *as_platforms])


def _made(found: Mapping[str, _Found]) -> Mapping[str, Any]:
    return MappingProxyType({name: each.made for name, each in found.items()})


def _loaded(group: str, ours: tuple[str, ...], kind: type) -> Iterator[_Found]:
    for path in ours:
        module, _, name = path.partition(":")
        yield _Found(getattr(import_module(module), name)(), "")
    for entry in sorted(installed(group), key=lambda each: each.name):
        yield _extension(entry, kind)


def _extension(entry: EntryPoint, kind: type) -> _Found:
    origin_ = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    what = f"the {kind.__name__.lower()} `{entry.name}` of {origin_}"
    try:
        made = entry.load()()
    except FAILURES as error:
        reason = f"{type(error).__name__}: {error}"
        raise KspecError(Diagnostic("KS906", f"{what} does not load: {reason}")) from error
    if not isinstance(made, kind):
        raise KspecError(Diagnostic("KS906", f"{what} is not a {kind.__name__}: {entry.value}"))
    return _Found(made, origin_)


def _by_name(found: Iterable[_Found]) -> Mapping[str, _Found]:
    table: dict[str, _Found] = {}
    for each in found:
        name = each.made.name
        if name in table:
            both = f"{table[name].whose} and {each.whose}"
            raise KspecError(Diagnostic("KS907", f"two targets are called `{name}`: of {both}"))
        table[name] = each
    return MappingProxyType(table)
