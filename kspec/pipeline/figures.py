"""Formats figures for people, equally in the report and in the READMEs of bundles."""

from __future__ import annotations

import math
from collections.abc import Iterable

from kspec.features.steps import Step
from kspec.schemas.gates import TEXT, UNITS
from kspec.spec.amounts import spell_bytes  # noqa: F401 - for templates

NUMPY_ENGINE = "numpy "
"""Prefix of `runtime` when NumPy evaluated the artifact in place of its engine."""

MEASURES = (
    "Worst error is the largest |Δ| / max(s, |reference|) over all rows and outputs, where s is the"
    " largest |reference| of the output, at most 1. An output agrees where |Δ| ≤ atol · s + rtol ·"
    " |reference|. A flip is a row that is not a tie and whose decision differs."
)
"""An explanation of the columns in a table of artifacts."""


def spell_seconds(seconds: float) -> str:
    """``35 µs``, ``0.97 ms``, ``1.2 s``, ``4 min 10 s``."""
    if seconds >= 119.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.0995:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def spell_error(value: float) -> str:
    """``4.5e-7``, ``0``, ``1e-5``."""
    if value == 0 or not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:g}"
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def spell_metric(name: str, value: float) -> str:
    """``99.44 %`` for a share, four digits for the rest."""
    if name.endswith("accuracy"):
        return f"{value * 100:.2f} %"
    return f"{value:.4g}"


def spell_change(name: str, value: float, trained: float) -> str:
    """Format the difference to the trained model's metric: ``= trained``, ``+0.28 %``."""
    change = value - trained
    text = spell_metric(name, change)
    if text == spell_metric(name, 0.0) or abs(change) < 1e-6 * abs(trained):
        return "= trained"
    return f"+{text}" if change > 0 else text.replace("-", "−", 1)


def spell_gate(bound: str, value: float) -> str:
    """Format a gate's value in the unit of its bound."""
    match = TEXT.fullmatch(bound)
    unit = match[3] if match else None
    shown = value / UNITS[unit]
    text = f"{shown:.4g}" if shown < 10_000 else f"{shown:,.0f}"
    return f"{text} {unit}" if unit else text


def spell_count(count: int, noun: str) -> str:
    """``1 gate``, ``1,258 rows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def spell_steps(steps: Iterable[Step]) -> str:
    """Format the effect of steps, in order: ``× 0.25, then − 0.5``."""
    return ", then ".join(text for each in steps if (text := each.spell()))


def spell_shape(sizes: Iterable[object]) -> str:
    """``batch × 8 × 8 × 1``."""
    return " × ".join(map(str, sizes)) or "scalar"


def is_numpy(runtime: str) -> bool:
    """Return whether NumPy evaluated the artifact because its engine is not available here."""
    return runtime.startswith(NUMPY_ENGINE)
