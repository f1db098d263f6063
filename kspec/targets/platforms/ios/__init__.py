"""iOS: a Swift package around an ML Program that Core ML runs."""

from __future__ import annotations

from kspec.targets.platforms.ios.platform import IOS

__all__ = ["IOS"]
