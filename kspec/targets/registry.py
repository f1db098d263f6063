"""Which formats and platforms there are: ours, listed here, and those of installed packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from kspec.schemas.base import Model
from kspec.targets.formats.format import Format
from kspec.targets.platforms.plain import plain
from kspec.targets.platforms.platform import Platform

_FORMATS = (
    "kspec.targets.formats.onnx:Onnx",
    "kspec.targets.formats.coreml:CoreML",
    "kspec.targets.formats.tflite:TFLite",
    "kspec.targets.formats.tf_serving:TfServing",
)
_PLATFORMS = (
    "kspec.targets.platforms.ios:IOS",
    "kspec.targets.platforms.android:Android",
    "kspec.targets.platforms.browser:Browser",
    "kspec.targets.platforms.server:Server",
    "kspec.targets.platforms.jvm:Jvm",
    "kspec.targets.platforms.raspberry_pi:RaspberryPi",
)


@cache
def formats() -> Mapping[str, Format]:
    """Every format by name; ``kspec.formats`` is the entry point of others."""
    return _by_name(_loaded("kspec.formats", _FORMATS))


@cache
def platforms() -> Mapping[str, Platform]:
    """Every platform by name, each format as a plain one; ``kspec.platforms`` is the entry point
    of others."""
    return _by_name([*_loaded("kspec.platforms", _PLATFORMS), *map(plain, formats().values())])


def target_options() -> Mapping[str, type[Model]]:
    """The options of each target, as ``kspec.spec.load`` takes them."""
    return {name: platform.options for name, platform in platforms().items()}


def _loaded(group: str, ours: tuple[str, ...]) -> Iterator[Any]:
    for path in ours:
        module, _, name = path.partition(":")
        yield getattr(import_module(module), name)()
    for entry in sorted(entry_points(group=group), key=lambda each: each.name):
        yield entry.load()()


def _by_name(found: Any) -> Mapping[str, Any]:
    table: dict[str, Any] = {}
    for each in found:
        if each.name in table:
            raise ValueError(f"two targets are called {each.name}: {table[each.name]} and {each}")
        table[each.name] = each
    return MappingProxyType(table)
