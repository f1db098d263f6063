"""Android: a Kotlin library module around a TFLite file that LiteRT runs."""

from __future__ import annotations

from kspec.targets.platforms.android.platform import Android

__all__ = ["Android"]
